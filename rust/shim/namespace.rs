// SPDX-License-Identifier: GPL-2.0

//! The C half of a network namespace's state.

use core::{
    ffi::c_void,
    marker::PhantomData,
    ptr::NonNull, //
};

use kernel::{
    error::to_result,
    prelude::*,
    sync::Arc, //
};

use super::{
    ffi::*,
    table::{
        share,
        TableLock, //
    },
    Counter,
    Gauge,
    LockedFlow,
    RawNet,
    RawSock,
    Sock,
    Table, //
};

/// A network namespace's C half.
pub(crate) struct Shim<A, P> {
    // INVARIANT: A `struct ccp_net` that is ours to free; its tables hold
    // `Arc<A>` (agents) and `Arc<P>` (programs), its fallback is an `Arc<P>`.
    raw: NonNull<RawNet>,
    _objects: PhantomData<(Arc<A>, Arc<P>)>,
}

// SAFETY: Every function of the C side that is used here may be called from
// any thread, and what is in the tables is `Send` and `Sync`.
unsafe impl<A: Send + Sync, P: Send + Sync> Send for Shim<A, P> {}
// SAFETY: As above.
unsafe impl<A: Send + Sync, P: Send + Sync> Sync for Shim<A, P> {}

/// Keeps agents, programs and the fallback of a namespace as they are.
pub(crate) struct CommandLock(NonNull<RawNet>);

impl Drop for CommandLock {
    fn drop(&mut self) {
        // SAFETY: Locked by `Shim::lock`; the namespace outlives the command.
        unsafe { ccp_net_unlock(self.0.as_ptr()) };
    }
}

impl<A, P> Shim<A, P> {
    /// Takes a fresh `struct ccp_net`.
    ///
    /// # Safety
    ///
    /// `raw` must be empty, and the caller's to give away.
    pub(crate) unsafe fn from_raw(raw: NonNull<RawNet>) -> Shim<A, P> {
        // INVARIANT: The caller's promise; nothing is in the tables yet.
        Shim {
            raw,
            _objects: PhantomData,
        }
    }

    /// The C struct.
    pub(crate) fn as_ptr(&self) -> *mut RawNet {
        self.raw.as_ptr()
    }

    /// Agents by id.
    pub(crate) fn agents(&self) -> Table<'_, A> {
        // SAFETY: A live `struct ccp_net`; the result is inside it.
        let raw = unsafe { NonNull::new_unchecked(ccp_net_agents(self.raw.as_ptr())) };
        // INVARIANT: That of `self`.
        Table {
            raw,
            _objects: PhantomData,
        }
    }

    /// Programs by id.
    pub(crate) fn programs(&self) -> Table<'_, P> {
        // SAFETY: A live `struct ccp_net`; the result is inside it.
        let raw = unsafe { NonNull::new_unchecked(ccp_net_programs(self.raw.as_ptr())) };
        // INVARIANT: That of `self`.
        Table {
            raw,
            _objects: PhantomData,
        }
    }

    /// The program chosen as fallback.
    pub(crate) fn fallback(&self) -> Option<Arc<P>> {
        let _lock = TableLock::new(self.programs().raw);
        // SAFETY: A live `struct ccp_net`, its programs locked.
        let raw = NonNull::new(unsafe { ccp_net_fallback(self.raw.as_ptr()) })?;
        // SAFETY: An `Arc<P>` by the invariant, which stays while locked.
        Some(unsafe { share(raw) })
    }

    /// Chooses the fallback program; the one before is returned.
    pub(crate) fn set_fallback(&self, program: Option<Arc<P>>) -> Option<Arc<P>> {
        let new = program.map_or(core::ptr::null_mut(), |program| {
            Arc::into_raw(program).cast_mut().cast::<c_void>()
        });
        let lock = TableLock::new(self.programs().raw);
        // SAFETY: A live `struct ccp_net`, its programs locked.
        // INVARIANT: `new` is an `Arc<P>`.
        let old = unsafe { ccp_net_set_fallback(self.raw.as_ptr(), new) };
        drop(lock);
        let old = NonNull::new(old)?;
        // SAFETY: An `Arc<P>` by the invariant, whose reference is now ours.
        Some(unsafe { Arc::from_raw(old.as_ptr().cast::<P>().cast_const()) })
    }

    /// Locks out other commands that change agents, programs or the fallback.
    /// May sleep.
    pub(crate) fn lock(&self) -> CommandLock {
        // SAFETY: A live `struct ccp_net`, process context; who has this lock
        // takes it again nowhere, and no lock that is outside of it.
        unsafe { ccp_net_lock(self.raw.as_ptr()) };
        CommandLock(self.raw)
    }

    /// Has a worker go through all flows soon.
    pub(crate) fn sweep(&self) {
        // SAFETY: A live `struct ccp_net`; it waits for the worker to end.
        unsafe { ccp_net_sweep(self.raw.as_ptr()) };
    }

    /// Counts one event.
    pub(crate) fn count(&self, counter: Counter) {
        // SAFETY: A live `struct ccp_net`.
        unsafe { ccp_net_count(self.raw.as_ptr(), counter as u32) };
    }

    /// Number of objects there are now.
    pub(crate) fn gauge(&self, gauge: Gauge) -> u32 {
        // SAFETY: A live `struct ccp_net`.
        unsafe { ccp_net_gauge(self.raw.as_ptr(), gauge as u32) }
    }

    /// Makes a flow known by its id.
    pub(crate) fn insert_flow(&self, id: u64, sk: Sock<'_>) -> Result {
        // SAFETY: A live `struct ccp_net`; the socket removes the flow before
        // it goes.
        to_result(unsafe { ccp_flow_insert(self.raw.as_ptr(), id, sk.raw.as_ptr()) })
    }

    /// Undoes [`Shim::insert_flow`].
    pub(crate) fn remove_flow(&self, id: u64) {
        // SAFETY: A live `struct ccp_net`.
        unsafe { ccp_flow_remove(self.raw.as_ptr(), id) };
    }

    /// Finds and locks a flow. May sleep, for a bounded time.
    pub(crate) fn flow(&self, id: u64) -> Result<LockedFlow> {
        let mut sk = core::ptr::null_mut();
        // SAFETY: A live `struct ccp_net`, process context.
        to_result(unsafe { ccp_flow_lock(self.raw.as_ptr(), id, &mut sk) })?;
        NonNull::new(sk)
            .and_then(|sk| self.locked(sk))
            .ok_or(ENOENT)
    }

    /// Finds the flow with the smallest id from `id` on: `None` at the end.
    /// May sleep, but not for the lock: inside is `None` when the flow's
    /// process has that.
    pub(crate) fn next_flow(&self, id: &mut u64) -> Option<Option<LockedFlow>> {
        // SAFETY: A live `struct ccp_net`, process context.
        let sk = NonNull::new(unsafe { ccp_flow_next(self.raw.as_ptr(), id) })?;
        // SAFETY: From the look-up for this id.
        if unsafe { ccp_flow_trylock(sk.as_ptr(), self.raw.as_ptr(), *id) } != 0 {
            // SAFETY: From the look-up, not locked, and not used any more.
            unsafe { ccp_flow_put(sk.as_ptr()) };
            return Some(None);
        }
        Some(self.locked(sk))
    }

    fn locked(&self, sk: NonNull<RawSock>) -> Option<LockedFlow> {
        let mut id = 0;
        // SAFETY: `sk` was just locked.
        let flow = unsafe { ccp_tcp_flow(sk.as_ptr(), self.raw.as_ptr(), &mut id) };
        match NonNull::new(flow) {
            // INVARIANT: The caller got `sk` from a look-up.
            Some(flow) => Some(LockedFlow { sk, flow }),
            None => {
                // SAFETY: Locked by the look-up, and not used any more.
                unsafe { ccp_flow_unlock(sk.as_ptr()) };
                None
            }
        }
    }
}

impl<A, P> Drop for Shim<A, P> {
    fn drop(&mut self) {
        // SAFETY: Ours to free by the invariant; whoever drops it has taken
        // everything out.
        unsafe { ccp_net_free(self.raw.as_ptr()) };
    }
}
