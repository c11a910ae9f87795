// SPDX-License-Identifier: GPL-2.0

//! Commands of genl family "ccp" about programs, as [`crate::commands`] about the
//! rest, and what they share with those of Portus clients.

use core::sync::atomic::Ordering::Relaxed;

use kernel::{
    prelude::*,
    sync::Arc, //
};

use crate::{
    agents::Agent,
    commands::{
        name,
        Caller,
        Done, //
    },
    ids::id_of,
    net::Net,
    programs::{
        Code,
        Program,
        Unloadable, //
    },
    shim::{
        self,
        error::{
            attr,
            errno, //
        },
        CommandError,
        Limit,
        Name,
        ProgramInfo,
        Refused,
        NAME_MAX, //
    },
    vm, //
};

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
    let same = |program: &Program| program.owner == agent.number && program.name == name;
    if let Some((id, _)) = net.shim.programs().find(0, same) {
        return Err(error.refuse(
            errno::EEXIST,
            attr::PROGRAM_NAME,
            format_args!("program {id} of this agent has that name already"),
        ));
    }
    let program = add(net, &agent, name, code, None, error)?;
    Ok(program.info(false))
}

/// A Portus client's program with its number, instead of the one that had it.
pub(crate) fn install_uid(
    caller: &Caller,
    uid: u32,
    events: &[u8],
    instructions: &[u8],
    error: &mut CommandError,
) -> Done {
    let net = caller.net();
    let mut name = [0; NAME_MAX + 1];
    shim::write_name(&mut name, format_args!("uid{uid}"));
    let code = Code::load(events, instructions).map_err(|why| refuse_code(why, error))?;

    let _lock = net.shim.lock();
    let agent = caller.agent(error)?;
    let old = net.program_of(&agent, uid);
    let program = add(net, &agent, name, code, old.as_deref(), error)?;
    program.set_uid(uid);
    if let Some(old) = old {
        old.set_uid(0);
        if !net.is_fallback(&old) {
            forget(net, &agent, &old);
        }
    }
    Ok(())
}

/// A new program of an agent's, if the limits allow; `old` is about to go. The
/// command lock is held.
fn add(
    net: &Net,
    agent: &Agent,
    name: Name,
    code: Code,
    old: Option<&Program>,
    error: &mut CommandError,
) -> Done<Arc<Program>> {
    let limit = shim::limit(Limit::MaxPrograms);
    let programs = agent.programs.load(Relaxed);
    if programs.saturating_sub(u32::from(old.is_some())) >= limit {
        return Err(error.refuse(
            errno::ENOSPC,
            attr::NONE,
            format_args!("the agent has {programs} programs already (parameter max_programs)"),
        ));
    }
    let limit = u64::from(shim::limit(Limit::MaxProgramBytes));
    let before = agent.program_bytes.load(Relaxed);
    let bytes = before.saturating_add(code.bytes() as u64);
    let unused = old.filter(|old| old.users() == 0);
    let freed = unused.map_or(0, |old| old.bytes() as u64);
    if bytes.saturating_sub(freed) > limit {
        return Err(error.refuse(
            errno::ENOSPC,
            attr::NONE,
            format_args!("the agent's programs would take {bytes} bytes (parameter max_program_bytes is {limit})"),
        ));
    }
    let taken = |id: u32| net.shim.programs().get(u64::from(id)).is_some();
    let Some(id) = net.program_ids.next(taken).map(id_of) else {
        return Err(error.refuse(
            errno::ENOSPC,
            attr::NONE,
            format_args!("no program ids left"),
        ));
    };
    let program = Program::new(id, agent.number, name, code)?;
    net.shim
        .programs()
        .insert(u64::from(id), Arc::clone(&program))?;
    agent.programs.fetch_add(1, Relaxed);
    agent.program_bytes.store(bytes, Relaxed);
    Ok(program)
}

/// Takes a program out of the table. The memory of one that still runs is
/// counted as long as the agent is there. The command lock is held.
fn forget(net: &Net, agent: &Agent, program: &Program) {
    drop(net.shim.programs().remove(u64::from(program.id)));
    agent.programs.fetch_sub(1, Relaxed);
    if program.retire().is_ok() {
        agent
            .program_bytes
            .fetch_sub(program.bytes() as u64, Relaxed);
    }
}

impl Net {
    /// The program of a Portus client with this number.
    pub(crate) fn program_of(&self, agent: &Agent, uid: u32) -> Option<Arc<Program>> {
        let wanted = |program: &Program| program.owner == agent.number && program.uid() == uid;
        let found = self.shim.programs().find(0, wanted);
        found.map(|(_, program)| program)
    }
}

/// A program by its id.
fn find_program(net: &Net, id: u32, attr: u32, error: &mut CommandError) -> Done<Arc<Program>> {
    net.shim
        .programs()
        .get(u64::from(id))
        .ok_or_else(|| error.refuse(errno::ENOENT, attr, format_args!("no program {id} here")))
}

/// A program by its id, of this agent.
pub(crate) fn own_program(
    net: &Net,
    agent: &Agent,
    id: u32,
    attr: u32,
    error: &mut CommandError,
) -> Done<Arc<Program>> {
    let program = find_program(net, id, attr, error)?;
    if program.owner != agent.number {
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
    forget(net, &agent, &program);
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
        let alive = |agent: &Agent| agent.number == old.owner;
        if !net.is_fallback(&old) && net.shim.agents().find(0, alive).is_none() {
            drop(net.shim.programs().remove(u64::from(old.id)));
        }
    }
    Ok(())
}
