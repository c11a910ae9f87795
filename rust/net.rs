// SPDX-License-Identifier: GPL-2.0

//! State of a network namespace.
//!
//! C side: `c-shim/net.c`.

use core::{
    mem::ManuallyDrop,
    ptr::NonNull,
    sync::atomic::{
        AtomicBool,
        AtomicU64,
        Ordering::{
            Acquire,
            Release, //
        }, //
    },
};

use kernel::{
    prelude::*,
    sync::Arc, //
};

use crate::{
    agents::Agent,
    flows,
    ids::Ids,
    programs::Program,
    shim::{
        RawNet,
        Shim, //
    },
};

/// A network namespace, as far as this module is concerned.
///
/// The namespace has one reference, each of its flows another.
pub(crate) struct Net {
    pub(crate) shim: Shim<Agent, Program>,
    pub(crate) builtin: Arc<Program>,
    /// Asked under the command lock only.
    pub(crate) agent_ids: Ids,
    /// The same.
    pub(crate) program_ids: Ids,
    /// Goes up with every change among the agents.
    generation: AtomicU64,
    /// A Portus client was not told of a flow for want of room; see
    /// [`crate::portus_hook`]. No other memory depends on it.
    pub(crate) untold: AtomicBool,
    /// Numbers of the events of family "mptcp".
    #[cfg(ccp_mptcp)]
    pub(crate) mptcp: crate::mptcp::Counters,
}

impl Net {
    /// The program that flows fall back to.
    pub(crate) fn fallback(&self) -> Arc<Program> {
        self.shim
            .fallback()
            .unwrap_or_else(|| Arc::clone(&self.builtin))
    }

    /// Whether it is the fallback program.
    pub(crate) fn is_fallback(&self, program: &Program) -> bool {
        self.shim
            .fallback()
            .is_some_and(|fallback| fallback.id == program.id)
    }

    /// What a flow compares with the generation it was settled in. Whoever
    /// sees a generation sees the changes that made it.
    #[inline]
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Acquire)
    }

    /// After a change among the agents: has every flow settle who is in charge
    /// of it, at its next ACK, or when the sweep comes by.
    pub(crate) fn agents_changed(&self) {
        self.generation.fetch_add(1, Release);
        self.shim.sweep();
    }

    /// Settles all flows that can be locked; the others do it themselves.
    fn sweep(&self) {
        let mut id = 0;
        while let Some(flow) = flows::lock_next(self, &mut id) {
            if let Some(mut flow) = flow {
                flow.settle();
            }
            id = id.saturating_add(1);
        }
    }

    /// Forgets agents and programs.
    fn close(&self) {
        while let Some((_, agent)) = self.shim.agents().find(0, |_| true) {
            self.take_out(&agent);
        }
        drop(self.shim.set_fallback(None));
        while let Some((id, _)) = self.shim.programs().find(0, |_| true) {
            drop(self.shim.programs().remove(id));
        }
    }
}

/// A reference of one's own to the namespace behind C's pointer.
///
/// # Safety
///
/// `state` must come from [`ccp_rs_net_open`] and not be closed meanwhile.
pub(crate) unsafe fn share(state: NonNull<Net>) -> Arc<Net> {
    // SAFETY: From `Arc::into_raw` by the caller's promise; `ManuallyDrop`
    // leaves C's reference alone.
    let held = ManuallyDrop::new(unsafe { Arc::from_raw(state.as_ptr().cast_const()) });
    Arc::clone(&held)
}

/// A namespace comes up: makes its state, or returns NULL.
///
/// # Safety
///
/// `shim` must be empty; it is Rust's from now on.
#[no_mangle]
unsafe extern "C" fn ccp_rs_net_open(shim: NonNull<RawNet>) -> *const Net {
    // SAFETY: The caller's promise.
    let shim = unsafe { Shim::from_raw(shim) };
    let made = Program::builtin().and_then(|builtin| {
        let net = Net {
            shim,
            builtin,
            agent_ids: Ids::new(),
            program_ids: Ids::new(),
            generation: AtomicU64::new(0),
            untold: AtomicBool::new(false),
            #[cfg(ccp_mptcp)]
            mptcp: crate::mptcp::Counters::default(),
        };
        Ok(Arc::new(net, GFP_KERNEL_ACCOUNT)?)
    });
    made.map(Arc::into_raw).unwrap_or(core::ptr::null())
}

/// A namespace goes: gives up its reference.
///
/// # Safety
///
/// `state` must come from [`ccp_rs_net_open`] and isn't used afterwards.
#[no_mangle]
unsafe extern "C" fn ccp_rs_net_close(state: NonNull<Net>) {
    // SAFETY: From `Arc::into_raw`; the reference is ours now.
    let net = unsafe { Arc::from_raw(state.as_ptr().cast_const()) };
    net.close();
}

/// A worker goes through the flows.
///
/// # Safety
///
/// `state` must come from [`ccp_rs_net_open`] and not be closed meanwhile.
#[no_mangle]
unsafe extern "C" fn ccp_rs_net_sweep(state: NonNull<Net>) {
    // SAFETY: The caller's promise.
    unsafe { state.as_ref() }.sweep();
}

/// The C half of a namespace.
///
/// # Safety
///
/// `state` must come from [`ccp_rs_net_open`] and not be closed meanwhile.
#[no_mangle]
unsafe extern "C" fn ccp_rs_net_shim(state: NonNull<Net>) -> *mut RawNet {
    // SAFETY: The caller's promise.
    unsafe { state.as_ref() }.shim.as_ptr()
}
