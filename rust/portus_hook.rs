// SPDX-License-Identifier: GPL-2.0

//! Portus clients: agents that speak libccp's protocol.
//!
//! A client becomes an agent with its first program, and is one like others
//! from then on. It has numbers of its own for programs and flows, see
//! [`crate::portus`], it is told of flows by CREATE and MEASURE, and as it has
//! nothing like a heartbeat, it is silent when it leaves messages unread.
//!
//! Nothing is sent about a flow before CREATE was queued for it; if that found
//! no room, the watch tries again.
//!
//! C side: `c-shim/portus.c`, `c-shim/portus_dev.c`.

use core::{
    ptr::NonNull,
    sync::atomic::Ordering::Relaxed, //
};

use kernel::{
    ffi::c_int,
    prelude::*,
    sync::Arc, //
};

use crate::{
    agents::Agent,
    commands::{
        self,
        Caller,
        Done, //
    },
    flows::{
        self,
        Flow,
        Reason, //
    },
    net::Net,
    portus::{
        self,
        Create,
        Measure,
        Request,
        Updates,
        READY_BYTES, //
    },
    program_commands,
    shim::{
        self,
        error::{
            attr,
            errno, //
        },
        portus::{
            RawWatch,
            Wire, //
        },
        CommandError,
        Counter,
        Refused,
        Sock,
        Socket,
        Update, //
    },
};

/// The number of this datapath; portus doesn't look at it.
const DATAPATH: u32 = 1;

/// Commands of family "ccp" that do what a request asks for.
mod command {
    pub(super) const NONE: u8 = 0;
    pub(super) const PROGRAM_INSTALL: u8 = 5;
    pub(super) const FLOW_SET_PROGRAM: u8 = 10;
    pub(super) const FLOW_UPDATE: u8 = 11;
}

/// The agent in charge learns of the flow.
pub(crate) fn created(flow: &mut Flow, sk: Sock<'_>) {
    let init_cwnd = flow.counts.init_cwnd;
    let Some(charge) = &mut flow.charge else {
        return;
    };
    if !charge.is_portus() || !charge.reaches(flow.id) {
        return;
    }
    let (local, remote) = sk.ends();
    let create = Create {
        sid: portus::sid_of(flow.id),
        init_cwnd,
        mss: sk.facts().mss,
        local,
        remote,
        algorithm: b"",
    };
    charge.told = charge.tell(&create.bytes());
    if !charge.told {
        flow.net.untold.store(true, Relaxed);
        flow.net.shim.count(Counter::EventsDropped);
    }
}

/// The flow ends; or it goes on without the agent, which can't name it any more.
pub(crate) fn closed(flow: &Flow) {
    let Some(charge) = &flow.charge else {
        return;
    };
    // Somebody else may have the port of a client that is gone.
    if !charge.told || charge.is_gone() || !charge.reaches(flow.id) {
        return;
    }
    if !charge.tell(&portus::close(portus::sid_of(flow.id))) {
        flow.net.shim.count(Counter::EventsDropped);
    }
}

/// A report for the agent, if it is one it understands: from a program of its
/// own that still has its number. False if it is lost.
pub(crate) fn report(flow: &Flow, fields: &[u64]) -> bool {
    let Some(charge) = &flow.charge else {
        return true;
    };
    let uid = flow.running.uid();
    if !charge.told
        || uid == 0
        || flow.reason != Reason::None
        || flow.running.owner != charge.number
        || !charge.reaches(flow.id)
    {
        return true;
    }
    let measure = Measure::new(portus::sid_of(flow.id), uid, fields);
    charge.tell(measure.bytes())
}

/// Updates of a message, for `commands`.
fn gather(updates: Updates<'_>) -> Result<KVec<Update>> {
    // Not pushed one by one: that could panic, as far as the compiler sees.
    let mut gathered = KVec::from_elem(Update::default(), updates.len(), GFP_KERNEL_ACCOUNT)?;
    for (to, from) in gathered.iter_mut().zip(updates.iter()) {
        *to = Update {
            value: from.value,
            index: from.index,
            class: u32::from(from.class),
        };
    }
    Ok(gathered)
}

fn flow_id(sid: u32, error: &mut CommandError) -> Done<u64> {
    portus::flow_of(sid, flows::newest_id()).ok_or_else(|| {
        error.refuse(
            errno::ENOENT,
            attr::FLOW_ID,
            format_args!("no flow {sid} here"),
        )
    })
}

/// The agent that a client is.
fn agent(caller: &Caller, error: &mut CommandError) -> Done<Arc<Agent>> {
    caller.net().agent_of(caller.socket).ok_or_else(|| {
        error.refuse(
            errno::ENOTCONN,
            attr::NONE,
            format_args!("this client has installed no program"),
        )
    })
}

fn install(
    caller: &Caller,
    uid: u32,
    events: &[u8],
    instructions: &[u8],
    error: &mut CommandError,
) -> Done {
    let net = caller.net();
    let is_new = net.agent_of(caller.socket).is_none();
    if is_new {
        let name: &[u8] = match caller.wire {
            Wire::PORTUS_NETLINK => b"portus-netlink",
            _ => b"portus-char",
        };
        commands::attach(caller, name, &[], error)?;
    }
    let installed = program_commands::install_uid(caller, uid, events, instructions, error);
    if is_new {
        match (&installed, net.agent_of(caller.socket)) {
            // It would have flows, and no program to run on them.
            (Err(_), Some(agent)) => net.remove_agent(&agent),
            _ => net.agents_changed(),
        }
    }
    installed
}

fn change(
    caller: &Caller,
    sid: u32,
    uid: u32,
    updates: Updates<'_>,
    error: &mut CommandError,
) -> Done {
    let agent = agent(caller, error)?;
    let flow = flow_id(sid, error)?;
    let updates = gather(updates)?;
    let Some(program) = caller.net().program_of(&agent, uid) else {
        return Err(error.refuse(
            errno::ENOENT,
            attr::NONE,
            format_args!("agent {} has no program {uid}", agent.id),
        ));
    };
    commands::set_program(caller, flow, program.id, &updates, error)
}

fn update(caller: &Caller, sid: u32, updates: Updates<'_>, error: &mut CommandError) -> Done {
    agent(caller, error)?;
    let flow = flow_id(sid, error)?;
    let updates = gather(updates)?;
    commands::update(caller, flow, &updates, error)
}

/// Which command a message is, and its outcome.
fn message(caller: &Caller, bytes: &[u8], error: &mut CommandError) -> (u8, Done) {
    match Request::decode(bytes) {
        Ok(Request::Install {
            uid,
            events,
            instructions,
        }) => (
            command::PROGRAM_INSTALL,
            install(caller, uid, events, instructions, error),
        ),
        Ok(Request::Change { sid, uid, updates }) => (
            command::FLOW_SET_PROGRAM,
            change(caller, sid, uid, updates, error),
        ),
        Ok(Request::Update { sid, updates }) => {
            (command::FLOW_UPDATE, update(caller, sid, updates, error))
        }
        Err(why) => {
            let refused = error.refuse(errno::EINVAL, attr::NONE, format_args!("{why}"));
            (command::NONE, Err(refused))
        }
    }
}

/// A message of a client, which may be told its outcome: that of a command to
/// a flow that has ended meanwhile, or runs the fallback program, is nobody's
/// fault. Clients end when they are told of an error.
///
/// # Safety
///
/// `bytes` and `len` must describe bytes.
#[no_mangle]
unsafe extern "C" fn ccp_rs_portus_message(
    caller: &Caller,
    bytes: *const u8,
    len: u32,
    error: &mut CommandError,
) -> c_int {
    let bytes = match len {
        0 => &[],
        // SAFETY: The caller's promise.
        len => unsafe { core::slice::from_raw_parts(bytes, len as usize) },
    };
    let net = caller.net();
    commands::heard(caller);
    let (command, done) = message(caller, bytes, error);
    let err = done.map_or_else(|refused: Refused| refused.errno(), |()| 0);
    net.shim.count(Counter::Commands);
    if err != 0 {
        net.shim.count(Counter::CommandErrors);
    }
    shim::portus::trace_command(command, err, caller.port());
    if error.is_about(attr::FLOW_ID) {
        return 0;
    }
    err
}

/// A message nobody looked into.
///
/// # Safety
///
/// `state` must last during the call.
#[no_mangle]
unsafe extern "C" fn ccp_rs_portus_refused(state: NonNull<Net>) {
    // SAFETY: The caller's promise.
    let net = unsafe { state.as_ref() };
    net.shim.count(Counter::Commands);
    net.shim.count(Counter::CommandErrors);
}

/// What a client that may come is told first.
#[no_mangle]
extern "C" fn ccp_rs_portus_ready(message: &mut [u8; READY_BYTES]) {
    *message = portus::ready(DATAPATH);
}

/// Whether a socket that listens is an agent already.
///
/// # Safety
///
/// `state` must last during the call.
#[no_mangle]
unsafe extern "C" fn ccp_rs_portus_known(state: NonNull<Net>, socket: Socket) -> bool {
    // SAFETY: The caller's promise.
    unsafe { state.as_ref() }.agent_of(socket).is_some()
}

/// Comes again and again: calls for new clients, notices who returns
/// from silence, and tells again of flows. Whether there are clients.
///
/// # Safety
///
/// `state` and `watch` must last during the call.
#[no_mangle]
unsafe extern "C" fn ccp_rs_portus_watch(state: NonNull<Net>, watch: NonNull<RawWatch>) -> bool {
    // SAFETY: The caller's promise.
    let net = unsafe { state.as_ref() };
    // The call makes a client forget its flows: it must not become an agent,
    // and be told of flows, while the call is on its way.
    let lock = net.shim.lock();
    // SAFETY: The caller's promise.
    unsafe { shim::portus::announce(watch, &portus::ready(DATAPATH)) };
    drop(lock);
    let mut changed = net.untold.swap(false, Relaxed);
    let mut from = 0;
    while let Some((id, agent)) = net.shim.agents().find(from, Agent::is_portus) {
        changed |= agent.has_woken();
        from = id.saturating_add(1);
    }
    if changed {
        net.agents_changed();
    }
    from != 0
}

/// A client closed the device.
///
/// # Safety
///
/// `state` must last during the call.
#[no_mangle]
unsafe extern "C" fn ccp_rs_portus_closed(state: NonNull<Net>, socket: Socket) {
    // SAFETY: The caller's promise.
    let net = unsafe { state.as_ref() };
    if let Some(agent) = net.agent_of(socket) {
        net.remove_agent(&agent);
    }
}
