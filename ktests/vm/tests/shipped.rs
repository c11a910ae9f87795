// SPDX-License-Identifier: GPL-2.0
//! The programs of published CCP algorithms and of portus' own tests do the
//! same on libccp and on our machine, compiled by portus and by our compiler.

use ccp_core::vm::{isa::primitive, PRIMITIVES};
use ccp_vm_tests::{
    case::{Case, Program, Settable, Setting},
    check_case,
    driver::{Runner, Step, Totals},
    AckSample, Deviation,
};

const ACKS: u32 = 2_000;

macro_rules! program {
    ($name:literal, $file:literal, [$($control:literal),*]) => {
        Shipped {
            name: $name,
            text: include_str!(concat!("../../../userspace/lang/tests/programs/", $file, ".ccp")),
            controls: &[$($control),*],
        }
    };
    ($name:literal, [$($control:literal),*]) => {
        program!($name, $name, [$($control),*])
    };
}

struct Shipped {
    name: &'static str,
    text: &'static str,
    controls: &'static [&'static str],
}

const SHIPPED: [Shipped; 20] = [
    program!("gca_interval", ["reportTime"]),
    program!("gca_interval_rtt", []),
    program!("gca_ack_update", []),
    program!("gca_ss_update", []),
    program!("bbr_init", []),
    program!("bbr_probe_rtt", ["target_inflight_reached"]),
    program!(
        "bbr_probe_bw",
        [
            "pulseState",
            "cwndCap",
            "bottleRate",
            "threeFourthsRate",
            "fiveFourthsRate"
        ]
    ),
    program!("copa", ["basertt"]),
    program!("nimbus", ["report_time"]),
    program!("vegas", []),
    program!("const", []),
    program!("pyportus_aimd", "gca_interval_rtt", []),
    program!("pyportus_const", []),
    program!("guide_aimd", []),
    program!("it_basic", []),
    program!("it_preset", ["foo"]),
    program!("it_timing", ["Control.state"]),
    program!("it_twoflow", ["numerator"]),
    program!("it_update", []),
    program!("it_volatile", ["baz", "qux"]),
];

impl Shipped {
    fn program(&self) -> Program {
        let controls: Vec<String> = self.controls.iter().map(|&c| c.to_owned()).collect();
        let program = Program::source(self.text, &controls);
        let program = program.unwrap_or_else(|error| panic!("{}: {error}", self.name));
        let program = program.unwrap_or_else(|| panic!("portus refuses {}", self.name));
        let known = program.controls.iter().all(Option::is_some);
        assert!(known, "{}: a control variable is missing", self.name);
        program
    }
}

/// Each program alone, and taking turns with each of the others.
#[test]
fn random_acks() {
    let mut runner = Runner::new();
    let mut all = Totals::default();
    for (number, first) in SHIPPED.iter().enumerate() {
        for (other, second) in SHIPPED.iter().enumerate() {
            let mut totals = Totals::default();
            let case = Case {
                seed: (20 * number + other) as u64,
                programs: vec![first.program(), second.program()],
            };
            let checked = check_case(&mut runner, case, ACKS, &mut totals);
            if let Err(difference) = checked {
                panic!("{} and {}: {difference}", first.name, second.name);
            }
            all += totals;
        }
    }
    println!("{all}");
    assert_eq!(all.programs, 2 * 20 * 20);
    assert!(all.invocations >= u64::from(ACKS) * all.programs);
    assert!(all.reports * 3 > all.invocations, "{all}");
    // The only ones that overflow are those that multiply: wild values do that.
    for &deviation in Deviation::ALL {
        let known = [
            Deviation::Mul,
            Deviation::ZeroUpdate,
            Deviation::Truncated,
            Deviation::Logical,
        ];
        let hit = all.deviations[deviation] > 0;
        assert!(!hit || known.contains(&deviation), "{all}");
    }
    assert!(all.explained * 1000 < all.invocations, "{all}");
}

fn step(now_us: u64, bytes_acked: u64) -> Step {
    let mut primitives = [0; PRIMITIVES];
    primitives[primitive::ACK_NOW] = now_us;
    primitives[primitive::ACK_BYTES_ACKED] = bytes_acked;
    Step {
        change: None,
        settings: Vec::new(),
        ack: AckSample {
            primitives,
            now_us,
            cwnd: 14_480,
            rate: 1_000_000,
        },
    }
}

/// Runs what a test of portus does; returns the number of reports.
fn reports(name: &str, settings: &[Setting], mut steps: Vec<Step>) -> u64 {
    let shipped = SHIPPED.iter().find(|shipped| shipped.name == name);
    let program = shipped.expect("in the list").program();
    steps[0].change = Some(0);
    steps[0].settings = settings.to_vec();
    let mut totals = Totals::default();
    let replayed = Runner::new().replay(&[program], &steps, &mut totals);
    replayed.unwrap_or_else(|difference| panic!("{name}: {difference:?}"));
    assert_eq!(totals.explained, 0);
    totals.reports
}

/// Random ACKs don't meet the conditions of these.
#[test]
fn acks_as_in_portus_tests() {
    let steps = |us: u64, bytes| (1..=20).map(|n| step(n * us, bytes)).collect();
    assert_eq!(reports("it_basic", &[], steps(1000, 5)), 1);
    let foo = Setting {
        what: Settable::Control(0),
        value: 52,
    };
    assert_eq!(reports("it_preset", &[foo], steps(1000, 5)), 20);
    assert_eq!(reports("it_timing", &[], steps(160_000, 1)), 1);
    let window = [(Settable::Cwnd, 42), (Settable::Rate, 10)];
    let window = window.map(|(what, value)| Setting { what, value });
    let mut set = steps(1000, 5);
    for step in &mut set[1..] {
        step.ack.cwnd = 42;
        step.ack.rate = 10;
    }
    assert_eq!(reports("it_update", &window, set), 20);
    assert_eq!(reports("it_volatile", &[], steps(1000, 5)), 4);
}
