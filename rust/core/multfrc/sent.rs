// SPDX-License-Identifier: GPL-2.0

//! When packets were sent, for round-trip times.
//!
//! Memory doesn't grow with the packets in flight: of a long flight only every
//! second, fourth, ... packet is kept. A sender that fills such a flight sends
//! evenly, so that the time of a packet in between can be interpolated.

use super::seqno::distance;

const KEPT: usize = 64;

/// A data packet.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sent {
    /// Sequence number.
    pub seqno: u64,
    /// When it was sent.
    pub at: u64,
    /// The window counter.
    pub counter: u64,
}

/// What is kept of one.
#[derive(Clone, Copy, Debug)]
struct Record {
    sent: Sent,
    /// How many data packets were sent before it.
    number: u64,
}

/// The packet a report acknowledges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    /// When it, or the last data packet before it, was sent.
    pub at: u64,
    /// The window counter of that time.
    pub counter: u64,
    /// Whether the time since then is a round trip: not when it isn't a data
    /// packet, nor when it was acknowledged before.
    pub sample: bool,
}

/// Packets not acknowledged, and the last one that is; oldest first.
#[derive(Clone, Copy, Debug)]
pub struct History {
    kept: [Record; KEPT],
    len: usize,
    /// The last of them all.
    last: Record,
    /// Every how many packets one is kept.
    stride: u32,
    /// Packets since the last that was kept.
    skipped: u32,
    /// The newest that was acknowledged.
    newest: Option<u64>,
}

impl History {
    /// Nothing sent.
    pub const fn new() -> Self {
        const NONE: Record = Record {
            sent: Sent {
                seqno: 0,
                at: 0,
                counter: 0,
            },
            number: 0,
        };
        Self {
            kept: [NONE; KEPT],
            len: 0,
            last: NONE,
            stride: 1,
            skipped: 0,
            newest: None,
        }
    }

    /// A data packet was sent.
    pub fn add(&mut self, sent: Sent) {
        if self.len > 0 && distance(self.last.sent.seqno, sent.seqno) <= 0 {
            return;
        }
        self.last = Record {
            sent,
            number: self.last.number.wrapping_add(1),
        };
        self.skipped = self.skipped.saturating_add(1);
        if self.len > 0 && self.skipped < self.stride {
            return;
        }
        if self.len >= KEPT {
            self.keep_from(0, 2);
            self.stride = self.stride.saturating_mul(2);
        }
        self.skipped = 0;
        if let Some(slot) = self.kept.get_mut(self.len) {
            *slot = self.last;
            self.len = self.len.saturating_add(1);
        }
    }

    /// A report acknowledges `seqno`; none if a later one was acknowledged
    /// already, or nothing was sent. What is before it is forgotten.
    pub fn acknowledge(&mut self, seqno: u64) -> Option<Acknowledged> {
        if self
            .newest
            .is_some_and(|newest| distance(newest, seqno) < 0)
        {
            return None;
        }
        let again = self.newest == Some(seqno);
        let kept = self.kept.get(..self.len).unwrap_or(&self.kept);
        let until = kept
            .iter()
            .position(|record| distance(record.sent.seqno, seqno) < 0)
            .unwrap_or(kept.len());
        let index = until.checked_sub(1)?;
        let before = *kept.get(index)?;
        let after = kept.get(until).copied().unwrap_or(self.last);
        let between_them = after.number.wrapping_sub(before.number) > 1;
        let (before, after) = (before.sent, after.sent);
        let (sent, known) = if before.seqno == seqno {
            (before, true)
        } else if distance(after.seqno, seqno) >= 0 {
            (after, after.seqno == seqno)
        } else if between_them {
            (between(&before, &after, seqno), true)
        } else {
            // It had no data.
            (before, false)
        };
        self.newest = Some(seqno);
        self.keep_from(index, 1);
        if self.len <= KEPT / 4 && self.stride > 1 {
            self.stride /= 2;
        }
        Some(Acknowledged {
            at: sent.at,
            counter: sent.counter,
            sample: known && !again,
        })
    }

    /// Keeps every `step`th record, from the one at `first` on.
    fn keep_from(&mut self, first: usize, step: usize) {
        let mut from = first;
        let mut to: usize = 0;
        while let Some(&record) = self.kept.get(from).filter(|_| from < self.len) {
            if let Some(slot) = self.kept.get_mut(to) {
                *slot = record;
            }
            from = from.saturating_add(step);
            to = to.saturating_add(1);
        }
        self.len = to;
    }
}

/// A packet of which no record was kept.
fn between(before: &Sent, after: &Sent, seqno: u64) -> Sent {
    let packets = distance(before.seqno, after.seqno).unsigned_abs();
    let place = distance(before.seqno, seqno).unsigned_abs();
    let time = after.at.saturating_sub(before.at);
    let each = |time: u64| time.checked_div(packets).unwrap_or(0);
    let share = match time.checked_mul(place) {
        Some(product) => each(product),
        None => each(time).saturating_mul(place),
    };
    Sent {
        seqno,
        at: before.at.saturating_add(share),
        counter: before.counter,
    }
}

impl Default for History {
    fn default() -> Self {
        Self::new()
    }
}
