// SPDX-License-Identifier: GPL-2.0
//! What the client is where there is no such kernel.

use crate::{Attached, Error, Event, FlowInfo, ProgramInfo, Result, Update};
use std::time::Duration;

/// A connection to the module, which nobody can have here.
pub enum Client {}

/// What an agent does with a connection.
#[allow(missing_docs, reason = "they are those of the client on Linux")]
impl Client {
    /// Says why there is none.
    pub fn connect() -> Result<Self> {
        Err(Error::NotLinux)
    }

    pub fn attach(&mut self, _: &str, _: &[&str]) -> Result<Attached> {
        match *self {}
    }

    pub fn detach(&mut self) -> Result<()> {
        match *self {}
    }

    pub fn heartbeat(&mut self) -> Result<()> {
        match *self {}
    }

    pub fn install(&mut self, _: &str, _: &[u8], _: &[u8]) -> Result<ProgramInfo> {
        match *self {}
    }

    pub fn remove_program(&mut self, _: u32) -> Result<()> {
        match *self {}
    }

    pub fn flows(&mut self) -> Result<Vec<FlowInfo>> {
        match *self {}
    }

    pub fn flow(&mut self, _: u64) -> Result<FlowInfo> {
        match *self {}
    }

    pub fn set_program(&mut self, _: u64, _: u32, _: &[Update]) -> Result<()> {
        match *self {}
    }

    pub fn update(&mut self, _: u64, _: &[Update]) -> Result<()> {
        match *self {}
    }

    pub fn next_event(&mut self, _: Option<Duration>) -> Result<Option<Event>> {
        match *self {}
    }
}
