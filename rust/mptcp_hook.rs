// SPDX-License-Identifier: GPL-2.0

//! What MPTCP calls: a connection begins, its subflows come and go, it ends.
//!
//! C side: `c-shim/mptcp.c`, which holds the connection's lock around every
//! call that has a [`Path`], and sends the events that come out of them.

use core::{
    mem::MaybeUninit,
    ptr::NonNull, //
};

use kernel::{
    ffi::c_int,
    prelude::*,
    sync::Arc, //
};

use crate::{
    mptcp::{
        self,
        Counters,
        End,
        Event,
        Kind,
        Local,
        Room,
        Subflow,
        Track,
        What,
        KINDS, //
    },
    net::{
        self,
        Net, //
    },
    shim::mptcp::{
        ConnInfo,
        LocalInfo, //
    },
};

/// Slots that a connection has without asking for memory.
const FEW: usize = 4;

/// Slots that no table needs more of: subflows, with such as are going.
const MOST: usize = 512;

/// Slots of a table, which grows where nothing may sleep.
pub(crate) struct Slots<T> {
    few: [T; FEW],
    /// Empty as long as the few do.
    many: KVec<T>,
}

impl<T: Copy + Default> Slots<T> {
    fn new() -> Slots<T> {
        Slots {
            few: [T::default(); FEW],
            many: KVec::new(),
        }
    }
}

impl<T: Copy + Default> Room<T> for Slots<T> {
    fn slots(&self) -> &[T] {
        match self.many.is_empty() {
            true => &self.few,
            false => &self.many,
        }
    }

    fn slots_mut(&mut self) -> &mut [T] {
        match self.many.is_empty() {
            true => &mut self.few,
            false => &mut self.many,
        }
    }

    fn grow(&mut self) -> bool {
        let more = self.slots().len().saturating_mul(2);
        if more > MOST {
            return false;
        }
        let Ok(mut many) = KVec::from_elem(T::default(), more, GFP_ATOMIC | __GFP_NOWARN) else {
            return false;
        };
        for (to, from) in many.iter_mut().zip(self.slots()) {
            *to = *from;
        }
        self.many = many;
        true
    }
}

/// What is known of a connection.
pub(crate) type Connection = mptcp::Connection<Slots<Local>, Slots<Track>, Slots<End>>;

/// The same, as C has it: `struct ccp_path`.
pub(crate) struct Path {
    pub(crate) connection: Connection,
    /// Keeps the namespace's state, as sockets may outlive the namespace.
    _net: Arc<Net>,
}

fn put(event: Option<Event>, to: &mut MaybeUninit<Event>) -> bool {
    event.map(|event| to.write(event)).is_some()
}

/// A connection begins.
///
/// # Safety
///
/// `state` must last during the call.
#[no_mangle]
unsafe extern "C" fn ccp_rs_path_open(state: NonNull<Net>, first: &Subflow) -> *mut Path {
    // SAFETY: The caller's promise.
    let net = unsafe { net::share(state) };
    let path = Path {
        connection: Connection::new(first, Slots::new(), Slots::new(), Slots::new()),
        _net: net,
    };
    KBox::new(path, GFP_ATOMIC | __GFP_NOWARN).map_or(core::ptr::null_mut(), KBox::into_raw)
}

/// Nobody refers to a connection any more.
///
/// # Safety
///
/// `path` must come from [`ccp_rs_path_open`] and isn't used afterwards.
#[no_mangle]
unsafe extern "C" fn ccp_rs_path_free(path: NonNull<Path>) {
    // SAFETY: From `KBox::into_raw`, and ours now.
    drop(unsafe { KBox::from_raw(path.as_ptr()) });
}

/// Something happened; whether there is an event to send.
#[no_mangle]
extern "C" fn ccp_rs_path_on(
    path: &mut Path,
    what: u32,
    subflow: &Subflow,
    event: &mut MaybeUninit<Event>,
) -> bool {
    let told = What::of(what).and_then(|what| path.connection.on(what, subflow));
    put(told, event)
}

#[no_mangle]
extern "C" fn ccp_rs_path_on_address(
    path: &mut Path,
    addr: &End,
    event: &mut MaybeUninit<Event>,
) -> bool {
    put(path.connection.on_address(addr), event)
}

#[no_mangle]
extern "C" fn ccp_rs_path_on_address_removed(
    path: &mut Path,
    id: u8,
    event: &mut MaybeUninit<Event>,
) -> bool {
    put(path.connection.on_address_removed(id), event)
}

/// The id of a local address, or a negative errno: the join is refused.
#[no_mangle]
extern "C" fn ccp_rs_path_local_id(path: &mut Path, local: &End) -> c_int {
    match path.connection.local_id(local) {
        Ok(id) => c_int::from(id),
        Err(_) => ENOSPC.to_errno(),
    }
}

#[no_mangle]
extern "C" fn ccp_rs_path_is_backup(path: &mut Path, local: &End) -> bool {
    path.connection.is_backup(local)
}

#[no_mangle]
extern "C" fn ccp_rs_path_admits(extra: u32, listened: bool, limit: u32) -> bool {
    mptcp::admits(extra, listened, limit)
}

#[no_mangle]
extern "C" fn ccp_rs_path_confirms(listened: bool) -> bool {
    mptcp::confirms(listened)
}

/// What a query tells of a connection; false when there is nothing more to tell.
#[no_mangle]
extern "C" fn ccp_rs_path_info(path: &mut Path, info: &mut MaybeUninit<ConnInfo>) -> bool {
    let connection = &path.connection;
    if connection.is_closed() {
        return false;
    }
    let mut first = Event::of_subflow(connection.first());
    first.token = connection.token();
    info.write(ConnInfo {
        first,
        state: connection.state() as u32,
        extra_subflows: connection.extra_subflows(),
    });
    true
}

/// The local address in place `index`; false at the end.
#[no_mangle]
extern "C" fn ccp_rs_path_local(
    path: &mut Path,
    index: u32,
    info: &mut MaybeUninit<LocalInfo>,
) -> bool {
    let Some(local) = path.connection.locals().nth(index as usize) else {
        return false;
    };
    info.write(LocalInfo {
        end: local.end,
        ifindex: local.ifindex,
        refs: u32::from(local.uses),
        port: local.end.port(),
        announced: u8::from(local.announced),
        backup: u8::from(local.backup),
    });
    true
}

/// The address in place `index` of those the peer announced; false at the end.
#[no_mangle]
extern "C" fn ccp_rs_path_remote(path: &mut Path, index: u32, end: &mut MaybeUninit<End>) -> bool {
    let remote = path.connection.remotes().nth(index as usize);
    remote.map(|remote| end.write(*remote)).is_some()
}

/// Whether a subflow waits for the answer to its SYN.
#[no_mangle]
extern "C" fn ccp_rs_path_is_pending(path: &mut Path, subflow: u32) -> bool {
    path.connection.is_pending(subflow)
}

#[no_mangle]
extern "C" fn ccp_rs_subflow_info(subflow: &Subflow, info: &mut MaybeUninit<Event>) {
    info.write(Event::of_subflow(subflow));
}

/// The numbers of a namespace's events.
///
/// # Safety
///
/// `state` must come from [`net::ccp_rs_net_open`] and not be closed during 'a.
unsafe fn counters<'a>(state: NonNull<Net>) -> &'a Counters {
    // SAFETY: The caller's promise.
    &unsafe { state.as_ref() }.mptcp
}

/// The number of one more event.
///
/// # Safety
///
/// `state` must last during the call.
#[no_mangle]
unsafe extern "C" fn ccp_rs_mptcp_number(state: NonNull<Net>, cmd: u8) -> u64 {
    // SAFETY: The caller's promise.
    let counters = unsafe { counters(state) };
    Kind::of(cmd).map_or(0, |kind| counters.next(kind))
}

/// An event got a number and no memory.
///
/// # Safety
///
/// `state` must last during the call.
#[no_mangle]
unsafe extern "C" fn ccp_rs_mptcp_dropped(state: NonNull<Net>) {
    // SAFETY: The caller's promise.
    unsafe { counters(state) }.dropped();
}

/// How often that happened.
///
/// # Safety
///
/// `state` must last during the call.
#[no_mangle]
unsafe extern "C" fn ccp_rs_mptcp_drops(state: NonNull<Net>) -> u64 {
    // SAFETY: The caller's promise.
    unsafe { counters(state) }.drops()
}

/// The number of the last event of the kind in place `index`; false at the end.
///
/// # Safety
///
/// `state` must last during the call.
#[no_mangle]
unsafe extern "C" fn ccp_rs_mptcp_count(
    state: NonNull<Net>,
    index: u32,
    cmd: &mut u8,
    last: &mut u64,
) -> bool {
    let Some(kind) = KINDS.get(index as usize) else {
        return false;
    };
    *cmd = *kind as u8;
    // SAFETY: The caller's promise.
    *last = unsafe { counters(state) }.last(*kind);
    true
}

#[no_mangle]
extern "C" fn ccp_rs_mptcp_filter(flags: u16) -> u16 {
    mptcp::wanted(flags)
}

#[no_mangle]
extern "C" fn ccp_rs_mptcp_filter_default() -> u16 {
    mptcp::FILTER_DEFAULT
}
