// SPDX-License-Identifier: GPL-2.0

//! Memory for tables.

/// Slots that can become more.
pub trait Room<T> {
    /// All slots there are.
    fn slots(&self) -> &[T];

    /// The same, to change.
    fn slots_mut(&mut self) -> &mut [T];

    /// Makes more, which hold `T`'s default; what was in the others stays.
    /// False without memory, or when there are enough for any table.
    fn grow(&mut self) -> bool;

    /// A slot that is `free`, made if need be.
    fn free_slot(&mut self, free: impl Fn(&T) -> bool) -> Option<&mut T> {
        if !self.slots().iter().any(&free) && !self.grow() {
            return None;
        }
        self.slots_mut().iter_mut().find(|slot| free(slot))
    }
}
