// SPDX-License-Identifier: GPL-2.0
//! Reports, with their fields by name.

use crate::{error::listed, library::Compiled, Error, Result};
use ccp_netlink::RawReport;
use std::rc::Rc;

/// What a program of a flow reported.
#[derive(Clone, Debug)]
pub struct Report {
    program: Rc<Compiled>,
    raw: RawReport,
    stale: bool,
    missed: u64,
}

impl Report {
    pub(crate) fn new(program: Rc<Compiled>, raw: RawReport, stale: bool, missed: u64) -> Self {
        Self {
            program,
            raw,
            stale,
            missed,
        }
    }

    /// A field by its name, without `Report.`.
    pub fn get(&self, name: &str) -> Result<u64> {
        self.program
            .field(name)
            .and_then(|index| self.raw.fields.get(index).copied())
            .ok_or_else(|| Error::NoField {
                program: self.program.name.clone(),
                name: name.to_owned(),
                known: listed(self.program.fields.iter().map(String::as_str)),
            })
    }

    /// A field that is true or false.
    pub fn flag(&self, name: &str) -> Result<bool> {
        Ok(self.get(name)? != 0)
    }

    /// All fields, in the program's order.
    pub fn fields(&self) -> impl Iterator<Item = (&str, u64)> {
        let names = self.program.fields.iter().map(String::as_str);
        names.zip(self.raw.fields.iter().copied())
    }

    /// Congestion window after the program ran, bytes.
    pub fn cwnd(&self) -> u64 {
        self.raw.cwnd
    }

    /// Pacing rate after the program ran, bytes per second.
    pub fn rate(&self) -> u64 {
        self.raw.rate
    }

    /// Number of the report in its flow, from 1.
    pub fn seq(&self) -> u64 {
        self.raw.seq
    }

    /// Reports of the flow that were lost just before this one.
    pub fn missed(&self) -> u64 {
        self.missed
    }

    /// TCP timestamp clock at the ACK that caused the report, microseconds.
    pub fn time_us(&self) -> u64 {
        self.raw.time_us
    }

    /// The program that made the report.
    pub fn program(&self) -> &str {
        &self.program.local_name
    }

    /// The flow has been switched to another program since. The fields are
    /// still those of the program that made the report.
    pub fn is_stale(&self) -> bool {
        self.stale
    }
}
