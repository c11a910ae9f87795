// SPDX-License-Identifier: GPL-2.0

//! Which subflows a connection has, and which local address each uses.
//!
//! Beginnings and ends of subflows come in pairs only as far as the kernel
//! tells them so. Here each subflow counts once, from its first mention to its
//! end, and an end of one never mentioned counts for nothing.

use super::room::Room;

/// A subflow.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Track {
    /// Its id; 0 is a free slot, as the first subflow is 1.
    id: u32,
    local: Option<u8>,
    joined: bool,
}

/// What became of a subflow that was mentioned.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Added {
    /// It counts from now on.
    New,
    /// It did already.
    Known,
    /// There is no memory for it.
    NoMemory,
}

/// The subflows of a connection.
#[derive(Debug)]
pub struct Tracks<R> {
    room: R,
}

impl<R: Room<Track>> Tracks<R> {
    /// None.
    pub fn new(room: R) -> Self {
        Tracks { room }
    }

    /// How many there are.
    pub fn count(&self) -> u32 {
        let taken = self.room.slots().iter().filter(|track| track.id != 0);
        taken.fold(0, |count: u32, _| count.saturating_add(1))
    }

    /// Whether there is one with this id.
    pub fn has(&self, id: u32) -> bool {
        id != 0 && self.room.slots().iter().any(|track| track.id == id)
    }

    /// Whether it was mentioned and has not joined yet.
    pub fn is_pending(&self, id: u32) -> bool {
        let mut slots = self.room.slots().iter();
        id != 0 && slots.any(|track| track.id == id && !track.joined)
    }

    /// A subflow has joined.
    pub fn joined(&mut self, id: u32) {
        let mut slots = self.room.slots_mut().iter_mut();
        if let Some(track) = slots.find(|track| track.id == id) {
            track.joined = true;
        }
    }

    /// A subflow was mentioned that uses local address `local`, if that is known.
    pub fn add(&mut self, id: u32, local: Option<u8>, joined: bool) -> Added {
        if id == 0 || self.has(id) {
            return Added::Known;
        }
        match self.room.free_slot(|track| track.id == 0) {
            Some(free) => {
                *free = Track { id, local, joined };
                Added::New
            }
            None => Added::NoMemory,
        }
    }

    /// A subflow is gone; the local address it held.
    pub fn remove(&mut self, id: u32) -> Option<u8> {
        let mut slots = self.room.slots_mut().iter_mut();
        let found = slots.find(|track| id != 0 && track.id == id)?;
        core::mem::take(found).local
    }
}
