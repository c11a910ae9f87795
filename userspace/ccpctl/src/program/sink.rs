// SPDX-License-Identifier: GPL-2.0
//! Writes traces of ACKs.

use crate::Failure;
use ccp_core::vm::{isa::primitive, Input, PRIMITIVES};
use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::PathBuf,
};

/// Where the rows go.
pub(super) struct Sink {
    out: BufWriter<Box<dyn Write>>,
    columns: Vec<usize>,
    pub(super) rows: u64,
    error: Option<io::Error>,
}

impl Sink {
    /// Begins a trace of all primitive registers but those `unknown`.
    pub(super) fn new(output: Option<&PathBuf>, unknown: &[usize]) -> Result<Self, Failure> {
        let out: Box<dyn Write> = match output {
            Some(path) if path.as_os_str() != "-" => {
                Box::new(File::create(path).map_err(Failure::file(path))?)
            }
            _ => Box::new(io::stdout()),
        };
        Ok(Self::to(out, unknown))
    }

    pub(super) fn to(out: Box<dyn Write>, unknown: &[usize]) -> Self {
        let now = primitive::ACK_NOW;
        let others = (0..PRIMITIVES).filter(|index| *index != now && !unknown.contains(index));
        let mut sink = Self {
            out: BufWriter::new(out),
            columns: [now].into_iter().chain(others).collect(),
            rows: 0,
            error: None,
        };
        let names = sink.columns.iter().map(|index| primitive::NAMES[*index]);
        let names: Vec<&str> = names.chain(["Cwnd", "Rate"]).collect();
        sink.line(&names.join(","));
        sink
    }

    /// Writes an ACK with the window and rate it found.
    pub(super) fn row(&mut self, input: &Input) {
        let value = |index: &usize| match (*index, input.primitives[*index]) {
            // No sample, as a program reads it.
            (primitive::FLOW_RTT_SAMPLE_US, 0) => u32::MAX.into(),
            (_, value) => value,
        };
        let values = self.columns.iter().map(value);
        let values = values.chain([input.cwnd, input.rate]);
        let values: Vec<String> = values.map(|value| value.to_string()).collect();
        self.line(&values.join(","));
        self.rows += 1;
    }

    fn line(&mut self, text: &str) {
        if self.error.is_none() {
            self.error = writeln!(self.out, "{text}").err();
        }
    }

    /// Nothing more can be written.
    pub(super) fn failed(&self) -> bool {
        self.error.is_some()
    }

    pub(super) fn finish(&mut self) -> Result<(), Failure> {
        if let Some(error) = self.error.take() {
            return Err(error.into());
        }
        Ok(self.out.flush()?)
    }
}
