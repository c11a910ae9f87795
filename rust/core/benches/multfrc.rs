// SPDX-License-Identifier: GPL-2.0

//! Time and error of the MulTFRC equation. The error is against doubles, which
//! the tests hold against 77 digits; points are random, seeded, and as many as
//! the first argument says.

// The kernel has no floats; the host, which these run on, does.
#![allow(clippy::float_arithmetic)]

#[path = "../tests/multfrc/doubles.rs"]
mod doubles;

use ccp_core::multfrc::{Conditions, Weight};
use std::{hint::black_box, time::Instant};

/// xorshift64*.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % end
    }
}

/// N up to 6, and a path of it.
fn point(random: &mut Random) -> (u32, Conditions) {
    let bits = 18 + random.below(20);
    let path = Conditions {
        size: 1460,
        rtt: 1 + random.below(2_500_000) as u32,
        interval: (1 << bits) + random.below(1 << bits),
        lost: (1 << 16) + random.below(15 << 16) as u32,
    };
    ((1 << 16) + random.below(5 << 16) as u32, path)
}

fn nanoseconds(random: &mut Random) -> f64 {
    let points: Vec<(Weight, Conditions)> = (0..4096)
        .map(|_| point(random))
        .map(|(n, path)| (Weight::new(n).expect("N in range"), path))
        .collect();
    let run = || {
        let start = Instant::now();
        for (weight, path) in &points {
            black_box(weight.rate(black_box(path)));
        }
        start.elapsed().as_nanos() as f64 / points.len() as f64
    };
    (0..200).map(|_| run()).fold(f64::INFINITY, f64::min)
}

fn worst_error(random: &mut Random, points: u64) -> f64 {
    let real = |value: u64| value as f64 / 65536.0;
    let mut worst: f64 = 0.0;
    for _ in 0..points {
        let (n, path) = point(random);
        let path = Conditions {
            size: 1 << 20,
            rtt: 1,
            ..path
        };
        let want = doubles::shape(real(path.interval), real(path.lost.into()), real(n.into()));
        let unit = 64e6 * f64::from(path.size);
        let got = Weight::new(n).expect("N in range").rate(&path) as f64 / unit;
        worst = worst.max(((got - want) / want).abs());
    }
    worst
}

fn main() {
    let points = std::env::args().find_map(|word| word.parse().ok());
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let time = nanoseconds(&mut random);
    let error = worst_error(&mut random, points.unwrap_or(10_000_000));
    assert!(error < 1e-6, "the equation is wrong by {error}");
    println!("multfrc: ns={time:.0} worst-rel-error={error:.1e}");
}
