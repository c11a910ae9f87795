// SPDX-License-Identifier: GPL-2.0
//! The agent's loop: attach, adopt, answer reports, stay alive, detach.

mod datapath;
mod kernel;
mod table;
#[cfg(test)]
mod tests;

use crate::{library::Shelf, Algorithm, Error, Notice, Result};
use ccp_netlink::{Client, Event};
use kernel::Kernel;
use std::{
    collections::HashSet,
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc,
    },
    time::{Duration, Instant},
};
use table::Table;

/// Longest name of an agent.
const AGENT_NAME_MAX: usize = 31;
/// How soon the stop flag is noticed when no event comes.
const STOP_CHECK: Duration = Duration::from_millis(200);
/// Commands in one heartbeat interval, so that one lost or late is no harm.
const HEARTBEATS: u32 = 4;

/// How to run an agent.
pub struct Options {
    /// The name other tools show; by default the first algorithm's.
    pub name: Option<String>,
    /// Set it (from a signal handler, say) to detach and return.
    pub stop: Arc<AtomicBool>,
    /// Called for everything worth a line in a log; by default it is printed
    /// to stderr.
    pub observe: Box<dyn FnMut(&Notice)>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            name: None,
            stop: Arc::default(),
            observe: Box::new(|notice| eprintln!("{notice}")),
        }
    }
}

/// What an agent did.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Summary {
    /// Flows taken on, adopted ones included.
    pub flows: u64,
    /// Flows that were under way when taken on.
    pub adopted: u64,
    /// Reports handled.
    pub reports: u64,
    /// Reports that never arrived.
    pub missed: u64,
    /// Times a flow fell back.
    pub fallbacks: u64,
    /// Errors and panics of flow handlers.
    pub failures: u64,
}

/// Serves `algorithms` until [`Options::stop`] is set. A flow goes to the
/// algorithm its congestion control is named after (`ccp_NAME`), else to the
/// first; the module has only `ccp` so far.
///
/// Nothing is attached unless every program compiles.
pub fn run(algorithms: &[Box<dyn Algorithm>], options: Options) -> Result<Summary> {
    run_with(algorithms, options, || {})
}

/// [`run`], with something to do between any two events and at least five
/// times a second, on the same thread.
pub fn run_with(
    algorithms: &[Box<dyn Algorithm>],
    options: Options,
    mut between: impl FnMut(),
) -> Result<Summary> {
    let shelves = compile(algorithms)?;
    serve(
        &mut Client::connect()?,
        algorithms,
        shelves,
        options,
        &mut between,
    )
}

fn compile(algorithms: &[Box<dyn Algorithm>]) -> Result<Vec<Shelf>> {
    let mut names = HashSet::new();
    for algorithm in algorithms {
        if !names.insert(algorithm.name()) {
            return Err(Error::Duplicate("algorithms", algorithm.name().into()));
        }
    }
    algorithms
        .iter()
        .map(|algorithm| Shelf::compile(algorithm.as_ref()))
        .collect()
}

fn serve<K: Kernel>(
    kernel: &mut K,
    algorithms: &[Box<dyn Algorithm>],
    shelves: Vec<Shelf>,
    mut options: Options,
    between: &mut dyn FnMut(),
) -> Result<Summary> {
    let offered: Vec<&str> = algorithms
        .iter()
        .map(|algorithm| algorithm.name())
        .collect();
    let first = offered.first().copied().unwrap_or_default();
    let name = options.name.clone().unwrap_or_else(|| first.to_owned());
    if name.is_empty() || name.len() > AGENT_NAME_MAX {
        return Err(Error::Name(name, AGENT_NAME_MAX));
    }
    for shelf in &shelves {
        if !shelf.warnings.is_empty() {
            (options.observe)(&Notice::Warnings(shelf.warnings.clone()));
        }
    }

    let attached = kernel.attach(&name, &offered)?;
    let mut table = Table::new(kernel, algorithms, shelves, attached.id, options.observe);
    table.install()?;
    // Flows that exist already: from the list. Events about the same flows
    // that wait in the socket change nothing then.
    table.resync(true)?;

    let heartbeat = match attached.timeout_ms {
        0 => None,
        ms => Some(Duration::from_millis(ms.into()) / HEARTBEATS),
    };
    let mut last_beat = Instant::now();
    while !options.stop.load(Ordering::Relaxed) {
        let mut patience = STOP_CHECK;
        if let Some(interval) = heartbeat {
            if last_beat.elapsed() >= interval {
                table.heartbeat()?;
                last_beat = Instant::now();
            }
            patience = patience.min(interval.saturating_sub(last_beat.elapsed()));
        }
        match table.next_event(patience)? {
            Some(Event::FlowCreated(flow)) => table.created(flow),
            Some(Event::FlowClosed(flow)) => table.closed(flow),
            Some(Event::FlowFallback(fallback)) => table.fell_back(&fallback),
            Some(Event::Report(report)) => table.report(report),
            Some(Event::Overrun) => table.resync(false)?,
            Some(_) | None => {}
        }
        between();
    }
    table.finish()
}
