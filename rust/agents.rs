// SPDX-License-Identifier: GPL-2.0

//! Agents: netlink sockets that are in charge of flows.

use core::sync::atomic::{
    AtomicBool,
    AtomicU32,
    AtomicU64,
    Ordering::Relaxed, //
};

use kernel::{
    prelude::*,
    sync::Arc, //
};

use crate::{
    flows,
    ids::id_of,
    net::Net,
    portus,
    shim::{
        self,
        portus::{
            Peer,
            Wire, //
        },
        AgentInfo,
        Limit,
        Name,
        Socket,
        ALGORITHMS_BYTES, //
    },
};

/// An agent.
///
/// The atomics are read on every ACK of its flows. No other memory depends on
/// them, hence the relaxed ordering: a flow that sees a change one ACK late is
/// as good as one whose ACK came a moment earlier. That no flow misses a change
/// for good is what [`Net::generation`] is for.
pub(crate) struct Agent {
    /// What is its own, says so by this number: no other agent ever has it.
    pub(crate) number: u64,
    /// What users see of the number.
    pub(crate) id: u32,
    /// Its netlink port, of the kind its socket is; 0 for a device.
    pub(crate) port: u32,
    /// Held from [`Net::attach`] to [`Net::take_out`].
    socket: Socket,
    /// How it is spoken to, if it is a Portus client.
    peer: Option<Peer>,
    name: Name,
    algorithms: [u8; ALGORITHMS_BYTES],
    algorithms_len: u32,
    gone: AtomicBool,
    last_heard_us: AtomicU64,
    /// Somebody found it silent, and it did not return since.
    seen_silent: AtomicBool,
    /// How often it came back from silence.
    returns: AtomicU32,
    flows: AtomicU32,
    /// Programs and their memory; changed under the command lock only.
    pub(crate) programs: AtomicU32,
    pub(crate) program_bytes: AtomicU64,
}

impl Agent {
    /// A new agent, with a number of the namespace's `agent_ids`.
    ///
    /// # Safety
    ///
    /// Somebody must hold the socket now, and `wire` must be what C says of it.
    pub(crate) unsafe fn new(
        number: u64,
        port: u32,
        socket: Socket,
        wire: Wire,
        name: Name,
        algorithms: &[u8],
    ) -> Agent {
        let mut kept = [0; ALGORITHMS_BYTES];
        for (to, from) in kept.iter_mut().zip(algorithms) {
            *to = *from;
        }
        Agent {
            number,
            id: id_of(number),
            port,
            socket,
            // SAFETY: The caller's promise.
            peer: unsafe { Peer::new(socket, wire, port) },
            name,
            algorithms: kept,
            algorithms_len: algorithms.len().min(ALGORITHMS_BYTES) as u32,
            gone: AtomicBool::new(false),
            last_heard_us: AtomicU64::new(shim::clock_us()),
            seen_silent: AtomicBool::new(false),
            returns: AtomicU32::new(0),
            flows: AtomicU32::new(0),
            programs: AtomicU32::new(0),
            program_bytes: AtomicU64::new(0),
        }
    }

    /// Whether its socket is gone or it detached.
    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Relaxed)
    }

    /// Whether it has sent nothing for longer than `agent_timeout_ms`. A Portus
    /// client may have nothing to say: it is silent when it doesn't read.
    pub(crate) fn is_silent(&self, now_us: u64) -> bool {
        let timeout_us = u64::from(shim::limit(Limit::AgentTimeoutMs)).saturating_mul(1000);
        let silence = now_us.saturating_sub(self.last_heard_us.load(Relaxed));
        let is_silent = timeout_us != 0
            && silence > timeout_us
            && self.peer.as_ref().map_or(true, Peer::is_waiting);
        if is_silent {
            self.seen_silent.store(true, Relaxed);
        }
        is_silent
    }

    /// Whether it is a Portus client.
    pub(crate) fn is_portus(&self) -> bool {
        self.peer.is_some()
    }

    /// Whether it has a name for this flow.
    #[inline]
    pub(crate) fn reaches(&self, flow: u64) -> bool {
        self.peer.is_none() || portus::is_reachable(flow, flows::newest_id())
    }

    /// Queues a message for a Portus client; whether there was room.
    pub(crate) fn tell(&self, message: &[u8]) -> bool {
        self.peer.as_ref().is_some_and(|peer| {
            // It has read all there was: its time begins anew.
            if !peer.is_waiting() {
                self.last_heard_us.store(shim::clock_us(), Relaxed);
            }
            peer.send(message)
        })
    }

    /// Whether a silence is over.
    pub(crate) fn has_woken(&self) -> bool {
        if self.is_silent(shim::clock_us()) || !self.seen_silent.swap(false, Relaxed) {
            return false;
        }
        self.returns.fetch_add(1, Relaxed);
        true
    }

    /// Notes a sign of life; whether it ends a silence.
    pub(crate) fn hear(&self) -> bool {
        let now_us = shim::clock_us();
        self.is_silent(now_us);
        self.last_heard_us.store(now_us, Relaxed);
        self.has_woken()
    }

    /// Whether flows for this algorithm are its: any flow if it is empty.
    fn offers(&self, algorithm: &[u8]) -> bool {
        let list = self.algorithms.get(..self.algorithms_len as usize);
        let mut names = list.unwrap_or_default().split(|byte| *byte == 0);
        algorithm.is_empty() || names.any(|name| name == algorithm)
    }

    /// What a dump shows of it.
    pub(crate) fn info(&self, now_us: u64) -> AgentInfo {
        AgentInfo {
            id: self.id,
            port: self.port,
            flows: self.flows.load(Relaxed),
            programs: self.programs.load(Relaxed),
            silent: u32::from(self.is_silent(now_us)),
            algorithms_len: self.algorithms_len,
            name: self.name,
            algorithms: self.algorithms,
        }
    }
}

/// An agent's charge of one flow.
pub(crate) struct Charge {
    agent: Arc<Agent>,
    /// The last return from silence the flow knows of.
    returns: u32,
    /// The agent, a Portus client, was told of the flow.
    pub(crate) told: bool,
}

impl Charge {
    /// Puts the agent in charge of one more flow.
    pub(crate) fn new(agent: Arc<Agent>) -> Charge {
        agent.flows.fetch_add(1, Relaxed);
        let returns = agent.returns.load(Relaxed);
        Charge {
            agent,
            returns,
            told: false,
        }
    }

    /// Whether the agent should have been told of the flow and was not.
    pub(crate) fn is_untold(&self) -> bool {
        !self.told && self.agent.is_portus()
    }

    /// Whether the agent came back from silence since the last time.
    pub(crate) fn has_returned(&mut self) -> bool {
        let returns = self.agent.returns.load(Relaxed);
        core::mem::replace(&mut self.returns, returns) != returns
    }
}

impl core::ops::Deref for Charge {
    type Target = Agent;

    fn deref(&self) -> &Agent {
        &self.agent
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.agent.flows.fetch_sub(1, Relaxed);
    }
}

impl Net {
    /// A number for a new agent, whose id no other has. The command lock is held.
    pub(crate) fn next_agent(&self) -> Option<u64> {
        let has = |id| move |agent: &Agent| agent.id == id;
        self.agent_ids
            .next(|id| self.shim.agents().find(0, has(id)).is_some())
    }

    /// The agent that is this socket.
    pub(crate) fn agent_of(&self, socket: Socket) -> Option<Arc<Agent>> {
        let found = self.shim.agents().find(0, |agent| agent.socket == socket);
        found.map(|(_, agent)| agent)
    }

    /// The agent that new flows for an algorithm go to: the oldest that offers
    /// it and isn't silent.
    pub(crate) fn first_live_agent(&self, algorithm: &[u8], now_us: u64) -> Option<Arc<Agent>> {
        let live =
            |agent: &Agent| !agent.is_gone() && agent.offers(algorithm) && !agent.is_silent(now_us);
        self.shim.agents().find(0, live).map(|(_, agent)| agent)
    }

    /// Makes an agent known, on behalf of its socket.
    pub(crate) fn attach(&self, agent: Arc<Agent>) -> Result {
        let socket = agent.socket;
        // SAFETY: The caller is using the socket right now.
        unsafe { socket.hold() };
        let inserted = self.shim.agents().insert(agent.number, agent);
        if inserted.is_err() {
            // SAFETY: Held above, and by no agent in the table.
            unsafe { socket.put() };
        }
        inserted
    }

    /// Takes an agent out of the table; false if somebody else did.
    pub(crate) fn take_out(&self, agent: &Agent) -> bool {
        agent.gone.store(true, Relaxed);
        let removed = self.shim.agents().remove(agent.number).is_some();
        if removed {
            // SAFETY: Held by `attach`, and only one caller removes it.
            unsafe { agent.socket.put() };
        }
        removed
    }

    /// Takes an agent's leave: its flows fall back at their next ACK, at the
    /// latest when the sweep comes by; its programs go when their last flow
    /// does; the fallback program stays.
    pub(crate) fn remove_agent(&self, agent: &Agent) {
        let lock = self.shim.lock();
        let removed = self.take_out(agent);
        let mut from = 0;
        let programs = self.shim.programs();
        while let Some((id, program)) = programs.find(from, |program| program.owner == agent.number)
        {
            if !self.is_fallback(&program) {
                drop(programs.remove(id));
            }
            from = id.saturating_add(1);
        }
        drop(lock);
        // Two threads may detach the same socket; one of them wins.
        if removed {
            self.agents_changed();
        }
    }

    /// A netlink socket with this port was closed: removes the agent it was.
    /// Another socket may have the port by now.
    pub(crate) fn port_closed(&self, port: u32) {
        let closed = |agent: &Agent| {
            // SAFETY: An agent in the table holds its socket.
            agent.port == port && unsafe { agent.socket.is_closed() }
        };
        while let Some((_, agent)) = self.shim.agents().find(0, closed) {
            self.remove_agent(&agent);
        }
    }
}
