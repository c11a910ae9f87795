// SPDX-License-Identifier: GPL-2.0
//! What the module tells of agents, programs, flows and itself.

use std::{fmt, net::SocketAddr};

/// What the kernel says to a new agent.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Attached {
    /// The agent's id.
    pub id: u32,
    /// Longest silence before the agent counts as hung, milliseconds; 0: no limit.
    pub timeout_ms: u32,
    /// Version of the instruction set the module runs.
    pub isa_version: u32,
    /// Most instructions a program may have.
    pub max_instructions: u32,
    /// Most events a program may have.
    pub max_events: u32,
}

/// One agent.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct AgentInfo {
    /// Of its network namespace; used again only after 2^32 others.
    pub id: u32,
    /// The name it attached with.
    pub name: String,
    /// Algorithms it offers, most preferred first.
    pub algorithms: Vec<String>,
    /// Netlink port of its socket.
    pub port_id: u32,
    /// Longest silence before it counts as hung, milliseconds; 0: no limit.
    pub timeout_ms: u32,
    /// It has been silent for longer than that.
    pub silent: bool,
    /// Flows it is in charge of.
    pub flows: u32,
    /// Programs it has installed.
    pub programs: u32,
}

/// One program.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ProgramInfo {
    /// Of its network namespace; used again only after 2^32 others.
    pub id: u32,
    /// The agent that installed it; `None` when that agent is gone.
    pub agent_id: Option<u32>,
    /// Unique among the programs of one agent.
    pub name: String,
    /// Most instructions one invocation can execute.
    pub cost: u32,
    /// Number of values in a report.
    pub report_fields: u32,
    /// Slots of the register file a flow needs.
    pub registers: u32,
    /// Memory the decoded program takes.
    pub bytes: u32,
    /// Flows that run it now.
    pub flows: u32,
    /// It is the fallback of this network namespace.
    pub fallback: bool,
}

/// Why a flow runs the fallback program.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum FallbackReason {
    /// It does not; an agent's program runs.
    #[default]
    None,
    /// No agent has given it a program yet.
    NoAgent,
    /// Its agent detached or died.
    AgentGone,
    /// Its agent was silent for too long.
    AgentSilent,
    /// Its program aborted too many times in a row.
    ProgramAborted,
    /// A reason newer than this library.
    Other(u32),
}

impl From<u32> for FallbackReason {
    fn from(value: u32) -> Self {
        match value {
            0 => Self::None,
            1 => Self::NoAgent,
            2 => Self::AgentGone,
            3 => Self::AgentSilent,
            4 => Self::ProgramAborted,
            other => Self::Other(other),
        }
    }
}

impl fmt::Display for FallbackReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::NoAgent => "no-agent",
            Self::AgentGone => "agent-gone",
            Self::AgentSilent => "agent-silent",
            Self::ProgramAborted => "program-aborted",
            Self::Other(other) => return write!(f, "reason-{other}"),
        })
    }
}

/// One flow. A dump fills every field the kernel has, unless it
/// [is partial](FlowInfo::is_partial); an event only some. The rest is zero.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct FlowInfo {
    /// Never reused while the module is loaded.
    pub id: u64,
    /// The agent in charge.
    pub agent_id: Option<u32>,
    /// The program that runs; 0 is the built-in fallback.
    pub program_id: u32,
    /// Why it runs the fallback program, if it does.
    pub fallback_reason: FallbackReason,
    /// Congestion-control name the socket chose.
    pub algorithm: String,
    /// Socket cookie, as ss(8) shows it.
    pub cookie: u64,
    /// Our end.
    pub local: Option<SocketAddr>,
    /// The other end.
    pub remote: Option<SocketAddr>,
    /// Maximum segment size, bytes.
    pub mss: u32,
    /// Congestion window at the start of the flow, bytes.
    pub init_cwnd: u32,
    /// Congestion window, packets.
    pub cwnd: u32,
    /// Slow start threshold, packets.
    pub ssthresh: u32,
    /// Pacing rate, bytes per second; `u64::MAX` is unlimited.
    pub rate: u64,
    /// Smoothed RTT, microseconds.
    pub srtt_us: u32,
    /// Minimum RTT of the kernel's window, microseconds.
    pub min_rtt_us: u32,
    /// Packets in flight.
    pub in_flight: u32,
    /// Packets delivered; wraps.
    pub delivered: u32,
    /// Packets ever marked lost; wraps.
    pub lost: u32,
    /// Packets retransmitted.
    pub retransmits: u32,
    /// Bytes acknowledged.
    pub bytes_acked: u64,
    /// Reports made.
    pub reports: u64,
    /// Reports that found no room in the agent's socket.
    pub report_drops: u64,
    /// Times a program ran for the flow.
    pub invocations: u64,
    /// Invocations that ended in an arithmetic error.
    pub aborts: u64,
    /// Times the flow fell back.
    pub fallbacks: u64,
    /// Age, milliseconds.
    pub age_ms: u64,
    /// The flow is older than the agent's claim on it.
    pub adopted: bool,
    /// Token of the MPTCP connection whose subflow it is.
    pub mptcp_token: Option<u32>,
    /// Number of the subflow in its connection; the first is 1.
    pub mptcp_subflow: Option<u32>,
}

impl FlowInfo {
    /// Whether a dump has only the flow's identity, as its process kept the
    /// socket locked.
    pub fn is_partial(&self) -> bool {
        self.cwnd == 0
    }
}

/// Counters of one network namespace since the module was loaded.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Stats {
    /// Flows alive now.
    pub flows: u64,
    /// Flows ever made.
    pub flows_created: u64,
    /// Flows without state, which run the kernel's reno.
    pub flows_refused: u64,
    /// Times a program ran.
    pub invocations: u64,
    /// Invocations that ended in an arithmetic error.
    pub aborts: u64,
    /// Reports made.
    pub reports: u64,
    /// Reports that found no room in a socket.
    pub report_drops: u64,
    /// Other events that found no room.
    pub events_dropped: u64,
    /// Times a flow fell back.
    pub fallbacks: u64,
    /// Commands handled.
    pub commands: u64,
    /// Commands refused.
    pub command_errors: u64,
    /// Agents attached now.
    pub agents: u32,
    /// Programs installed now.
    pub programs: u32,
}

/// A report, as the kernel sends it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct RawReport {
    /// The flow it is about.
    pub flow_id: u64,
    /// The program that made it.
    pub program_id: u32,
    /// Per flow, from 1; a gap is a lost report.
    pub seq: u64,
    /// TCP timestamp clock at the ACK, microseconds.
    pub time_us: u64,
    /// Report registers in index order.
    pub fields: Vec<u64>,
    /// Congestion window after the invocation, bytes.
    pub cwnd: u64,
    /// Pacing rate after the invocation, bytes per second.
    pub rate: u64,
}

/// A flow fell back.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Fallback {
    /// The flow.
    pub flow_id: u64,
    /// The agent that was in charge.
    pub agent_id: Option<u32>,
    /// The program it runs now; 0 is the built-in one.
    pub program_id: u32,
    /// Why.
    pub reason: FallbackReason,
}

/// Something the kernel tells without being asked.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Event {
    /// A flow exists and an agent is in charge of it.
    FlowCreated(FlowInfo),
    /// A flow is gone.
    FlowClosed(FlowInfo),
    /// A flow went from an agent's program to the fallback.
    FlowFallback(Fallback),
    /// A program's report.
    Report(RawReport),
    /// Events were lost in a full receive buffer; a dump brings the listener
    /// up to date.
    Overrun,
}

/// A new value for one register of a flow.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Update {
    /// Register class of the instruction set.
    pub class: u8,
    /// Register index in the class.
    pub index: u32,
    /// The value.
    pub value: u64,
}
