// SPDX-License-Identifier: GPL-2.0

//! Local addresses of a connection and their ids.
//!
//! An id stands for one address as long as anybody may refer to it: a subflow
//! that uses it, the peer to whom it was announced, a command that is under
//! way. Then the entry goes, and with it the claim on the id. An entry that a
//! peer's SYN made, and nobody refers to yet, stays until its id or its slot is
//! needed, or a few more SYNs come: what a peer can make costs a few entries.
//! Those count from 255 down: daemons that choose ids themselves count
//! up, so a join under way seldom loses its id to a command. Id 0 is the address
//! of the first subflow for good.

use super::{
    end::End,
    room::Room, //
};

/// Ids there are; so there are at most as many addresses.
pub const IDS: usize = 256;

/// Addresses of joins under way that are kept, the last ones.
pub const IDLE_MOST: usize = 8;

/// References that are never given back: the count ran over, or a reference
/// could not be remembered.
const FOR_GOOD: u16 = u16::MAX;

/// A local address.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Local {
    /// Address, id, and the port that was announced with it or 0.
    pub end: End,
    /// Interface that new subflows are bound to, or 0.
    pub ifindex: i32,
    /// Subflows and commands that use it.
    pub uses: u16,
    /// The peer was told of it.
    pub announced: bool,
    /// New subflows are for backup only.
    pub backup: bool,
    taken: bool,
    /// Of entries that a SYN made: which one it was.
    made: u32,
}

/// Why an address can't have an id.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// It has this one.
    OtherId(u8),
    /// The id stands for another address.
    OtherAddress,
    /// There is no free id.
    NoIds,
    /// There is no memory.
    NoMemory,
}

impl Local {
    fn is(&self, id: u8) -> bool {
        self.taken && self.end.id == id
    }

    fn is_idle(&self) -> bool {
        self.taken && self.uses == 0 && !self.announced && self.end.id != 0
    }

    fn has_host(&self, end: &End) -> bool {
        self.taken && self.end.host() == end.host()
    }
}

/// The local addresses of a connection.
#[derive(Debug)]
pub struct Locals<R> {
    room: R,
    /// Entries that SYNs made so far; may wrap.
    made: u32,
}

impl<R: Room<Local>> Locals<R> {
    /// None.
    pub fn new(room: R) -> Self {
        Locals { room, made: 0 }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Local> {
        self.room.slots().iter().filter(|local| local.taken)
    }

    /// The address with this id.
    pub fn get(&self, id: u8) -> Option<&Local> {
        self.room.slots().iter().find(|local| local.is(id))
    }

    fn get_mut(&mut self, id: u8) -> Option<&mut Local> {
        self.room.slots_mut().iter_mut().find(|local| local.is(id))
    }

    /// The entry that fits best the address of a SYN: one with its very port,
    /// one without, any of the address.
    pub fn find(&self, end: &End) -> Option<&Local> {
        let same = || self.iter().filter(|local| local.has_host(end));
        same()
            .find(|local| local.end.port_be == end.port_be)
            .or_else(|| same().find(|local| local.end.port_be == 0))
            .or_else(|| same().next())
    }

    /// The id of an address that a subflow is about to use; a new one if it has
    /// none.
    pub fn id_for(&mut self, end: &End) -> Result<u8, Conflict> {
        if let Some(known) = self.find(end) {
            return Ok(known.end.id);
        }
        let id = self.free_id(true)?;
        self.forget_oldest_idle();
        self.insert(end.with_id(id).with_port(0), false, 0)?;
        let made = self.made;
        if let Some(local) = self.get_mut(id) {
            local.made = made;
        }
        self.made = made.wrapping_add(1);
        Ok(id)
    }

    /// Makes room for one more entry that a SYN makes.
    fn forget_oldest_idle(&mut self) {
        let last = IDLE_MOST.wrapping_sub(1);
        let full = self.iter().filter(|local| local.is_idle()).nth(last);
        if full.is_none() {
            return;
        }
        let now = self.made;
        let idle = self.room.slots_mut().iter_mut();
        let oldest = idle
            .filter(|local| local.is_idle())
            .max_by_key(|local| now.wrapping_sub(local.made));
        if let Some(local) = oldest {
            *local = Local::default();
        }
    }

    /// The first subflow's address, or that of one which got its id elsewhere.
    pub fn note(&mut self, end: &End) -> Result<(), Conflict> {
        match self.get(end.id) {
            Some(known) if known.has_host(end) => Ok(()),
            // The entry its SYN made was forgotten, and the id given out again.
            Some(_) => Err(Conflict::OtherAddress),
            None => self.insert(end.with_port(0), false, 0),
        }
    }

    /// Refers to an address on behalf of a command, and makes it known if it
    /// isn't; then `backup` and `ifindex` are remembered for it. Id 0 is that
    /// of the first subflow's address, and any other address' wish for a free
    /// one. Returns the id.
    pub fn claim(&mut self, end: &End, backup: bool, ifindex: i32) -> Result<u8, Conflict> {
        let id = self.settle(end)?;
        if self.get(id).is_none() {
            self.insert(end.with_id(id), backup, ifindex)?;
        }
        self.hold(id);
        Ok(id)
    }

    /// Notes that an address is announced, and makes it known if it isn't. What
    /// was known of it before, for [`Locals::restore`].
    pub fn announce(
        &mut self,
        end: &End,
        backup: bool,
        ifindex: i32,
    ) -> Result<Option<Local>, Conflict> {
        let id = self.settle(end)?;
        let before = self.get(id).copied();
        if before.is_none() {
            self.insert(end.with_id(id), backup, ifindex)?;
        }
        if let Some(local) = self.get_mut(id) {
            local.announced = true;
            local.end.port_be = end.port_be;
            local.backup = backup;
            local.ifindex = ifindex;
        }
        Ok(before)
    }

    /// Undoes [`Locals::announce`] of the address with this id.
    pub fn restore(&mut self, id: u8, before: Option<Local>) {
        if let (Some(local), Some(before)) = (self.get_mut(id), before) {
            local.announced = before.announced;
            local.end.port_be = before.end.port_be;
            local.backup = before.backup;
            local.ifindex = before.ifindex;
        }
        match before {
            Some(_) => self.forget_unused(id),
            None => self.withdraw(id),
        }
    }

    /// Notes that an address is not announced any more.
    pub fn withdraw(&mut self, id: u8) {
        if let Some(local) = self.get_mut(id) {
            local.announced = false;
        }
        self.forget_unused(id);
    }

    /// One more refers to an address.
    pub fn hold(&mut self, id: u8) {
        if let Some(local) = self.get_mut(id) {
            local.uses = local.uses.saturating_add(1);
        }
    }

    /// One refers to an address that can't be remembered, hence for good.
    pub fn hold_for_good(&mut self, id: u8) {
        if let Some(local) = self.get_mut(id) {
            local.uses = FOR_GOOD;
        }
    }

    /// One refers to an address no more.
    pub fn put(&mut self, id: u8) {
        if let Some(local) = self.get_mut(id) {
            if local.uses != FOR_GOOD {
                local.uses = local.uses.saturating_sub(1);
            }
        }
        self.forget_unused(id);
    }

    fn forget_unused(&mut self, id: u8) {
        if let Some(local) = self.get_mut(id) {
            if local.is_idle() {
                *local = Local::default();
            }
        }
    }

    /// The id that an address has or will have, when a command says which or
    /// leaves the choice (0). Idle entries stand in nobody's way.
    fn settle(&mut self, end: &End) -> Result<u8, Conflict> {
        let same_end = |local: &Local| local.has_host(end) && local.end.port_be == end.port_be;
        if end.id == 0 {
            let first = self.get(0).filter(|local| local.has_host(end));
            let known = first.or_else(|| self.iter().find(|local| same_end(local)));
            return match known.map(|local| local.end.id) {
                Some(id) => Ok(id),
                None => self.free_id(false),
            };
        }
        let stands_for_other = |local: &Local| local.is(end.id) && !local.has_host(end);
        let has_other_id = |local: &Local| !local.is(end.id) && same_end(local);
        for local in self.iter().filter(|local| !local.is_idle()) {
            if stands_for_other(local) {
                return Err(Conflict::OtherAddress);
            }
            if has_other_id(local) {
                return Err(Conflict::OtherId(local.end.id));
            }
        }
        for local in self.room.slots_mut() {
            if stands_for_other(local) || has_other_id(local) {
                *local = Local::default();
            }
        }
        Ok(end.id)
    }

    /// The lowest or highest id that stands for no address; an idle entry makes
    /// way if need be.
    fn free_id(&mut self, highest: bool) -> Result<u8, Conflict> {
        let mut taken = [0u64; IDS / 64];
        for local in self.iter() {
            if let Some(word) = taken.get_mut(usize::from(local.end.id / 64)) {
                *word |= 1u64.wrapping_shl(u32::from(local.end.id % 64));
            }
        }
        let is_free = |id: &u8| {
            let word = taken.get(usize::from(id / 64));
            word.is_some_and(|word| word.wrapping_shr(u32::from(id % 64)) & 1 == 0)
        };
        let mut ids = 1..=u8::MAX;
        let free = if highest {
            ids.rfind(is_free)
        } else {
            ids.find(is_free)
        };
        if let Some(id) = free {
            return Ok(id);
        }
        let mut slots = self.room.slots_mut().iter_mut();
        let idle = slots.find(|local| local.is_idle()).ok_or(Conflict::NoIds)?;
        Ok(core::mem::take(idle).end.id)
    }

    /// Makes an entry, in the place of an idle one without memory.
    fn insert(&mut self, end: End, backup: bool, ifindex: i32) -> Result<(), Conflict> {
        let new = Local {
            end,
            ifindex,
            backup,
            taken: true,
            ..Local::default()
        };
        if let Some(slot) = self.room.free_slot(|local| !local.taken) {
            *slot = new;
            return Ok(());
        }
        let mut slots = self.room.slots_mut().iter_mut();
        let idle = slots.find(|local| local.is_idle());
        *idle.ok_or(Conflict::NoMemory)? = new;
        Ok(())
    }
}
