// SPDX-License-Identifier: GPL-2.0

//! MPTCP connections, as the C half has them.
//!
//! C header: `c-shim/mptcp.h`.

use core::{
    ffi::c_void,
    mem::{
        offset_of,
        size_of, //
    },
    ptr::NonNull,
};

use kernel::{
    error::to_result,
    ffi::c_int,
    prelude::*, //
};

use super::{
    RawNet,
    Shim, //
};
use crate::{
    mptcp::{
        End,
        Event,
        Join,
        Pair,
        Request,
        Subflow, //
    },
    mptcp_hook::{
        Connection,
        Path, //
    },
};

/// `struct ccp_conn`.
#[repr(C)]
struct RawConn {
    _opaque: [u8; 0],
}

/// `struct ccp_mptcp_conn_info`.
#[repr(C)]
pub(crate) struct ConnInfo {
    pub(crate) first: Event,
    pub(crate) state: u32,
    pub(crate) extra_subflows: u32,
}

/// `struct ccp_mptcp_local`.
#[repr(C)]
pub(crate) struct LocalInfo {
    pub(crate) end: End,
    pub(crate) ifindex: i32,
    pub(crate) refs: u32,
    pub(crate) port: u16,
    pub(crate) announced: u8,
    pub(crate) backup: u8,
}

const _: () = {
    assert!(size_of::<End>() == 24 && align_of::<End>() == 4);
    assert!(offset_of!(End, port_be) == 16 && offset_of!(End, id) == 20);
    assert!(size_of::<Subflow>() == 68);
    assert!(offset_of!(Subflow, token) == 48 && offset_of!(Subflow, flags) == 66);
    assert!(size_of::<Event>() == 84);
    assert!(offset_of!(Event, has) == 48 && offset_of!(Event, sport) == 72);
    assert!(size_of::<Request>() == 64);
    assert!(offset_of!(Request, saddr6) == 20 && offset_of!(Request, family) == 52);
    assert!(size_of::<ConnInfo>() == 92);
    assert!(size_of::<LocalInfo>() == 36);
};

extern "C" {
    fn ccp_conn_find(net: *mut RawNet, token: u32) -> *mut RawConn;
    fn ccp_conn_put(conn: *mut RawConn);
    fn ccp_conn_begin_command(conn: *mut RawConn) -> c_int;
    fn ccp_conn_end_command(conn: *mut RawConn);
    fn ccp_conn_lock(conn: *mut RawConn) -> *mut c_void;
    fn ccp_conn_unlock(conn: *mut RawConn);

    fn ccp_mptcp_exists(conn: *mut RawConn) -> c_int;
    fn ccp_mptcp_announce(conn: *mut RawConn, addr: *const End) -> c_int;
    fn ccp_mptcp_withdraw(conn: *mut RawConn, addr: *const End) -> c_int;
    fn ccp_mptcp_connect(
        conn: *mut RawConn,
        local: *const End,
        remote: *const End,
        backup: bool,
        ifindex: i32,
    ) -> c_int;
    fn ccp_mptcp_close(conn: *mut RawConn, local: *const End, remote: *const End) -> c_int;
    fn ccp_mptcp_priority(
        conn: *mut RawConn,
        local: *const End,
        remote: *const End,
        backup: bool,
    ) -> c_int;
    fn ccp_mptcp_register() -> c_int;
    fn ccp_mptcp_unregister();
}

/// A connection, found by its token.
pub(crate) struct Conn {
    // INVARIANT: A `struct ccp_conn` to which we have a reference.
    raw: NonNull<RawConn>,
}

/// Keeps other commands from a connection.
pub(crate) struct Alone<'a>(&'a Conn);

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        // SAFETY: Begun in `begin_command`.
        unsafe { ccp_conn_end_command(self.0.raw.as_ptr()) };
    }
}

impl Conn {
    /// The connection with a token in a namespace, which must be the caller's:
    /// that keeps what the connection's calls into the kernel refer to.
    pub(crate) fn find<A, P>(net: &Shim<A, P>, token: u32) -> Option<Conn> {
        // SAFETY: A live `struct ccp_net`.
        // INVARIANT: The reference is ours.
        let raw = NonNull::new(unsafe { ccp_conn_find(net.as_ptr(), token) })?;
        Some(Conn { raw })
    }

    /// Waits for other commands to end. May sleep.
    pub(crate) fn begin_command(&self) -> Result<Alone<'_>> {
        // SAFETY: A live connection by the invariant; process context.
        to_result(unsafe { ccp_conn_begin_command(self.raw.as_ptr()) })?;
        Ok(Alone(self))
    }

    /// Works on what is known of the connection, under its lock: `work` must
    /// not sleep.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut Connection) -> T) -> T {
        // SAFETY: A live connection by the invariant, not locked by us.
        let path = unsafe { ccp_conn_lock(self.raw.as_ptr()) }.cast::<Path>();
        // SAFETY: It lives as long as the connection; who holds the lock has it
        // alone.
        let done = work(unsafe { &mut (*path).connection });
        // SAFETY: Locked above.
        unsafe { ccp_conn_unlock(self.raw.as_ptr()) };
        done
    }

    // All of the following return 0 or a negative errno. They may sleep.

    pub(crate) fn exists(&self) -> c_int {
        // SAFETY: A live connection by the invariant; process context.
        unsafe { ccp_mptcp_exists(self.raw.as_ptr()) }
    }

    pub(crate) fn announce(&self, end: &End) -> c_int {
        // SAFETY: As above.
        unsafe { ccp_mptcp_announce(self.raw.as_ptr(), end) }
    }

    pub(crate) fn withdraw(&self, end: &End) -> c_int {
        // SAFETY: As above.
        unsafe { ccp_mptcp_withdraw(self.raw.as_ptr(), end) }
    }

    pub(crate) fn connect(&self, join: &Join) -> c_int {
        let raw = self.raw.as_ptr();
        // SAFETY: As above.
        unsafe { ccp_mptcp_connect(raw, &join.local, &join.remote, join.backup, join.ifindex) }
    }

    pub(crate) fn close(&self, pair: &Pair) -> c_int {
        // SAFETY: As above.
        unsafe { ccp_mptcp_close(self.raw.as_ptr(), &pair.local, &pair.remote) }
    }

    pub(crate) fn priority(&self, pair: &Pair, backup: bool) -> c_int {
        // SAFETY: As above.
        unsafe { ccp_mptcp_priority(self.raw.as_ptr(), &pair.local, &pair.remote, backup) }
    }
}

impl Drop for Conn {
    fn drop(&mut self) {
        // SAFETY: Our reference, which nobody uses any more.
        unsafe { ccp_conn_put(self.raw.as_ptr()) };
    }
}

registration!(
    /// The MPTCP path manager and its netlink family.
    PathManager, ccp_mptcp_register, ccp_mptcp_unregister
);
