// SPDX-License-Identifier: GPL-2.0
//! Flows over a virtual bottleneck, with the kernel's own datapath code.
//!
//! An algorithm's programs are compiled, verified and run by the code that
//! runs in the kernel (`ccp-core`); what is modelled is the rest: a sender with
//! SACK, loss detection after three later packets, and an RTO; a link with a
//! rate, a delay and a drop-tail queue; and an agent whose messages take time.
//! Runs are deterministic, and a simulated minute takes milliseconds.
//!
//! What is left out: delayed ACKs, reordering, tail loss probes, undo of
//! spurious reductions, receive windows, and slow start after idle.

mod datapath;
mod link;
mod receiver;
mod sender;

use crate::{
    algorithm::{Algorithm, Datapath, Flow, Program},
    library::Shelf,
    Error, FlowInfo, Report, Result,
};
use ccp_core::vm::Input;
use ccp_netlink::{RawReport, Update};
use datapath::Kernel;
use link::{Link, Passed};
use receiver::{Echo, Receiver};
use sender::{Packet, Sender};
use std::{cmp::Reverse, collections::BinaryHeap, time::Duration};

pub use link::Drops;

/// Nanoseconds since the start.
type Time = u64;

/// Bytes of payload in a packet.
pub const MSS: u32 = 1448;
/// Bytes of a packet on the link: payload, TCP with timestamps, IPv4, Ethernet.
pub const WIRE: u32 = MSS + 32 + 20 + 14;
/// Initial window, packets.
pub const INIT_CWND: u32 = 10;

/// The path all flows share.
#[derive(Clone, Debug)]
pub struct Path {
    /// Rate of the link, bits per second.
    pub rate: u64,
    /// RTT without queueing or transmission times.
    pub rtt: Duration,
    /// Packets the queue holds, the one on the wire included.
    pub queue: usize,
    /// Packets are marked instead of only queued above this length.
    pub mark: Option<usize>,
    /// Packets lost whatever the queue.
    pub drops: Drops,
    /// Time a message takes between the kernel and the agent, each way.
    pub agent: Duration,
}

impl Default for Path {
    /// 20 Mbit/s, 40 ms, one bandwidth-delay product of queue.
    fn default() -> Self {
        Self {
            rate: 20_000_000,
            rtt: Duration::from_millis(40),
            queue: 66,
            mark: None,
            drops: Drops::None,
            agent: Duration::from_micros(200),
        }
    }
}

impl Path {
    /// Packets that fill the link without a queue.
    pub fn bdp(&self) -> f64 {
        self.rate as f64 * self.rtt.as_secs_f64() / f64::from(WIRE * 8)
    }
}

/// A flow of a simulation.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct FlowId(usize);

/// What a flow looked like just after its program ran.
#[derive(Copy, Clone, Debug)]
pub struct Sample {
    /// Time since the start.
    pub time: Duration,
    /// Congestion window, bytes, to the byte.
    pub cwnd: u64,
    /// Packets in flight.
    pub in_flight: u32,
    /// Smoothed RTT.
    pub srtt: Duration,
    /// Packets delivered so far.
    pub delivered: u32,
    /// Packets lost so far.
    pub lost: u32,
    /// This was a retransmission timeout.
    pub timeout: bool,
    /// In fast recovery, or recovering from a timeout.
    pub recovery: bool,
}

enum Event {
    /// The link has sent its first packet.
    Sent,
    /// A packet is at the receiver.
    Arrival(usize, Packet),
    /// An acknowledgement is at the sender.
    Ack(usize, Echo),
    Timer(usize, u64),
    /// Pacing lets the next packet go, or the application has data.
    Wake(usize),
    Start(usize),
    Report(usize, RawReport),
    Command(usize, Command),
}

/// What an agent asks for.
enum Command {
    Program(usize, Vec<Update>),
    Update(Vec<Update>),
}

struct Entry(Reverse<(Time, u64)>, Event);

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl Eq for Entry {}
impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

/// Both ends of a connection and its agent.
struct Connection {
    sender: Sender,
    receiver: Receiver,
    kernel: Kernel,
    shelf: Shelf,
    handler: Box<dyn Flow>,
    /// The program the agent gave last.
    current: Option<usize>,
    seq: u64,
    samples: Vec<Sample>,
}

/// A simulation.
pub struct Sim {
    path: Path,
    now: Time,
    events: BinaryHeap<Entry>,
    order: u64,
    link: Link,
    flows: Vec<Connection>,
    errors: Vec<String>,
    observer: Option<Observer>,
}

/// Sees what a flow's program is about to see.
type Observer = Box<dyn FnMut(FlowId, &Input)>;

fn nanoseconds(duration: Duration) -> Time {
    Time::try_from(duration.as_nanos()).unwrap_or(Time::MAX)
}

impl Sim {
    /// An idle path.
    pub fn new(path: Path) -> Self {
        Self {
            link: Link::new(&path),
            path,
            now: 0,
            events: BinaryHeap::new(),
            order: 0,
            flows: Vec::new(),
            errors: Vec::new(),
            observer: None,
        }
    }

    /// Shows `observer` from now on what each run of a program starts from:
    /// the primitive registers, window and rate.
    pub fn observe(&mut self, observer: impl FnMut(FlowId, &Input) + 'static) {
        self.observer = Some(Box::new(observer));
    }

    /// A flow under `algorithm` that starts now and has endless data.
    pub fn add_flow(&mut self, algorithm: &dyn Algorithm) -> Result<FlowId> {
        self.add_source(algorithm, None, None)
    }

    /// A subflow of the MPTCP connection `token`, with endless data of its own.
    pub fn add_subflow(&mut self, algorithm: &dyn Algorithm, token: u32) -> Result<FlowId> {
        self.add_source(algorithm, None, Some(token))
    }

    /// A flow whose application writes `rate` bits per second and no more.
    pub fn add_limited_flow(&mut self, algorithm: &dyn Algorithm, rate: u64) -> Result<FlowId> {
        self.add_source(algorithm, Some(rate), None)
    }

    fn add_source(
        &mut self,
        algorithm: &dyn Algorithm,
        rate: Option<u64>,
        mptcp_token: Option<u32>,
    ) -> Result<FlowId> {
        let index = self.flows.len();
        let mut shelf = Shelf::compile(algorithm)?;
        let info = FlowInfo {
            id: index as u64 + 1,
            algorithm: algorithm.name().to_owned(),
            mss: MSS,
            init_cwnd: INIT_CWND * MSS,
            cwnd: INIT_CWND,
            ssthresh: sender::INFINITE,
            mptcp_token,
            ..FlowInfo::default()
        };
        let mut agent = AgentSide {
            flow: info.id,
            shelf: &mut shelf,
            current: None,
            commands: Vec::new(),
        };
        let handler = algorithm.new_flow(&mut agent, &info)?;
        let AgentSide {
            current, commands, ..
        } = agent;
        let sender = Sender::new(self.now, rate);
        let mut kernel = Kernel::new(&shelf, &sender, self.now);
        let mut sender = sender;
        for command in commands {
            kernel.command(command, &mut sender, self.now);
        }
        self.flows.push(Connection {
            sender,
            receiver: Receiver::default(),
            kernel,
            shelf,
            handler,
            current,
            seq: 0,
            samples: Vec::new(),
        });
        self.at(self.now, Event::Start(index));
        Ok(FlowId(index))
    }

    /// Goes on for a time.
    pub fn run_for(&mut self, duration: Duration) {
        let end = self.now.saturating_add(nanoseconds(duration));
        while self.events.peek().is_some_and(|next| next.0 .0 .0 <= end) {
            if let Some(Entry(Reverse((time, _)), event)) = self.events.pop() {
                self.now = time;
                self.handle(event);
            }
        }
        self.now = end;
    }

    /// Time since the start.
    pub fn now(&self) -> Duration {
        Duration::from_nanos(self.now)
    }

    /// Congestion window in whole packets.
    pub fn cwnd(&self, flow: FlowId) -> u32 {
        self.flows[flow.0].sender.cwnd
    }

    /// Packets delivered.
    pub fn delivered(&self, flow: FlowId) -> u32 {
        self.flows[flow.0].sender.delivered
    }

    /// Packets lost.
    pub fn lost(&self, flow: FlowId) -> u32 {
        self.flows[flow.0].sender.lost
    }

    /// Everything a flow went through, one sample per run of its program.
    pub fn samples(&self, flow: FlowId) -> &[Sample] {
        &self.flows[flow.0].samples
    }

    /// Share of the link's capacity that was used since `from`, 0 to 1.
    pub fn utilisation(&self, from: Duration) -> f64 {
        self.link.busy_since(nanoseconds(from), self.now)
    }

    /// Packets in the queue.
    pub fn queue(&self) -> usize {
        self.link.len()
    }

    /// What flow handlers returned as errors, and programs as aborts.
    pub fn errors(&self) -> &[String] {
        &self.errors
    }

    fn at(&mut self, time: Time, event: Event) {
        self.order += 1;
        self.events.push(Entry(Reverse((time, self.order)), event));
    }

    fn handle(&mut self, event: Event) {
        let half = nanoseconds(self.path.rtt) / 2;
        match event {
            Event::Sent => {
                if let Some(((flow, packet), next)) = self.link.sent(self.now) {
                    self.at(self.now + half, Event::Arrival(flow, packet));
                    if let Some(next) = next {
                        self.at(next, Event::Sent);
                    }
                }
            }
            Event::Arrival(flow, packet) => {
                let echo = self.flows[flow].receiver.receive(&packet);
                self.at(self.now + half, Event::Ack(flow, echo));
            }
            Event::Ack(flow, echo) => {
                let connection = &mut self.flows[flow];
                if connection.sender.acknowledge(&echo, self.now) {
                    self.invoke(flow, false);
                }
                self.transmit(flow);
            }
            Event::Timer(flow, version) => {
                if self.flows[flow].sender.expire(version) {
                    self.invoke(flow, true);
                    self.transmit(flow);
                }
            }
            Event::Wake(flow) | Event::Start(flow) => self.transmit(flow),
            Event::Report(flow, report) => self.report(flow, report),
            Event::Command(flow, command) => {
                let connection = &mut self.flows[flow];
                connection
                    .kernel
                    .command(command, &mut connection.sender, self.now);
                self.transmit(flow);
            }
        }
    }

    /// Runs a flow's program, as the kernel does on an ACK or a timeout.
    fn invoke(&mut self, flow: usize, timeout: bool) {
        let Connection {
            sender,
            kernel,
            samples,
            ..
        } = &mut self.flows[flow];
        let ran = kernel.invoke(sender, timeout, self.now);
        if let (Some(observer), Some(input)) = (&mut self.observer, &ran.input) {
            observer(FlowId(flow), input);
        }
        samples.push(Sample {
            time: Duration::from_nanos(self.now),
            cwnd: ran.cwnd,
            in_flight: sender.in_flight(),
            srtt: Duration::from_micros(sender.srtt_us().into()),
            delivered: sender.delivered,
            lost: sender.lost,
            timeout,
            recovery: sender.in_recovery(),
        });
        if let Some(abort) = ran.abort {
            self.errors.push(format!("flow {}: {abort:?}", flow + 1));
        }
        if let Some(report) = ran.report {
            let report = RawReport {
                flow_id: flow as u64 + 1,
                ..report
            };
            let arrival = self.now + nanoseconds(self.path.agent);
            self.at(arrival, Event::Report(flow, report));
        }
    }

    /// Gives a report to the flow's handler, and its answers their time.
    fn report(&mut self, flow: usize, raw: RawReport) {
        let connection = &mut self.flows[flow];
        let index = raw.program_id as usize;
        let stale = connection.current != Some(index);
        let missed = raw.seq.saturating_sub(connection.seq + 1);
        connection.seq = raw.seq;
        let Some(program) = connection.shelf.get(index) else {
            return;
        };
        let report = Report::new(program.clone(), raw, stale, missed);
        let mut agent = AgentSide {
            flow: flow as u64 + 1,
            shelf: &mut connection.shelf,
            current: connection.current,
            commands: Vec::new(),
        };
        let outcome = connection.handler.on_report(&mut agent, &report);
        let AgentSide {
            current, commands, ..
        } = agent;
        connection.current = current;
        connection.kernel.learn(&connection.shelf);
        if let Err(error) = outcome {
            self.errors.push(format!("flow {}: {error}", flow + 1));
        }
        let arrival = self.now + nanoseconds(self.path.agent);
        for command in commands {
            self.at(arrival, Event::Command(flow, command));
        }
    }

    /// Lets a flow send what it may.
    fn transmit(&mut self, flow: usize) {
        while let Some(packet) = self.flows[flow].sender.next_packet(self.now) {
            if let Passed::First(done) = self.link.enqueue(flow, packet, self.now) {
                self.at(done, Event::Sent);
            }
        }
        let sender = &mut self.flows[flow].sender;
        let wake = sender.wake_at(self.now);
        let timer = sender.arm(self.now);
        if let Some(time) = wake {
            self.at(time, Event::Wake(flow));
        }
        if let Some((time, version)) = timer {
            self.at(time, Event::Timer(flow, version));
        }
    }
}

/// A datapath whose commands are still on their way.
struct AgentSide<'a> {
    flow: u64,
    shelf: &'a mut Shelf,
    current: Option<usize>,
    commands: Vec<Command>,
}

impl AgentSide<'_> {
    fn switch(&mut self, index: usize, values: &[(&str, u64)]) -> Result<()> {
        let program = self.shelf.get(index);
        let updates = program
            .ok_or(Error::NotStarted(self.flow))?
            .updates(values)?;
        self.commands.push(Command::Program(index, updates));
        self.current = Some(index);
        Ok(())
    }
}

impl Datapath for AgentSide<'_> {
    fn flow_id(&self) -> u64 {
        self.flow
    }

    fn set_program(&mut self, name: &str, values: &[(&str, u64)]) -> Result<()> {
        self.switch(self.shelf.find(name)?, values)
    }

    fn update(&mut self, values: &[(&str, u64)]) -> Result<()> {
        let program = self.current.and_then(|index| self.shelf.get(index));
        let updates = program
            .ok_or(Error::NotStarted(self.flow))?
            .updates(values)?;
        self.commands.push(Command::Update(updates));
        Ok(())
    }

    fn install(&mut self, program: &Program, values: &[(&str, u64)]) -> Result<()> {
        let index = match self.shelf.find_late(program) {
            Some(index) => index,
            None => self.shelf.add_late(program)?,
        };
        self.switch(index, values)
    }
}
