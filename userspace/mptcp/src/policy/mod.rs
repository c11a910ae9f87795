// SPDX-License-Identifier: GPL-2.0
//! What connections shall have, and the commands that bring it about. No input
//! or output, and no clock: events, addresses and times come in, commands go
//! out.
//!
//! The engine compares what a connection has with what it shall have, whatever
//! the reason to look: an event, an address, a time, a dump. Lost events make
//! no other difference than a later look.

mod address;
mod backoff;
mod ids;
mod outcome;
mod plan;
mod reconcile;
mod state;

pub use address::Address;

use crate::{
    config::{Config, Policy},
    event::{Event, Kind},
    Command, Connection, Phase,
};
use fastrand::Rng;
use nix::errno::Errno;
use outcome::Verdict;
use plan::Host;
use state::State;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    net::IpAddr,
    time::Duration,
};

/// Why a step is taken.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Why {
    /// The policy wants it.
    Policy(Policy),
    /// This many attempts failed.
    Again(u32),
    /// A local address is gone.
    Gone(IpAddr),
    /// No subflow but backups works.
    NoPrimary,
    /// A subflow that is no backup works again.
    Primary,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Policy(policy) => write!(f, "{policy}"),
            Self::Again(1) => f.write_str("after one failure"),
            Self::Again(failures) => write!(f, "after {failures} failures"),
            Self::Gone(address) => write!(f, "{address} is gone"),
            Self::NoPrimary => f.write_str("no other subflow works"),
            Self::Primary => f.write_str("another subflow works again"),
        }
    }
}

/// A command, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Step {
    /// What to do.
    pub command: Command,
    /// Why.
    pub why: Why,
}

/// What the engine must be told at once. That a connection or a subflow begins
/// says nothing that its being established doesn't.
pub const URGENT: [Kind; 3] = [Kind::Established, Kind::Announced, Kind::Removed];

/// What it must be told as well, but leads to nothing that could not wait for a
/// moment, and may be told after younger urgent events: subflows come to be, or
/// fail and are tried again a second later, connections end.
pub const DEFERRED: [Kind; 5] = [
    Kind::Closed,
    Kind::SubflowEstablished,
    Kind::SubflowClosed,
    Kind::SubflowPriority,
    Kind::Fallback,
];

/// All connections of a network namespace.
pub struct Engine {
    config: Config,
    ports: (u16, u16),
    rng: Rng,
    connections: HashMap<u32, State>,
    addresses: Vec<Address>,
    gone: BTreeMap<IpAddr, Duration>,
    /// Connections to look at now.
    dirty: BTreeSet<u32>,
    /// And later.
    timers: BTreeSet<(Duration, u32)>,
    resync: bool,
}

impl Engine {
    /// `ports` are the source ports to choose from, both ends included; `seed`
    /// makes the choice among them, and of delays.
    pub fn new(config: Config, ports: (u16, u16), seed: u64) -> Self {
        Self {
            config,
            ports,
            rng: Rng::with_seed(seed),
            connections: HashMap::new(),
            addresses: Vec::new(),
            gone: BTreeMap::new(),
            dirty: BTreeSet::new(),
            timers: BTreeSet::new(),
            resync: false,
        }
    }

    /// Number of connections it takes care of.
    pub fn len(&self) -> usize {
        self.connections.len()
    }

    /// It takes care of none.
    pub fn is_empty(&self) -> bool {
        self.connections.is_empty()
    }

    /// True once when a dump is needed: what is known is not all there is.
    pub fn wants_dump(&mut self) -> bool {
        std::mem::take(&mut self.resync)
    }

    /// An event came.
    pub fn event(&mut self, now: Duration, event: &Event) {
        let record = &event.record;
        match event.kind {
            Kind::Lost => {
                self.resync = true;
                return;
            }
            Kind::ListenerCreated | Kind::ListenerClosed => return,
            _ => {}
        }
        let Some(token) = record.token else { return };
        if matches!(event.kind, Kind::Closed | Kind::Fallback) {
            self.forget(token);
            return;
        }
        if matches!(event.kind, Kind::Created | Kind::Established) {
            self.begin(now, token, event);
            return;
        }
        let Some(state) = self.connections.get_mut(&token) else {
            // It began when nobody listened, or its beginning was lost.
            self.resync = true;
            return;
        };
        match event.kind {
            Kind::Announced => {
                if let (Some(id), Some(address)) = (record.remote_id, record.remote) {
                    state.remote_announced(id, address, record.remote_port.unwrap_or(0));
                }
            }
            Kind::Removed => {
                if let Some(id) = record.remote_id {
                    state.remote_removed(id);
                }
            }
            Kind::SubflowEstablished => {
                if let Some(subflow) = record.subflow() {
                    state.is_up(now, &subflow);
                }
            }
            Kind::SubflowClosed => {
                if let Some(ends) = record.ends() {
                    let error = record.error.unwrap_or(0);
                    let retry = &self.config.retry;
                    state.is_closed(now, ends, error, record.reset, retry, &mut self.rng);
                }
            }
            _ => return,
        }
        self.dirty.insert(token);
    }

    /// A connection begins, or can have subflows now.
    fn begin(&mut self, now: Duration, token: u32, event: &Event) {
        let Some(subflow) = event.record.subflow() else {
            return;
        };
        let first = state::key(subflow.local, subflow.remote);
        let other = |state: &State| state.first != first;
        if self.connections.get(&token).is_some_and(other) {
            // The token was another's, whose end nobody told.
            self.forget(token);
        }
        let config = &self.config;
        let state = self
            .connections
            .entry(token)
            .or_insert_with(|| State::new(token, &subflow, config));
        state.established |= event.kind == Kind::Established;
        state.deny_join_id0 |= event.record.deny_join_id0.unwrap_or(false);
        state.server_side |= event.record.server_side.unwrap_or(false);
        state.is_up(now, &subflow);
        self.dirty.insert(token);
    }

    fn forget(&mut self, token: u32) {
        if let Some(due) = self.connections.remove(&token).and_then(|state| state.due) {
            self.timers.remove(&(due, token));
        }
        self.dirty.remove(&token);
    }

    /// The addresses that can be used now.
    pub fn addresses(&mut self, now: Duration, addresses: Vec<Address>) {
        let is = |ip| addresses.iter().any(|address| address.ip == ip);
        for before in &self.addresses {
            if !is(before.ip) {
                self.gone.entry(before.ip).or_insert(now);
            }
        }
        let new: BTreeSet<IpAddr> = addresses
            .iter()
            .filter(|address| !self.addresses.contains(address))
            .map(|address| address.ip)
            .collect();
        for ip in &new {
            self.gone.remove(ip);
        }
        if self.addresses == addresses {
            return;
        }
        self.addresses = addresses;
        for (&token, state) in &mut self.connections {
            state.forget_failures(|want| new.contains(&want.local));
            self.dirty.insert(token);
        }
    }

    /// What is, from a dump. What was before and is not in it, is no more.
    pub fn resync(&mut self, now: Duration, connections: &[Connection]) {
        let known: BTreeSet<u32> = self.connections.keys().copied().collect();
        let found: BTreeSet<u32> = connections
            .iter()
            .filter(|connection| connection.phase != Phase::FallenBack)
            .map(|connection| connection.token)
            .collect();
        for token in known.difference(&found) {
            self.forget(*token);
        }
        for dump in connections {
            if !found.contains(&dump.token) {
                continue;
            }
            // A connection may outlive its subflows, but says nothing then of
            // where it goes.
            let config = &self.config;
            if let Some(first) = dump.subflows.first() {
                self.connections
                    .entry(dump.token)
                    .or_insert_with(|| State::new(dump.token, first, config));
            }
            let Some(state) = self.connections.get_mut(&dump.token) else {
                continue;
            };
            for want in state.resync(now, dump) {
                state.is_missing(now, want, &config.retry, &mut self.rng);
            }
            self.dirty.insert(dump.token);
        }
    }

    /// A command was carried out.
    pub fn done(&mut self, command: &Command) {
        if let Some(state) = self.connections.get_mut(&command.token()) {
            state.is_done(command);
        }
    }

    /// The kernel refused a command with this errno.
    pub fn refused(&mut self, now: Duration, command: &Command, errno: i32) {
        let token = command.token();
        let Some(state) = self.connections.get_mut(&token) else {
            return;
        };
        let errno = Errno::from_raw(errno);
        match state.is_refused(now, command, errno, &self.config.retry, &mut self.rng) {
            Verdict::Ended => self.forget(token),
            Verdict::Stays => {
                self.dirty.insert(token);
            }
            Verdict::Resync => {
                self.resync = true;
                self.dirty.insert(token);
            }
        }
    }

    /// What to do now. Ask again until there is nothing: what a command's
    /// outcome changes is looked at then.
    pub fn poll(&mut self, now: Duration) -> Vec<Step> {
        while let Some(&(due, token)) = self.timers.first() {
            if due > now {
                break;
            }
            self.timers.pop_first();
            if let Some(state) = self.connections.get_mut(&token) {
                state.due = None;
                self.dirty.insert(token);
            }
        }
        let host = Host {
            now,
            config: &self.config,
            addresses: &self.addresses,
            gone: &self.gone,
            ports: self.ports,
        };
        let mut all = Vec::new();
        for token in std::mem::take(&mut self.dirty) {
            let Some(state) = self.connections.get_mut(&token) else {
                continue;
            };
            if let Some(due) = state.due {
                self.timers.remove(&(due, token));
            }
            let steps = state.reconcile(&host, &mut self.rng);
            self.resync |= steps.overdue;
            all.extend(steps.all);
            if let Some(due) = state.due {
                self.timers.insert((due, token));
            }
        }
        all
    }

    /// When `poll` has something to do again, if nothing happens before.
    pub fn deadline(&self) -> Option<Duration> {
        self.timers.first().map(|timer| timer.0)
    }
}
