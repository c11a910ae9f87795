// SPDX-License-Identifier: GPL-2.0

use crate::{relative, vectors::table, weight, ONE};
use ccp_core::multfrc::{Conditions, Weight};
use proptest::prelude::*;

#[test]
fn first_intervals_are_those_of_the_table() {
    for row in table(include_str!("../data/multfrc-inverse-vectors.csv")) {
        let [_, g, n, _, want] = row[..] else {
            panic!("{row:?}");
        };
        // X = g s/R, with s = 1000 bytes and R = 100 ms.
        let rate = (g * 64.0 * 1000.0 / 0.1) as u64;
        let got = weight(n).interval(rate, 1000, 100_000) as f64 / ONE;
        assert!(relative(got, want) < 1e-4, "{row:?}: {got} for {want}");
    }
}

proptest! {
    /// Up to rates at which the interval no longer fits, and down to those of
    /// the back-off.
    #[test]
    fn it_is_the_inverse(
        n in 1_u32..=(64 << 16),
        bits in 8_u32..50,
        low in any::<u64>(),
        size in 1_u32..20_000,
        rtt in 100_u32..10_000_000,
    ) {
        let weight = Weight::new(n).unwrap();
        let rate = (1 << bits) | (low & ((1 << bits) - 1));
        let interval = weight.interval(rate, size, rtt);
        let at = |interval| weight.rate(&Conditions { size, rtt, interval, lost: 1 << 16 });
        prop_assert!(interval >= 1 << 16);
        prop_assert!(at(interval) <= rate || interval == 1 << 16);
        let next = interval.saturating_add(2 + (interval >> 39));
        prop_assert!(at(next) > rate || next > 1 << 62, "{interval}");
    }
}
