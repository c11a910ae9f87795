// SPDX-License-Identifier: GPL-2.0

//! The pacing rate the stack sets when nobody else does.

use super::ack::Ack;

/// Microseconds in a second.
const US: u64 = 1_000_000;

impl Ack {
    /// The rate the stack itself would set for a window of `cwnd` packets, in
    /// bytes per second, as `tcp_update_pacing_rate()` with its default ratios:
    /// 200 % of the window per RTT in the first half of slow start, else 120 %.
    /// 0 before the first RTT sample.
    ///
    /// Without pacing it limits the size of bursts (TSO autosizing).
    pub fn customary_rate(&self, cwnd: u32) -> u64 {
        let percent = if cwnd < self.ssthresh / 2 { 200 } else { 120 };
        u64::from(cwnd)
            .saturating_mul(u64::from(self.mss))
            .saturating_mul(US / 100)
            .saturating_mul(percent)
            .checked_div(u64::from(self.srtt_us))
            .unwrap_or(0)
            .min(self.max_pacing_rate)
    }
}
