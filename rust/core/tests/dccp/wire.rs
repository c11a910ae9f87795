// SPDX-License-Identifier: GPL-2.0

//! Options, and the bound on the sum of N.

use ccp_core::multfrc::{
    equation::MAX_FLOWS, wire::Feedback, Admission, Malformed, Receiver, Refusal, Report, Sums,
    Weight, WireOption,
};

fn taken(options: &[WireOption]) -> Option<Report> {
    let mut feedback = Feedback::NONE;
    for option in options {
        assert_eq!(feedback.parse(option.number, option.value()), Ok(true));
    }
    feedback.report()
}

#[test]
fn a_report_goes_and_comes() {
    let report = Report {
        interval: (100 << 16) + 1,
        rate: 123_456 << 6,
        lost: 3 << 15,
    };
    let options = report.options();
    let bytes: Vec<(u8, &[u8])> = options.iter().map(|o| (o.number, o.value())).collect();
    assert_eq!(
        bytes,
        [
            (192, &[0, 0, 0, 101][..]),
            (194, &[0, 1, 0xe2, 0x40]),
            (248, &[0, 1, 0x80, 0]),
            (249, &[0, 0, 0, 100, 0, 1]),
        ]
    );
    assert_eq!(taken(&options), Some(report));
    let none = Report::default();
    assert_eq!(none.options()[0].value(), [0xff; 4]);
    assert_eq!(none.options()[3].value(), [0xff; 6]);
    assert_eq!(taken(&none.options()), Some(none));
}

#[test]
fn what_does_not_fit_is_the_most() {
    let most = Report {
        interval: u64::MAX,
        rate: u64::MAX,
        lost: u32::MAX,
    };
    let options = most.options();
    assert_eq!(options[0].value(), [0xff, 0xff, 0xff, 0xfe]);
    let got = taken(&options).unwrap();
    assert_eq!(got.interval, (1 << 48) - 2);
    assert_eq!(got.rate, u64::from(u32::MAX) << 6);
    assert_eq!(got.lost, u32::MAX);
}

/// CCID 3's own options: a whole 1/p, and j is 1.
#[test]
fn a_receiver_may_know_less() {
    let report = Report {
        interval: (50 << 16) - 9,
        rate: 64,
        lost: 5 << 16,
    };
    let [whole, rate, _, exact] = report.options();
    let got = taken(&[whole, rate]).unwrap();
    assert_eq!((got.interval, got.lost), (50 << 16, 1 << 16));
    assert_eq!(taken(&[rate, exact]).unwrap().interval, report.interval);
    // Neither alone is a report.
    assert_eq!(taken(&[rate]), None);
    assert_eq!(taken(&[whole, exact]), None);
    assert_eq!(taken(&[]), None);
}

#[test]
fn values_out_of_range_are_the_nearest() {
    let mut feedback = Feedback::NONE;
    for (number, value) in [(192, &[0; 4][..]), (194, &[0; 4]), (248, &[0; 4])] {
        assert_eq!(feedback.parse(number, value), Ok(true));
    }
    let one = Report {
        interval: 1 << 16,
        rate: 0,
        lost: 1 << 16,
    };
    assert_eq!(feedback.report(), Some(one));
    assert_eq!(feedback.parse(249, &[0; 6]), Ok(true));
    assert_eq!(feedback.report(), Some(one));
}

#[test]
fn lengths_must_be_right() {
    let value = [1; 300];
    for number in 0..=255 {
        for len in 0..value.len() {
            let want = match (number, len) {
                (192 | 194 | 248, 4) | (249, 6) => Ok(true),
                (192 | 194 | 248 | 249, _) => Err(Malformed),
                _ => Ok(false),
            };
            let mut feedback = Feedback::NONE;
            assert_eq!(feedback.parse(number, &value[..len]), want);
            let want = match (number, len) {
                (184, 4) => Ok(true),
                (184, _) => Err(Malformed),
                _ => Ok(false),
            };
            let value = [0, 1, 0, 0, 0, 0];
            if len <= value.len() {
                assert_eq!(Receiver::new().parse(number, &value[..len]), want);
            }
        }
    }
}

#[test]
fn the_first_n_holds() {
    let mut receiver = Receiver::new();
    for bad in [0, (64 << 16) + 1, u32::MAX] {
        assert_eq!(receiver.parse(184, &bad.to_be_bytes()), Err(Malformed));
    }
    assert_eq!(receiver.info().flows, 0);
    let flows = |n: u32| WireOption::flows(&Weight::new(n).unwrap());
    assert_eq!(receiver.parse(184, flows(9 << 14).value()), Ok(true));
    assert_eq!(receiver.parse(184, flows(9 << 16).value()), Ok(true));
    assert_eq!(receiver.info().flows, 9 << 14);
}

#[test]
fn the_sum_is_bounded() {
    let mut all = Admission::new(10 << 16);
    assert_eq!(all.admit(0), Err(Refusal::Range));
    assert_eq!(all.admit((64 << 16) + 1), Err(Refusal::Range));
    assert_eq!(all.admit(6 << 16), Ok(()));
    assert_eq!(all.admit(9 << 15), Err(Refusal::Full { left: 4 << 16 }));
    assert_eq!(all.admit(4 << 16), Ok(()));
    assert_eq!(all.admit(1), Err(Refusal::Full { left: 0 }));
    // One grows into its own place.
    assert_eq!(
        all.replace(4 << 16, 5 << 16),
        Err(Refusal::Full { left: 4 << 16 })
    );
    assert_eq!(all.replace(6 << 16, 2 << 16), Ok(()));
    assert_eq!(all.replace(4 << 16, 8 << 16), Ok(()));
    assert_eq!(all.used(), 10 << 16);
    all.set_limit(1 << 16);
    assert_eq!(all.replace(8 << 16, 7 << 16), Ok(()));
    assert_eq!(
        all.replace(7 << 16, 8 << 16),
        Err(Refusal::Full { left: 0 })
    );
    all.release(7 << 16);
    all.release(2 << 16);
    assert_eq!((all.used(), all.limit()), (0, 1 << 16));
    all.release(1);
    assert_eq!(all.used(), 0);
    let mut most = Admission::new(u32::MAX);
    for _ in 0..1023 {
        assert_eq!(most.admit(64 << 16), Ok(()));
    }
    assert_eq!(
        most.admit(64 << 16),
        Err(Refusal::Full {
            left: (64 << 16) - 1
        })
    );
}

#[test]
fn a_user_has_a_bound_too() {
    let one = |n: u32| n << 16;
    let mut sums = Sums {
        all_most: one(10),
        user_most: one(6),
        ..Sums::default()
    };
    assert_eq!(sums.replace(0, one(4)), Ok(()));
    let before = sums;
    assert_eq!(
        sums.replace(0, one(3)),
        Err(Refusal::Full { left: one(2) }),
        "the user's"
    );
    assert_eq!(sums, before);
    // Another user.
    sums.user = 0;
    assert_eq!(sums.replace(0, one(5)), Ok(()));
    let before = sums;
    assert_eq!(
        sums.replace(one(5), one(7)),
        Err(Refusal::Full { left: one(6) }),
        "that of all"
    );
    assert_eq!(
        sums.replace(0, one(65)),
        Err(Refusal::Range),
        "at most {}",
        MAX_FLOWS >> 16
    );
    assert_eq!(sums, before);
    assert_eq!(sums.replace(one(5), one(6)), Ok(()));
    sums.release(one(6));
    assert_eq!((sums.all, sums.user), (one(4).into(), 0));
    sums.release(one(64));
    assert_eq!((sums.all, sums.user), (0, 0));
}
