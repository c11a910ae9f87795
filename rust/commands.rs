// SPDX-License-Identifier: GPL-2.0

//! Commands of genl family "ccp"; those about programs are in
//! [`crate::program_commands`].
//!
//! Each checks everything first and then does all or nothing; when it refuses,
//! it says what is wrong with what. Based on `docs/netlink/specs/ccp.yaml`;
//! C side: `c-shim/netlink.c`, which has unpacked the attributes.

use core::{
    mem::size_of,
    ptr::NonNull, //
};

use kernel::{
    prelude::*,
    sync::Arc, //
};

use crate::{
    agents::Agent,
    flows::{
        self,
        Flow,
        Reason, //
    },
    net::Net,
    program_commands::own_program,
    programs::{
        Running,
        BUILTIN, //
    },
    shim::{
        self,
        error::{
            attr,
            errno, //
        },
        portus::Wire,
        AgentInfo,
        CommandError,
        Gauge,
        Limit,
        Name,
        Refused,
        Sock,
        Socket,
        Update,
        ALGORITHM_MAX,
        NAME_MAX, //
    },
    tcp::Ack,
    vm, //
};

/// Who asks; `struct ccp_caller`.
#[repr(C)]
pub(crate) struct Caller {
    state: NonNull<Net>,
    pub(crate) socket: Socket,
    port: u32,
    pub(crate) wire: Wire,
}

const _: () = assert!(size_of::<Caller>() == 24);

/// The outcome of a command.
pub(crate) type Done<T = ()> = core::result::Result<T, Refused>;

impl Caller {
    /// Its netlink port, 0 without.
    pub(crate) fn port(&self) -> u32 {
        self.port
    }

    /// The namespace the caller is in.
    pub(crate) fn net(&self) -> &Net {
        // SAFETY: C has it from `ccp_net_state()`, and the caller's socket
        // keeps the namespace.
        unsafe { self.state.as_ref() }
    }

    /// The agent the caller is.
    pub(crate) fn agent(&self, error: &mut CommandError) -> Done<Arc<Agent>> {
        self.net().agent_of(self.socket).ok_or_else(|| {
            error.refuse(
                errno::ENOTCONN,
                attr::NONE,
                format_args!("this socket is no agent: send agent-attach first"),
            )
        })
    }
}

/// Any command of an agent is a sign of life; the first after a silence has
/// its flows announced to it.
pub(crate) fn heard(caller: &Caller) {
    if let Some(agent) = caller.net().agent_of(caller.socket) {
        if agent.hear() {
            caller.net().agents_changed();
        }
    }
}

fn is_name(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(u8::is_ascii_graphic)
}

/// The name of a congestion control, "ccp_" before it, may go anywhere: into
/// sysctls, files and command lines.
fn is_algorithm(bytes: &[u8]) -> bool {
    let fits =
        |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(byte);
    (1..=ALGORITHM_MAX).contains(&bytes.len()) && bytes.iter().all(fits)
}

/// A name from a request.
pub(crate) fn name(bytes: &[u8], attr: u32, error: &mut CommandError) -> Done<Name> {
    let mut name = [0; NAME_MAX + 1];
    if bytes.is_empty() || bytes.len() > NAME_MAX {
        return Err(error.refuse(
            errno::EINVAL,
            attr,
            format_args!("a name has 1 to {NAME_MAX} bytes, not {}", bytes.len()),
        ));
    }
    if !is_name(bytes) {
        return Err(error.refuse(
            errno::EINVAL,
            attr,
            format_args!("a name has only printable ASCII characters and no spaces"),
        ));
    }
    for (to, from) in name.iter_mut().zip(bytes) {
        *to = *from;
    }
    Ok(name)
}

pub(crate) fn attach(
    caller: &Caller,
    name_bytes: &[u8],
    algorithms: &[u8],
    error: &mut CommandError,
) -> Done<AgentInfo> {
    let net = caller.net();
    let name = name(name_bytes, attr::AGENT_NAME, error)?;
    // Each ends with its NUL.
    let list = algorithms.strip_suffix(b"\0").unwrap_or(algorithms);
    if !algorithms.is_empty() && !list.split(|byte| *byte == 0).all(is_algorithm) {
        return Err(error.refuse(
            errno::EINVAL,
            attr::AGENT_ALGORITHM,
            format_args!("the name of an algorithm has 1 to {ALGORITHM_MAX} of a-z, 0-9, _ and -"),
        ));
    }
    let _lock = net.shim.lock();
    if let Some(agent) = net.agent_of(caller.socket) {
        return Err(error.refuse(
            errno::EEXIST,
            attr::NONE,
            format_args!("this socket is agent {} already", agent.id),
        ));
    }
    let limit = shim::limit(Limit::MaxAgents);
    if net.shim.gauge(Gauge::Agents) >= limit {
        return Err(error.refuse(
            errno::ENOSPC,
            attr::NONE,
            format_args!("there are {limit} agents already (parameter max_agents)"),
        ));
    }
    let Some(number) = net.next_agent() else {
        return Err(error.refuse(errno::ENOSPC, attr::NONE, format_args!("no agent ids left")));
    };
    // SAFETY: The caller is using the socket right now; C says what it is.
    let agent = unsafe {
        Agent::new(
            number,
            caller.port,
            caller.socket,
            caller.wire,
            name,
            algorithms,
        )
    };
    let agent = Arc::new(agent, GFP_KERNEL_ACCOUNT)?;
    let info = agent.info(shim::clock_us());
    net.attach(agent)?;
    Ok(info)
}

pub(crate) fn detach(caller: &Caller, error: &mut CommandError) -> Done {
    let agent = caller.agent(error)?;
    caller.net().remove_agent(&agent);
    Ok(())
}

/// A flow of the agent's, locked.
fn own_flow(net: &Net, agent: &Agent, id: u64, error: &mut CommandError) -> Done<flows::Locked> {
    let mut flow = flows::lock(net, id).map_err(|why| {
        if why == ENOENT {
            return error.refuse(
                errno::ENOENT,
                attr::FLOW_ID,
                format_args!("no flow {id} here"),
            );
        }
        error.refuse(
            errno::EBUSY,
            attr::FLOW_ID,
            format_args!("flow {id} is busy: its process holds the socket"),
        )
    })?;
    let charge = flow.parts().0.charge.as_ref();
    match charge.map(|charge| (charge.number, charge.id)) {
        Some((owner, _)) if owner == agent.number => Ok(flow),
        Some((_, owner)) => Err(error.refuse(
            errno::EPERM,
            attr::FLOW_ID,
            format_args!("flow {id} belongs to agent {owner}"),
        )),
        None => Err(error.refuse(
            errno::EPERM,
            attr::FLOW_ID,
            format_args!("flow {id} belongs to no agent"),
        )),
    }
}

fn check_updates(code: vm::Program<'_>, updates: &[Update], error: &mut CommandError) -> Done {
    for (number, update) in updates.iter().enumerate() {
        // The policy has seen to it that the class fits.
        let class = update.class as u8;
        vm::State::check_update(code, class, update.index, update.value).map_err(|why| {
            error.refuse(
                errno::EINVAL,
                attr::FLOW_UPDATES,
                format_args!("update {number}: {why}"),
            )
        })?;
    }
    Ok(())
}

impl Flow {
    /// Applies updates that were checked.
    fn update(&mut self, sk: Sock<'_>, updates: &[Update]) {
        let mut wish = vm::Outcome::default();
        let (state, code, file) = self.machine();
        for update in updates {
            match state.update(code, file, update.class as u8, update.index, update.value) {
                Ok(Some(vm::Output::Cwnd)) => wish.cwnd = update.value,
                Ok(Some(vm::Output::Rate)) => wish.rate = update.value,
                Ok(None) | Err(_) => (),
            }
        }
        if wish.cwnd == 0 && wish.rate == 0 {
            return;
        }
        let ack: Ack = sk.facts();
        let decision = self.tracker.apply(&ack, &wish);
        self.paced |= wish.rate != 0;
        sk.apply(decision.cwnd, wish.rate, self.paced);
    }
}

pub(crate) fn set_program(
    caller: &Caller,
    id: u64,
    program: u32,
    updates: &[Update],
    error: &mut CommandError,
) -> Done {
    let net = caller.net();
    let agent = caller.agent(error)?;
    let (found, reason) = match program {
        // Back to the fallback program, which no agent has given it.
        BUILTIN => (net.fallback(), Reason::NoAgent),
        id => {
            let attr = attr::FLOW_PROGRAM_ID;
            (own_program(net, &agent, id, attr, error)?, Reason::None)
        }
    };
    check_updates(found.vm(), updates, error)?;
    let large = flows::large_file(&found)?;
    let running = Running::new(found).ok_or_else(|| {
        error.refuse(
            errno::ENOENT,
            attr::FLOW_PROGRAM_ID,
            format_args!("no program {program} here"),
        )
    })?;

    let mut locked = own_flow(net, &agent, id, error)?;
    let (flow, sk) = locked.parts();
    flow.take(sk, running, large, reason);
    flow.update(sk, updates);
    Ok(())
}

pub(crate) fn update(
    caller: &Caller,
    id: u64,
    updates: &[Update],
    error: &mut CommandError,
) -> Done {
    let net = caller.net();
    let agent = caller.agent(error)?;
    let mut locked = own_flow(net, &agent, id, error)?;
    let (flow, sk) = locked.parts();
    if flow.reason != Reason::None {
        return Err(error.refuse(
            errno::EBUSY,
            attr::FLOW_ID,
            format_args!("flow {id} runs the fallback program: give it a program first"),
        ));
    }
    check_updates(flow.running.vm(), updates, error)?;
    flow.update(sk, updates);
    Ok(())
}
