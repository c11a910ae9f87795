// SPDX-License-Identifier: GPL-2.0

//! MulTFRC (draft-irtf-iccrg-multfrc-01): TFRC (RFC 5348) for a flow that takes
//! the share of N flows.

pub mod equation;
pub mod intervals;
pub mod real;

pub use equation::{Conditions, Weight};
pub use intervals::{Intervals, Mean};
