// SPDX-License-Identifier: GPL-2.0
//! Random programs and ACKs.

mod acks;
mod source;
mod wire;

pub use self::{acks::Acks, source::source, wire::wire};

use fastrand::Rng;

/// Whether something that happens once in `times` happens.
fn one_in(rng: &mut Rng, times: u32) -> bool {
    rng.u32(..times) == 0
}

fn pick<T: Copy>(rng: &mut Rng, from: &[T]) -> T {
    from[rng.usize(..from.len())]
}

/// A 64-bit value near an edge or anywhere.
fn wild(rng: &mut Rng) -> u64 {
    match rng.u32(..8) {
        0 => 0,
        1 => rng.u64(..4),
        2 => u64::from(u32::MAX)
            .wrapping_add(rng.u64(..3))
            .wrapping_sub(1),
        3 => (1 << 31) + rng.u64(..3) - 1,
        4 => u64::MAX - rng.u64(..3),
        5 => u64::from(rng.u32(..)),
        6 => 1 << rng.u32(..64),
        _ => rng.u64(..),
    }
}
