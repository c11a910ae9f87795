// SPDX-License-Identifier: GPL-2.0
//! The loop between the two.

use crate::{
    link::{Link, Sent},
    session::Session,
    Result,
};
use ccp_core::portus::{self, Request, Updates};
use ccp_netlink::{Client, Event, FlowInfo, Update};
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use std::{
    os::fd::AsFd,
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc,
    },
    time::{Duration, Instant},
};

/// How often is looked for a client, or whether it is still there.
const TICK: Duration = Duration::from_millis(200);
/// A client that reads nothing for longer is as good as gone, if the module
/// has no limit.
const PATIENCE: Duration = Duration::from_secs(10);
const NAME: &str = "portus-unix";

/// How to run a bridge.
pub struct Options {
    /// The name of the client's socket below `/tmp/ccp/`.
    pub client: String,
    /// Set it to stop.
    pub stop: Arc<AtomicBool>,
    /// Called with lines for a log.
    pub log: Box<dyn FnMut(&str)>,
}

/// What a bridge did.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Summary {
    /// Clients that came.
    pub clients: u64,
    /// Flows they were told of.
    pub flows: u64,
    /// Reports they got.
    pub reports: u64,
    /// Messages that found no room in a client's queue.
    pub lost: u64,
    /// Messages of clients that were refused.
    pub refused: u64,
}

/// Serves clients until [`Options::stop`] is set.
pub fn run(options: Options) -> Result<Summary> {
    let mut bridge = Bridge {
        kernel: Client::connect()?,
        link: Link::open(&options.client)?,
        log: options.log,
        agent: None,
        summary: Summary::default(),
    };
    let mut last_tick: Option<Instant> = None;
    while !options.stop.load(Ordering::Relaxed) {
        if last_tick.is_none_or(|last| last.elapsed() >= TICK) {
            last_tick = Some(Instant::now());
            bridge.tick()?;
        }
        bridge.wait();
        while let Some(message) = bridge.link.receive() {
            let message = message.to_vec();
            bridge.on_message(&message)?;
        }
        while let Some(event) = bridge.kernel.next_event(Some(Duration::ZERO))? {
            bridge.on_event(event)?;
        }
    }
    bridge.leave("stopped")?;
    Ok(bridge.summary)
}

/// While there is a client that has installed a program.
struct Agent {
    id: u32,
    session: Session,
    timeout: Duration,
    heartbeat: Instant,
    /// Flows it could not be told of, for want of room.
    untold: Vec<FlowInfo>,
    /// Flows whose end it could not be told.
    unclosed: Vec<Vec<u8>>,
    /// Since when its queue is full.
    full_since: Option<Instant>,
}

struct Bridge {
    kernel: Client,
    link: Link,
    log: Box<dyn FnMut(&str)>,
    agent: Option<Agent>,
    summary: Summary,
}

impl Bridge {
    /// Until something comes, or it is time for a tick.
    fn wait(&self) {
        let mut files = [
            PollFd::new(self.link.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.kernel.as_fd(), PollFlags::POLLIN),
        ];
        let timeout = PollTimeout::try_from(TICK).unwrap_or(PollTimeout::ZERO);
        // A signal or an error: who reads finds out.
        let _ = poll(&mut files, timeout);
    }

    fn tick(&mut self) -> Result<()> {
        let Some(agent) = &mut self.agent else {
            // A client sends its programs when it hears this; once is enough.
            if !self.link.is_connected()
                && self.link.connect()
                && self.link.send(&portus::ready(1)) != Sent::Yes
            {
                self.link.disconnect();
            }
            return Ok(());
        };
        if !self.link.is_connected() {
            return self.leave("the client is gone");
        }
        if agent
            .full_since
            .is_some_and(|since| since.elapsed() > agent.timeout)
        {
            return self.leave("the client reads nothing");
        }
        if agent.heartbeat.elapsed() > agent.timeout / 4 {
            agent.heartbeat = Instant::now();
            self.kernel.heartbeat()?;
        }
        let (untold, unclosed) = (
            std::mem::take(&mut agent.untold),
            std::mem::take(&mut agent.unclosed),
        );
        for message in unclosed {
            self.close(message);
        }
        for flow in untold {
            self.create(flow);
        }
        Ok(())
    }

    /// The end of the client, as far as the module is concerned.
    fn leave(&mut self, why: &str) -> Result<()> {
        if self.agent.take().is_some() {
            (self.log)(&format!("{why}: its flows fall back"));
            self.link.disconnect();
            self.kernel.detach()?;
        }
        Ok(())
    }

    fn send(&mut self, message: &[u8]) -> Sent {
        let sent = self.link.send(message);
        if let Some(agent) = &mut self.agent {
            agent.full_since = match sent {
                Sent::Full => agent.full_since.or_else(|| Some(Instant::now())),
                _ => None,
            };
        }
        if sent == Sent::Full {
            self.summary.lost += 1;
        }
        sent
    }

    fn create(&mut self, flow: FlowInfo) {
        let Some(agent) = &mut self.agent else {
            return;
        };
        let Some(message) = agent.session.create(&flow) else {
            (self.log)(&format!("flow {} has the number of another", flow.id));
            return;
        };
        match self.send(&message) {
            Sent::Yes => self.summary.flows += 1,
            Sent::Full | Sent::Gone => {
                if let Some(agent) = &mut self.agent {
                    agent.session.close(flow.id);
                    agent.untold.push(flow);
                }
            }
        }
    }

    fn close(&mut self, message: Vec<u8>) {
        if self.send(&message) == Sent::Full {
            if let Some(agent) = &mut self.agent {
                agent.unclosed.push(message);
            }
        }
    }

    fn on_event(&mut self, event: Event) -> Result<()> {
        let Some(agent) = &mut self.agent else {
            return Ok(());
        };
        match event {
            Event::FlowCreated(flow) if flow.agent_id == Some(agent.id) => self.create(flow),
            Event::FlowClosed(flow) => {
                agent.untold.retain(|untold| untold.id != flow.id);
                if let Some(message) = agent.session.close(flow.id) {
                    self.close(message);
                }
            }
            Event::Report(report) => {
                if let Some(message) = agent.session.measure(&report) {
                    if self.send(&message) == Sent::Yes {
                        self.summary.reports += 1;
                    }
                }
            }
            Event::Overrun => self.resync()?,
            _ => (),
        }
        Ok(())
    }

    /// After events were lost: what is there is told.
    fn resync(&mut self) -> Result<()> {
        let flows = self.kernel.flows()?;
        let Some(agent) = &mut self.agent else {
            return Ok(());
        };
        let (id, mut closed, mut created) = (agent.id, Vec::new(), Vec::new());
        let live: Vec<u64> = flows.iter().map(|flow| flow.id).collect();
        for gone in agent.session.gone(&live) {
            closed.extend(agent.session.close(gone));
        }
        for flow in flows {
            let known = agent.session.flow(portus::sid_of(flow.id)) == Some(flow.id);
            if flow.agent_id == Some(id) && !known && !flow.is_partial() {
                created.push(flow);
            }
        }
        closed.into_iter().for_each(|message| self.close(message));
        created.into_iter().for_each(|flow| self.create(flow));
        Ok(())
    }

    fn on_message(&mut self, message: &[u8]) -> Result<()> {
        let done = match Request::decode(message) {
            Err(why) => Err(why.to_string()),
            Ok(Request::Install {
                uid,
                events,
                instructions,
            }) => self.install(uid, events, instructions)?,
            Ok(Request::Change { sid, uid, updates }) => self.change(sid, uid, updates)?,
            Ok(Request::Update { sid, updates }) => self.update(sid, updates)?,
        };
        if let Err(why) = done {
            self.summary.refused += 1;
            (self.log)(&why);
        }
        Ok(())
    }

    fn install(&mut self, uid: u32, events: &[u8], instructions: &[u8]) -> Result<Told> {
        let agent = if let Some(agent) = &mut self.agent {
            agent
        } else {
            let attached = self.kernel.attach(NAME, &[])?;
            self.summary.clients += 1;
            (self.log)(&format!("a client came: agent {}", attached.id));
            self.agent.insert(Agent {
                id: attached.id,
                session: Session::default(),
                timeout: match attached.timeout_ms {
                    0 => PATIENCE,
                    ms => Duration::from_millis(ms.into()),
                },
                heartbeat: Instant::now(),
                untold: Vec::new(),
                unclosed: Vec::new(),
                full_since: None,
            })
        };
        let name = agent.session.program_name(uid);
        let program = match self.kernel.install(&name, events, instructions) {
            Ok(program) => program,
            Err(error) => return refused(&format!("program {uid}"), error),
        };
        if let Some(old) = agent.session.add_program(uid, program.id) {
            // Flows that run it keep it until they leave it or end.
            let _ = self.kernel.remove_program(old);
        }
        Ok(Ok(()))
    }

    fn change(&mut self, sid: u32, uid: u32, updates: Updates<'_>) -> Result<Told> {
        let Some((agent, flow)) = self.target(sid) else {
            return Ok(Ok(()));
        };
        let Some(program) = agent.session.program(uid) else {
            return Ok(Err(format!("the client has no program {uid}")));
        };
        match self.kernel.set_program(flow, program, &gather(updates)) {
            Ok(()) => Ok(Ok(())),
            Err(error) => refused(&format!("flow {sid}"), error),
        }
    }

    fn update(&mut self, sid: u32, updates: Updates<'_>) -> Result<Told> {
        let Some((_, flow)) = self.target(sid) else {
            return Ok(Ok(()));
        };
        match self.kernel.update(flow, &gather(updates)) {
            Ok(()) => Ok(Ok(())),
            Err(error) => refused(&format!("flow {sid}"), error),
        }
    }

    /// The flow a client means; none if it has ended, which is nobody's fault.
    fn target(&self, sid: u32) -> Option<(&Agent, u64)> {
        let agent = self.agent.as_ref()?;
        Some((agent, agent.session.flow(sid)?))
    }
}

/// How a client's message went, for the log.
type Told = std::result::Result<(), String>;

/// A refusal of the module: of a command to a flow that has ended, or that is
/// the fallback program's, nothing is said. Other errors end the bridge.
fn refused(what: &str, error: ccp_netlink::Error) -> Result<Told> {
    match error.errno() {
        Some(_) if error.is_not_found() || error.is_busy() => Ok(Ok(())),
        Some(_) => Ok(Err(format!("{what}: {error}"))),
        None => Err(error.into()),
    }
}

fn gather(updates: Updates<'_>) -> Vec<Update> {
    let update = |update: portus::FieldUpdate| Update {
        class: update.class,
        index: update.index,
        value: update.value,
    };
    updates.iter().map(update).collect()
}
