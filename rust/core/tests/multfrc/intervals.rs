// SPDX-License-Identifier: GPL-2.0

use ccp_core::multfrc::{Intervals, Mean};
use proptest::prelude::*;

/// A history of these lengths and losses, the open interval first.
fn history(lengths: &[u64], lost: &[u32]) -> Intervals {
    let mut intervals = Intervals::new();
    let oldest_first: Vec<(u64, u32)> = lengths
        .iter()
        .copied()
        .zip(lost.iter().copied())
        .rev()
        .collect();
    for (index, &(_, lost)) in oldest_first.iter().enumerate() {
        let before = index
            .checked_sub(1)
            .map_or(0, |before| oldest_first[before].0);
        intervals.close(before, lost);
    }
    intervals.extend(lengths[0]);
    intervals
}

fn mean(lengths: &[u64], lost: &[u32]) -> (f64, f64) {
    let mean = history(lengths, lost).mean().unwrap();
    (
        mean.interval as f64 / 65536.0,
        f64::from(mean.lost) / 65536.0,
    )
}

fn close((interval, lost): (f64, f64), (want_interval, want_lost): (f64, f64)) {
    assert!(
        (interval - want_interval).abs() < 2e-5,
        "{interval} for {want_interval}"
    );
    assert!((lost - want_lost).abs() < 2e-5, "{lost} for {want_lost}");
}

#[test]
fn p_and_j_come_from_the_same_branch() {
    close(mean(&[50, 100], &[1, 1]), (100.0, 1.0));
    // The open interval is short: neither it nor its losses count.
    close(
        mean(
            &[10, 100, 100, 100, 100, 100, 100, 100, 100],
            &[2, 1, 1, 1, 1, 1, 1, 1, 1],
        ),
        (100.0, 1.0),
    );
    close(
        mean(
            &[400, 100, 100, 100, 100, 100, 100, 100, 100],
            &[3, 1, 2, 1, 4, 1, 1, 1, 2],
        ),
        (150.0, 1.9),
    );
    close(
        mean(
            &[5, 37, 220, 90, 12, 61, 400, 33, 150],
            &[1, 4, 2, 6, 1, 1, 9, 2, 3],
        ),
        (691.0 / 6.0, 3.433_333_333),
    );
    close(mean(&[1, 2, 3, 4], &[1, 2, 2, 3]), (3.0, 2.333_333_333));
    close(
        mean(
            &[1000, 10, 20, 30, 40, 50, 60, 70, 80],
            &[7, 1, 1, 2, 1, 1, 3, 1, 1],
        ),
        (1160.0 / 6.0, 2.3),
    );
}

#[test]
fn there_is_no_mean_before_an_interval_is_closed() {
    let mut intervals = Intervals::new();
    assert!(intervals.is_empty());
    intervals.more(3);
    intervals.extend(7);
    assert_eq!(intervals.mean(), None);
    intervals.close(9, 1);
    assert!(!intervals.is_empty());
    assert_eq!(intervals.mean(), None);
}

#[test]
fn the_first_loss_brings_an_interval_of_one_loss() {
    let mut intervals = Intervals::new();
    intervals.begin(500, 4);
    let kept: Vec<(u64, u32)> = intervals.iter().map(|i| (i.length, i.lost)).collect();
    assert_eq!(kept, [(0, 4), (500, 1)]);
    assert_eq!(
        intervals.mean(),
        Some(Mean {
            interval: 500 << 16,
            lost: 1 << 16
        })
    );
    intervals.more(2);
    intervals.extend(600);
    assert_eq!(intervals.mean().unwrap().lost, 6 << 16);
}

#[test]
fn only_nine_are_kept() {
    let mut intervals = Intervals::new();
    for index in 0..40 {
        intervals.close(index, index as u32);
    }
    let kept: Vec<u32> = intervals.iter().map(|i| i.lost).collect();
    assert_eq!(kept, [39, 38, 37, 36, 35, 34, 33, 32, 31]);
}

proptest! {
    #[test]
    fn no_length_is_too_much(lengths in prop::collection::vec(any::<u64>(), 2..12), lost in any::<u32>()) {
        let mut intervals = Intervals::new();
        for &length in &lengths {
            intervals.close(length, lost);
            intervals.more(lost);
        }
        intervals.extend(u64::MAX);
        let mean = intervals.mean().unwrap();
        prop_assert!(mean.interval >= 1 << 16);
        prop_assert!(mean.lost >= 1 << 16);
    }
}
