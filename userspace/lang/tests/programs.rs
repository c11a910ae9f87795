// SPDX-License-Identifier: GPL-2.0
//! The programs of published CCP algorithms, written from their descriptions.

mod common;

use ccp_core::vm::isa::{EVENT_BYTES, INSTRUCTION_BYTES};
use ccp_lang::{Options, Severity};
use common::{compile, Flow, BOTH};

macro_rules! program {
    ($name:literal) => {
        ($name, include_str!(concat!("programs/", $name, ".ccp")))
    };
}

/// Name and source.
type Program = (&'static str, &'static str);
/// Instructions and events.
type Size = (usize, usize);

/// With the instructions and events portus makes of them, where known.
const PROGRAMS: &[(Program, Option<Size>)] = &[
    (program!("gca_interval"), Some((24, 3))),
    (program!("gca_interval_rtt"), Some((23, 3))),
    (program!("gca_ack_update"), Some((16, 1))),
    (program!("gca_ss_update"), Some((21, 2))),
    (program!("bbr_init"), Some((16, 2))),
    (program!("bbr_probe_rtt"), Some((20, 3))),
    (program!("bbr_probe_bw"), Some((41, 4))),
    (program!("copa"), Some((32, 3))),
    (program!("nimbus"), Some((23, 3))),
    (program!("vegas"), Some((10, 2))),
    (program!("const"), Some((14, 2))),
    (program!("pyportus_const"), Some((9, 1))),
    (program!("guide_aimd"), Some((13, 3))),
    (program!("it_basic"), None),
    (program!("it_preset"), None),
    (program!("it_timing"), None),
    (program!("it_twoflow"), None),
    (program!("it_update"), None),
    (program!("it_volatile"), None),
];

fn source(name: &str) -> &'static str {
    let found = PROGRAMS.iter().find(|((n, _), _)| *n == name);
    found.expect("in the table").0 .1
}

#[test]
fn all_compile_without_warnings_but_for_locals() {
    for ((name, source), _) in PROGRAMS {
        for options in BOTH {
            let warnings = compile(source, options).warnings;
            assert!(
                warnings
                    .iter()
                    .all(|d| d.severity == Severity::Warning && d.code == "W0501"),
                "{name}: {warnings}"
            );
        }
    }
}

#[test]
fn sizes_are_those_of_portus() {
    for ((name, source), size) in PROGRAMS {
        let program = compile(source, Options { optimise: false }).program;
        let instructions = program.instructions.len() / INSTRUCTION_BYTES;
        let events = program.events.len() / EVENT_BYTES;
        if let Some(size) = size {
            assert_eq!((instructions, events), *size, "{name}");
        }
    }
}

#[test]
fn basic_counts_twenty_acks_of_five_bytes() {
    for options in BOTH {
        let mut flow = Flow::new(source("it_basic"), options);
        flow.set("Ack.bytes_acked", 5);
        for _ in 0..19 {
            assert_eq!(flow.report(), None);
        }
        assert_eq!(flow.report(), Some(vec![100]));
    }
}

#[test]
fn preset_reports_what_was_set() {
    for options in BOTH {
        let mut flow = Flow::new(source("it_preset"), options);
        flow.update("foo", 52);
        assert_eq!(flow.report(), Some(vec![52]));
    }
}

#[test]
fn timing_reports_once_after_three_seconds() {
    for options in BOTH {
        let mut flow = Flow::new(source("it_timing"), options);
        flow.set("Ack.bytes_acked", 1);
        for _ in 0..30 {
            assert_eq!(flow.after(100_000).report(), None);
        }
        assert_eq!(flow.after(1).report(), Some(vec![31]));
        assert_eq!(flow.after(5_000_000).report(), None);
    }
}

#[test]
fn two_flows_have_their_own_registers() {
    for options in BOTH {
        let mut flows = [(); 2].map(|()| Flow::new(source("it_twoflow"), options));
        flows[1].update("numerator", 20);
        let reports = flows.map(|mut flow| flow.set("Ack.bytes_acked", 10).report());
        assert_eq!(reports, [Some(vec![10]), Some(vec![20])]);
    }
}

#[test]
fn update_sets_window_and_rate() {
    for options in BOTH {
        let mut flow = Flow::new(source("it_update"), options);
        assert_eq!(flow.report(), None);
        flow.update("Cwnd", 42);
        flow.update("Rate", 10);
        assert_eq!(flow.report(), Some(vec![42, 10]));
    }
}

#[test]
fn volatile_variables_reset_after_the_report() {
    for options in BOTH {
        let mut flow = Flow::new(source("it_volatile"), options);
        let reports: Vec<_> = (0..10).filter_map(|_| flow.report()).collect();
        // foo counts to 5 and takes baz; bar and qux go on growing.
        assert_eq!(reports, [vec![5 + 10, 5 + 10], vec![5 + 10, 20 + 20]]);
    }
}

#[test]
fn probe_bw_pulses() {
    for options in BOTH {
        let mut flow = Flow::new(source("bbr_probe_bw"), options);
        for (name, value) in [
            ("cwndCap", 50_000),
            ("bottleRate", 400),
            ("threeFourthsRate", 300),
            ("fiveFourthsRate", 500),
        ] {
            flow.update(name, value);
        }
        flow.set("Flow.rtt_sample_us", 10_000);
        let mut rates = Vec::new();
        for _ in 0..20 {
            if flow.after(1_000).report().is_some() {
                rates.push(flow.input.rate);
            }
        }
        assert_eq!(rates[..], [300]);
        // minrtt is volatile: it was measured anew after the report.
        for _ in 0..100 {
            if flow.after(1_000).report().is_some() {
                rates.push(flow.input.rate);
            }
        }
        assert_eq!(rates[..4], [300, 400, 500, 300]);
        assert_eq!(flow.input.cwnd, 50_000);
    }
}

#[test]
fn slow_start_in_the_datapath() {
    for options in BOTH {
        let mut flow = Flow::new(source("gca_ss_update"), options);
        flow.input.cwnd = 10_000;
        flow.set("Ack.bytes_acked", 1_448);
        for _ in 0..10 {
            assert_eq!(flow.report(), None);
        }
        assert_eq!(flow.input.cwnd, 24_480);
        assert!(flow.set("Flow.was_timeout", 1).report().is_some());
    }
}
