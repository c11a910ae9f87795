// SPDX-License-Identifier: GPL-2.0

//! Sockets of flows.

use core::{
    ffi::c_void,
    marker::PhantomData,
    ptr::NonNull, //
};

use super::{
    ffi::*,
    FlowEvent,
    FlowInfo,
    RawSock,
    Report, //
};
use crate::tcp::Ack;

/// Longest name of an algorithm; `CCP_CONG_ALGORITHM_LEN` without the NUL.
pub(crate) const ALGORITHM_MAX: usize = 11;

/// The name of an algorithm, or of none.
pub(crate) struct Algorithm {
    name: [u8; ALGORITHM_MAX],
    len: usize,
}

impl Algorithm {
    /// The name; empty when any algorithm will do.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.name.get(..self.len).unwrap_or_default()
    }
}

/// The socket of a flow, locked.
#[derive(Copy, Clone)]
pub(crate) struct Sock<'a> {
    // INVARIANT: A TCP socket whose lock is held for 'a.
    pub(super) raw: NonNull<RawSock>,
    _lock: PhantomData<&'a RawSock>,
}

impl Sock<'_> {
    /// Takes a socket from C.
    ///
    /// # Safety
    ///
    /// `raw` must be a TCP socket locked for as long as the result lives.
    pub(crate) unsafe fn from_raw(raw: NonNull<RawSock>) -> Self {
        // INVARIANT: The caller's promise.
        Sock {
            raw,
            _lock: PhantomData,
        }
    }

    /// What the stack knows now, with an empty rate sample.
    pub(crate) fn facts(self) -> Ack {
        let mut ack = Ack::default();
        // SAFETY: A locked TCP socket by the invariant; the layouts agree.
        unsafe { ccp_tcp_facts(self.raw.as_ptr(), &mut ack) };
        ack
    }

    /// Sets window (packets) and pacing rate (bytes per second); 0 leaves.
    pub(crate) fn apply(self, cwnd: u32, rate: u64, paced: bool) {
        // SAFETY: A locked TCP socket by the invariant.
        unsafe { ccp_tcp_apply(self.raw.as_ptr(), cwnd, rate, u8::from(paced)) };
    }

    /// The algorithm the socket asks for.
    pub(crate) fn algorithm(self) -> Algorithm {
        let mut name = [0; ALGORITHM_MAX];
        // SAFETY: A locked TCP socket by the invariant; there is room for any
        // name.
        let len = unsafe { ccp_cong_algorithm(self.raw.as_ptr(), name.as_mut_ptr()) };
        Algorithm {
            name,
            len: len as usize,
        }
    }

    /// Shows ids where `ss` finds them.
    pub(crate) fn publish(self, agent: u32, program: u32, reason: u32) {
        // SAFETY: A locked TCP socket, whose ops are ours, as it has a flow.
        unsafe { ccp_tcp_publish(self.raw.as_ptr(), agent, program, reason) };
    }

    /// Sends a report; whether it reached the agent.
    pub(crate) fn send_report(self, port: u32, report: &Report) -> bool {
        // SAFETY: A locked TCP socket by the invariant; `fields` and `nfields`
        // of a `Report` describe a slice that outlives the call.
        unsafe { ccp_event_report(self.raw.as_ptr(), port, report) == 0 }
    }

    /// Sends an event; whether it reached the agent.
    pub(crate) fn send_event(
        self,
        port: u32,
        event: FlowEvent,
        info: &FlowInfo,
        adopted: bool,
    ) -> bool {
        // SAFETY: A locked TCP socket by the invariant.
        unsafe {
            ccp_event_flow(
                self.raw.as_ptr(),
                port,
                event as u8,
                info,
                u8::from(adopted),
            ) == 0
        }
    }
}

/// A locked flow, found by id. Unlocks when dropped; nothing may sleep before.
pub(crate) struct LockedFlow {
    // INVARIANT: Locked by `ccp_flow_lock` or `ccp_flow_trylock`.
    pub(super) sk: NonNull<RawSock>,
    pub(super) flow: NonNull<c_void>,
}

impl LockedFlow {
    /// The socket.
    pub(crate) fn sock(&self) -> Sock<'_> {
        // SAFETY: Locked until `self` is dropped.
        unsafe { Sock::from_raw(self.sk) }
    }

    /// What the socket's private area points to.
    pub(crate) fn flow(&self) -> NonNull<c_void> {
        self.flow
    }
}

impl Drop for LockedFlow {
    fn drop(&mut self) {
        // SAFETY: Locked by the invariant; nobody uses it after us.
        unsafe { ccp_flow_unlock(self.sk.as_ptr()) };
    }
}

/// The netlink socket behind a request or an agent: its address, which says
/// who it is as long as somebody holds the socket.
#[derive(Copy, Clone, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Socket(NonNull<RawSock>);

// SAFETY: Only an address; what is done with it is safe from any thread.
unsafe impl Send for Socket {}
// SAFETY: As above.
unsafe impl Sync for Socket {}

impl Socket {
    /// The C struct.
    pub(super) fn as_ptr(self) -> *mut RawSock {
        self.0.as_ptr()
    }

    /// Keeps it from being freed.
    ///
    /// # Safety
    ///
    /// Somebody must hold it now.
    pub(crate) unsafe fn hold(self) {
        // SAFETY: The caller's promise.
        unsafe { ccp_socket_hold(self.0.as_ptr()) };
    }

    /// Undoes [`Socket::hold`]. Process context.
    ///
    /// # Safety
    ///
    /// Only once for each time it was held.
    pub(crate) unsafe fn put(self) {
        // SAFETY: The caller's promise.
        unsafe { ccp_socket_put(self.0.as_ptr()) };
    }

    /// Whether it was closed.
    ///
    /// # Safety
    ///
    /// Somebody must hold it.
    pub(crate) unsafe fn is_closed(self) -> bool {
        // SAFETY: The caller's promise.
        unsafe { ccp_socket_closed(self.0.as_ptr()) }
    }
}
