// SPDX-License-Identifier: GPL-2.0

//! DCCP's sequence numbers: 48 bits, and after the last comes the first.

/// How far `to` is after `from`; negative when it is before.
pub const fn distance(from: u64, to: u64) -> i64 {
    // The sign is in bit 47.
    (to.wrapping_sub(from) << 16) as i64 >> 16
}
