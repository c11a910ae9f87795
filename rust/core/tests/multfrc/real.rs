// SPDX-License-Identifier: GPL-2.0

use ccp_core::multfrc::real::Real;
use proptest::prelude::*;

/// As a double, all of whose digits are right.
fn value(real: Real) -> f64 {
    if real.floor(0) == u64::MAX {
        let scale = 2_f64.powi(64);
        return value(real.mul(Real::new(1, 64))) * scale;
    }
    let fraction = (0..1000)
        .find(|&f| real.floor(f) >= 1 << 53)
        .expect("not 0");
    real.floor(fraction) as f64 / 2_f64.powi(fraction as i32)
}

fn near(got: Real, want: f64) -> bool {
    ((value(got) - want) / want).abs() < 1e-14
}

proptest! {
    #[test]
    fn operations_are_those_of_numbers(a in 1_u64.., b in 1_u64.., shift in 0_u32..100) {
        let (x, y) = (Real::new(a, 0), Real::new(b, shift));
        let (f, g) = (a as f64, b as f64 / 2_f64.powi(shift as i32));
        prop_assert!(near(x.add(y), f + g));
        prop_assert!(near(x.mul(y), f * g));
        prop_assert!(near(x.div(y), f / g));
        prop_assert!(near(y.div(x), g / f));
        prop_assert!(near(x.sqrt(), f.sqrt()));
        prop_assert!(near(y.sqrt(), g.sqrt()));
        if f > g * 1.001 {
            prop_assert!(((value(x.sub(y)) - (f - g)) / f).abs() < 1e-14);
            prop_assert!(y.less(x) && !x.less(y) && x > y);
            prop_assert!(y.sub(x).is_zero());
        }
    }

    #[test]
    fn powers_and_logarithms(a in 1_u64..1 << 53) {
        // Up to 16, as the rounding of a larger exponent would show.
        let power = Real::new(a, 49).exp2_neg();
        prop_assert!(near(power, (-(a as f64) / 2_f64.powi(49)).exp2()), "{a}");
        let below_one = Real::new(a, 53);
        let log = -(a as f64 / 2_f64.powi(53)).log2();
        let got = below_one.log2_neg();
        prop_assert!(got.is_zero() || (value(got) - log).abs() < 1e-14, "{a}");
    }

    #[test]
    fn division_is_exact_to_61_bits(a in 1_u64.., b in 1_u64..) {
        // quotient * divisor is the dividend again.
        let product = Real::new(a, 0).div(Real::new(b, 0)).mul(Real::new(b, 0));
        let back = product.floor(0);
        prop_assert!(a.abs_diff(back) <= 1 + (a >> 60), "{a} / {b}: {back}");
    }
}

#[test]
fn zero_and_the_edges() {
    let (zero, one) = (Real::ZERO, Real::ONE);
    assert!(zero.is_zero() && zero.sqrt().is_zero() && zero.mul(one).is_zero());
    assert_eq!(zero.add(one).floor(0), 1);
    assert_eq!(one.sub(zero).floor(0), 1);
    assert_eq!(one.sub(one).floor(0), 0);
    assert_eq!(one.div(zero).floor(0), u64::MAX);
    assert_eq!(zero.div(one).floor(0), 0);
    assert_eq!(zero.exp2_neg().floor(32), u64::from(u32::MAX));
    assert!(Real::new(1 << 20, 0).exp2_neg().is_zero());
    assert!(one.log2_neg().is_zero() && zero.log2_neg().is_zero());
    assert_eq!(Real::new(u64::MAX, 0).floor(1), u64::MAX);
    assert_eq!(Real::new(u64::MAX, 0).sqrt().floor(0), u64::from(u32::MAX));
    assert_eq!(Real::new(1 << 62, 0).sqrt().floor(0), 1 << 31);
    assert_eq!(one.min(zero), zero);
    assert_eq!(one.max(zero), one);
}
