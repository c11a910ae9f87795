// SPDX-License-Identifier: GPL-2.0

//! Whether a sender used its rate (RFC 5348, section 8.2.1).

/// Two moments at which the rate held back a packet are enough to tell whether
/// there was one between two reports.
#[derive(Clone, Copy, Debug, Default)]
pub struct DataLimited {
    first: u64,
    second: u64,
    /// When the packet was sent that the last report acknowledges.
    acknowledged: u64,
    /// When that report came.
    reported: u64,
}

impl DataLimited {
    /// Nothing sent.
    pub const fn new() -> Self {
        Self {
            first: 0,
            second: 0,
            acknowledged: 0,
            reported: 0,
        }
    }

    /// The rate is used up: a packet has to wait.
    pub fn used_up(&mut self, now: u64) {
        if self.first <= self.acknowledged {
            self.first = now;
        } else if self.second <= self.reported {
            self.second = now;
        }
    }

    /// A report that acknowledges a packet sent at `sent`: whether the sender
    /// had too little to send all the time since the packet that the report
    /// before it acknowledges.
    pub fn report(&mut self, now: u64, sent: u64) -> bool {
        let before = self.acknowledged;
        let covered = |moment: u64| before < moment && moment <= sent;
        let limited = !covered(self.first) && !covered(self.second);
        self.acknowledged = sent.max(before);
        self.reported = now;
        if self.first <= self.acknowledged && self.second > self.acknowledged {
            self.first = self.second;
        }
        limited
    }
}
