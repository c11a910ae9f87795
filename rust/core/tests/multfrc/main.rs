// SPDX-License-Identifier: GPL-2.0

//! The MulTFRC equation against references: published vectors, an evaluation
//! with 60 decimal digits, and one in doubles for what is exhaustive.

// The kernel has no floats; the host, which these run on, does.
#![allow(clippy::float_arithmetic)]

mod doubles;
mod equation;
mod intervals;
mod inverse;
mod precise;
mod real;
mod vectors;

use ccp_core::multfrc::{equation::FRACTION, Conditions, Weight};

const ONE: f64 = (1_u64 << FRACTION) as f64;

/// N in 2^-16.
fn flows(n: f64) -> u32 {
    (n * ONE).round() as u32
}

fn weight(n: f64) -> Weight {
    Weight::new(flows(n)).expect("0 < N <= 64")
}

/// g(I, j, N) as the equation gives it, by a path on which little is lost to
/// the unit of the result, and the result fits.
fn shape(weight: &Weight, interval: u64, lost: u32) -> f64 {
    let by_size = |size| {
        let path = Conditions {
            size,
            rtt: 1,
            interval,
            lost,
        };
        (weight.rate(&path), 64e6 * f64::from(size))
    };
    let (rate, unit) = match by_size(1 << 20) {
        (u64::MAX, _) => by_size(1),
        fits => fits,
    };
    rate as f64 / unit
}

fn relative(got: f64, want: f64) -> f64 {
    ((got - want) / want).abs()
}

/// The error a result may have, by N.
fn bound(n: f64) -> f64 {
    if (1.0..=6.0).contains(&n) {
        1e-6
    } else {
        1e-5
    }
}
