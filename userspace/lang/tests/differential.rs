// SPDX-License-Identifier: GPL-2.0
//! Generated programs do what docs/language.md says, compiled with and without
//! the optimiser: after each ACK all that can be observed is compared, and so
//! is everything that lasts.
//!
//! Four machines run each program: the datapath's and a second reading of
//! docs/isa.md, each with both forms of it, against a reading of the language
//! itself. `PROPTEST_CASES` runs more.

mod common;
#[path = "../../../rust/core/tests/common/naive.rs"]
#[allow(
    unreachable_pub,
    missing_docs,
    clippy::pedantic,
    reason = "a file of the core's tests"
)]
mod naive;

use ccp_core::vm::{
    self,
    isa::{self, Class},
    Abort, Input, Outcome, PRIMITIVES,
};
use ccp_lang::{compile_with, Compiled, Severity};
use common::{generate::programs, reference::Reference, Flow, BOTH};
use naive::Naive;
use proptest::prelude::*;

const ACKS: usize = 200;

/// What messages call the two forms of a program.
const FORMS: [&str; 2] = ["plain", "optimised"];

/// Random numbers; proptest would keep each of them.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// Mostly small, so that values meet; sometimes any.
    fn value(&mut self) -> u64 {
        match self.below(20) {
            0 => self.next(),
            1 => u64::MAX - self.below(3),
            2 => u64::from(u32::MAX) - 1 + self.below(3),
            3..=6 => self.below(100_000),
            7..=12 => self.below(3),
            _ => self.below(20),
        }
    }
}

/// A program in both forms.
struct Forms {
    source: String,
    compiled: [Compiled; 2],
}

/// Compiles a generated program; a stand-in if it is too long.
fn forms(source: &str) -> Forms {
    let results = BOTH.map(|options| compile_with("p.ccp", source, options));
    match results {
        [Ok(plain), Ok(optimised)] => {
            let sizes = [&plain, &optimised].map(|c| {
                let layout = vm::verify(&c.program.events, &c.program.instructions);
                let layout = layout.expect("verifies");
                (
                    c.program.instructions.len(),
                    c.program.events.len(),
                    layout.cost,
                    layout.registers,
                )
            });
            let [p, o] = sizes;
            assert!(
                o.0 <= p.0 && o.1 <= p.1 && o.2 <= p.2 && o.3 <= p.3,
                "larger: {sizes:?}\n{source}"
            );
            Forms {
                source: source.to_owned(),
                compiled: [plain, optimised],
            }
        }
        [Err(errors), Err(_)] => {
            let allowed = |code| matches!(code, "E0404" | "E0407");
            let mut errors_only = errors.iter().filter(|d| d.severity == Severity::Error);
            assert!(errors_only.all(|d| allowed(d.code)), "{errors}");
            forms("(def (Report (x 0) (t false)) (a 0) (va 0) (b true)) (when true (report))")
        }
        _ => panic!("the optimiser decides whether this compiles:\n{source}"),
    }
}

/// All machines with one flow each, at the same point.
struct Machines {
    flows: [Flow; 2],
    naives: [Naive; 2],
    reference: Reference,
    aborts: usize,
    reports: usize,
}

fn naive(compiled: &Compiled) -> Naive {
    Naive::new(&compiled.program.events, &compiled.program.instructions)
}

impl Machines {
    fn new(forms: &Forms) -> Self {
        let [plain, optimised] = &forms.compiled;
        let flows = [plain, optimised].map(|c| Flow::load(&c.program, c.symbols.clone()));
        let now = flows[0].input.now_us;
        let mut machines = Self {
            flows,
            naives: [plain, optimised].map(naive),
            reference: Reference::new(&forms.source, now),
            aborts: 0,
            reports: 0,
        };
        machines.switch_naives(forms, now);
        machines
    }

    fn switch_naives(&mut self, forms: &Forms, now: u64) {
        for (naive, compiled) in self.naives.iter_mut().zip(&forms.compiled) {
            naive.switch(
                &compiled.program.events,
                &compiled.program.instructions,
                now,
            );
        }
    }

    fn switch(&mut self, forms: &Forms) {
        let now = self.flows[0].input.now_us;
        for (flow, compiled) in self.flows.iter_mut().zip(&forms.compiled) {
            flow.switch(&compiled.program, compiled.symbols.clone());
        }
        self.switch_naives(forms, now);
        self.reference.switch(&forms.source, now);
    }

    fn update(&mut self, name: &str, value: u64) {
        for flow in &mut self.flows {
            flow.update(name, value);
        }
        let register = self.flows[0].symbols.updatable(name).expect("updatable");
        if register.class != Class::Implicit as u8 {
            for naive in &mut self.naives {
                naive.set(register.class, register.index, value);
            }
            self.reference.set(name, value);
        }
    }

    fn ack(&mut self, primitives: [u64; PRIMITIVES], after: u64) {
        for flow in &mut self.flows {
            flow.input.primitives = primitives;
            flow.after(after);
        }
        let input: Input = self.flows[0].input;
        let expected = self.reference.run(&input);
        for (flow, form) in self.flows.iter_mut().zip(FORMS) {
            assert_eq!(flow.ack(), expected, "{form}");
        }
        for (naive, form) in self.naives.iter_mut().zip(FORMS) {
            assert_eq!(naive.run(&input).0, expected, "{form}");
        }
        self.aborts += usize::from(expected.abort.is_some());
        self.reports += usize::from(expected.report);
        self.compare(expected.report);
        if expected.report {
            self.reference.reset_volatile();
            self.naives.iter_mut().for_each(Naive::reset_volatile);
            self.flows.iter_mut().for_each(Flow::reset_volatile);
        }
    }

    /// Compares what lasts, and what is reported.
    fn compare(&self, report: bool) {
        let of = |names: &[String]| -> Vec<u64> {
            names.iter().map(|name| self.reference.get(name)).collect()
        };
        let (reports, controls) = (of(&self.reference.reports), of(&self.reference.controls));
        let locals: Vec<u64> = (0..8).map(|index| self.reference.local(index)).collect();
        let micros = self.reference.get("Micros");
        for (flow, form) in self.flows.iter().zip(FORMS) {
            // Without a report the datapath may know better what they will be.
            if report {
                assert_eq!(flow.fields(), reports, "{form}");
            }
            let read = |class, count| flow.registers(class, count);
            assert_eq!(
                read(Class::NonvolatileControl, controls.len()),
                controls,
                "{form}"
            );
            assert_eq!(read(Class::Local, 8), locals, "{form}");
        }
        for (naive, form) in self.naives.iter().zip(FORMS) {
            let read = |class: Class, count: usize| -> Vec<u64> {
                let get = |index| naive.get(class as u8, index);
                (0..count as u32).map(get).collect()
            };
            assert_eq!(
                read(Class::NonvolatileReport, reports.len()),
                reports,
                "{form}"
            );
            assert_eq!(
                read(Class::NonvolatileControl, controls.len()),
                controls,
                "{form}"
            );
            assert_eq!(read(Class::Local, 8), locals, "{form}");
            let ours = naive.get(Class::Implicit as u8, isa::implicit::MICROS);
            assert_eq!(ours, micros, "{form}");
        }
    }
}

/// Lets two programs take turns on one flow.
fn take_turns(sources: [&str; 2], seed: u64) -> (usize, usize) {
    let programs = sources.map(forms);
    let mut machines = Machines::new(&programs[0]);
    let mut random = Random(seed);
    let mut running = 0;
    for _ in 0..ACKS {
        match random.below(40) {
            0 => {
                running = 1 - running;
                machines.switch(&programs[running]);
            }
            1..=3 => {
                let name = ["a", "va", "b", "Cwnd", "Rate"][random.below(5) as usize];
                let value = random.value();
                machines.update(name, value);
            }
            _ => {}
        }
        let mut primitives = [0; PRIMITIVES];
        primitives.fill_with(|| random.value());
        let after = random.below(30);
        machines.ack(primitives, after);
    }
    (machines.aborts, machines.reports)
}

/// 1000 pairs of programs, or as many as PROPTEST_CASES says.
fn config() -> ProptestConfig {
    let mut config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 1000;
    }
    // These programs are long; a short one says what is wrong.
    config.max_shrink_iters = 20_000;
    config
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn optimised_plain_and_by_the_book(
        first in programs(),
        second in programs(),
        seed in any::<u64>(),
    ) {
        take_turns([&first, &second], seed);
    }
}

/// The comparison would mean little if programs always aborted, or never.
#[test]
fn machines_see_aborts_and_reports() {
    let source = "(def (Report (x 0) (volatile vx 1) (t false)) (a 9) (volatile va 3) (b true))
        (when true (:= Report.x (+ Report.x 1)) (fallthrough))
        (when (> Flow.mss 5) (report) (:= a (/ 100 Ack.bytes_acked)))";
    let (aborts, reports) = take_turns([source, source], 1);
    assert!((5..100).contains(&aborts), "{aborts}");
    assert!((20..150).contains(&reports), "{reports}");
}

#[test]
fn what_aborts_is_not_taken_away() {
    for (statement, abort) in [
        ("(:= a (/ 1 0))", Abort::DivideByZero),
        ("(:= a (- 1 2))", Abort::SubUnderflow),
        ("(:= a (+ 1 18446744073709551615))", Abort::AddOverflow),
        ("(:= a (* 2 18446744073709551615))", Abort::MulOverflow),
        ("(:= a (* (/ 1 Report.x) 0))", Abort::DivideByZero),
        ("(:= a (min (- Report.x 1) 0))", Abort::SubUnderflow),
        ("(:= a (if false (/ 1 0) 3))", Abort::DivideByZero),
        ("(:= a (&& false (> (/ 1 0) 3)))", Abort::DivideByZero),
        (
            "(If (&& false (> (/ 1 0) 3)) (report))",
            Abort::DivideByZero,
        ),
        ("(:= a (/ 1 0)) (:= a 5)", Abort::DivideByZero),
        (
            "(If (&& (> Report.x 5) (> a (/ 1 (min Report.x a)))) (report))",
            Abort::DivideByZero,
        ),
    ] {
        let source =
            format!("(def (Report (x 0)) (a 7)) (when true (:= Cwnd 9) {statement} (report))");
        for options in BOTH {
            let mut flow = Flow::new(&source, options);
            let expected = Outcome {
                abort: Some(abort),
                ..Outcome::default()
            };
            assert_eq!(flow.ack(), expected, "{statement}");
        }
    }
}
