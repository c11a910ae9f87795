// SPDX-License-Identifier: GPL-2.0
//! What the module tells of agents, programs, flows and itself.

use crate::{
    socket::Notification,
    uapi,
    wire::{malformed, Attribute, Attributes, Value},
    Result,
};
use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

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
    /// Never reused while the module is loaded.
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
    /// Never reused while the module is loaded.
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

/// A record made of attributes.
pub(crate) trait Record: Default {
    fn set(&mut self, attribute: &Attribute<'_>) -> Result<()>;

    fn read(attributes: Attributes<'_>) -> Result<Self> {
        let mut record = Self::default();
        for attribute in attributes {
            record.set(&attribute.map_err(malformed("an attribute"))?)?;
        }
        Ok(record)
    }
}

impl Record for Attached {
    fn set(&mut self, attribute: &Attribute<'_>) -> Result<()> {
        use uapi::agent as a;
        match attribute.kind() {
            a::ID => self.id = attribute.u32()?,
            a::TIMEOUT_MS => self.timeout_ms = attribute.u32()?,
            a::ISA_VERSION => self.isa_version = attribute.u32()?,
            a::MAX_INSTRUCTIONS => self.max_instructions = attribute.u32()?,
            a::MAX_EVENTS => self.max_events = attribute.u32()?,
            _ => {}
        }
        Ok(())
    }
}

impl Record for AgentInfo {
    fn set(&mut self, attribute: &Attribute<'_>) -> Result<()> {
        use uapi::agent as a;
        match attribute.kind() {
            a::ID => self.id = attribute.u32()?,
            a::NAME => self.name = attribute.string(),
            a::ALGORITHM => self.algorithms.push(attribute.string()),
            a::PORT_ID => self.port_id = attribute.u32()?,
            a::TIMEOUT_MS => self.timeout_ms = attribute.u32()?,
            a::SILENT => self.silent = true,
            a::FLOWS => self.flows = attribute.u32()?,
            a::PROGRAMS => self.programs = attribute.u32()?,
            _ => {}
        }
        Ok(())
    }
}

impl Record for ProgramInfo {
    fn set(&mut self, attribute: &Attribute<'_>) -> Result<()> {
        use uapi::program as a;
        match attribute.kind() {
            a::ID => self.id = attribute.u32()?,
            a::AGENT_ID => self.agent_id = Some(attribute.u32()?),
            a::NAME => self.name = attribute.string(),
            a::COST => self.cost = attribute.u32()?,
            a::REPORT_FIELDS => self.report_fields = attribute.u32()?,
            a::REGISTERS => self.registers = attribute.u32()?,
            a::BYTES => self.bytes = attribute.u32()?,
            a::FLOWS => self.flows = attribute.u32()?,
            a::FALLBACK => self.fallback = true,
            _ => {}
        }
        Ok(())
    }
}

/// Address and port arrive as two attributes, in either order.
fn place(slot: &mut Option<SocketAddr>, ip: Option<IpAddr>, port: Option<u16>) {
    let address = slot.get_or_insert(SocketAddr::from(([0, 0, 0, 0], 0)));
    if let Some(ip) = ip {
        address.set_ip(ip);
    }
    if let Some(port) = port {
        address.set_port(port);
    }
}

impl Record for FlowInfo {
    fn set(&mut self, attribute: &Attribute<'_>) -> Result<()> {
        use uapi::flow as a;
        match attribute.kind() {
            a::ID => self.id = attribute.uint()?,
            a::AGENT_ID => self.agent_id = Some(attribute.u32()?),
            a::PROGRAM_ID => self.program_id = attribute.u32()?,
            a::FALLBACK_REASON => self.fallback_reason = attribute.u32()?.into(),
            a::ALGORITHM => self.algorithm = attribute.string(),
            a::COOKIE => self.cookie = attribute.uint()?,
            a::LOCAL_ADDR => place(&mut self.local, Some(attribute.ip()?), None),
            a::LOCAL_PORT => place(&mut self.local, None, Some(attribute.u16()?)),
            a::REMOTE_ADDR => place(&mut self.remote, Some(attribute.ip()?), None),
            a::REMOTE_PORT => place(&mut self.remote, None, Some(attribute.u16()?)),
            a::MSS => self.mss = attribute.u32()?,
            a::INIT_CWND => self.init_cwnd = attribute.u32()?,
            a::CWND => self.cwnd = attribute.u32()?,
            a::SSTHRESH => self.ssthresh = attribute.u32()?,
            a::RATE => self.rate = attribute.uint()?,
            a::SRTT_US => self.srtt_us = attribute.u32()?,
            a::MIN_RTT_US => self.min_rtt_us = attribute.u32()?,
            a::IN_FLIGHT => self.in_flight = attribute.u32()?,
            a::DELIVERED => self.delivered = attribute.u32()?,
            a::LOST => self.lost = attribute.u32()?,
            a::RETRANSMITS => self.retransmits = attribute.u32()?,
            a::BYTES_ACKED => self.bytes_acked = attribute.uint()?,
            a::REPORTS => self.reports = attribute.uint()?,
            a::REPORT_DROPS => self.report_drops = attribute.uint()?,
            a::INVOCATIONS => self.invocations = attribute.uint()?,
            a::ABORTS => self.aborts = attribute.uint()?,
            a::FALLBACKS => self.fallbacks = attribute.uint()?,
            a::AGE_MS => self.age_ms = attribute.uint()?,
            a::ADOPTED => self.adopted = true,
            a::MPTCP_TOKEN => self.mptcp_token = Some(attribute.u32()?),
            a::MPTCP_SUBFLOW => self.mptcp_subflow = Some(attribute.u32()?),
            _ => {}
        }
        Ok(())
    }
}

impl Record for Stats {
    fn set(&mut self, attribute: &Attribute<'_>) -> Result<()> {
        use uapi::stats as a;
        match attribute.kind() {
            a::FLOWS => self.flows = attribute.uint()?,
            a::FLOWS_CREATED => self.flows_created = attribute.uint()?,
            a::FLOWS_REFUSED => self.flows_refused = attribute.uint()?,
            a::INVOCATIONS => self.invocations = attribute.uint()?,
            a::ABORTS => self.aborts = attribute.uint()?,
            a::REPORTS => self.reports = attribute.uint()?,
            a::REPORT_DROPS => self.report_drops = attribute.uint()?,
            a::EVENTS_DROPPED => self.events_dropped = attribute.uint()?,
            a::FALLBACKS => self.fallbacks = attribute.uint()?,
            a::COMMANDS => self.commands = attribute.uint()?,
            a::COMMAND_ERRORS => self.command_errors = attribute.uint()?,
            a::AGENTS => self.agents = attribute.u32()?,
            a::PROGRAMS => self.programs = attribute.u32()?,
            _ => {}
        }
        Ok(())
    }
}

impl Record for RawReport {
    fn set(&mut self, attribute: &Attribute<'_>) -> Result<()> {
        use uapi::report as a;
        match attribute.kind() {
            a::FLOW_ID => self.flow_id = attribute.uint()?,
            a::PROGRAM_ID => self.program_id = attribute.u32()?,
            a::SEQ => self.seq = attribute.uint()?,
            a::TIME_US => self.time_us = attribute.uint()?,
            a::FIELDS => self.fields = attribute.words()?,
            a::CWND => self.cwnd = attribute.uint()?,
            a::RATE => self.rate = attribute.uint()?,
            _ => {}
        }
        Ok(())
    }
}

impl Notification for Event {
    fn overrun() -> Self {
        Self::Overrun
    }

    fn expendable(&self) -> bool {
        matches!(self, Self::Report(_))
    }
}

impl Event {
    /// The event a message carries; `None` for one newer than this library.
    pub(crate) fn read(command: u8, attributes: Attributes<'_>) -> Result<Option<Self>> {
        use uapi::cmd;
        Ok(Some(match command {
            cmd::FLOW_CREATED => Self::FlowCreated(FlowInfo::read(attributes)?),
            cmd::FLOW_CLOSED => Self::FlowClosed(FlowInfo::read(attributes)?),
            cmd::FLOW_FALLBACK => {
                let flow = FlowInfo::read(attributes)?;
                Self::FlowFallback(Fallback {
                    flow_id: flow.id,
                    agent_id: flow.agent_id,
                    program_id: flow.program_id,
                    reason: flow.fallback_reason,
                })
            }
            cmd::REPORT => Self::Report(RawReport::read(attributes)?),
            _ => return Ok(None),
        }))
    }
}
