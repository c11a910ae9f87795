// SPDX-License-Identifier: GPL-2.0

//! The throughput equation of TFRC (RFC 5348, section 3.1), to compare with.
//!
//! With I = 1/p, b = 1 and t_RTO = 4R it separates into `X = s/R * g(I)`:
//!
//! ```text
//! g = sqrt(3I/2) / (1 + 9 (I^2 + 32) / I^3)
//! ```

use super::real::Real;

const NINE: Real = Real::new(9, 0);
const THIRTY_TWO: Real = Real::new(32, 0);
const THREE_HALVES: Real = Real::new(3, 1);

/// g(I) for I >= 1.
pub fn shape(i: Real) -> Real {
    let square = i.mul(i);
    let timeouts = NINE.mul(square.add(THIRTY_TWO)).div(square).div(i);
    let root = THREE_HALVES.mul(i).sqrt();
    root.div(Real::ONE.add(timeouts))
}
