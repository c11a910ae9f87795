// SPDX-License-Identifier: GPL-2.0
//! Programs and ACKs as Rust source, for the module that measures in a kernel.

use std::{fmt::Write as _, fs, path::Path};

use ccp_vm_tests::AckSample;

use crate::{
    case::CASES,
    flow::LIBCCP,
    trace::{self, SPACING_US},
};

pub(crate) fn export(file: &Path) -> std::io::Result<()> {
    fs::write(file, text(&trace::trace()))
}

fn text(trace: &[AckSample]) -> String {
    let mut out = String::from(
        "// SPDX-License-Identifier: GPL-2.0\n\n//! Made by `ktests/vm/benches/versus.rs`.\n\n",
    );
    let mut line = |text: String| writeln!(out, "{text}").expect("a String takes it");
    line(format!("pub(crate) const ACKS: usize = {};", trace.len()));
    line(format!("pub(crate) const SPACING_US: u64 = {SPACING_US};"));
    line(
        "type Program = (&'static str, &'static [u8], &'static [u8], &'static [(u8, u32, u64)]);"
            .into(),
    );
    line(format!(
        "pub(crate) const PROGRAMS: [Program; {}] = [",
        CASES.len()
    ));
    for case in CASES {
        let program = case.compile();
        let updates: Vec<_> = program
            .updates
            .iter()
            .map(|update| (update.class, update.index, update.value))
            .collect();
        line(format!(
            "({:?}, &{:?}, &{:?}, &{updates:?}),",
            case.name, program.events, program.instructions
        ));
    }
    line("];".into());
    line(format!(
        "pub(crate) static TRACE: [([u64; {LIBCCP}], u64, u64); ACKS] = ["
    ));
    for ack in trace {
        let primitives = &ack.primitives[..LIBCCP];
        line(format!("({primitives:?}, {}, {}),", ack.cwnd, ack.rate));
    }
    line("];".into());
    out
}
