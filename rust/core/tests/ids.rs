// SPDX-License-Identifier: GPL-2.0

//! Ids don't run out, and nobody gets one that somebody has.

use std::collections::BTreeSet;

use ccp_core::ids::{id_of, Ids};

const FREE: fn(u32) -> bool = |_| false;

#[test]
fn from_one() {
    let ids = Ids::default();
    let given: Vec<_> = (0..3).map(|_| ids.next(FREE)).collect();
    assert_eq!(given, [Some(1), Some(2), Some(3)]);
}

#[test]
fn the_last_id_is_not_the_end() {
    let ids = Ids::after(u64::from(u32::MAX) - 1);
    let numbers: Vec<_> = (0..3).map_while(|_| ids.next(FREE)).collect();
    assert_eq!(numbers, [0xffff_ffff, 0x1_0000_0001, 0x1_0000_0002]);
    let seen: Vec<_> = numbers.iter().map(|number| id_of(*number)).collect();
    assert_eq!(seen, [u32::MAX, 1, 2]);
}

#[test]
fn what_somebody_has_is_left_out() {
    let taken = BTreeSet::from([2, 3, 7, u32::MAX]);
    let ids = Ids::after(u64::from(u32::MAX) - 2);
    let numbers: Vec<_> = (0..6)
        .map_while(|_| ids.next(|id| taken.contains(&id)))
        .collect();
    let seen: Vec<_> = numbers.iter().map(|number| id_of(*number)).collect();
    assert_eq!(seen, [u32::MAX - 1, 1, 4, 5, 6, 8]);
    // Their order is still that of their age.
    assert!(numbers.is_sorted());
}
