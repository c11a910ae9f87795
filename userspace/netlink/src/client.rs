// SPDX-License-Identifier: GPL-2.0
//! The commands of the family, typed.

use crate::{
    genl::{Family, Genl},
    records::Record,
    socket::Repeat,
    types::{AgentInfo, Attached, Event, FlowInfo, ProgramInfo, Stats, Update},
    uapi::{self, cmd},
    wire::{Attributes, Request},
    Error, Result,
};
use std::{
    os::fd::{AsFd, BorrowedFd},
    time::Duration,
};

/// A connection to the module. What attaches through it lives as long as it.
pub struct Client {
    genl: Genl<Ccp>,
}

/// The family `ccp`.
struct Ccp;

impl Family for Ccp {
    const NAME: &'static str = uapi::FAMILY;
    const EVENTS: &'static str = uapi::GROUP_EVENTS;
    type Event = Event;

    fn event(command: u8, attributes: Attributes<'_>) -> Result<Option<Event>> {
        Event::read(command, attributes)
    }
}

impl Client {
    /// Opens a socket and finds the family.
    pub fn connect() -> Result<Self> {
        let genl = Genl::connect().map_err(|error| match error {
            Error::NoFamily(_) => Error::NotLoaded,
            other => other,
        })?;
        Ok(Self { genl })
    }

    /// A command with no answer but its acknowledgement.
    fn plain(
        &mut self,
        name: &'static str,
        repeat: Repeat,
        request: impl Fn(Request) -> Request,
        command: u8,
    ) -> Result<()> {
        let request = || request(Request::new(command));
        self.genl.command(name, repeat, request, |_| Ok(()))
    }

    /// A command that answers with one record.
    fn get<T: Record>(
        &mut self,
        name: &'static str,
        repeat: Repeat,
        request: impl Fn(Request) -> Request,
        command: u8,
    ) -> Result<T> {
        let request = || request(Request::new(command));
        let mut answer = None;
        self.genl.command(name, repeat, request, |attributes| {
            answer = Some(T::read(attributes)?);
            Ok(())
        })?;
        answer.ok_or(Error::Malformed("an empty answer"))
    }

    fn list<T: Record>(&mut self, name: &'static str, command: u8) -> Result<Vec<T>> {
        let request = || Request::new(command);
        self.genl.dump(name, request, T::read)
    }

    /// Makes this connection an agent that offers `algorithms`, most
    /// preferred first.
    pub fn attach(&mut self, name: &str, algorithms: &[&str]) -> Result<Attached> {
        let fill = |request: Request| {
            let named = request.string(uapi::agent::NAME, name);
            algorithms.iter().fold(named, |request, algorithm| {
                request.string(uapi::agent::ALGORITHM, algorithm)
            })
        };
        self.get("agent-attach", Repeat::Never, fill, cmd::AGENT_ATTACH)
    }

    /// Stops being an agent: flows fall back.
    pub fn detach(&mut self) -> Result<()> {
        self.plain(
            "agent-detach",
            Repeat::Never,
            |request| request,
            cmd::AGENT_DETACH,
        )
    }

    /// Says that the agent is alive.
    pub fn heartbeat(&mut self) -> Result<()> {
        self.plain(
            "agent-heartbeat",
            Repeat::Safe,
            |request| request,
            cmd::AGENT_HEARTBEAT,
        )
    }

    /// The agents of this network namespace.
    pub fn agents(&mut self) -> Result<Vec<AgentInfo>> {
        self.list("agent-get", cmd::AGENT_GET)
    }

    /// Has a program verified and kept.
    pub fn install(
        &mut self,
        name: &str,
        events: &[u8],
        instructions: &[u8],
    ) -> Result<ProgramInfo> {
        let fill = |request: Request| {
            let start = request
                .string(uapi::program::NAME, name)
                .bytes(uapi::program::EVENTS, events.to_vec());
            instructions
                .chunks(uapi::CODE_CHUNK_MAX)
                .fold(start, |request, chunk| {
                    request.bytes(uapi::program::INSTRUCTIONS, chunk.to_vec())
                })
        };
        self.get("program-install", Repeat::Never, fill, cmd::PROGRAM_INSTALL)
    }

    /// Forgets a program that no flow runs.
    pub fn remove_program(&mut self, id: u32) -> Result<()> {
        let fill = |request: Request| request.u32(uapi::program::ID, id);
        self.plain("program-remove", Repeat::Never, fill, cmd::PROGRAM_REMOVE)
    }

    /// The programs of this network namespace.
    pub fn programs(&mut self) -> Result<Vec<ProgramInfo>> {
        self.list("program-get", cmd::PROGRAM_GET)
    }

    /// One program.
    pub fn program(&mut self, id: u32) -> Result<ProgramInfo> {
        let fill = |request: Request| request.u32(uapi::program::ID, id);
        self.get("program-get", Repeat::Safe, fill, cmd::PROGRAM_GET)
    }

    /// Makes a program the fallback of this network namespace; `None` brings
    /// the built-in one back.
    pub fn set_fallback(&mut self, id: Option<u32>) -> Result<()> {
        let fill = |request: Request| match id {
            Some(id) => request.u32(uapi::program::ID, id),
            None => request,
        };
        self.plain("fallback-set", Repeat::Safe, fill, cmd::FALLBACK_SET)
    }

    /// The flows of this network namespace.
    pub fn flows(&mut self) -> Result<Vec<FlowInfo>> {
        self.list("flow-get", cmd::FLOW_GET)
    }

    /// One flow.
    pub fn flow(&mut self, id: u64) -> Result<FlowInfo> {
        let fill = |request: Request| request.uint(uapi::flow::ID, id);
        self.get("flow-get", Repeat::Safe, fill, cmd::FLOW_GET)
    }

    /// Switches a flow to a program and sets registers, all or nothing.
    pub fn set_program(&mut self, flow: u64, program: u32, updates: &[Update]) -> Result<()> {
        let fill = |request: Request| {
            let request = request
                .uint(uapi::flow::ID, flow)
                .u32(uapi::flow::PROGRAM_ID, program);
            updates.iter().fold(request, append_update)
        };
        self.plain(
            "flow-set-program",
            Repeat::Safe,
            fill,
            cmd::FLOW_SET_PROGRAM,
        )
    }

    /// Sets registers of a flow, all or none.
    pub fn update(&mut self, flow: u64, updates: &[Update]) -> Result<()> {
        let fill = |request: Request| {
            let request = request.uint(uapi::flow::ID, flow);
            updates.iter().fold(request, append_update)
        };
        self.plain("flow-update", Repeat::Safe, fill, cmd::FLOW_UPDATE)
    }

    /// Counters of this network namespace.
    pub fn stats(&mut self) -> Result<Stats> {
        self.get("stats-get", Repeat::Safe, |request| request, cmd::STATS_GET)
    }

    /// Listens to the events of every agent. An agent gets those of its own
    /// flows without this.
    pub fn subscribe(&mut self) -> Result<()> {
        self.genl.subscribe()
    }

    /// The next event: `None` when the time is up, or early when a signal
    /// came.
    pub fn next_event(&mut self, timeout: Option<Duration>) -> Result<Option<Event>> {
        self.genl.event(timeout)
    }

    /// For poll(2) and its like. Events may also wait in the client, so ask
    /// `next_event` before sleeping.
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.genl.as_fd()
    }
}

impl AsFd for Client {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.genl.as_fd()
    }
}

fn append_update(request: Request, update: &Update) -> Request {
    request.nest(uapi::flow::UPDATES, |nest| {
        nest.u8(uapi::update::CLASS, update.class)
            .u32(uapi::update::INDEX, update.index)
            .uint(uapi::update::VALUE, update.value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the request path against the real kernel: its control family
    /// answers everywhere, ours only where the module is loaded.
    #[test]
    fn connect_finds_the_family_or_says_what_to_do() {
        match Client::connect() {
            Ok(mut client) => {
                let nothing = client.next_event(Some(Duration::ZERO));
                assert!(matches!(nothing, Ok(None)), "{nothing:?}");
            }
            Err(error) => assert!(
                matches!(error, Error::NotLoaded),
                "an answer other than 'not loaded': {error}"
            ),
        }
    }
}
