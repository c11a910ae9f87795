// SPDX-License-Identifier: GPL-2.0

//! The loss intervals of a receiver (RFC 5348, section 5), with the packets
//! lost in each of their loss events (draft, section 2.3).

use super::equation::FRACTION;

/// Closed intervals that count (n of RFC 5348, section 5.4).
pub const CLOSED: usize = 8;
/// Weights of the intervals, newest first, in fifths.
const WEIGHTS: [u32; CLOSED] = [5, 5, 5, 5, 4, 3, 2, 1];

/// A loss event, and the packets from its start to that of the next one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interval {
    /// Packets.
    pub length: u64,
    /// Packets lost in the event.
    pub lost: u32,
}

/// The average interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mean {
    /// I = 1/p, in 2^-16 packets; at least 1 packet.
    pub interval: u64,
    /// j: packets lost per loss event, in 2^-16; at least 1.
    pub lost: u32,
}

/// The newest interval, which is still open, and up to eight before it.
#[derive(Clone, Debug, Default)]
pub struct Intervals {
    /// Newest first.
    intervals: [Interval; CLOSED + 1],
    /// How many there are.
    len: usize,
}

impl Intervals {
    /// Before the first loss.
    pub const fn new() -> Self {
        Self {
            intervals: [Interval { length: 0, lost: 0 }; CLOSED + 1],
            len: 0,
        }
    }

    /// Whether nothing was lost so far.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The open interval first.
    pub fn iter(&self) -> impl Iterator<Item = &Interval> {
        self.intervals.iter().take(self.len)
    }

    /// The first loss event, of `lost` packets, with the interval of `length`
    /// packets made up for what came before it (RFC 5348, section 6.3.1).
    pub fn begin(&mut self, length: u64, lost: u32) {
        *self = Self::new();
        self.push(Interval { length, lost: 1 });
        self.push(Interval { length: 0, lost });
    }

    /// A new loss event: `length` packets after the one before it began,
    /// `lost` packets were lost in it.
    pub fn close(&mut self, length: u64, lost: u32) {
        if let Some(open) = self.intervals.first_mut().filter(|_| self.len > 0) {
            open.length = length.max(1);
        }
        self.push(Interval { length: 0, lost });
    }

    /// More losses that belong to the last loss event.
    pub fn more(&mut self, lost: u32) {
        if let Some(open) = self.intervals.first_mut().filter(|_| self.len > 0) {
            open.lost = open.lost.saturating_add(lost);
        }
    }

    /// The open interval is `length` packets long by now.
    pub fn extend(&mut self, length: u64) {
        if let Some(open) = self.intervals.first_mut().filter(|_| self.len > 0) {
            open.length = length;
        }
    }

    fn push(&mut self, interval: Interval) {
        self.intervals.rotate_right(1);
        if let Some(first) = self.intervals.first_mut() {
            *first = interval;
        }
        self.len = self.len.saturating_add(1).min(CLOSED + 1);
    }

    /// The average, once an interval is closed. The open interval counts when
    /// it makes the average longer, and its losses count with it (draft,
    /// section 2.3, change of section 5.4).
    pub fn mean(&self) -> Option<Mean> {
        let closed = self.len.checked_sub(1).filter(|&closed| closed > 0)?;
        let total: u64 = WEIGHTS.iter().take(closed).map(|&w| u64::from(w)).sum();
        let with_open = self.weighted(0, closed);
        let without = self.weighted(1, closed);
        let (length, lost) = if with_open.0 > without.0 {
            with_open
        } else {
            without
        };
        let share = |sum: u64| {
            if sum >> (64 - FRACTION) == 0 {
                (sum << FRACTION).checked_div(total).unwrap_or(0)
            } else {
                sum.checked_div(total).unwrap_or(0) << FRACTION
            }
        };
        Some(Mean {
            interval: share(length).max(1 << FRACTION),
            lost: u32::try_from(share(lost))
                .unwrap_or(u32::MAX)
                .max(1 << FRACTION),
        })
    }

    /// Weighted lengths and losses of `count` intervals from `first` on.
    fn weighted(&self, first: usize, count: usize) -> (u64, u64) {
        let chosen = self.intervals.iter().skip(first).take(count);
        chosen
            .zip(WEIGHTS)
            .fold((0, 0), |(length, lost), (interval, weight)| {
                let weight = u64::from(weight);
                (
                    interval
                        .length
                        .saturating_mul(weight)
                        .saturating_add(length),
                    u64::from(interval.lost)
                        .saturating_mul(weight)
                        .saturating_add(lost),
                )
            })
    }
}
