// SPDX-License-Identifier: GPL-2.0
//! What the loop needs of the kernel, so that tests can stand in for it.

use ccp_netlink::{Attached, Client, Event, FlowInfo, ProgramInfo, Result, Update};
use std::time::Duration;

pub(crate) trait Kernel {
    fn attach(&mut self, name: &str, algorithms: &[&str]) -> Result<Attached>;
    fn detach(&mut self) -> Result<()>;
    fn heartbeat(&mut self) -> Result<()>;
    fn install(&mut self, name: &str, events: &[u8], instructions: &[u8]) -> Result<ProgramInfo>;
    fn remove_program(&mut self, id: u32) -> Result<()>;
    fn flows(&mut self) -> Result<Vec<FlowInfo>>;
    fn flow(&mut self, id: u64) -> Result<FlowInfo>;
    fn set_program(&mut self, flow: u64, program: u32, updates: &[Update]) -> Result<()>;
    fn update(&mut self, flow: u64, updates: &[Update]) -> Result<()>;
    fn next_event(&mut self, timeout: Duration) -> Result<Option<Event>>;
}

impl Kernel for Client {
    fn attach(&mut self, name: &str, algorithms: &[&str]) -> Result<Attached> {
        self.attach(name, algorithms)
    }
    fn detach(&mut self) -> Result<()> {
        self.detach()
    }
    fn heartbeat(&mut self) -> Result<()> {
        self.heartbeat()
    }
    fn install(&mut self, name: &str, events: &[u8], instructions: &[u8]) -> Result<ProgramInfo> {
        self.install(name, events, instructions)
    }
    fn remove_program(&mut self, id: u32) -> Result<()> {
        self.remove_program(id)
    }
    fn flows(&mut self) -> Result<Vec<FlowInfo>> {
        self.flows()
    }
    fn flow(&mut self, id: u64) -> Result<FlowInfo> {
        self.flow(id)
    }
    fn set_program(&mut self, flow: u64, program: u32, updates: &[Update]) -> Result<()> {
        self.set_program(flow, program, updates)
    }
    fn update(&mut self, flow: u64, updates: &[Update]) -> Result<()> {
        self.update(flow, updates)
    }
    fn next_event(&mut self, timeout: Duration) -> Result<Option<Event>> {
        self.next_event(Some(timeout))
    }
}
