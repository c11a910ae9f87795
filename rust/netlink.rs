// SPDX-License-Identifier: GPL-2.0

//! The entry points of `c-shim/netlink.c` and `c-shim/dump.c`: raw pointers
//! become slices here, and outcomes errnos. The commands are in `commands`.

use core::{
    mem::MaybeUninit,
    ptr::NonNull, //
};

use kernel::ffi::c_int;

use crate::{
    commands::{
        self,
        Caller,
        Done, //
    },
    net::Net,
    program_commands,
    shim::{
        self,
        AgentInfo,
        CommandError,
        ProgramInfo,
        Update, //
    },
    vm,
};

/// Bytes or structs that C describes by address and number.
///
/// # Safety
///
/// Unless `len` is 0, `ptr` must point to that many, which last for `'a`.
unsafe fn slice<'a, T>(ptr: *const T, len: u32) -> &'a [T] {
    if len == 0 {
        return &[];
    }
    // SAFETY: The caller's promise.
    unsafe { core::slice::from_raw_parts(ptr, len as usize) }
}

fn errno(done: Done) -> c_int {
    done.map_or_else(|refused| refused.errno(), |()| 0)
}

fn answer<T>(done: Done<T>, to: &mut MaybeUninit<T>) -> c_int {
    errno(done.map(|value| {
        to.write(value);
    }))
}

/// A command comes, maybe from an agent.
#[no_mangle]
extern "C" fn ccp_rs_heard(caller: &Caller) {
    commands::heard(caller);
}

/// # Safety
///
/// Names and lengths must describe bytes.
#[no_mangle]
unsafe extern "C" fn ccp_rs_agent_attach(
    caller: &Caller,
    name: *const u8,
    name_len: u32,
    algorithms: *const u8,
    algorithms_len: u32,
    info: &mut MaybeUninit<AgentInfo>,
    error: &mut CommandError,
) -> c_int {
    // SAFETY: The caller's promise.
    let name = unsafe { slice(name, name_len) };
    // SAFETY: The caller's promise.
    let algorithms = unsafe { slice(algorithms, algorithms_len) };
    answer(commands::attach(caller, name, algorithms, error), info)
}

/// The agent knows that it is attached: flows may go to it now.
#[no_mangle]
extern "C" fn ccp_rs_agent_ready(caller: &Caller) {
    caller.net().agents_changed();
}

#[no_mangle]
extern "C" fn ccp_rs_agent_detach(caller: &Caller, error: &mut CommandError) -> c_int {
    errno(commands::detach(caller, error))
}

#[no_mangle]
extern "C" fn ccp_rs_agent_heartbeat(caller: &Caller, error: &mut CommandError) -> c_int {
    errno(caller.agent(error).map(drop))
}

/// A netlink socket was closed, maybe an agent's.
///
/// # Safety
///
/// `state` must last during the call.
#[no_mangle]
unsafe extern "C" fn ccp_rs_port_closed(state: NonNull<Net>, port: u32) {
    // SAFETY: The caller's promise.
    unsafe { state.as_ref() }.port_closed(port);
}

/// The agent with the smallest id from `*id` on; false at the end.
///
/// # Safety
///
/// `state` must last during the call.
#[no_mangle]
unsafe extern "C" fn ccp_rs_agent_next(
    state: NonNull<Net>,
    id: &mut u64,
    info: &mut MaybeUninit<AgentInfo>,
) -> bool {
    // SAFETY: The caller's promise.
    let net = unsafe { state.as_ref() };
    let Some((found, agent)) = net.shim.agents().find(*id, |_| true) else {
        return false;
    };
    *id = found;
    info.write(agent.info(shim::clock_us()));
    true
}

#[no_mangle]
extern "C" fn ccp_rs_isa_version() -> u32 {
    vm::ISA_VERSION
}

#[no_mangle]
extern "C" fn ccp_rs_max_instructions() -> u32 {
    vm::MAX_INSTRUCTIONS as u32
}

#[no_mangle]
extern "C" fn ccp_rs_max_events() -> u32 {
    vm::MAX_EVENTS as u32
}

/// # Safety
///
/// Addresses and lengths must describe bytes.
#[no_mangle]
unsafe extern "C" fn ccp_rs_program_install(
    caller: &Caller,
    name: *const u8,
    name_len: u32,
    events: *const u8,
    events_len: u32,
    instructions: *const u8,
    instructions_len: u32,
    info: &mut MaybeUninit<ProgramInfo>,
    error: &mut CommandError,
) -> c_int {
    // SAFETY: The caller's promise.
    let name = unsafe { slice(name, name_len) };
    // SAFETY: The caller's promise.
    let events = unsafe { slice(events, events_len) };
    // SAFETY: The caller's promise.
    let instructions = unsafe { slice(instructions, instructions_len) };
    let installed = program_commands::install(caller, name, events, instructions, error);
    answer(installed, info)
}

#[no_mangle]
extern "C" fn ccp_rs_program_remove(caller: &Caller, id: u32, error: &mut CommandError) -> c_int {
    errno(program_commands::remove(caller, id, error))
}

#[no_mangle]
extern "C" fn ccp_rs_program_get(
    caller: &Caller,
    id: u32,
    info: &mut MaybeUninit<ProgramInfo>,
    error: &mut CommandError,
) -> c_int {
    answer(program_commands::get_program(caller, id, error), info)
}

/// The program with the smallest id from `*id` on; false at the end.
///
/// # Safety
///
/// `state` must last during the call.
#[no_mangle]
unsafe extern "C" fn ccp_rs_program_next(
    state: NonNull<Net>,
    id: &mut u64,
    info: &mut MaybeUninit<ProgramInfo>,
) -> bool {
    // SAFETY: The caller's promise.
    let net = unsafe { state.as_ref() };
    let Some((found, program)) = net.shim.programs().find(*id, |_| true) else {
        return false;
    };
    *id = found;
    info.write(program.info(net.is_fallback(&program)));
    true
}

/// Id 0 stands for the built-in program.
#[no_mangle]
extern "C" fn ccp_rs_fallback_set(caller: &Caller, id: u32, error: &mut CommandError) -> c_int {
    errno(program_commands::set_fallback(caller, id, error))
}

/// # Safety
///
/// `updates` and `nupdates` must describe updates.
#[no_mangle]
unsafe extern "C" fn ccp_rs_flow_set_program(
    caller: &Caller,
    flow: u64,
    program: u32,
    updates: *const Update,
    nupdates: u32,
    error: &mut CommandError,
) -> c_int {
    // SAFETY: The caller's promise.
    let updates = unsafe { slice(updates, nupdates) };
    errno(commands::set_program(caller, flow, program, updates, error))
}

/// # Safety
///
/// `updates` and `nupdates` must describe updates.
#[no_mangle]
unsafe extern "C" fn ccp_rs_flow_update(
    caller: &Caller,
    flow: u64,
    updates: *const Update,
    nupdates: u32,
    error: &mut CommandError,
) -> c_int {
    // SAFETY: The caller's promise.
    let updates = unsafe { slice(updates, nupdates) };
    errno(commands::update(caller, flow, updates, error))
}
