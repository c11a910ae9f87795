// SPDX-License-Identifier: GPL-2.0
//! What BBR believes of a path.

use std::collections::VecDeque;

/// Round trips the bandwidth is the greatest of.
const ROUNDS: u64 = 10;
/// Less growth than this in a round trip is none...
const GROWTH: f64 = 1.25;
/// ... and so many round trips without any fill the pipe.
const FLAT: u32 = 3;

/// The greatest delivery rate of the last ten round trips, bytes per second.
#[derive(Default)]
pub(super) struct MaxRate {
    round: u64,
    /// Rates that none after it reaches, with their round trips.
    samples: VecDeque<(u64, u64)>,
}

impl MaxRate {
    pub(super) fn take(&mut self, rate: u64, ends_round: bool) -> u64 {
        if rate > 0 {
            while self.samples.back().is_some_and(|&(_, last)| last <= rate) {
                self.samples.pop_back();
            }
            self.samples.push_back((self.round, rate));
        }
        self.round += u64::from(ends_round);
        // The last one stays, however old: better than none.
        while self.samples.len() > 1
            && self
                .samples
                .front()
                .is_some_and(|&(round, _)| round + ROUNDS < self.round)
        {
            self.samples.pop_front();
        }
        self.samples.front().map_or(0, |&(_, rate)| rate)
    }
}

/// Whether STARTUP has found the bandwidth.
pub(super) struct FullPipe {
    bw: u64,
    flat: u32,
}

impl FullPipe {
    pub(super) fn new(is_full: bool) -> Self {
        Self {
            bw: 0,
            flat: if is_full { FLAT } else { 0 },
        }
    }

    /// Once a round trip.
    pub(super) fn take(&mut self, bw: u64) {
        if self.is_full() {
            return;
        }
        if bw as f64 >= self.bw as f64 * GROWTH {
            self.bw = bw;
            self.flat = 0;
        } else {
            self.flat += 1;
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.flat >= FLAT
    }
}

/// The RTT of the empty path, microseconds, and when to look at it again.
pub(super) struct MinRtt {
    patience: u64,
    /// When it was seen last, and how much it was.
    seen: Option<(u64, u64)>,
    /// The least of the look under way.
    look: Option<u64>,
    looking: bool,
}

impl MinRtt {
    pub(super) fn new(patience: u64) -> Self {
        Self {
            patience,
            seen: None,
            look: None,
            looking: false,
        }
    }

    pub(super) fn take(&mut self, now: u64, rtt: u64, looking: bool) {
        if looking {
            self.look = Some(self.look.map_or(rtt, |least| least.min(rtt)));
        }
        if self.seen.is_none_or(|(_, least)| rtt <= least) {
            self.seen = Some((now, rtt));
        }
    }

    pub(super) fn is_old(&self, now: u64) -> bool {
        self.seen
            .is_some_and(|(time, _)| now.saturating_sub(time) > self.patience)
    }

    /// The program is in PROBE_RTT.
    pub(super) fn begun(&mut self) {
        self.looking = true;
    }

    /// The program is not, and whether it was: what it saw is the RTT now.
    pub(super) fn end(&mut self, now: u64) -> bool {
        let was = std::mem::take(&mut self.looking);
        if was {
            let least = self.look.take().or(self.get());
            self.seen = least.map(|rtt| (now, rtt));
        }
        was
    }

    pub(super) fn get(&self) -> Option<u64> {
        self.seen.map(|(_, rtt)| rtt)
    }
}
