// SPDX-License-Identifier: GPL-2.0
//! How the family's messages become what [`types`](crate::types) has.

use crate::{
    socket::Notification,
    types::{AgentInfo, Attached, Event, Fallback, FlowInfo, ProgramInfo, RawReport, Stats},
    uapi,
    wire::{malformed, Attribute, Attributes, Value},
    Result,
};
use std::net::{IpAddr, SocketAddr};

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
