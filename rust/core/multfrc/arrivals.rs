// SPDX-License-Identifier: GPL-2.0

//! What a receiver reads from when data packets arrive: the receive rate, and
//! by the sender's window counter the round-trip time.

use super::real::Real;

/// Where the counter stepped: more than two round trips of them.
const MARKS: usize = 12;
/// Steps of the counter in a round trip.
const PER_RTT: u64 = 4;
/// A sender that paused steps by that much, however long it was.
const PAUSE: u64 = 5;
/// Values of CCVal.
const ROUND: u64 = 16;
/// Parts of a step of the counter in a phase.
const PARTS: u64 = 256;
/// A round-trip time as a difference of phases.
pub const RTT_PHASE: u64 = PER_RTT * PARTS;

/// The first packet with a value of the counter.
#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    at: u64,
    /// Received until then, with that packet.
    bytes: u64,
    counter: u64,
}

/// Arrivals of data packets.
#[derive(Clone, Copy, Debug)]
pub struct Arrivals {
    /// Newest first.
    marks: [Mark; MARKS],
    len: usize,
    /// How many of them have no pause in between.
    steady: usize,
    counter: u64,
    /// When the newest packet came.
    newest: u64,
    bytes: u64,
    /// Of the last report.
    reported: Mark,
    rtt: u64,
    /// Whether that is more than the handshake's.
    measured: bool,
}

impl Arrivals {
    /// Nothing arrived.
    pub const fn new() -> Self {
        const NONE: Mark = Mark {
            at: 0,
            bytes: 0,
            counter: 0,
        };
        Self {
            marks: [NONE; MARKS],
            len: 0,
            steady: 0,
            counter: 0,
            newest: 0,
            bytes: 0,
            reported: NONE,
            rtt: 0,
            measured: false,
        }
    }

    /// The handshake's round-trip time, until there is a better one.
    pub fn handshake(&mut self, rtt: u64) {
        if !self.measured {
            self.rtt = rtt;
        }
    }

    /// The round-trip time; 0 if unknown.
    pub const fn rtt(&self) -> u64 {
        self.rtt
    }

    /// A data packet that no later one overtook. Returns its phase: when it
    /// was sent, in steps of the counter and parts of them.
    pub fn newest(&mut self, now: u64, ccval: u8, len: u32) -> u64 {
        let first = self.len == 0;
        self.bytes = self.bytes.saturating_add(len.into());
        let mut step = u64::from(ccval).wrapping_sub(self.counter) % ROUND;
        let gap = now.saturating_sub(self.newest);
        if !first && self.rtt > 0 && gap / PER_RTT >= self.rtt {
            // The counter may be round once more.
            step = step.saturating_add(ROUND);
        }
        self.newest = now;
        if step > 0 || first {
            self.counter = self.counter.wrapping_add(step);
            self.mark(now, first || step >= PAUSE);
        }
        self.phase(now)
    }

    /// A data packet that others overtook; its phase.
    pub fn overtaken(&mut self, ccval: u8, len: u32) -> u64 {
        self.bytes = self.bytes.saturating_add(len.into());
        let behind = self.counter.wrapping_sub(ccval.into()) % ROUND;
        self.counter.saturating_sub(behind).saturating_mul(PARTS)
    }

    /// The phase of what arrives now.
    pub fn phase(&self, now: u64) -> u64 {
        let since = self.marks.first().map_or(0, |mark| mark.at);
        let parts = now
            .saturating_sub(since)
            .saturating_mul(RTT_PHASE)
            .checked_div(self.rtt)
            .unwrap_or(0);
        self.counter
            .saturating_mul(PARTS)
            .saturating_add(parts.min(PARTS - 1))
    }

    /// Whether a round trip has passed since the last report.
    pub const fn due(&self) -> bool {
        self.counter.wrapping_sub(self.reported.counter) >= PER_RTT
    }

    /// The receive rate, in 64ths of a byte per second: since the last report,
    /// but of a round trip at least.
    pub fn rate(&self, now: u64) -> u64 {
        let long = |mark: &&Mark| now.saturating_sub(mark.at) >= self.rtt;
        let marks = self.marks.get(..self.len).unwrap_or(&self.marks);
        let since = Some(&self.reported)
            .filter(|_| self.reported.at > 0)
            .filter(long)
            .or_else(|| marks.iter().find(long))
            .or_else(|| marks.last());
        let Some(since) = since else {
            return 0;
        };
        let time = now.saturating_sub(since.at);
        if time == 0 {
            return 0;
        }
        let bytes = self.bytes.saturating_sub(since.bytes);
        let per_ns = Real::new(bytes, 0).div(Real::new(time, 0));
        per_ns.mul(Real::new(64_000_000_000, 0)).floor(0)
    }

    /// A report is sent.
    pub fn report(&mut self, now: u64) {
        self.reported = Mark {
            at: now,
            bytes: self.bytes,
            counter: self.counter,
        };
    }

    /// The counter stepped.
    fn mark(&mut self, now: u64, paused: bool) {
        self.marks.rotate_right(1);
        if let Some(first) = self.marks.first_mut() {
            *first = Mark {
                at: now,
                bytes: self.bytes,
                counter: self.counter,
            };
        }
        self.len = self.len.saturating_add(1).min(MARKS);
        self.steady = if paused {
            1
        } else {
            self.steady.saturating_add(1).min(MARKS)
        };
        let steps = |mark: &Mark| self.counter.wrapping_sub(mark.counter);
        let steady = self.marks.get(..self.steady).unwrap_or(&self.marks);
        if let Some(mark) = steady.iter().find(|&mark| steps(mark) >= PER_RTT) {
            let time = now.saturating_sub(mark.at).saturating_mul(PER_RTT);
            let sample = time.checked_div(steps(mark)).unwrap_or(0).max(1000);
            self.rtt = if self.measured {
                self.rtt.saturating_mul(9).saturating_add(sample) / 10
            } else {
                sample
            };
            self.measured = true;
        }
    }
}

impl Default for Arrivals {
    fn default() -> Self {
        Self::new()
    }
}
