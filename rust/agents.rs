// SPDX-License-Identifier: GPL-2.0

//! Agents: netlink sockets that are in charge of flows.

use core::sync::atomic::{
    AtomicBool,
    AtomicU32,
    AtomicU64,
    Ordering::Relaxed, //
};

use kernel::sync::Arc;

use crate::{
    net::Net,
    shim::{
        self,
        AgentInfo,
        Limit,
        Name,
        ALGORITHMS_BYTES, //
    },
};

/// Ids are never reused; the last one stays unused.
static NEXT_ID: AtomicU32 = AtomicU32::new(1);

/// The next value of a counter that must not wrap.
pub(crate) fn next_id(counter: &AtomicU32) -> Option<u32> {
    counter
        .fetch_update(Relaxed, Relaxed, |id| id.checked_add(1))
        .ok()
}

/// An agent.
///
/// The atomics are read on every ACK of its flows. No other memory depends on
/// them, hence the relaxed ordering: a flow that sees a change one ACK late is
/// as good as one whose ACK came a moment earlier.
pub(crate) struct Agent {
    pub(crate) id: u32,
    pub(crate) port: u32,
    name: Name,
    algorithms: [u8; ALGORITHMS_BYTES],
    algorithms_len: u32,
    gone: AtomicBool,
    last_heard_us: AtomicU64,
    /// It was silent and is back: its flows are to be announced again.
    returned: AtomicBool,
    /// The sweep under way announces them.
    announcing: AtomicBool,
    flows: AtomicU32,
    /// Programs and their memory; changed under the command lock only.
    pub(crate) programs: AtomicU32,
    pub(crate) program_bytes: AtomicU64,
}

impl Agent {
    /// A new agent; `None` when all ids were used.
    pub(crate) fn new(port: u32, name: Name, algorithms: &[u8]) -> Option<Agent> {
        let mut kept = [0; ALGORITHMS_BYTES];
        for (to, from) in kept.iter_mut().zip(algorithms) {
            *to = *from;
        }
        Some(Agent {
            id: next_id(&NEXT_ID)?,
            port,
            name,
            algorithms: kept,
            algorithms_len: algorithms.len().min(ALGORITHMS_BYTES) as u32,
            gone: AtomicBool::new(false),
            last_heard_us: AtomicU64::new(shim::clock_us()),
            returned: AtomicBool::new(false),
            announcing: AtomicBool::new(false),
            flows: AtomicU32::new(0),
            programs: AtomicU32::new(0),
            program_bytes: AtomicU64::new(0),
        })
    }

    /// Whether its socket is gone or it detached.
    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Relaxed)
    }

    /// Whether it has sent nothing for longer than `agent_timeout_ms`.
    pub(crate) fn is_silent(&self, now_us: u64) -> bool {
        let timeout_us = u64::from(shim::limit(Limit::AgentTimeoutMs)).saturating_mul(1000);
        let silence = now_us.saturating_sub(self.last_heard_us.load(Relaxed));
        timeout_us != 0 && silence > timeout_us
    }

    /// Notes a sign of life; whether it ends a silence.
    pub(crate) fn hear(&self) -> bool {
        let now_us = shim::clock_us();
        let was_silent = self.is_silent(now_us);
        self.last_heard_us.store(now_us, Relaxed);
        if was_silent {
            self.returned.store(true, Relaxed);
        }
        was_silent
    }

    /// At the start of a sweep: whether it is to announce the agent's flows.
    pub(crate) fn begin_sweep(&self) {
        let returned = self.returned.swap(false, Relaxed);
        self.announcing.store(returned, Relaxed);
    }

    /// Whether the sweep under way announces the agent's flows.
    pub(crate) fn is_announcing(&self) -> bool {
        self.announcing.load(Relaxed)
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
pub(crate) struct Charge(Arc<Agent>);

impl Charge {
    /// Puts the agent in charge of one more flow.
    pub(crate) fn new(agent: Arc<Agent>) -> Charge {
        agent.flows.fetch_add(1, Relaxed);
        Charge(agent)
    }
}

impl core::ops::Deref for Charge {
    type Target = Agent;

    fn deref(&self) -> &Agent {
        &self.0
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.0.flows.fetch_sub(1, Relaxed);
    }
}

impl Net {
    /// The agent whose socket has this netlink port.
    pub(crate) fn agent_at(&self, port: u32) -> Option<Arc<Agent>> {
        let found = self.shim.agents().find(0, |agent| agent.port == port);
        found.map(|(_, agent)| agent)
    }

    /// The agent that new flows go to: the oldest that isn't silent.
    pub(crate) fn first_live_agent(&self, now_us: u64) -> Option<Arc<Agent>> {
        let live = |agent: &Agent| !agent.is_gone() && !agent.is_silent(now_us);
        self.shim.agents().find(0, live).map(|(_, agent)| agent)
    }

    /// Takes an agent's leave: its flows fall back at their next ACK, at the
    /// latest when the sweep comes by; its programs go when their last flow
    /// does; the fallback program stays.
    pub(crate) fn remove_agent(&self, agent: &Agent) {
        let lock = self.shim.lock();
        agent.gone.store(true, Relaxed);
        let removed = self.shim.agents().remove(u64::from(agent.id));
        let mut from = 0;
        let programs = self.shim.programs();
        while let Some((id, program)) = programs.find(from, |program| program.agent == agent.id) {
            if !self.is_fallback(&program) {
                drop(programs.remove(id));
            }
            from = id.saturating_add(1);
        }
        drop(lock);
        // Two threads may detach the same socket; one of them wins.
        if removed.is_some() {
            self.shim.sweep();
        }
    }
}
