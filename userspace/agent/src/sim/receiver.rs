// SPDX-License-Identifier: GPL-2.0
//! The receiving end: acknowledges every packet, with what it has got.

use super::sender::Packet;
use std::collections::BTreeSet;

/// An acknowledgement.
#[derive(Copy, Clone, Debug)]
pub(super) struct Echo {
    /// Everything below has arrived.
    pub(super) next: u64,
    /// The packet that caused it.
    pub(super) packet: Packet,
    /// ECE.
    pub(super) congestion: bool,
}

#[derive(Default)]
pub(super) struct Receiver {
    next: u64,
    /// Arrived above `next`.
    early: BTreeSet<u64>,
    /// A mark came, and no answer to it yet.
    congestion: bool,
}

impl Receiver {
    pub(super) fn receive(&mut self, packet: &Packet) -> Echo {
        if packet.answered {
            self.congestion = false;
        }
        self.congestion |= packet.marked;
        if packet.sequence >= self.next {
            self.early.insert(packet.sequence);
        }
        while self.early.remove(&self.next) {
            self.next += 1;
        }
        Echo {
            next: self.next,
            packet: *packet,
            congestion: self.congestion,
        }
    }
}
