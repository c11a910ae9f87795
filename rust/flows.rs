// SPDX-License-Identifier: GPL-2.0

//! Flows: TCP connections under this congestion control.
//!
//! # What locks what
//!
//! | what | by |
//! |---|---|
//! | a [`Flow`], and the socket's window and rate | the socket's lock |
//! | which agents, programs and fallback there are | to change: the namespace's command lock (a mutex); to look up: the table's own lock |
//! | liveness of an agent, users of a program | atomics, read without a lock |
//!
//! The socket's lock is held by TCP around every call of `tcp_hook`; commands
//! and the sweep take it by [`lock`] and [`lock_next`], in process context.
//! So a command takes effect between two ACKs, whole. Order, outermost first:
//! command lock, socket lock, table lock.
//!
//! Whoever owns a socket can keep it locked as long as he likes. So commands
//! wait for it at most half a second, dumps and the sweep not at all; and they
//! take only the spinlock in it, as the softirq does, hence nothing here sleeps
//! while it holds it. Memory a command needs is allocated before; on the ACK
//! path nothing is allocated but the message of an event.
//!
//! # Who is in charge
//!
//! A flow always runs some program. It belongs to at most one agent, whose
//! liveness it checks on each ACK: if the agent is gone or silent, it goes to
//! the fallback program and needs no memory for that. Each change among the
//! agents begins a new generation of the namespace, in which every flow settles
//! once who is in charge: a flow without an agent goes to the oldest live one,
//! of those that offer its algorithm if its congestion control names one, and one that fell back is announced to its agent when that returns from
//! silence. It does so at its next ACK, or when a sweep, a worker that visits
//! every flow of the namespace, comes by first.

use core::sync::atomic::{
    AtomicU64,
    Ordering::Relaxed, //
};

use kernel::{
    prelude::*,
    sync::Arc, //
};

use crate::{
    agents::Charge,
    events,
    net::Net,
    portus,
    programs::{
        Program,
        Running,
        BUILTIN, //
    },
    shim::{
        self,
        Counter,
        FlowBox,
        FlowInfo,
        Gauge,
        Limit,
        LockedFlow,
        Sock, //
    },
    tcp::{
        Ack,
        Tracker, //
    },
    vm::{
        self,
        MIN_FILE, //
    },
};

/// Invocations that may abort in a row before a program is given up.
pub(crate) const ABORTS_MAX: u32 = 64;

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// An id no flow had, with a number for Portus clients.
fn next_id() -> u64 {
    let id = NEXT_ID.fetch_add(1, Relaxed);
    match portus::sid_of(id) {
        0 => NEXT_ID.fetch_add(1, Relaxed),
        _ => id,
    }
}

/// The last id that was given.
pub(crate) fn newest_id() -> u64 {
    NEXT_ID.load(Relaxed).saturating_sub(1)
}

/// Why a flow runs the fallback program; `enum ccp_fallback_reason`.
#[derive(Copy, Clone, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Reason {
    /// It doesn't.
    None = 0,
    NoAgent = 1,
    AgentGone = 2,
    AgentSilent = 3,
    ProgramAborted = 4,
}

/// A flow.
pub(crate) struct Flow {
    pub(crate) id: u64,
    pub(crate) net: Arc<Net>,
    pub(crate) charge: Option<Charge>,
    pub(crate) running: Running,
    pub(crate) reason: Reason,
    /// The generation of the namespace it was settled in.
    settled: u64,
    pub(crate) aborts_in_row: u32,
    /// The rate in force is a program's or an agent's wish.
    pub(crate) paced: bool,
    pub(crate) state: vm::State,
    pub(crate) tracker: Tracker,
    pub(crate) counts: Counts,
    /// What the built-in and most other programs need.
    small: [u64; MIN_FILE],
    /// For a program that needs more.
    large: KVec<u64>,
}

// With what the table of flows takes, a flow is to stay below 1 KiB.
const _: () = assert!(core::mem::size_of::<Flow>() <= 960);

/// What happened to a flow so far.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) created_us: u64,
    pub(crate) init_cwnd: u32,
    pub(crate) reports: u64,
    pub(crate) report_drops: u64,
    pub(crate) invocations: u64,
    pub(crate) aborts: u64,
    pub(crate) fallbacks: u64,
}

/// A register file made ahead, for a program that needs a large one.
pub(crate) fn large_file(program: &Program) -> Result<KVec<u64>> {
    match program.registers() {
        ..=MIN_FILE => Ok(KVec::new()),
        slots => Ok(KVec::from_elem(0, slots, GFP_KERNEL_ACCOUNT)?),
    }
}

impl Flow {
    /// Makes the flow of a socket, which runs the fallback program. Any
    /// context; `None` without memory or over `max_flows`.
    pub(crate) fn open(net: Arc<Net>, sk: Sock<'_>, ack: &Ack) -> Option<FlowBox<Flow>> {
        let limit = shim::limit(Limit::MaxFlows);
        if limit != 0 && net.shim.gauge(Gauge::Flows) >= limit {
            return None;
        }
        let running = net.fallback_running()?;
        let now_us = shim::clock_us();
        let flow = Flow {
            id: next_id(),
            charge: None,
            running,
            reason: Reason::NoAgent,
            settled: net.generation(),
            aborts_in_row: 0,
            paced: false,
            state: vm::State::default(),
            tracker: Tracker::new(ack),
            counts: Counts {
                created_us: now_us,
                init_cwnd: ack.snd_cwnd.saturating_mul(ack.mss),
                ..Counts::default()
            },
            small: [0; MIN_FILE],
            large: KVec::new(),
            net,
        };
        // SAFETY: The cache is one of `Flow`, and outlives the registration of
        // the congestion control.
        let mut flow = unsafe { FlowBox::new(flow) }?;
        let Flow {
            running,
            state,
            small,
            ..
        } = &mut *flow;
        state.install(running.vm(), small, now_us);
        // In the table before an agent is chosen: a change among the agents
        // between the two is met by its sweep, too.
        flow.net.shim.insert_flow(flow.id, sk).ok()?;
        flow.net.shim.count(Counter::FlowsCreated);
        let algorithm = sk.algorithm();
        let agent = flow.net.first_live_agent(algorithm.as_bytes(), now_us);
        flow.charge = agent.map(Charge::new);
        flow.publish(sk);
        events::created(&mut flow, sk, false);
        Some(flow)
    }

    /// The socket leaves: forgets the flow's id and says so.
    pub(crate) fn close(&self, sk: Sock<'_>) {
        self.net.shim.remove_flow(self.id);
        events::closed(self, sk);
    }

    fn publish(&self, sk: Sock<'_>) {
        let agent = self.charge.as_ref().map_or(0, |charge| charge.id);
        sk.publish(agent, self.running.id, self.reason as u32);
    }

    /// The agent's port of generic netlink, as long as it is there.
    pub(crate) fn port(&self) -> u32 {
        match &self.charge {
            Some(agent) if !agent.is_gone() && !agent.is_portus() => agent.port,
            _ => 0,
        }
    }

    /// The parts that run together: machine, program, register file.
    pub(crate) fn machine(&mut self) -> (&mut vm::State, vm::Program<'_>, &mut [u64]) {
        let program = self.running.vm();
        let file: &mut [u64] = if self.running.registers() > MIN_FILE {
            &mut self.large
        } else {
            &mut self.small
        };
        (&mut self.state, program, file)
    }

    /// Measures and runs the program once.
    #[inline]
    pub(crate) fn invoke(&mut self, ack: &Ack) -> vm::Outcome {
        let program = self.running.vm();
        let file: &mut [u64] = if self.running.registers() > MIN_FILE {
            &mut self.large
        } else {
            &mut self.small
        };
        let Some(primitives) = vm::measurements(file) else {
            return vm::Outcome::default();
        };
        let start = self.tracker.measure(ack, primitives);
        self.state.run(program, file, start)
    }

    /// Switches to a program. `large` must come from [`large_file`].
    pub(crate) fn install(&mut self, program: Running, large: KVec<u64>, now_us: u64) {
        let mut locals = [0; MIN_FILE];
        let (_, _, file) = self.machine();
        for (to, from) in locals.iter_mut().zip(file.iter()) {
            *to = *from;
        }
        self.running = program;
        self.large = large;
        self.aborts_in_row = 0;
        // The local registers, which live in the first slots, move along.
        let (state, program, file) = self.machine();
        for (to, from) in file.iter_mut().zip(locals) {
            *to = from;
        }
        state.install(program, file, now_us);
    }

    /// Takes what its agent gives it: a program of the agent's, for no
    /// `reason`, or the fallback program. `large` must come from
    /// [`large_file`].
    pub(crate) fn take(
        &mut self,
        sk: Sock<'_>,
        program: Running,
        large: KVec<u64>,
        reason: Reason,
    ) {
        self.install(program, large, shim::clock_us());
        // The rate was the other program's.
        self.paced = false;
        self.reason = reason;
        self.publish(sk);
    }

    /// Goes to the fallback program. Any context; needs no memory.
    pub(crate) fn fall_back(&mut self, sk: Sock<'_>, reason: Reason, now_us: u64) {
        // A fallback program that aborts makes way for the built-in one.
        if reason == Reason::ProgramAborted && self.running.id == BUILTIN {
            self.aborts_in_row = 0;
            return;
        }
        let fallback = match (reason, self.reason) {
            (Reason::ProgramAborted, Reason::None) => self.net.fallback_running(),
            (Reason::ProgramAborted, _) => Running::new(Arc::clone(&self.net.builtin)),
            _ => self.net.fallback_running(),
        };
        let Some(fallback) = fallback else {
            return;
        };
        let agent = self.charge.as_ref().map_or(0, |charge| charge.id);
        shim::trace_fallback(self.id, agent, self.running.id, reason as u32);
        self.install(fallback, KVec::new(), now_us);
        // The rate was the program's: back to what the stack would do.
        self.paced = false;
        self.reason = reason;
        self.counts.fallbacks = self.counts.fallbacks.wrapping_add(1);
        self.net.shim.count(Counter::Fallbacks);
        self.publish(sk);
        events::fallback(self, sk);
    }

    /// Falls back if the agent in charge is gone or silent.
    #[inline]
    fn check_agent(&mut self, sk: Sock<'_>, now_us: u64) {
        let Some(agent) = &self.charge else {
            return;
        };
        if agent.is_gone() || !agent.reaches(self.id) {
            if self.reason == Reason::None {
                self.fall_back(sk, Reason::AgentGone, now_us);
            }
            self.charge = None;
            self.publish(sk);
        } else if self.reason == Reason::None && agent.is_silent(now_us) {
            self.fall_back(sk, Reason::AgentSilent, now_us);
        }
    }

    /// Before a program runs: is the right agent in charge, and alive?
    #[inline]
    pub(crate) fn check_charge(&mut self, sk: Sock<'_>, now_us: u64) {
        self.check_agent(sk, now_us);
        if self.settled != self.net.generation() {
            self.settle(sk, now_us);
        }
    }

    /// Once a generation: sees to it that a live agent is in charge if there is
    /// one, and that it knows. Any context.
    #[cold]
    fn settle(&mut self, sk: Sock<'_>, now_us: u64) {
        self.settled = self.net.generation();
        let adopted = match &mut self.charge {
            None => {
                let algorithm = sk.algorithm();
                let agent = self.net.first_live_agent(algorithm.as_bytes(), now_us);
                self.charge = agent.map(Charge::new);
                self.publish(sk);
                self.charge.is_some()
            }
            Some(agent) => {
                let returned = agent.has_returned() && self.reason != Reason::None;
                returned || agent.is_untold()
            }
        };
        if adopted {
            events::created(self, sk, true);
        }
    }

    /// What messages tell of it.
    pub(crate) fn info(&self) -> FlowInfo {
        let counts = &self.counts;
        let age_us = shim::clock_us().saturating_sub(counts.created_us);
        FlowInfo {
            id: self.id,
            age_ms: age_us / 1000,
            reports: counts.reports,
            report_drops: counts.report_drops,
            invocations: counts.invocations,
            aborts: counts.aborts,
            fallbacks: counts.fallbacks,
            agent: self.charge.as_ref().map_or(0, |charge| charge.id),
            program: self.running.id,
            reason: self.reason as u32,
            init_cwnd: counts.init_cwnd,
        }
    }
}

impl Net {
    /// The fallback program, for one more flow.
    pub(crate) fn fallback_running(&self) -> Option<Running> {
        Running::new(self.fallback()).or_else(|| Running::new(Arc::clone(&self.builtin)))
    }
}

/// A flow found by its id, locked until this is dropped.
pub(crate) struct Locked(LockedFlow);

impl Locked {
    /// The flow and its socket.
    pub(crate) fn parts(&mut self) -> (&mut Flow, Sock<'_>) {
        // SAFETY: The private area of a locked socket with our ops points to
        // its `Flow`, which stays as long as the lock is held, and which
        // nobody else uses meanwhile.
        let flow = unsafe { &mut *self.0.flow().cast::<Flow>().as_ptr() };
        (flow, self.0.sock())
    }

    /// See [`Flow::check_charge`].
    pub(crate) fn settle(&mut self) {
        let (flow, sk) = self.parts();
        flow.check_charge(sk, shim::clock_us());
    }
}

/// The flow with this id; ENOENT, or EBUSY if its process keeps it locked. May
/// sleep, but nothing may before the result is dropped.
pub(crate) fn lock(net: &Net, id: u64) -> Result<Locked> {
    net.shim.flow(id).map(Locked)
}

/// The flow with the smallest id from `id` on, or `None` at the end; inside
/// `None` if its process has it locked. The rest as for [`lock`].
pub(crate) fn lock_next(net: &Net, id: &mut u64) -> Option<Option<Locked>> {
    net.shim.next_flow(id).map(|flow| flow.map(Locked))
}
