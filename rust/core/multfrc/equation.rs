// SPDX-License-Identifier: GPL-2.0

//! The throughput equation (section 3.1 of the draft), and its inverse.
//!
//! With I = 1/p, b = 1 and t_RTO = 4R the equation separates into
//! `X = s/R * g(I, j, N)`:
//!
//! ```text
//! alpha = af/N = 1/N                       for N <= 1
//!              = max(1 - (1-1/N)^j, 1/N)   for 1 < N < 12
//!              = min(j, ceil(N)) / N       for N >= 12
//! x     = (alpha(2 alpha-1) + sqrt(24 alpha I/N + alpha^2 (2 alpha-1)^2)) / 6
//! zeta  = 4(I^2 + 32) / (I (I-1))
//! q     = min(2 j zeta / ((1 + 3N/j) x^2), N zeta/x, N)
//! g     = (1 - q/N) I/x + q I^2 / (4(I^2 + 32))
//! ```

use super::{real::Real, tfrc};

/// Largest N.
pub const MAX_FLOWS: u32 = 64 << FRACTION;
/// Bits behind the point in N, j and I.
pub const FRACTION: u32 = 16;
/// t_mbi of RFC 5348, seconds: a flow sends a packet that often at least.
pub const MAX_BACKOFF: u32 = 64;

const ONE: u32 = 1 << FRACTION;
/// From here on N counts all lost packets as flows hit.
const MANY: u32 = 12 << FRACTION;

const fn small(value: u32) -> Real {
    Real::new(value as u64, 0)
}
const TWO: Real = small(2);
const THREE: Real = small(3);
const FOUR: Real = small(4);
const TWENTY_FOUR: Real = small(24);
const THIRTY_TWO: Real = small(32);
const SIXTH: Real = Real::ONE.div(small(6));
const QUARTER: Real = Real::new(1, 2);

/// N, with what the equation needs of it.
#[derive(Clone, Copy, Debug)]
pub struct Weight {
    flows: u32,
    n: Real,
    inverse: Real,
    /// `-log2(1 - 1/N)`, for 1 < N < 12.
    log: Real,
    /// Least and most that alpha can be.
    bounds: (Real, Real),
    /// N times the equation of TFRC instead.
    tfrc: bool,
}

/// What a sender knows of its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conditions {
    /// s: packet size without headers, bytes.
    pub size: u32,
    /// R: round-trip time, microseconds; at least 1.
    pub rtt: u32,
    /// I = 1/p: packets per loss event, in 2^-16.
    pub interval: u64,
    /// j: packets lost per loss event, in 2^-16; at least 1.
    pub lost: u32,
}

impl Weight {
    /// N = 1.
    pub const SINGLE: Self = Self {
        flows: ONE,
        n: Real::ONE,
        inverse: Real::ONE,
        log: Real::ZERO,
        bounds: (Real::ONE, Real::ONE),
        tfrc: false,
    };

    /// N in 2^-16, 0 < N <= 64.
    pub fn new(flows: u32) -> Option<Self> {
        if flows == 0 || flows > MAX_FLOWS {
            return None;
        }
        let n = Real::new(flows.into(), FRACTION);
        let inverse = Real::ONE.div(n);
        let ceiling = Real::new(flows.div_ceil(ONE).into(), 0);
        Some(Self {
            flows,
            n,
            inverse,
            log: Real::ONE.sub(inverse).log2_neg(),
            bounds: (inverse, ceiling.mul(inverse)),
            tfrc: false,
        })
    }

    /// The same N with the equation of MulTFRC, or of TFRC: then the rate is N
    /// times that of TFRC, however many packets an event takes.
    #[must_use]
    pub const fn with_tfrc(mut self, tfrc: bool) -> Self {
        self.tfrc = tfrc;
        self
    }

    /// Whether it has TFRC's equation.
    pub const fn is_tfrc(&self) -> bool {
        self.tfrc
    }

    /// N, in 2^-16.
    pub const fn flows(&self) -> u32 {
        self.flows
    }

    /// af/N for j packets lost per event.
    fn alpha(&self, j: Real) -> Real {
        let (least, most) = self.bounds;
        if self.flows <= ONE {
            least
        } else if self.flows < MANY {
            Real::ONE.sub(j.mul(self.log).exp2_neg()).max(least)
        } else {
            j.mul(self.inverse).min(most).max(least)
        }
    }

    /// g(I, j, N) for I > 1.
    fn shape(&self, i: Real, j: Real) -> Real {
        if self.tfrc {
            return tfrc::shape(i).mul(self.n);
        }
        let alpha = self.alpha(j);
        let double = TWO.mul(alpha);
        // t is alpha(2 alpha - 1), which may be negative.
        let (t, negative) = if double.less(Real::ONE) {
            (alpha.mul(Real::ONE.sub(double)), true)
        } else {
            (alpha.mul(double.sub(Real::ONE)), false)
        };
        let root = TWENTY_FOUR
            .mul(alpha)
            .mul(i)
            .mul(self.inverse)
            .add(t.mul(t))
            .sqrt();
        let sum = if negative { root.sub(t) } else { root.add(t) };
        let per_x = Real::ONE.div(sum.mul(SIXTH));

        let square = i.mul(i);
        let term = square.add(THIRTY_TWO);
        let zeta = FOUR.mul(term).div(square.sub(i));
        // 2j zeta / ((1 + 3N/j) x^2) is 2 j^2 zeta / ((j + 3N) x^2).
        let numerator = TWO.mul(j).mul(j).mul(zeta).mul(per_x).mul(per_x);
        let window = numerator.div(j.add(THREE.mul(self.n)));
        let timeouts = self.n.mul(zeta).mul(per_x);
        let q = window.min(timeouts).min(self.n);

        let running = Real::ONE.sub(q.mul(self.inverse)).mul(i).mul(per_x);
        running.add(q.mul(square).mul(QUARTER).div(term))
    }

    /// The rate of N flows, in 64ths of a byte per second; `u64::MAX` if it is
    /// more. Without a packet between two loss events (p = 1) MulTFRC's is a
    /// packet per [`MAX_BACKOFF`].
    pub fn rate(&self, path: &Conditions) -> u64 {
        // 64 * 10^6: microseconds and 64ths.
        const SCALE: Real = small(64_000_000);
        let size = Real::new(path.size.into(), 0);
        if path.interval <= ONE.into() && !self.tfrc {
            return size.mul(small(64)).div(small(MAX_BACKOFF)).floor(0);
        }
        let i = Real::new(path.interval.max(ONE.into()), FRACTION);
        let j = Real::new(path.lost.max(ONE).into(), FRACTION);
        let rtt = Real::new(path.rtt.max(1).into(), 0);
        self.shape(i, j).mul(size).mul(SCALE).div(rtt).floor(0)
    }

    /// The loss interval, in 2^-16 packets, at which the equation with j = 1
    /// gives `rate` (64ths of a byte per second): the first loss interval of
    /// RFC 5348, section 6.3.1. At most 2^-16 packets, or a relative 2^-40, too
    /// short.
    pub fn interval(&self, rate: u64, size: u32, rtt: u32) -> u64 {
        let path = |interval| Conditions {
            size,
            rtt,
            interval,
            lost: ONE,
        };
        // The rate grows with the interval: find the longest that isn't above.
        let mut low = u64::from(ONE);
        let mut high = u64::from(ONE) << 1;
        while self.rate(&path(high)) <= rate {
            low = high;
            match high.checked_mul(2) {
                Some(next) => high = next,
                None => return high,
            }
        }
        while high.saturating_sub(low) > 1 + (low >> 40) {
            let middle = low.wrapping_add(high.wrapping_sub(low) / 2);
            if self.rate(&path(middle)) <= rate {
                low = middle;
            } else {
                high = middle;
            }
        }
        low
    }
}
