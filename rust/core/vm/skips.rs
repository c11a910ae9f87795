// SPDX-License-Identifier: GPL-2.0

//! The skip targets ahead of the current instruction.

use super::isa::MAX_PENDING_SKIPS;

/// A value for each instruction that skips lead to and that lies ahead.
pub(super) struct Skips<T> {
    entries: [Option<(u32, T)>; MAX_PENDING_SKIPS],
    pending: usize,
}

impl<T: Copy> Skips<T> {
    pub(super) fn new() -> Self {
        Skips {
            entries: [None; MAX_PENDING_SKIPS],
            pending: 0,
        }
    }

    /// The value at `target`, `new` at first; `None` when there are too many.
    pub(super) fn at(&mut self, target: u32, new: T) -> Option<&mut T> {
        let known = |entry: &Option<(u32, T)>| matches!(entry, Some((t, _)) if *t == target);
        let place = match self.entries.iter().position(known) {
            Some(place) => place,
            None => {
                let place = self.entries.iter().position(Option::is_none)?;
                *self.entries.get_mut(place)? = Some((target, new));
                self.pending = self.pending.saturating_add(1);
                place
            }
        };
        self.entries
            .get_mut(place)?
            .as_mut()
            .map(|(_, value)| value)
    }

    /// Takes the value out when the target is reached.
    pub(super) fn take(&mut self, target: u32) -> Option<T> {
        if self.pending == 0 {
            return None;
        }
        let entry = self
            .entries
            .iter_mut()
            .find(|entry| matches!(entry, Some((t, _)) if *t == target))?;
        self.pending = self.pending.saturating_sub(1);
        entry.take().map(|(_, value)| value)
    }
}
