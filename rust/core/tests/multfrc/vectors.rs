// SPDX-License-Identifier: GPL-2.0

use crate::{bound, flows, relative, weight, ONE};
use ccp_core::multfrc::Conditions;

/// Rows of a table in tests/data, as numbers.
pub(crate) fn table(text: &str) -> Vec<Vec<f64>> {
    let rows: Vec<Vec<f64>> = text
        .lines()
        .skip(1)
        .map(|line| line.split(',').map(|word| word.parse().unwrap()).collect())
        .collect();
    assert!(rows.len() >= 15, "{} rows", rows.len());
    rows
}

#[test]
fn rates_are_those_of_the_table() {
    for row in table(include_str!("../data/multfrc-vectors.csv")) {
        let [_, size, rtt, p, j, n, .., want, _, _] = row[..] else {
            panic!("{row:?}");
        };
        let path = Conditions {
            size: size as u32,
            rtt: (rtt * 1e6).round() as u32,
            interval: (ONE / p).round() as u64,
            lost: flows(j),
        };
        let got = weight(n).rate(&path) as f64 / 64.0;
        // N, j and I are rounded to 2^-16, and the rate to a 64th.
        let slack = 2e-5 / (1.0 / p).min(n) + 1.0 / 64.0 / want;
        assert!(
            relative(got, want) < bound(n) + slack,
            "{row:?}: {got} for {want}"
        );
    }
}

#[test]
fn rates_of_tfrc_are_those_of_the_table() {
    for row in table(include_str!("../data/multfrc-vectors.csv")) {
        let [_, size, rtt, p, j, n, .., want, _] = row[..] else {
            panic!("{row:?}");
        };
        let path = Conditions {
            size: size as u32,
            rtt: (rtt * 1e6).round() as u32,
            interval: (ONE / p).round() as u64,
            lost: flows(j),
        };
        let got = weight(n).with_tfrc(true).rate(&path) as f64 / 64.0;
        // 1/p is rounded to 2^-16.
        let slack = 2e-5 * p + 1.0 / 64.0 / (n * want);
        assert!(
            relative(got, n * want) < 1e-9 + slack,
            "{row:?}: {got} for {n} times {want}"
        );
    }
}

/// RFC 5348 has no exception for p = 1.
#[test]
fn tfrc_sends_though_all_is_lost() {
    let rate = |interval| {
        let path = Conditions {
            size: 1000,
            rtt: 100_000,
            interval,
            lost: 1 << 16,
        };
        weight(1.0).with_tfrc(true).rate(&path) as f64 / 64.0
    };
    // sqrt(3/2) / (1 + 9 * 33) of 10000 bytes per second.
    let want = 1.5_f64.sqrt() / 298.0 * 10_000.0;
    for interval in [0, 1, 1 << 16] {
        assert!(relative(rate(interval), want) < 1e-3, "{}", rate(interval));
    }
}
