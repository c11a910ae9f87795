// SPDX-License-Identifier: GPL-2.0

//! Tables of reference-counted objects by id.

use core::{
    ffi::c_void,
    marker::PhantomData,
    mem::ManuallyDrop,
    ptr::NonNull, //
};

use kernel::{
    error::to_result,
    prelude::*,
    sync::Arc, //
};

use super::{
    ffi::*,
    RawTable, //
};

/// Objects looked at before others get the lock.
const AT_A_TIME: u32 = 64;

/// Objects by id.
pub(crate) struct Table<'a, T> {
    // INVARIANT: Every object in it is an `Arc<T>` by `Arc::into_raw`.
    pub(super) raw: NonNull<RawTable>,
    pub(super) _objects: PhantomData<&'a Arc<T>>,
}

/// Keeps a table locked.
pub(super) struct TableLock(NonNull<RawTable>);

impl TableLock {
    pub(super) fn new(raw: NonNull<RawTable>) -> TableLock {
        // SAFETY: A table of a live namespace; its lock is a leaf, and is only
        // held in this file, by functions that call nothing that takes it.
        unsafe { ccp_table_lock(raw.as_ptr()) };
        TableLock(raw)
    }
}

impl Drop for TableLock {
    fn drop(&mut self) {
        // SAFETY: Locked in `new`.
        unsafe { ccp_table_unlock(self.0.as_ptr()) };
    }
}

/// Another reference to an object that somebody holds.
///
/// # Safety
///
/// `raw` must come from `Arc::<T>::into_raw`, and that reference must last.
pub(super) unsafe fn share<T>(raw: NonNull<c_void>) -> Arc<T> {
    // SAFETY: By the caller's promise; `ManuallyDrop` leaves the count alone.
    let held = ManuallyDrop::new(unsafe { Arc::from_raw(raw.as_ptr().cast::<T>().cast_const()) });
    Arc::clone(&held)
}

impl<T> Table<'_, T> {
    /// Puts an object in.
    pub(crate) fn insert(&self, id: u64, object: Arc<T>) -> Result {
        let raw = Arc::into_raw(object);
        // SAFETY: A live table. INVARIANT: The object is an `Arc<T>`.
        let err =
            unsafe { ccp_table_insert(self.raw.as_ptr(), id, raw.cast_mut().cast::<c_void>()) };
        if err != 0 {
            // SAFETY: From `into_raw` above; the table didn't take it.
            drop(unsafe { Arc::from_raw(raw) });
        }
        to_result(err)
    }

    /// Takes an object out.
    pub(crate) fn remove(&self, id: u64) -> Option<Arc<T>> {
        // SAFETY: A live table.
        let raw = NonNull::new(unsafe { ccp_table_remove(self.raw.as_ptr(), id) })?;
        // SAFETY: An `Arc<T>` by the invariant, whose reference is now ours.
        Some(unsafe { Arc::from_raw(raw.as_ptr().cast::<T>().cast_const()) })
    }

    /// The object with this id.
    pub(crate) fn get(&self, id: u64) -> Option<Arc<T>> {
        let _lock = TableLock::new(self.raw);
        // SAFETY: A live table, locked.
        let raw = NonNull::new(unsafe { ccp_table_load(self.raw.as_ptr(), id) })?;
        // SAFETY: An `Arc<T>` that can't leave while the table is locked.
        Some(unsafe { share(raw) })
    }

    /// The first object from id `from` on that `wanted` likes. `wanted` runs
    /// under a spinlock and must not use the table.
    pub(crate) fn find(
        &self,
        mut from: u64,
        mut wanted: impl FnMut(&T) -> bool,
    ) -> Option<(u64, Arc<T>)> {
        loop {
            let _lock = TableLock::new(self.raw);
            for _ in 0..AT_A_TIME {
                // SAFETY: A live table, locked.
                let raw = NonNull::new(unsafe { ccp_table_next(self.raw.as_ptr(), &mut from) })?;
                // SAFETY: An `Arc<T>`, so a live `T`, as the table is locked.
                if wanted(unsafe { raw.cast::<T>().as_ref() }) {
                    // SAFETY: The same.
                    return Some((from, unsafe { share(raw) }));
                }
                from = from.checked_add(1)?;
            }
        }
    }
}
