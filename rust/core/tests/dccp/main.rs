// SPDX-License-Identifier: GPL-2.0

//! The half-connections of CCID 5: their parts, and both together over a
//! simulated path.

// The kernel has no floats; the host, which these run on, does.
#![allow(clippy::float_arithmetic)]

mod arrivals;
mod hostile;
mod network;
mod parts;
mod path;
mod start;
mod steady;
mod timers;
mod wire;

use ccp_core::multfrc::Weight;

const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1000 * MILLISECOND;

fn weight(n: f64) -> Weight {
    Weight::new((n * 65536.0).round() as u32).expect("0 < N <= 64")
}

fn near(got: f64, want: f64, error: f64) {
    assert!(
        ((got - want) / want).abs() <= error,
        "{got} for {want}, {:+.2} %",
        (got - want) / want * 100.0
    );
}
