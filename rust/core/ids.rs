// SPDX-License-Identifier: GPL-2.0

//! Ids of agents and programs: 32 bits, as users see them, that don't run out.

use core::sync::atomic::{
    AtomicU64,
    Ordering::Relaxed, //
};

/// Numbers of the objects of one kind in a network namespace.
///
/// A number is never given twice; the low 32 bits of it are the object's id. So an
/// id comes again after 2^32 others, if nobody has it then.
pub struct Ids(AtomicU64);

impl Ids {
    /// The first id is 1.
    pub const fn new() -> Ids {
        Ids::after(0)
    }

    /// As if `number` had been given.
    pub const fn after(number: u64) -> Ids {
        Ids(AtomicU64::new(number))
    }

    /// The next number whose id isn't `taken`; `None` if all are.
    ///
    /// Nobody else may ask until `taken` knows of it.
    pub fn next(&self, taken: impl Fn(u32) -> bool) -> Option<u64> {
        for _ in 0..=u32::MAX {
            let number = self.0.fetch_add(1, Relaxed).wrapping_add(1);
            let id = id_of(number);
            // 0 stands for none.
            if id != 0 && !taken(id) {
                return Some(number);
            }
        }
        None
    }
}

impl Default for Ids {
    fn default() -> Ids {
        Ids::new()
    }
}

/// What users see of a number.
pub const fn id_of(number: u64) -> u32 {
    number as u32
}
