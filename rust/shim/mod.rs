// SPDX-License-Identifier: GPL-2.0

//! The C half as Rust sees it: the structs both share, and safe wrappers
//! around its functions.
//!
//! C header: `c-shim/shim.h`.

/// A registration that is undone when dropped.
macro_rules! registration {
    ($(#[$doc:meta])* $name:ident, $register:ident, $unregister:ident) => {
        $(#[$doc])*
        pub(crate) struct $name(());

        impl $name {
            /// Registers it.
            pub(crate) fn register() -> Result<Self> {
                // SAFETY: Called from module initialisation.
                to_result(unsafe { $register() })?;
                Ok($name(()))
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                // SAFETY: Registered, as `self` exists.
                unsafe { $unregister() };
            }
        }
    };
}

#[cfg(ccp_dccp)]
pub(crate) mod dccp;
pub(crate) mod error;
mod ffi;
mod flow_box;
#[cfg(ccp_mptcp)]
pub(crate) mod mptcp;
mod namespace;
pub(crate) mod portus;
mod sock;
mod table;

use core::mem::{
    offset_of,
    size_of, //
};

use kernel::{
    error::to_result,
    prelude::*, //
};

use self::ffi::*;
pub(crate) use self::{
    error::{
        write_name,
        CommandError,
        Refused, //
    },
    flow_box::{
        FlowBox,
        FlowCache, //
    },
    namespace::Shim,
    sock::{
        LockedFlow,
        Sock,
        Socket,
        ALGORITHM_MAX, //
    },
    table::Table,
};
use crate::tcp::Ack;

/// `struct sock`.
#[repr(C)]
pub(crate) struct RawSock {
    _opaque: [u8; 0],
}

/// `struct ccp_net`.
#[repr(C)]
pub(crate) struct RawNet {
    _opaque: [u8; 0],
}

/// `struct ccp_table`.
#[repr(C)]
pub(crate) struct RawTable {
    _opaque: [u8; 0],
}

/// Longest name of an agent or a program; `CCP_NAME_MAX`.
pub(crate) const NAME_MAX: usize = 31;

/// Longest list of an agent's algorithms with their NULs.
pub(crate) const ALGORITHMS_BYTES: usize = 256;

/// A name with its NULs.
pub(crate) type Name = [u8; NAME_MAX + 1];

/// `struct ccp_verdict`.
#[repr(C)]
#[derive(Default)]
pub(crate) struct Verdict {
    pub(crate) rate: u64,
    pub(crate) cwnd: u32,
    pub(crate) program: u32,
    pub(crate) paced: u8,
    pub(crate) abort: u8,
    pub(crate) reported: u8,
    pub(crate) reserved: [u8; 5],
}

/// `struct ccp_flow_info`.
#[repr(C)]
#[derive(Default)]
pub(crate) struct FlowInfo {
    pub(crate) id: u64,
    pub(crate) age_ms: u64,
    pub(crate) reports: u64,
    pub(crate) report_drops: u64,
    pub(crate) invocations: u64,
    pub(crate) aborts: u64,
    pub(crate) fallbacks: u64,
    pub(crate) agent: u32,
    pub(crate) program: u32,
    pub(crate) reason: u32,
    pub(crate) init_cwnd: u32,
}

/// `struct ccp_agent_info`.
#[repr(C)]
pub(crate) struct AgentInfo {
    pub(crate) id: u32,
    pub(crate) port: u32,
    pub(crate) flows: u32,
    pub(crate) programs: u32,
    pub(crate) silent: u32,
    pub(crate) algorithms_len: u32,
    pub(crate) name: Name,
    pub(crate) algorithms: [u8; ALGORITHMS_BYTES],
}

/// `struct ccp_program_info`.
#[repr(C)]
pub(crate) struct ProgramInfo {
    pub(crate) id: u32,
    pub(crate) agent: u32,
    pub(crate) cost: u32,
    pub(crate) report_fields: u32,
    pub(crate) registers: u32,
    pub(crate) bytes: u32,
    pub(crate) flows: u32,
    pub(crate) fallback: u32,
    pub(crate) name: Name,
}

/// `struct ccp_report`.
#[repr(C)]
pub(crate) struct Report {
    pub(crate) flow: u64,
    pub(crate) seq: u64,
    pub(crate) time_us: u64,
    pub(crate) cwnd: u64,
    pub(crate) rate: u64,
    pub(crate) fields: *const u64,
    pub(crate) nfields: u32,
    pub(crate) program: u32,
}

/// `struct ccp_update`.
#[repr(C)]
#[derive(Clone, Default)]
pub(crate) struct Update {
    pub(crate) value: u64,
    pub(crate) index: u32,
    pub(crate) class: u32,
}

const _: () = {
    assert!(size_of::<Ack>() == 120);
    assert!(offset_of!(Ack, rs_delivered) == 48);
    assert!(offset_of!(Ack, ca_state) == 112);
    assert!(size_of::<Verdict>() == 24);
    assert!(size_of::<FlowInfo>() == 72);
    assert!(size_of::<AgentInfo>() == 312);
    assert!(size_of::<ProgramInfo>() == 64);
    assert!(size_of::<Report>() == 56);
    assert!(size_of::<Update>() == 16);
};

/// Counters of a network namespace; `enum ccp_counter`. C counts the others.
#[derive(Copy, Clone)]
#[repr(u32)]
pub(crate) enum Counter {
    FlowsCreated = 0,
    ReportDrops = 5,
    EventsDropped = 6,
    Fallbacks = 7,
    Commands = 8,
    CommandErrors = 9,
}

/// `enum ccp_gauge`.
#[derive(Copy, Clone)]
#[repr(u32)]
pub(crate) enum Gauge {
    Flows = 0,
    Agents = 1,
}

/// Module parameters; `enum ccp_limit`.
#[derive(Copy, Clone)]
#[repr(u32)]
pub(crate) enum Limit {
    AgentTimeoutMs = 0,
    MaxFlows = 1,
    MaxAgents = 2,
    MaxPrograms = 3,
    MaxProgramBytes = 4,
    Portus = 6,
}

/// Events about flows; commands of the uapi.
#[derive(Copy, Clone)]
#[repr(u8)]
pub(crate) enum FlowEvent {
    Created = 13,
    Closed = 14,
    Fallback = 15,
}

/// The value of a module parameter now.
pub(crate) fn limit(which: Limit) -> u32 {
    // SAFETY: Only reads; any argument will do.
    unsafe { ccp_limit(which as u32) }
}

/// The clock of [`Ack::now_us`].
pub(crate) fn clock_us() -> u64 {
    // SAFETY: Only reads a clock.
    unsafe { ccp_tcp_clock_us() }
}

/// Hits the tracepoint `ccp_fallback`.
pub(crate) fn trace_fallback(flow: u64, agent: u32, program: u32, reason: u32) {
    // SAFETY: Takes plain values, in any context.
    unsafe { ccp_trace_fallback(flow, agent, program, reason) };
}

registration!(
    /// State of network namespaces.
    Namespaces, ccp_net_register, ccp_net_unregister
);
registration!(
    /// The netlink family.
    Netlink, ccp_netlink_register, ccp_netlink_unregister
);
registration!(
    /// The TCP congestion controls.
    CongestionControl, ccp_tcp_register, ccp_tcp_unregister
);

/// The folder in debugfs.
pub(crate) struct Debugfs(());

impl Debugfs {
    /// Makes it; if that fails there is just nothing to see.
    pub(crate) fn create() -> Debugfs {
        // SAFETY: Called from module initialisation.
        unsafe { ccp_debugfs_create() };
        Debugfs(())
    }
}

impl Drop for Debugfs {
    fn drop(&mut self) {
        // SAFETY: Made, as `self` exists.
        unsafe { ccp_debugfs_remove() };
    }
}
