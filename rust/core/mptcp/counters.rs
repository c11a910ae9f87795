// SPDX-License-Identifier: GPL-2.0

//! Numbers of the events of a network namespace.

use core::sync::atomic::{
    AtomicU64,
    Ordering::Relaxed, //
};

use super::event::{
    Kind,
    KINDS, //
};

/// How many events of each kind there were, and how many were dropped.
///
/// Whoever counts holds a lock until the event is on its way, so that numbers
/// arrive in order; the atomics only let others read meanwhile.
#[derive(Debug, Default)]
pub struct Counters {
    sent: [AtomicU64; KINDS.len()],
    drops: AtomicU64,
}

impl Counters {
    /// The number of one more event of this kind, from 1.
    pub fn next(&self, kind: Kind) -> u64 {
        self.sent
            .get(kind.index())
            .map_or(0, |sent| sent.fetch_add(1, Relaxed).wrapping_add(1))
    }

    /// The number of the last event of this kind.
    pub fn last(&self, kind: Kind) -> u64 {
        self.sent
            .get(kind.index())
            .map_or(0, |sent| sent.load(Relaxed))
    }

    /// Counts an event that got a number and then could not be sent.
    pub fn dropped(&self) {
        self.drops.fetch_add(1, Relaxed);
    }

    /// Events dropped so far.
    pub fn drops(&self) -> u64 {
        self.drops.load(Relaxed)
    }
}
