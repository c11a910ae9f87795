// SPDX-License-Identifier: GPL-2.0
//! The comparison itself: it sees differences, excuses no others than those
//! listed, and shows them small.

use ccp_vm_tests::{
    case::{Case, Program},
    check_case,
    driver::{Runner, Totals},
    generate, Deviation,
};

const ACKS: u32 = 20_000;

fn program(text: &str) -> Program {
    let names = ["c".to_owned()];
    Program::source(text, &names)
        .unwrap()
        .expect("portus takes it")
}

/// Runs a case in which our compiler has taken `theirs` for `ours`.
fn compare(theirs: &str, ours: &str) -> (Result<(), String>, Totals) {
    let mut program_of = program(theirs);
    program_of.ours = program(ours).ours;
    let mut totals = Totals::default();
    let case = Case {
        seed: 1,
        programs: vec![program_of],
    };
    let checked = check_case(&mut Runner::new(), case, ACKS, &mut totals);
    (checked, totals)
}

const COUNT: &str = "(def (Report (volatile n 0)) (c 5))
    (when true (:= Report.n (+ Report.n 1)) (fallthrough))
    (when (> Report.n c) (report))";

#[test]
fn equal_programs_agree() {
    let (checked, totals) = compare(COUNT, COUNT);
    checked.unwrap();
    assert_eq!((totals.programs, totals.invocations), (1, u64::from(ACKS)));
    // Any program sees an update to 0.
    assert_eq!(totals.explained, totals.deviations[Deviation::ZeroUpdate]);
    assert!(totals.reports > 1000);
}

#[test]
fn differences_are_seen_and_shown_small() {
    for other in [
        COUNT.replace("> Report.n c", "> Report.n (+ c 1)"),
        COUNT.replace("volatile n", "n"),
        COUNT.replace("(report)", "(report) (:= Rate 7)"),
        COUNT.replace("(report)", "(report) (:= Cwnd (+ Cwnd 1))"),
        COUNT.replace("(volatile n 0)", "(volatile n 0) (m 0)"),
        COUNT.replace("(report)", "(report) (:= Rate (/ 1 0))"),
    ] {
        let (checked, _) = compare(COUNT, &other);
        let shown = checked.expect_err(&other);
        assert!(
            shown.starts_with("seed 1: the machines differ at ACK"),
            "{shown}"
        );
        assert!(shown.contains("ours, our compiler, optimised: "), "{shown}");
        // The steps are few: the program reports after six ACKs.
        assert!(shown.matches("\nack at ").count() <= 14, "{shown}");
    }
}

/// A listed deviation explains only what it leads to.
#[test]
fn a_deviation_is_no_excuse_for_others() {
    // It overflows when the agent sets c to something wild.
    let product = "(def (Report (n 1)) (c 5))
        (when true (:= Report.n (* c 2000000000)) (report))";
    let (checked, totals) = compare(product, product);
    checked.unwrap();
    assert!(totals.explained > 20, "{totals}");
    let zeros = totals.deviations[Deviation::ZeroUpdate];
    assert_eq!(totals.deviations[Deviation::Mul] + zeros, totals.explained);
    let other = product.replace("(report)", "(report) (:= c (min c 2000000000))");
    let (checked, _) = compare(product, &other);
    checked.unwrap_err();
}

#[test]
fn seeds_are_programs() {
    for seed in 0..20 {
        let texts = [(); 2].map(|()| {
            let case = Case::generate(seed).unwrap();
            case.programs
                .iter()
                .map(Program::to_string)
                .collect::<String>()
        });
        assert_eq!(texts[0], texts[1]);
        let other = Case::generate(seed + 2).unwrap();
        assert_ne!(
            texts[0],
            other
                .programs
                .iter()
                .map(Program::to_string)
                .collect::<String>()
        );
    }
}

/// Generated sources are what portus takes; few are thrown away.
#[test]
fn portus_takes_generated_sources() {
    let mut rng = fastrand::Rng::with_seed(1);
    let sources = (0..1000).map(|_| generate::source(&mut rng));
    let taken = sources.filter(|source| {
        let program = Program::source(&source.text, &source.controls);
        program.unwrap().is_some()
    });
    let taken = taken.count();
    assert!(taken > 950, "{taken}");
}
