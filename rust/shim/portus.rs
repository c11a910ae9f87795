// SPDX-License-Identifier: GPL-2.0

//! Portus clients: how they are spoken to.
//!
//! C side: `c-shim/portus.c`, `c-shim/portus_dev.c`.

use core::ptr::NonNull;

use kernel::{
    error::to_result,
    ffi::c_int,
    prelude::*, //
};

use super::{
    RawSock,
    Sock,
    Socket, //
};
use crate::portus::Endpoint;

/// `struct ccp_portus_net`.
#[repr(C)]
pub(crate) struct RawWatch {
    _opaque: [u8; 0],
}

/// `enum ccp_wire`.
#[derive(Copy, Clone, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Wire(u32);

impl Wire {
    pub(crate) const GENL: Wire = Wire(0);
    pub(crate) const PORTUS_NETLINK: Wire = Wire(1);
}

/// `struct ccp_portus_ends`.
#[repr(C, align(4))]
#[derive(Default)]
struct RawEnds {
    local: [u8; 4],
    remote: [u8; 4],
    local_port: [u8; 2],
    remote_port: [u8; 2],
}

const _: () = assert!(core::mem::size_of::<RawEnds>() == 12);

extern "C" {
    fn ccp_portus_register() -> c_int;
    fn ccp_portus_unregister();
    fn ccp_portus_send(
        wire: u32,
        socket: *mut RawSock,
        port: u32,
        message: *const u8,
        len: u32,
    ) -> c_int;
    fn ccp_portus_waiting(socket: *const RawSock) -> bool;
    fn ccp_portus_ends(sk: *const RawSock, ends: *mut RawEnds);
    fn ccp_portus_announce(portus: *mut RawWatch, message: *const u8, len: u32);
    fn ccp_trace_command(command: u8, err: c_int, port: u32);
}

registration!(
    /// Clients on `NETLINK_USERSOCK` and `/dev/ccpkp`.
    Portus, ccp_portus_register, ccp_portus_unregister
);

/// A client's socket, which stays as long as this does.
pub(crate) struct Peer {
    // INVARIANT: Held, and of the kind `wire` says.
    socket: Socket,
    wire: Wire,
    port: u32,
}

impl Peer {
    /// Holds a client's socket; `None` for agents that are no Portus clients.
    ///
    /// # Safety
    ///
    /// Somebody must hold the socket now, and `wire` must be what C says of it.
    pub(crate) unsafe fn new(socket: Socket, wire: Wire, port: u32) -> Option<Peer> {
        if wire == Wire::GENL {
            return None;
        }
        // SAFETY: The caller's promise.
        unsafe { socket.hold() };
        // INVARIANT: Just held.
        Some(Peer { socket, wire, port })
    }

    /// Whether there are messages it did not read yet.
    pub(crate) fn is_waiting(&self) -> bool {
        // SAFETY: Held by the invariant.
        unsafe { ccp_portus_waiting(self.socket.as_ptr()) }
    }

    /// Queues a message; whether there was room. Any context.
    pub(crate) fn send(&self, message: &[u8]) -> bool {
        let len = message.len() as u32;
        // SAFETY: Held by the invariant; the message is `len` bytes.
        let err = unsafe {
            ccp_portus_send(
                self.wire.0,
                self.socket.as_ptr(),
                self.port,
                message.as_ptr(),
                len,
            )
        };
        err == 0
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // SAFETY: Held by the invariant. Any context will do for these sockets:
        // they have no dumps that would have to be ended.
        unsafe { self.socket.put() };
    }
}

impl Sock<'_> {
    /// Our end and the peer's.
    pub(crate) fn ends(self) -> (Endpoint, Endpoint) {
        let mut ends = RawEnds::default();
        // SAFETY: A locked TCP socket; the layouts agree.
        unsafe { ccp_portus_ends(self.raw.as_ptr(), &mut ends) };
        let local = Endpoint {
            address: ends.local,
            port: ends.local_port,
        };
        let remote = Endpoint {
            address: ends.remote,
            port: ends.remote_port,
        };
        (local, remote)
    }
}

/// Sends a message to all that listen and are no agents. May sleep.
///
/// # Safety
///
/// `watch` must be what C gave for the duration of the call.
pub(crate) unsafe fn announce(watch: NonNull<RawWatch>, message: &[u8]) {
    // SAFETY: The caller's promise; the message has that length.
    unsafe { ccp_portus_announce(watch.as_ptr(), message.as_ptr(), message.len() as u32) };
}

/// Hits the tracepoint `ccp_command`.
pub(crate) fn trace_command(command: u8, err: c_int, port: u32) {
    // SAFETY: Takes plain values.
    unsafe { ccp_trace_command(command, err, port) };
}
