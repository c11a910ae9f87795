// SPDX-License-Identifier: GPL-2.0
//! Watching flows: events as they come, a live table or screen, a recorded trace.

mod events;
mod live;
mod record;
mod top;

pub(crate) use top::top;

use crate::{
    cli::{FlowRecordArgs, Form, MonitorArgs, WatchArgs},
    show::program_names,
    stop, Failure,
};
use ccp_netlink::{AgentInfo, Client, Event, FlowInfo};
use events::Printer;
use live::Table;
use record::Recorder;
use std::{
    collections::{HashMap, HashSet},
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc,
    },
    time::{Duration, Instant},
};

/// Time between two live tables.
const LIVE: Duration = Duration::from_secs(1);
/// Longest wait for an event, so that the stop flag is seen.
const PATIENCE: Duration = Duration::from_millis(100);

/// What there is to know at one moment.
#[derive(Default)]
struct Picture {
    /// Since the start of watching.
    time: Duration,
    flows: Vec<FlowInfo>,
    agents: Vec<AgentInfo>,
    programs: HashMap<u32, String>,
}

/// Fetches pictures.
struct Lister {
    client: Client,
    start: Instant,
    programs: HashMap<u32, String>,
    known: HashSet<u32>,
}

impl Lister {
    fn new(start: Instant) -> Result<Self, Failure> {
        Ok(Self {
            client: Client::connect()?,
            start,
            programs: HashMap::new(),
            known: HashSet::new(),
        })
    }

    fn picture(&mut self) -> Result<Picture, Failure> {
        let mut flows = self.client.flows()?;
        flows.retain(|flow| !flow.is_partial());
        let agents = self.client.agents()?;
        // The list of programs is fetched only when a new one shows up.
        let new = |flow: &FlowInfo| !self.known.contains(&flow.program_id);
        if flows.iter().any(new) {
            self.programs = program_names(&self.client.programs()?);
            self.known = flows.iter().map(|flow| flow.program_id).collect();
            self.known.extend(self.programs.keys());
        }
        Ok(Picture {
            time: self.start.elapsed(),
            flows,
            agents,
            programs: self.programs.clone(),
        })
    }
}

/// Something that looks on.
trait Watcher: Send {
    fn event(&mut self, time: Duration, event: &Event) -> Result<(), Failure>;
    /// Wants a picture this often; `None` only wants events.
    fn interval(&self) -> Option<Duration>;
    fn picture(&mut self, picture: &Picture) -> Result<(), Failure>;
    fn finish(&mut self) -> Result<(), Failure> {
        Ok(())
    }
}

pub(crate) fn monitor(form: Form, args: &MonitorArgs) -> Result<(), Failure> {
    let stop = stop::on_signal()?;
    let mut watchers = watchers(&args.watch)?;
    // With nothing else to show, events.
    if watchers.is_empty() {
        watchers.push(Box::new(Printer::new(form, !args.no_reports)));
    }
    watch(watchers, &stop, limit(args.seconds))
}

/// `ccpctl record`: `monitor --record` by a name of its own.
pub(crate) fn record(args: &FlowRecordArgs) -> Result<(), Failure> {
    let stop = stop::on_signal()?;
    let interval = Duration::from_millis(args.interval);
    let recorder = Recorder::create(&args.output, interval)?;
    watch(vec![Box::new(recorder)], &stop, limit(args.seconds))
}

fn limit(seconds: Option<f64>) -> Option<Duration> {
    seconds.map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

/// The watchers that `--live` and `--record` ask for.
fn watchers(args: &WatchArgs) -> Result<Vec<Box<dyn Watcher>>, Failure> {
    let mut watchers: Vec<Box<dyn Watcher>> = Vec::new();
    if args.live {
        watchers.push(Box::new(Table::new(LIVE)));
    }
    if let Some(path) = &args.record {
        let interval = Duration::from_millis(args.interval);
        watchers.push(Box::new(Recorder::create(path, interval)?));
    }
    Ok(watchers)
}

/// Watches in a thread of its own while something else runs. `None` when
/// nothing is to be watched.
pub(crate) fn alongside(
    args: &WatchArgs,
    stop: Arc<AtomicBool>,
) -> Result<Option<Thread>, Failure> {
    let watchers = watchers(args)?;
    if watchers.is_empty() {
        return Ok(None);
    }
    Ok(Some(std::thread::spawn(move || {
        watch(watchers, &stop, None)
    })))
}

/// A watching thread.
pub(crate) type Thread = std::thread::JoinHandle<Result<(), Failure>>;

fn watch(
    mut watchers: Vec<Box<dyn Watcher>>,
    stop: &AtomicBool,
    limit: Option<Duration>,
) -> Result<(), Failure> {
    // Events come through one socket and lists through another, so that a
    // flood of events cannot hold up a list.
    let mut listener = Client::connect()?;
    listener.subscribe()?;
    let start = Instant::now();
    let mut lister = Lister::new(start)?;
    let mut due: Vec<Option<Duration>> = watchers
        .iter()
        .map(|watcher| watcher.interval().map(|_| Duration::ZERO))
        .collect();
    while !stop.load(Ordering::Relaxed) && limit.is_none_or(|limit| start.elapsed() < limit) {
        let now = start.elapsed();
        if due.iter().flatten().any(|&due| due <= now) {
            let picture = lister.picture()?;
            for (watcher, due) in watchers.iter_mut().zip(&mut due) {
                let (Some(next), Some(interval)) = (due.as_mut(), watcher.interval()) else {
                    continue;
                };
                if *next <= now {
                    watcher.picture(&picture)?;
                    // A late picture shifts the ones after it, rather than
                    // have them follow each other without pause.
                    *next = (*next + interval).max(now);
                }
            }
        }
        let next = due.iter().flatten().min().copied();
        let patience = next.map_or(PATIENCE, |next| {
            next.saturating_sub(start.elapsed()).min(PATIENCE)
        });
        if let Some(event) = listener.next_event(Some(patience))? {
            for watcher in &mut watchers {
                watcher.event(start.elapsed(), &event)?;
            }
        }
    }
    for watcher in &mut watchers {
        watcher.finish()?;
    }
    Ok(())
}
