// SPDX-License-Identifier: GPL-2.0
//! The programs that are measured.

use ccp_vm_tests::{Portus, Update};

macro_rules! source {
    ($name:literal) => {
        include_str!(concat!(
            "../../../../userspace/lang/tests/programs/",
            $name,
            ".ccp"
        ))
    };
}

/// A program, and what its agent sets.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    source: &'static str,
    controls: &'static [(&'static str, u64)],
}

/// As portus compiles it.
pub(crate) struct Compiled {
    pub(crate) events: Vec<u8>,
    pub(crate) instructions: Vec<u8>,
    pub(crate) updates: Vec<Update>,
}

/// Microseconds between nimbus's reports.
pub(crate) const REPORT_TIME: u64 = 10_000;

pub(crate) const CASES: [Case; 7] = [
    Case {
        name: "gca RTT",
        source: source!("gca_interval_rtt"),
        controls: &[],
    },
    Case {
        name: "gca per-ACK",
        source: source!("gca_ack_update"),
        controls: &[],
    },
    Case {
        name: "bbr probe_bw",
        source: source!("bbr_probe_bw"),
        controls: &[
            ("cwndCap", 200_000),
            ("bottleRate", 12_000_000),
            ("threeFourthsRate", 9_000_000),
            ("fiveFourthsRate", 15_000_000),
        ],
    },
    Case {
        name: "bbr probe_rtt",
        source: source!("bbr_probe_rtt"),
        controls: &[],
    },
    Case {
        name: "copa",
        source: source!("copa"),
        controls: &[],
    },
    Case {
        name: "nimbus",
        source: source!("nimbus"),
        controls: &[("report_time", REPORT_TIME)],
    },
    Case {
        name: "const",
        source: source!("const"),
        controls: &[],
    },
];

impl Case {
    pub(crate) fn compile(&self) -> Compiled {
        let portus = Portus::compile(self.source).expect("a program that portus takes");
        let update = |(name, value): &(&str, u64)| {
            let (class, index) = portus.updatable(name).expect("a control variable");
            Update {
                class,
                index,
                value: *value,
            }
        };
        Compiled {
            updates: self.controls.iter().map(update).collect(),
            events: portus.program.events.clone(),
            instructions: portus.program.instructions.clone(),
        }
    }
}
