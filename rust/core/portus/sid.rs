// SPDX-License-Identifier: GPL-2.0

//! From flows' ids, of 64 bits, to the numbers that clients know, of 32.
//!
//! Ids are given in order and never again, so a number means the newest flow
//! with these low bits, and a flow can be named as long as less than 2^32 newer
//! ones were made. One that lives longer is out of reach: nothing is sent about
//! it, and no command finds it, rather than another flow.

/// Flows with different numbers.
const SPAN: u64 = 1 << 32;

/// A flow's number; 0, which is none, for ids that must not be given.
pub fn sid_of(flow: u64) -> u32 {
    flow as u32
}

/// The flow that a number means, `newest` being the last id that was given.
pub fn flow_of(sid: u32, newest: u64) -> Option<u64> {
    let below = u64::from(sid);
    let epoch = newest & !u64::from(u32::MAX);
    match sid {
        0 => None,
        _ if epoch | below <= newest => Some(epoch | below),
        _ => epoch.checked_sub(SPAN).map(|epoch| epoch | below),
    }
}

/// Whether its number still means this flow.
pub fn is_reachable(flow: u64, newest: u64) -> bool {
    newest.saturating_sub(flow) < SPAN
}
