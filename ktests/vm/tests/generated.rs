// SPDX-License-Identifier: GPL-2.0
//! Generated programs do the same on libccp and on our machine, compiled by
//! portus and by our compiler.

use ccp_vm_tests::{
    check,
    driver::{Runner, Totals},
    Deviation,
};

/// Cases of two programs each.
const CASES: u64 = 4_000;
const ACKS: u32 = 1_000;

/// Runs cases in wire form (0) or in source form (1).
fn run(form: u64) -> Totals {
    let mut runner = Runner::new();
    let mut totals = Totals::default();
    for case in 0..CASES {
        if let Err(difference) = check(&mut runner, 2 * case + form, ACKS, &mut totals) {
            panic!("{difference}");
        }
    }
    println!("{totals}");
    totals
}

/// Most of what was compared was not excused, and was worth comparing.
fn assert_worth(totals: &Totals) {
    let percent = |count: u64| 100 * count / totals.invocations;
    assert!(totals.programs == 2 * CASES);
    assert!(totals.invocations >= u64::from(ACKS) * totals.programs);
    assert!(totals.explained * 50 < totals.invocations, "{totals}");
    assert!(
        percent(totals.deviations[Deviation::Truncated]) < 20,
        "{totals}"
    );
    assert!(percent(totals.aborted) < 30, "{totals}");
    assert!(percent(totals.reports) > 20, "{totals}");
    assert!(percent(totals.outputs) > 5, "{totals}");
    assert!(percent(totals.changes) > 2, "{totals}");
}

#[test]
fn wire_programs() {
    let totals = run(0);
    assert_worth(&totals);
    let languages = [Deviation::Logical, Deviation::Infinity];
    for &deviation in Deviation::ALL {
        let hit = totals.deviations[deviation] > 0;
        assert_eq!(hit, !languages.contains(&deviation), "{totals}");
    }
}

#[test]
fn source_programs() {
    let totals = run(1);
    assert_worth(&totals);
    // A compiler writes neither the event flag in a body nor a report register
    // that it didn't define.
    let never = [
        Deviation::FlagCleared,
        Deviation::ReportFields,
        Deviation::Stale,
    ];
    for &deviation in Deviation::ALL {
        let hit = totals.deviations[deviation] > 0;
        assert_eq!(hit, !never.contains(&deviation), "{totals}");
    }
}
