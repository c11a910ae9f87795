// SPDX-License-Identifier: GPL-2.0

//! Non-negative real numbers without a floating-point unit.
//!
//! The kernel has neither floats nor 128-bit division. 64 bits of mantissa
//! leave each operation with a relative error of at most 2^-61, and an exponent
//! of its own leaves no operand too large or too small.

use core::cmp::Ordering;

/// `mantissa * 2^exponent`. The mantissa's top bit is set, or all of it is 0.
#[derive(Clone, Copy, Debug)]
pub struct Real {
    mantissa: u64,
    exponent: i32,
}

const HALF: u64 = 1 << 63;
const LOW: u64 = 0xffff_ffff;

/// 2^(-1/2), 2^(-1/4), ... 2^(-1/64), times 2^64.
const ROOTS: [u64; 6] = [
    0xb504_f333_f9de_6484,
    0xd744_fcca_d69d_6af4,
    0xeac0_c6e7_dd24_392f,
    0xf525_7d15_2486_cc2c,
    0xfa83_b2db_722a_033a,
    0xfd3e_0c0c_f486_c175,
];
/// ln 2, times 2^64.
const LN_2: u64 = 0xb172_17f7_d1cf_79ac;

impl Real {
    /// 0.
    pub const ZERO: Self = Self {
        mantissa: 0,
        exponent: 0,
    };
    /// 1.
    pub const ONE: Self = Self {
        mantissa: HALF,
        exponent: -63,
    };
    /// Stands for the result of a division by 0.
    const HUGE: Self = Self {
        mantissa: u64::MAX,
        exponent: 1 << 20,
    };

    /// `value * 2^-fraction`.
    pub const fn new(value: u64, fraction: u32) -> Self {
        Self::normal(value, 0i32.wrapping_sub_unsigned(fraction))
    }

    const fn normal(mantissa: u64, exponent: i32) -> Self {
        if mantissa == 0 {
            return Self::ZERO;
        }
        let shift = mantissa.leading_zeros();
        Self {
            mantissa: mantissa << shift,
            exponent: exponent.saturating_sub_unsigned(shift),
        }
    }

    /// Rounded down to a multiple of `2^-fraction`, in units of it; `u64::MAX`
    /// when it doesn't fit.
    pub const fn floor(self, fraction: u32) -> u64 {
        let exponent = self.exponent.saturating_add_unsigned(fraction);
        if self.mantissa == 0 || exponent <= -64 {
            0
        } else if exponent > 0 {
            u64::MAX
        } else {
            self.mantissa.wrapping_shr(exponent.unsigned_abs())
        }
    }

    /// Whether it is 0.
    pub const fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    /// Sum.
    #[must_use]
    pub const fn add(self, other: Self) -> Self {
        let (large, small) = if self.less(other) {
            (other, self)
        } else {
            (self, other)
        };
        if small.mantissa == 0 {
            return large;
        }
        let apart = large.exponent.saturating_sub(small.exponent);
        if apart >= 64 {
            return large;
        }
        let (sum, carry) = large
            .mantissa
            .overflowing_add(small.mantissa.wrapping_shr(apart.unsigned_abs()));
        if carry {
            Self {
                mantissa: (sum >> 1) | HALF,
                exponent: large.exponent.saturating_add(1),
            }
        } else {
            Self {
                mantissa: sum,
                exponent: large.exponent,
            }
        }
    }

    /// Difference; 0 when `other` is larger.
    #[must_use]
    pub const fn sub(self, other: Self) -> Self {
        if !other.less(self) {
            return Self::ZERO;
        }
        let apart = self.exponent.saturating_sub(other.exponent);
        if other.mantissa == 0 || apart >= 64 {
            return self;
        }
        let rest = self
            .mantissa
            .wrapping_sub(other.mantissa.wrapping_shr(apart.unsigned_abs()));
        Self::normal(rest, self.exponent)
    }

    /// Product.
    #[must_use]
    pub const fn mul(self, other: Self) -> Self {
        let product = (self.mantissa as u128).wrapping_mul(other.mantissa as u128);
        let high = (product >> 64) as u64;
        if high == 0 {
            return Self::ZERO;
        }
        let exponent = self
            .exponent
            .saturating_add(other.exponent)
            .saturating_add(64);
        if high & HALF != 0 {
            Self {
                mantissa: high,
                exponent,
            }
        } else {
            Self {
                mantissa: (product >> 63) as u64,
                exponent: exponent.saturating_sub(1),
            }
        }
    }

    /// Quotient; a huge number when `other` is 0.
    #[must_use]
    pub const fn div(self, other: Self) -> Self {
        if other.mantissa == 0 {
            return Self::HUGE;
        }
        if self.mantissa == 0 {
            return Self::ZERO;
        }
        let exponent = self.exponent.saturating_sub(other.exponent);
        if self.mantissa < other.mantissa {
            Self {
                mantissa: quotient(self.mantissa, 0, other.mantissa),
                exponent: exponent.saturating_sub(64),
            }
        } else {
            let low = self.mantissa << 63;
            Self {
                mantissa: quotient(self.mantissa >> 1, low, other.mantissa),
                exponent: exponent.saturating_sub(63),
            }
        }
    }

    /// Square root.
    #[must_use]
    pub const fn sqrt(self) -> Self {
        if self.mantissa == 0 {
            return Self::ZERO;
        }
        let (mantissa, exponent) = if self.exponent & 1 == 0 {
            (self.mantissa, self.exponent)
        } else {
            (self.mantissa >> 1, self.exponent.saturating_add(1))
        };
        // Half of the digits, and a step of Newton's method for the others:
        // sqrt(m * 2^64) is (r + m * 2^64 / r) / 2 for r near it.
        let root = root(mantissa) << 32;
        let (high, low) = (mantissa, 0);
        let other = if high < root {
            quotient(high, low, root)
        } else {
            u64::MAX
        };
        let mean = (root >> 1)
            .wrapping_add(other >> 1)
            .wrapping_add(root & other & 1);
        Self::normal(mean, (exponent >> 1).saturating_sub(32))
    }

    /// `2^-self`.
    #[must_use]
    pub const fn exp2_neg(self) -> Self {
        let whole = self.floor(0);
        if whole >= 1 << 16 {
            return Self::ZERO;
        }
        // The fraction, times 2^64.
        let fraction = self.sub(Self::new(whole, 0)).floor(64);
        let mut power = u64::MAX;
        let mut index = 0;
        while index < ROOTS.len() {
            if fraction & (HALF >> index) != 0 {
                power = high(power, ROOTS[index]);
            }
            index = index.wrapping_add(1);
        }
        // e^-y for the y < ln(2)/64 that is left: 1 - y(1 - y/2(1 - y/3(...))).
        let y = high(fraction & (u64::MAX >> 6), LN_2);
        let mut series = u64::MAX - high(y, u64::MAX / 6);
        series = u64::MAX - high(high(y, u64::MAX / 5), series);
        series = u64::MAX - high(high(y, u64::MAX / 4), series);
        series = u64::MAX - high(high(y, u64::MAX / 3), series);
        series = u64::MAX - high(y >> 1, series);
        series = u64::MAX - high(y, series);
        Self::normal(
            high(power, series),
            (-64i32).saturating_sub_unsigned(whole as u32),
        )
    }

    /// `-log2(self)` for 0 < self <= 1; 0 for the rest.
    #[must_use]
    pub const fn log2_neg(self) -> Self {
        if self.mantissa == 0 || !self.less(Self::ONE) {
            return Self::ZERO;
        }
        // self = m * 2^-whole with m in [1, 2).
        let whole = (-63i32).saturating_sub(self.exponent).unsigned_abs();
        let mut mantissa = self.mantissa;
        let mut log = 0u64;
        let mut bit = 0;
        // Each squaring doubles the logarithm, and brings its next bit.
        while bit < 56 {
            let product = (mantissa as u128).wrapping_mul(mantissa as u128);
            log <<= 1;
            if product >> 127 != 0 {
                log |= 1;
                mantissa = (product >> 64) as u64;
            } else {
                mantissa = (product >> 63) as u64;
            }
            bit += 1;
        }
        Self::new(whole as u64, 0).sub(Self::new(log, 56))
    }

    /// Whether it is less than another.
    pub const fn less(self, other: Self) -> bool {
        if self.mantissa == 0 || other.mantissa == 0 {
            return self.mantissa == 0 && other.mantissa != 0;
        }
        self.exponent < other.exponent
            || (self.exponent == other.exponent && self.mantissa < other.mantissa)
    }

    /// The lesser of two.
    #[must_use]
    pub const fn min(self, other: Self) -> Self {
        if other.less(self) {
            other
        } else {
            self
        }
    }

    /// The greater of two.
    #[must_use]
    pub const fn max(self, other: Self) -> Self {
        if self.less(other) {
            other
        } else {
            self
        }
    }
}

impl PartialEq for Real {
    fn eq(&self, other: &Self) -> bool {
        !self.less(*other) && !other.less(*self)
    }
}

impl PartialOrd for Real {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(if self.less(*other) {
            Ordering::Less
        } else if other.less(*self) {
            Ordering::Greater
        } else {
            Ordering::Equal
        })
    }
}

/// `a * b / 2^64`.
const fn high(a: u64, b: u64) -> u64 {
    ((a as u128).wrapping_mul(b as u128) >> 64) as u64
}

/// `(high * 2^64 + low) / divisor`, for `high < divisor` and a divisor with
/// its top bit set: two digits of 32 bits (Knuth, volume 2, 4.3.1, algorithm D).
const fn quotient(high: u64, low: u64, divisor: u64) -> u64 {
    let (first, rest) = digit(high, low >> 32, divisor);
    let (second, _) = digit(rest, low & LOW, divisor);
    (first << 32) | second
}

/// A digit of the quotient, and the remainder.
const fn digit(high: u64, next: u64, divisor: u64) -> (u64, u64) {
    // The top bit keeps this above zero.
    let top = (divisor >> 32) | (1 << 31);
    let bottom = divisor & LOW;
    let mut estimate = high / top;
    let mut rest = high.wrapping_sub(estimate.wrapping_mul(top));
    while estimate > LOW || estimate.wrapping_mul(bottom) > ((rest << 32) | next) {
        estimate = estimate.wrapping_sub(1);
        rest = rest.wrapping_add(top);
        if rest > LOW {
            break;
        }
    }
    let remainder = ((high << 32) | next).wrapping_sub(estimate.wrapping_mul(divisor));
    (estimate, remainder)
}

/// Square root of a value of 2^62 or more, within one.
const fn root(value: u64) -> u64 {
    // A straight line from 2^31 to 2^32 is 6 % off at most, and each step of
    // Newton's method doubles the digits.
    let mut root = (value >> 31) / 3 + (1 << 32) / 3;
    let mut step = 0;
    while step < 3 {
        root = root.wrapping_add(value / (root | 1)) >> 1;
        step += 1;
    }
    if root > LOW {
        LOW
    } else {
        root
    }
}
