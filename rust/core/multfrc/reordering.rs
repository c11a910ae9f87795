// SPDX-License-Identifier: GPL-2.0

//! Puts packets in order, and decides which are lost: those that three later
//! ones overtook (RFC 5348, section 5.1).

use super::seqno::distance;

/// NDUPACK.
const OVERTAKING: usize = 3;

/// A packet that arrived.
#[derive(Clone, Copy, Debug, Default)]
pub struct Arrival {
    /// Sequence number.
    pub seqno: u64,
    /// NDP Count: packets without data right before it.
    pub ndp: u64,
    /// When it was sent, as [`super::arrivals::Arrivals`] tells.
    pub phase: u64,
    /// Whether it has data.
    pub data: bool,
}

/// How a packet's number compares to those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The highest so far.
    Newest,
    /// It was overtaken.
    Overtaken,
    /// It was here before, or counts as lost already.
    Known,
}

/// The last packet in order, and those after a hole; by sequence number.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reordering {
    last: Option<Arrival>,
    later: [Arrival; OVERTAKING],
    len: usize,
}

impl Reordering {
    /// Nothing arrived.
    pub const fn new() -> Self {
        const NONE: Arrival = Arrival {
            seqno: 0,
            ndp: 0,
            phase: 0,
            data: false,
        };
        Self {
            last: None,
            later: [NONE; OVERTAKING],
            len: 0,
        }
    }

    /// Where a packet belongs.
    pub fn place(&self, seqno: u64) -> Place {
        let Some(last) = self.last else {
            return Place::Newest;
        };
        if distance(last.seqno, seqno) <= 0 {
            return Place::Known;
        }
        let later = self.later.get(..self.len).unwrap_or(&self.later);
        if later.iter().any(|one| one.seqno == seqno) {
            Place::Known
        } else if later.iter().all(|one| distance(one.seqno, seqno) > 0) {
            Place::Newest
        } else {
            Place::Overtaken
        }
    }

    /// A packet that isn't known. [`Self::decided`] is to be called after this
    /// until it has none.
    pub fn insert(&mut self, arrival: Arrival) {
        if self.last.is_none() {
            self.last = Some(arrival);
            return;
        }
        let mut moving = arrival;
        let len = self.len.min(OVERTAKING);
        for slot in self.later.get_mut(..len).unwrap_or_default() {
            if distance(slot.seqno, moving.seqno) < 0 {
                core::mem::swap(slot, &mut moving);
            }
        }
        if let Some(slot) = self.later.get_mut(self.len) {
            *slot = moving;
            self.len = self.len.saturating_add(1);
        }
    }

    /// The next two packets of which it's decided that none is to come
    /// between them: what is missing there is lost.
    pub fn decided(&mut self) -> Option<(Arrival, Arrival)> {
        let last = self.last?;
        let next = *self.later.first().filter(|_| self.len > 0)?;
        if self.len < OVERTAKING && distance(last.seqno, next.seqno) != 1 {
            return None;
        }
        self.last = Some(next);
        self.later.rotate_left(1);
        self.len = self.len.saturating_sub(1);
        Some((last, next))
    }
}
