// SPDX-License-Identifier: GPL-2.0

//! The window counter of a sender: it grows by 4 per round trip, and its last
//! four bits are the CCVal of each data packet (RFC 4342, section 8.1).

/// A receiver takes more than that at once for a pause.
const MOST: u64 = 5;
/// Quarters of a round trip.
const PER_RTT: u64 = 4;

/// Counts quarters of a round trip.
#[derive(Clone, Copy, Debug, Default)]
pub struct WindowCounter {
    value: u64,
    /// When the quarter began that it counted last.
    since: u64,
}

impl WindowCounter {
    /// Starts at `now`.
    pub const fn new(now: u64) -> Self {
        Self {
            value: 0,
            since: now,
        }
    }

    /// Its value, of which CCVal is the last four bits.
    pub const fn value(&self) -> u64 {
        self.value
    }

    /// A packet is sent: counts the quarters since the last one.
    pub fn advance(&mut self, now: u64, rtt: u64) -> u64 {
        let quarter = (rtt / PER_RTT).max(1);
        let since = now.saturating_sub(self.since);
        let quarters = since.checked_div(quarter).unwrap_or(0);
        if quarters > MOST {
            self.value = self.value.wrapping_add(MOST);
            self.since = now;
        } else {
            self.value = self.value.wrapping_add(quarters);
            // Less than a quarter is left for the next packet, so that it
            // doesn't count too slowly.
            self.since = self.since.saturating_add(quarters.saturating_mul(quarter));
        }
        self.value
    }

    /// A packet sent with `value` is acknowledged: that was a round trip, also
    /// if the estimate is longer.
    pub fn acknowledged(&mut self, now: u64, value: u64) {
        let least = value.wrapping_add(PER_RTT);
        let behind = least.wrapping_sub(self.value);
        if behind > 0 && behind <= PER_RTT {
            self.value = least;
            self.since = now;
        }
    }
}
