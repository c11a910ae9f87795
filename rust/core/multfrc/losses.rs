// SPDX-License-Identifier: GPL-2.0

//! Loss events: the losses of a round trip from the first of them on (RFC 5348,
//! section 5.2; draft, section 2.3).

use super::{
    arrivals::RTT_PHASE,
    intervals::{Intervals, Mean, CLOSED},
};

/// Events that can matter: those of a longer hole push each other out.
const LONGEST: u64 = RTT_PHASE.wrapping_mul(CLOSED as u64 + 1);
/// Sequence numbers have 48 bits.
const MOST: u64 = 1 << 47;

/// Data packets lost one after another.
#[derive(Clone, Copy, Debug)]
pub struct Hole {
    /// Data packets before it.
    pub before: u64,
    /// Data packets lost; at least 1.
    pub lost: u64,
    /// Phase of the packet before.
    pub from: u64,
    /// Phase of the packet after.
    pub to: u64,
}

impl Hole {
    /// The time it takes, and between how many pairs of packets.
    fn spread(&self) -> (u64, u64) {
        let span = self.to.saturating_sub(self.from).min(LONGEST);
        (span, self.lost.saturating_add(1))
    }

    /// How many of its packets were sent before `limit`, if they were sent
    /// evenly between those around them.
    fn until(&self, limit: u64) -> u64 {
        let (span, spaces) = self.spread();
        if limit <= self.from {
            return 0;
        }
        // Packet k is at from + span * k/spaces.
        limit
            .saturating_sub(self.from)
            .saturating_mul(spaces)
            .saturating_sub(1)
            .checked_div(span)
            .map_or(self.lost, |count| count.min(self.lost))
    }

    /// The phase of a packet of it, counted from 1.
    fn phase(&self, packet: u64) -> u64 {
        let (span, spaces) = self.spread();
        let into = span.saturating_mul(packet).checked_div(spaces).unwrap_or(0);
        self.from.saturating_add(into)
    }
}

/// The loss events of a connection.
#[derive(Clone, Debug, Default)]
pub struct Losses {
    intervals: Intervals,
    /// Data packets before the last event.
    start: u64,
    /// Phase of its first packet.
    phase: u64,
    events: u64,
    lost: u64,
}

impl Losses {
    /// Nothing lost.
    pub const fn new() -> Self {
        Self {
            intervals: Intervals::new(),
            start: 0,
            phase: 0,
            events: 0,
            lost: 0,
        }
    }

    /// Packets are lost. True if that is a new event, or more than one.
    /// `first` is the interval, in packets, that is made up before the first
    /// event of all.
    pub fn add(&mut self, hole: &Hole, first: u64) -> bool {
        let events = self.events;
        let hole = Hole {
            lost: hole.lost.min(MOST),
            ..*hole
        };
        let mut counted: u64 = 0;
        loop {
            if self.events > 0 {
                let until = hole.until(self.phase.saturating_add(RTT_PHASE));
                let more = until.saturating_sub(counted);
                self.intervals.more(u32::try_from(more).unwrap_or(u32::MAX));
                counted = counted.max(until);
            }
            if counted >= hole.lost {
                break;
            }
            self.begin(&hole, counted, first);
            counted = counted.saturating_add(1);
        }
        self.lost = self.lost.saturating_add(hole.lost);
        self.events > events
    }

    /// An event begins with the packet of a hole after the first `counted`.
    fn begin(&mut self, hole: &Hole, counted: u64, first: u64) {
        let start = hole.before.saturating_add(counted);
        if self.events == 0 {
            self.intervals.begin(first, 1);
        } else {
            self.intervals.close(start.saturating_sub(self.start), 1);
        }
        self.start = start;
        self.phase = hole.phase(counted.saturating_add(1));
        self.events = self.events.saturating_add(1);
    }

    /// So many data packets have come, or are lost.
    pub fn extend(&mut self, packets: u64) {
        self.intervals.extend(packets.saturating_sub(self.start));
    }

    /// 1/p and j, once something was lost.
    pub fn mean(&self) -> Option<Mean> {
        self.intervals.mean()
    }

    /// Loss events so far.
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// Data packets lost so far.
    pub const fn lost(&self) -> u64 {
        self.lost
    }
}
