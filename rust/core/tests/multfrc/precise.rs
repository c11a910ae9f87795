// SPDX-License-Identifier: GPL-2.0

//! The equation as the draft has it, with 77 decimal digits.

use astro_float::{BigFloat, Consts, RoundingMode::ToEven};

/// Bits.
const P: usize = 256;

/// Evaluates the equation.
pub(crate) struct Precise {
    consts: Consts,
}

fn real(value: f64) -> BigFloat {
    BigFloat::from_f64(value, P)
}
fn add(a: &BigFloat, b: &BigFloat) -> BigFloat {
    a.add(b, P, ToEven)
}
fn sub(a: &BigFloat, b: &BigFloat) -> BigFloat {
    a.sub(b, P, ToEven)
}
fn mul(a: &BigFloat, b: &BigFloat) -> BigFloat {
    a.mul(b, P, ToEven)
}
fn div(a: &BigFloat, b: &BigFloat) -> BigFloat {
    a.div(b, P, ToEven)
}
fn min(a: BigFloat, b: BigFloat) -> BigFloat {
    if b < a {
        b
    } else {
        a
    }
}
fn max(a: BigFloat, b: BigFloat) -> BigFloat {
    if b > a {
        b
    } else {
        a
    }
}

impl Precise {
    pub(crate) fn new() -> Self {
        Self {
            consts: Consts::new().expect("memory for constants"),
        }
    }

    /// g for `interval`, `lost` and `flows` in 2^-16, which doubles hold
    /// exactly.
    pub(crate) fn shape(&mut self, interval: u64, lost: u32, flows: u32) -> f64 {
        let one = real(1.0);
        let scale = real(65536.0);
        let i = div(&real(interval as f64), &scale);
        let j = div(&real(lost.into()), &scale);
        let n = div(&real(flows.into()), &scale);
        let p = div(&one, &i);

        let ceiling = real((f64::from(flows) / 65536.0).ceil());
        let hit = if flows <= 1 << 16 {
            real(1.0)
        } else if flows < 12 << 16 {
            let miss = sub(&one, &div(&one, &n));
            let power = miss.pow(&j, P, ToEven, &mut self.consts);
            mul(&n, &sub(&one, &power))
        } else {
            j.clone()
        };
        let af = max(min(hit, ceiling), real(1.0));

        let pb = mul(&p, &af);
        let squares = mul(&real(24.0), &mul(&n, &n));
        let twice = mul(&real(2.0), &af);
        let gap = sub(&n, &twice);
        let a = mul(&pb, &add(&squares, &mul(&pb, &mul(&gap, &gap))));
        let above = add(&mul(&pb, &sub(&twice, &n)), &a.sqrt(P, ToEven));
        let x = div(&above, &mul(&real(6.0), &mul(&mul(&n, &n), &p)));
        let rest = sub(&one, &p);
        let z = div(
            &mul(&real(4.0), &add(&one, &mul(&real(32.0), &mul(&p, &p)))),
            &rest,
        );
        let ratio = add(&one, &div(&mul(&real(3.0), &n), &j));
        let window = div(&mul(&real(2.0), &mul(&j, &z)), &mul(&ratio, &mul(&x, &x)));
        let timeouts = div(&mul(&n, &z), &x);
        let q = min(min(window, timeouts), n.clone());
        let running = div(&sub(&one, &div(&q, &n)), &mul(&p, &x));
        let waiting = div(&q, &mul(&z, &rest));
        let g = add(&running, &waiting);
        // Digits enough for a double.
        g.to_string().parse().expect("a number")
    }
}
