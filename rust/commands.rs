// SPDX-License-Identifier: GPL-2.0

//! Commands of genl family "ccp".
//!
//! Each checks everything first and then does all or nothing; when it refuses,
//! it says what is wrong with what. Based on `docs/netlink/specs/ccp.yaml`;
//! C side: `c-shim/netlink.c`, which has unpacked the attributes.

use core::{
    mem::size_of,
    ptr::NonNull,
    sync::atomic::{
        AtomicU32,
        Ordering::Relaxed, //
    },
};

use kernel::{
    prelude::*,
    sync::Arc, //
};

use crate::{
    agents::{
        next_id,
        Agent, //
    },
    flows::{
        self,
        Flow,
        Reason, //
    },
    net::Net,
    programs::{
        Code,
        Program,
        Running,
        Unloadable,
        BUILTIN, //
    },
    shim::{
        self,
        error::{
            attr,
            errno, //
        },
        AgentInfo,
        CommandError,
        Gauge,
        Limit,
        Name,
        ProgramInfo,
        Refused,
        Sock,
        Socket,
        Update,
        NAME_MAX, //
    },
    tcp::Ack,
    vm, //
};

static NEXT_PROGRAM: AtomicU32 = AtomicU32::new(1);

/// Who asks; `struct ccp_caller`.
#[repr(C)]
pub(crate) struct Caller {
    state: NonNull<Net>,
    pub(crate) socket: Socket,
    port: u32,
    _reserved: u32,
}

const _: () = assert!(size_of::<Caller>() == 24);

/// The outcome of a command.
pub(crate) type Done<T = ()> = core::result::Result<T, Refused>;

impl Caller {
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

fn is_name(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(u8::is_ascii_graphic)
}

/// A name from a request.
fn name(bytes: &[u8], attr: u32, error: &mut CommandError) -> Done<Name> {
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
    if !algorithms.is_empty() && !list.split(|byte| *byte == 0).all(is_name) {
        return Err(error.refuse(
            errno::EINVAL,
            attr::AGENT_ALGORITHM,
            format_args!("names of algorithms have only printable ASCII characters and no spaces"),
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
    let Some(agent) = Agent::new(caller.port, caller.socket, name, algorithms) else {
        return Err(error.refuse(errno::ENOSPC, attr::NONE, format_args!("no agent ids left")));
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

fn refuse_code(why: Unloadable, error: &mut CommandError) -> Refused {
    let why = match why {
        Unloadable::Memory => return Refused::from(ENOMEM),
        Unloadable::Code(why) => why,
    };
    let errno = match why.kind {
        vm::Kind::TooManyEvents { .. } | vm::Kind::TooManyInstructions { .. } => errno::E2BIG,
        _ => errno::EINVAL,
    };
    let attr = match why.place {
        vm::Place::Event(_) => attr::PROGRAM_EVENTS,
        _ => attr::PROGRAM_INSTRUCTIONS,
    };
    error.refuse(errno, attr, format_args!("{why}"))
}

pub(crate) fn install(
    caller: &Caller,
    name_bytes: &[u8],
    events: &[u8],
    instructions: &[u8],
    error: &mut CommandError,
) -> Done<ProgramInfo> {
    let net = caller.net();
    let name = name(name_bytes, attr::PROGRAM_NAME, error)?;
    let code = Code::load(events, instructions).map_err(|why| refuse_code(why, error))?;

    let _lock = net.shim.lock();
    let agent = caller.agent(error)?;
    let same = |program: &Program| program.agent == agent.id && program.name == name;
    if let Some((id, _)) = net.shim.programs().find(0, same) {
        return Err(error.refuse(
            errno::EEXIST,
            attr::PROGRAM_NAME,
            format_args!("program {id} of this agent has that name already"),
        ));
    }
    let limit = shim::limit(Limit::MaxPrograms);
    if agent.programs.load(Relaxed) >= limit {
        return Err(error.refuse(
            errno::ENOSPC,
            attr::NONE,
            format_args!("the agent has {limit} programs already (parameter max_programs)"),
        ));
    }
    let limit = u64::from(shim::limit(Limit::MaxProgramBytes));
    let bytes = agent
        .program_bytes
        .load(Relaxed)
        .saturating_add(code.bytes() as u64);
    if bytes > limit {
        return Err(error.refuse(
            errno::ENOSPC,
            attr::NONE,
            format_args!("the agent's programs would take {bytes} bytes (parameter max_program_bytes is {limit})"),
        ));
    }
    let Some(id) = next_id(&NEXT_PROGRAM) else {
        return Err(error.refuse(
            errno::ENOSPC,
            attr::NONE,
            format_args!("no program ids left"),
        ));
    };
    let program = Program::new(id, agent.id, name, code)?;
    let info = program.info(false);
    net.shim.programs().insert(u64::from(id), program)?;
    agent.programs.fetch_add(1, Relaxed);
    agent.program_bytes.store(bytes, Relaxed);
    Ok(info)
}

/// A program by its id.
fn find_program(net: &Net, id: u32, attr: u32, error: &mut CommandError) -> Done<Arc<Program>> {
    net.shim
        .programs()
        .get(u64::from(id))
        .ok_or_else(|| error.refuse(errno::ENOENT, attr, format_args!("no program {id} here")))
}

/// A program by its id, of this agent.
fn own_program(
    net: &Net,
    agent: &Agent,
    id: u32,
    attr: u32,
    error: &mut CommandError,
) -> Done<Arc<Program>> {
    let program = find_program(net, id, attr, error)?;
    if program.agent != agent.id {
        return Err(error.refuse(
            errno::EPERM,
            attr,
            format_args!("program {id} belongs to agent {}", program.agent),
        ));
    }
    Ok(program)
}

pub(crate) fn remove(caller: &Caller, id: u32, error: &mut CommandError) -> Done {
    let net = caller.net();
    let _lock = net.shim.lock();
    let agent = caller.agent(error)?;
    let program = own_program(net, &agent, id, attr::PROGRAM_ID, error)?;
    if net.is_fallback(&program) {
        return Err(error.refuse(
            errno::EBUSY,
            attr::PROGRAM_ID,
            format_args!("program {id} is the fallback program: choose another first"),
        ));
    }
    if let Err(users) = program.retire() {
        return Err(error.refuse(
            errno::EBUSY,
            attr::PROGRAM_ID,
            format_args!(
                "program {id} runs on {users} flow{}",
                if users == 1 { "" } else { "s" }
            ),
        ));
    }
    drop(net.shim.programs().remove(u64::from(id)));
    agent.programs.fetch_sub(1, Relaxed);
    agent
        .program_bytes
        .fetch_sub(program.bytes() as u64, Relaxed);
    Ok(())
}

pub(crate) fn get_program(caller: &Caller, id: u32, error: &mut CommandError) -> Done<ProgramInfo> {
    let net = caller.net();
    let program = find_program(net, id, attr::PROGRAM_ID, error)?;
    Ok(program.info(net.is_fallback(&program)))
}

pub(crate) fn set_fallback(caller: &Caller, id: u32, error: &mut CommandError) -> Done {
    let net = caller.net();
    let _lock = net.shim.lock();
    let program = match id {
        0 => None,
        id => {
            let program = find_program(net, id, attr::PROGRAM_ID, error)?;
            let registers = program.registers();
            if registers > vm::MIN_FILE {
                return Err(error.refuse(
                    errno::EINVAL,
                    attr::PROGRAM_ID,
                    format_args!(
                        "program {id} needs {registers} registers, a fallback may need {}",
                        vm::MIN_FILE
                    ),
                ));
            }
            Some(program)
        }
    };
    if let Some(old) = net.shim.set_fallback(program) {
        // It may have outlived its agent; then nobody else can remove it.
        let alive = |agent: &Agent| agent.id == old.agent;
        if !net.is_fallback(&old) && net.shim.agents().find(0, alive).is_none() {
            drop(net.shim.programs().remove(u64::from(old.id)));
        }
    }
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
    let owner = flow.parts().0.charge.as_ref().map(|charge| charge.id);
    match owner {
        Some(owner) if owner == agent.id => Ok(flow),
        Some(owner) => Err(error.refuse(
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
