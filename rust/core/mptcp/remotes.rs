// SPDX-License-Identifier: GPL-2.0

//! Addresses of the peer, as it announced them, for daemons that were not there
//! to hear of them.

use super::{
    end::End,
    room::Room, //
};

/// So many are remembered; of more only the events tell.
pub const REMOTES_MOST: usize = 8;

/// The addresses that a peer announced and did not withdraw.
#[derive(Debug)]
pub(super) struct Remotes<R> {
    room: R,
}

fn is_free(slot: &End) -> bool {
    slot.family == 0
}

impl<R: Room<End>> Remotes<R> {
    /// None.
    pub(super) fn new(room: R) -> Self {
        Remotes { room }
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &End> {
        self.room.slots().iter().filter(|slot| !is_free(slot))
    }

    /// The peer announced one, with its id and port; it replaces what had the id.
    pub(super) fn add(&mut self, addr: &End) {
        self.remove(addr.id);
        if self.iter().nth(REMOTES_MOST.wrapping_sub(1)).is_some() {
            return;
        }
        // Without memory a late listener doesn't learn of it.
        if let Some(slot) = self.room.free_slot(is_free) {
            *slot = *addr;
        }
    }

    /// The peer withdrew the one with this id.
    pub(super) fn remove(&mut self, id: u8) {
        for slot in self.room.slots_mut() {
            if !is_free(slot) && slot.id == id {
                *slot = End::default();
            }
        }
    }
}
