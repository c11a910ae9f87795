// SPDX-License-Identifier: GPL-2.0
//! A path manager at work: events and addresses to the policy, its commands to
//! the kernel.

mod log;

use crate::{
    backend::PathManager,
    config::Config,
    event::Kind,
    interfaces::Interfaces,
    policy::{self, Address, Engine, Step},
    Error, Result,
};
use log::Log;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use std::{
    fs,
    os::fd::{AsFd, BorrowedFd},
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc,
    },
    time::{Duration, Instant},
};

/// Longest sleep, so that the stop flag is seen.
const SLEEP: Duration = Duration::from_secs(1);
/// Least time between two dumps.
const DUMP: Duration = Duration::from_millis(200);
/// Longest a dump waits for the end of queued events.
const QUEUED: Duration = Duration::from_secs(3);
/// Time between two looks for what no event told.
const AUDIT: Duration = Duration::from_secs(10);
/// Likewise where the kernel counts no events, and only a dump tells.
const AUDIT_BY_DUMP: Duration = Duration::from_secs(60);
/// Least time between two wakeups for events that can wait.
const DEFER: Duration = Duration::from_millis(50);
/// Turns without a look at the addresses.
const TURNS: u32 = 256;
/// As the kernel has it unless told otherwise.
const PORTS: (u16, u16) = (32768, 60999);

/// Where addresses come from.
pub trait Addresses {
    /// The addresses that can be used.
    fn list(&mut self) -> Result<Vec<Address>>;
    /// Has anything changed since the last call?
    fn changed(&mut self) -> Result<bool>;
    /// Readable when something changed.
    fn as_fd(&self) -> BorrowedFd<'_>;
}

impl Addresses for Interfaces {
    fn list(&mut self) -> Result<Vec<Address>> {
        self.addresses()
    }

    fn changed(&mut self) -> Result<bool> {
        Interfaces::changed(self)
    }

    fn as_fd(&self) -> BorrowedFd<'_> {
        AsFd::as_fd(self)
    }
}

/// How to run.
pub struct Options {
    /// What to do.
    pub config: Config,
    /// Ends the run when set.
    pub stop: Arc<AtomicBool>,
    /// Takes a line about what is done and why.
    pub log: Box<dyn FnMut(&str)>,
    /// Lines about single connections, too.
    pub verbose: bool,
}

/// What was done in a run.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub struct Summary {
    /// Connections that came to have further subflows.
    pub connections: u64,
    /// Subflows asked for.
    pub subflows: u64,
    /// Commands the kernel refused.
    pub refused: u64,
    /// Dumps after lost events.
    pub resyncs: u64,
}

struct Daemon<'a> {
    manager: &'a mut dyn PathManager,
    addresses: &'a mut dyn Addresses,
    engine: Engine,
    log: Log,
    start: Instant,
    /// Time since then, as of this turn.
    now: Duration,
    /// Turns since the last wait.
    turns: u32,
    summary: Summary,
    /// Times of the next dump, if one is needed, and audit.
    dump: Option<Duration>,
    dumped: Duration,
    audit: Duration,
    /// When deferred events may wake us again.
    deferred: Duration,
    /// The kernel can list connections.
    lists: bool,
}

/// Runs until `options.stop` is set.
pub fn run(
    manager: &mut dyn PathManager,
    addresses: &mut dyn Addresses,
    options: Options,
) -> Result<Summary> {
    let seed = std::collections::hash_map::RandomState::new();
    let seed = std::hash::BuildHasher::hash_one(&seed, std::process::id());
    let mut daemon = Daemon {
        manager,
        addresses,
        engine: Engine::new(options.config, ports(), seed),
        log: Log::new(options.log, options.verbose),
        start: Instant::now(),
        now: Duration::ZERO,
        turns: 0,
        summary: Summary::default(),
        dump: None,
        dumped: Duration::ZERO,
        audit: Duration::ZERO,
        deferred: Duration::ZERO,
        lists: true,
    };
    daemon.begin()?;
    while !options.stop.load(Ordering::Relaxed) {
        daemon.turn()?;
    }
    Ok(daemon.summary)
}

/// The source ports the kernel chooses from.
fn ports() -> (u16, u16) {
    let text = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let mut ports = text.split_whitespace().map(str::parse);
    match (ports.next(), ports.next()) {
        (Some(Ok(low)), Some(Ok(high))) if low <= high => (low, high),
        _ => PORTS,
    }
}

impl Daemon<'_> {
    /// Seldom: it is a system call on some machines.
    fn look_at_clock(&mut self) {
        self.now = self.start.elapsed();
    }

    /// Listens first and lists then: what happens in between is told twice,
    /// not never.
    fn begin(&mut self) -> Result<()> {
        self.manager.subscribe(&policy::URGENT, &policy::DEFERRED)?;
        self.list_addresses()?;
        self.resync()?;
        self.audit = self.next_audit();
        Ok(())
    }

    fn list_addresses(&mut self) -> Result<()> {
        let addresses = self.addresses.list()?;
        self.log.addresses(&addresses);
        self.look_at_clock();
        self.engine.addresses(self.now, addresses);
        Ok(())
    }

    fn next_audit(&self) -> Duration {
        let counts = self.manager.backend() == crate::backend::Backend::Netlink;
        self.now + if counts { AUDIT } else { AUDIT_BY_DUMP }
    }

    /// One wakeup, or one message after another while there are more. What an
    /// event leads to is done before the next one is asked for.
    fn turn(&mut self) -> Result<()> {
        self.turns += 1;
        let more = self.manager.has_more();
        if (!more || self.turns >= TURNS) && self.wait(more)? && self.addresses.changed()? {
            self.list_addresses()?;
        }
        self.look_at_clock();
        self.take_events()?;
        if self.engine.wants_dump() && self.dump.is_none() {
            self.dump = Some(self.dumped.saturating_add(DUMP));
        }
        // What is queued is older than a dump, and would undo what that says.
        if let Some(dump) = self.dump.filter(|dump| *dump <= self.now) {
            let queued = !self.take_deferred()? || self.manager.has_more();
            if !queued || dump.saturating_add(QUEUED) <= self.now {
                self.summary.resyncs += 1;
                self.resync()?;
            }
        }
        self.carry_out()?;
        if self.audit <= self.now && !self.manager.has_more() {
            self.look_for_losses()?;
            self.audit = self.next_audit();
        }
        Ok(())
    }

    /// Those of one message, or of a batch.
    fn take_events(&mut self) -> Result<()> {
        let mut first = true;
        while first || self.manager.has_queued() {
            match self.manager.event(Some(Duration::ZERO)) {
                Ok(Some(event)) => {
                    self.log.event(&event);
                    self.summary.connections += u64::from(event.kind == Kind::Established);
                    self.engine.event(self.now, &event);
                }
                Ok(None) => break,
                Err(error) => self.unreadable(error)?,
            }
            first = false;
        }
        Ok(())
    }

    /// From the kernel into the queue. False when not all did fit; the rest may
    /// wake us at once.
    fn take_deferred(&mut self) -> Result<bool> {
        let all = match self.manager.take_deferred() {
            Ok(all) => all,
            Err(error) => {
                self.unreadable(error)?;
                false
            }
        };
        if all {
            self.deferred = self.now.saturating_add(DEFER);
        }
        Ok(all)
    }

    /// What an event said that cannot be read, a dump says as well.
    fn unreadable(&mut self, error: Error) -> Result<()> {
        let Error::Netlink(error @ ccp_netlink::Error::Malformed(_)) = error else {
            return Err(error);
        };
        self.log.say(&format!("{error}; asking for all there is"));
        self.dump.get_or_insert(self.dumped.saturating_add(DUMP));
        Ok(())
    }

    fn resync(&mut self) -> Result<()> {
        self.look_at_clock();
        self.dumped = self.now;
        self.dump = None;
        let connections = match self.manager.connections() {
            Err(error @ Error::Unsupported(_)) => {
                self.lists = false;
                self.log.say(&format!(
                    "{error}: only connections whose begin is seen count"
                ));
                return Ok(());
            }
            other => other?,
        };
        self.log.dump(&connections);
        self.engine.resync(self.now, &connections);
        Ok(())
    }

    /// An event that was the last of its kind leaves no gap when it is lost. The
    /// dump comes when what is queued is through.
    fn look_for_losses(&mut self) -> Result<()> {
        let missed = match self.manager.backend() {
            crate::backend::Backend::Netlink => self.manager.audit().map_err(gone)?,
            crate::backend::Backend::Userspace => self.lists && !self.engine.is_empty(),
        };
        if missed {
            self.dump.get_or_insert(self.now);
        }
        Ok(())
    }

    fn carry_out(&mut self) -> Result<()> {
        loop {
            let steps = self.engine.poll(self.now);
            if steps.is_empty() {
                return Ok(());
            }
            for step in steps {
                self.execute(&step)?;
            }
        }
    }

    fn execute(&mut self, step: &Step) -> Result<()> {
        let command = &step.command;
        self.summary.subflows += u64::from(matches!(command, crate::Command::Connect { .. }));
        let outcome = self.manager.execute(command);
        self.log.step(step, outcome.as_ref().err());
        match outcome {
            Ok(()) => self.engine.done(command),
            Err(error) => {
                let Some(errno) = error.errno() else {
                    // The answer is lost, not the command: a dump tells.
                    if matches!(
                        error,
                        Error::Netlink(
                            ccp_netlink::Error::AnswerLost(_) | ccp_netlink::Error::Malformed(_)
                        )
                    ) {
                        self.dump.get_or_insert(self.dumped.saturating_add(DUMP));
                        return Ok(());
                    }
                    return Err(error);
                };
                self.summary.refused += 1;
                self.engine.refused(self.now, command, errno);
            }
        }
        Ok(())
    }

    /// Until something happens or is due, or just a look. True when it is about
    /// addresses.
    fn wait(&mut self, look: bool) -> Result<bool> {
        self.turns = 0;
        let deferred = self.manager.deferred_fd();
        let heeded = deferred.filter(|_| self.deferred <= self.now);
        let heed = (deferred.is_some() && heeded.is_none()).then_some(self.deferred);
        let next = [self.engine.deadline(), self.dump, heed, Some(self.audit)];
        let until = next.into_iter().flatten().min().unwrap_or(Duration::MAX);
        let left = until.saturating_sub(self.now).min(SLEEP).as_micros();
        // Rounded up, so that the last part of a millisecond does not spin.
        let ms = if look { 0 } else { left.div_ceil(1000) };
        let timeout = u16::try_from(ms).unwrap_or(u16::MAX);
        let files = [self.addresses.as_fd(), self.manager.as_fd()];
        let mut files: Vec<PollFd<'_>> = files
            .into_iter()
            .chain(heeded)
            .map(|file| PollFd::new(file, PollFlags::POLLIN))
            .collect();
        match poll(&mut files, PollTimeout::from(timeout)) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(errno) => {
                return Err(Error::System {
                    what: "poll",
                    source: errno.into(),
                })
            }
        }
        let mut ready = files.iter().map(|file| file.any().unwrap_or(true));
        let (changed, take) = (ready.next() == Some(true), ready.nth(1) == Some(true));
        if take {
            self.look_at_clock();
            self.take_deferred()?;
        }
        Ok(changed)
    }
}

/// The family has gone while the daemon ran.
fn gone(error: Error) -> Error {
    if error.errno() == Some(nix::errno::Errno::ENOENT as i32) {
        return Error::NoPathManager(
            "the generic netlink family 'mptcp' has gone: the module ccp_rs was unloaded; \
             load it and start again"
                .into(),
        );
    }
    error
}
