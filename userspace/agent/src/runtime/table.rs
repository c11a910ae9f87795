// SPDX-License-Identifier: GPL-2.0
//! The flows an agent steers, and what happens to them.

use super::{datapath::KernelDatapath, kernel::Kernel, Summary};
use crate::{
    library::Shelf, Algorithm, Datapath, Error, FallbackReason, Flow, FlowInfo, Notice, Report,
    Result,
};
use ccp_core::fallback;
use ccp_netlink::{Event, Fallback, RawReport};
use std::{
    any::Any,
    collections::{HashMap, HashSet},
    panic::{catch_unwind, AssertUnwindSafe},
    time::Duration,
};

/// A flow whose handler panics more often is left to the fallback program.
const PANICS_MAX: u32 = 3;
/// The kernel's fallback program, installed as one of ours when a flow has to
/// be left to it. No algorithm can have this name.
const SAFE: &str = "(fallback)";
/// What precedes an algorithm's name in a congestion-control name.
const PREFIX: &str = "ccp_";

pub(super) struct Table<'a, K> {
    kernel: &'a mut K,
    algorithms: &'a [Box<dyn Algorithm>],
    shelves: Vec<Shelf>,
    /// Kernel ids of the programs by their positions in `shelves`.
    ids: Vec<HashMap<usize, u32>>,
    /// Algorithm and program of a kernel id.
    programs: HashMap<u32, (usize, usize)>,
    agent: u32,
    flows: HashMap<u64, Entry>,
    /// The kernel's id of `SAFE`, once it is installed.
    safe: Option<u32>,
    observe: Box<dyn FnMut(&Notice)>,
    summary: Summary,
}

struct Entry {
    /// None: the algorithm would not have it, or panicked too often.
    handler: Option<Box<dyn Flow>>,
    algorithm: usize,
    /// The program we gave it last.
    current: Option<usize>,
    /// The last report.
    seq: u64,
    panics: u32,
    /// It fell back and has not been taken on again.
    fallen: bool,
}

impl<'a, K: Kernel> Table<'a, K> {
    pub(super) fn new(
        kernel: &'a mut K,
        algorithms: &'a [Box<dyn Algorithm>],
        shelves: Vec<Shelf>,
        agent: u32,
        observe: Box<dyn FnMut(&Notice)>,
    ) -> Self {
        Self {
            kernel,
            algorithms,
            shelves,
            ids: Vec::new(),
            programs: HashMap::new(),
            agent,
            flows: HashMap::new(),
            safe: None,
            observe,
            summary: Summary::default(),
        }
    }

    pub(super) fn install(&mut self) -> Result<()> {
        let mut costs = Vec::new();
        for (algorithm, shelf) in self.shelves.iter().enumerate() {
            let mut ids = HashMap::new();
            for (index, program) in shelf.programs.iter().enumerate() {
                let info =
                    self.kernel
                        .install(&program.name, &program.events, &program.instructions)?;
                self.programs.insert(info.id, (algorithm, index));
                costs.push((program.name.clone(), info.cost));
                ids.insert(index, info.id);
            }
            self.ids.push(ids);
        }
        (self.observe)(&Notice::Attached {
            id: self.agent,
            programs: costs,
        });
        Ok(())
    }

    pub(super) fn heartbeat(&mut self) -> Result<()> {
        Ok(self.kernel.heartbeat()?)
    }

    pub(super) fn next_event(&mut self, patience: Duration) -> Result<Option<Event>> {
        Ok(self.kernel.next_event(patience)?)
    }

    /// Compares what we know with the kernel's list of flows.
    pub(super) fn resync(&mut self, first: bool) -> Result<()> {
        let ours: Vec<FlowInfo> = self
            .kernel
            .flows()?
            .into_iter()
            .filter(|flow| flow.agent_id == Some(self.agent))
            .collect();
        let alive: HashSet<u64> = ours.iter().map(|flow| flow.id).collect();
        let gone: Vec<u64> = self
            .flows
            .keys()
            .filter(|id| !alive.contains(id))
            .copied()
            .collect();
        for &id in &gone {
            self.closed(FlowInfo {
                id,
                ..FlowInfo::default()
            });
        }
        let mut found = 0;
        for mut flow in ours {
            let missed_fallback = match self.flows.get(&flow.id) {
                Some(entry) => {
                    if !is_transient(flow.fallback_reason) || entry.handler.is_none() {
                        continue;
                    }
                    true
                }
                None => false,
            };
            found += usize::from(!missed_fallback);
            flow.adopted = true;
            self.take_on(&flow, 0);
        }
        if !first {
            (self.observe)(&Notice::Resynced {
                found,
                gone: gone.len(),
            });
        }
        Ok(())
    }

    pub(super) fn created(&mut self, flow: FlowInfo) {
        if flow.agent_id.is_some_and(|agent| agent != self.agent) {
            return;
        }
        // The list told of it before the event did.
        if self.flows.get(&flow.id).is_some_and(|entry| !entry.fallen) {
            return;
        }
        // The event about an old flow leaves out most of what it has become.
        let whole = if flow.adopted {
            match self.kernel.flow(flow.id) {
                Ok(whole) => FlowInfo {
                    adopted: true,
                    ..whole
                },
                Err(_) => return,
            }
        } else {
            flow
        };
        self.take_on(&whole, 0);
    }

    pub(super) fn closed(&mut self, flow: FlowInfo) {
        if let Some(entry) = self.flows.remove(&flow.id) {
            let closing = catch_unwind(AssertUnwindSafe(|| {
                if let Some(mut handler) = entry.handler {
                    handler.close();
                }
            }));
            self.panicked(flow.id, closing);
            (self.observe)(&Notice::FlowClosed(flow));
        }
    }

    pub(super) fn fell_back(&mut self, fallback: &Fallback) {
        let id = fallback.flow_id;
        let Some(entry) = self.flows.get_mut(&id) else {
            return;
        };
        entry.fallen = true;
        self.summary.fallbacks += 1;
        (self.observe)(&Notice::FellBack {
            flow: id,
            reason: fallback.reason,
        });
        if is_transient(fallback.reason) {
            self.take_on_again(id, 0);
        } else {
            self.handle(id, false, |handler, dp| {
                handler.on_fallback(dp, fallback.reason)
            });
        }
    }

    pub(super) fn report(&mut self, raw: RawReport) {
        let Some(&(algorithm, index)) = self.programs.get(&raw.program_id) else {
            return;
        };
        let Some(entry) = self.flows.get_mut(&raw.flow_id) else {
            return;
        };
        let shelf = self.shelves.get(algorithm);
        let Some(program) = shelf.and_then(|shelf| shelf.get(index)) else {
            return;
        };
        let missed = raw.seq.saturating_sub(entry.seq).saturating_sub(1);
        entry.seq = raw.seq;
        let stale = entry.algorithm != algorithm || entry.current != Some(index);
        self.summary.reports += 1;
        self.summary.missed += missed;
        let id = raw.flow_id;
        let report = Report::new(program.clone(), raw, stale, missed);
        self.handle(id, stale, |handler, dp| handler.on_report(dp, &report));
    }

    /// Detaches.
    pub(super) fn finish(mut self) -> Result<Summary> {
        self.kernel.detach()?;
        (self.observe)(&Notice::Detached);
        Ok(self.summary)
    }

    fn take_on(&mut self, flow: &FlowInfo, panics: u32) {
        let wanted = flow.algorithm.strip_prefix(PREFIX).unwrap_or_default();
        let algorithm = self
            .algorithms
            .iter()
            .position(|algorithm| algorithm.name() == wanted)
            .unwrap_or(0);
        let (Some(maker), Some(shelf), Some(ids)) = (
            self.algorithms.get(algorithm),
            self.shelves.get_mut(algorithm),
            self.ids.get_mut(algorithm),
        ) else {
            return;
        };
        let mut entry = Entry {
            handler: None,
            algorithm,
            current: None,
            seq: flow.reports,
            panics,
            fallen: false,
        };
        let mut dp = KernelDatapath {
            kernel: &mut *self.kernel,
            algorithm,
            shelf,
            ids,
            programs: &mut self.programs,
            flow: flow.id,
            current: &mut entry.current,
        };
        let made = catch_unwind(AssertUnwindSafe(|| maker.new_flow(&mut dp, flow)));
        let warnings = std::mem::take(&mut shelf.warnings);
        self.warn(warnings);
        // A flow that closed meanwhile needs no entry, nor words.
        if matches!(&made, Ok(Err(Error::Netlink(error))) if error.is_not_found()) {
            self.flows.remove(&flow.id);
            return;
        }
        (self.observe)(&Notice::FlowTaken {
            flow: flow.clone(),
            algorithm: maker.name().to_owned(),
        });
        self.summary.flows += 1;
        self.summary.adopted += u64::from(flow.adopted);
        match made {
            Ok(Ok(handler)) => entry.handler = Some(handler),
            Ok(Err(error)) => self.failed(flow.id, &error),
            Err(panic) => self.panicked(flow.id, Err(panic)),
        }
        self.flows.insert(flow.id, entry);
    }

    fn take_on_again(&mut self, id: u64, panics: u32) {
        match self.kernel.flow(id) {
            Ok(flow) => self.take_on(
                &FlowInfo {
                    adopted: true,
                    ..flow
                },
                panics,
            ),
            Err(error) if error.is_not_found() => {}
            Err(error) => self.failed(id, &error.into()),
        }
    }

    /// Calls a flow's handler; whatever it does, the other flows go on.
    fn handle(
        &mut self,
        id: u64,
        forgive: bool,
        call: impl FnOnce(&mut dyn Flow, &mut dyn Datapath) -> Result<()>,
    ) {
        let Some(entry) = self.flows.get_mut(&id) else {
            return;
        };
        let Entry {
            handler: Some(handler),
            algorithm,
            current,
            panics,
            ..
        } = entry
        else {
            return;
        };
        let (Some(shelf), Some(ids)) = (
            self.shelves.get_mut(*algorithm),
            self.ids.get_mut(*algorithm),
        ) else {
            return;
        };
        let mut dp = KernelDatapath {
            kernel: &mut *self.kernel,
            algorithm: *algorithm,
            shelf,
            ids,
            programs: &mut self.programs,
            flow: id,
            current,
        };
        let outcome = catch_unwind(AssertUnwindSafe(|| call(handler.as_mut(), &mut dp)));
        let warnings = std::mem::take(&mut shelf.warnings);
        match outcome {
            Ok(Ok(())) => {}
            // The report of a program that no longer runs may lack fields.
            Ok(Err(_)) if forgive => {}
            // It closed or fell back, and the event about it is on its way.
            Ok(Err(Error::Netlink(error))) if error.is_not_found() || error.is_busy() => {}
            Ok(Err(error)) => self.failed(id, &error),
            Err(panic) => {
                let panics = *panics + 1;
                let broken = entry.handler.take();
                let dropped = catch_unwind(AssertUnwindSafe(|| drop(broken)));
                self.panicked(id, Err(panic));
                self.panicked(id, dropped);
                if panics <= PANICS_MAX {
                    self.take_on_again(id, panics);
                } else if let Err(error) = self.make_safe(id) {
                    self.failed(id, &error.into());
                }
            }
        }
        self.warn(warnings);
    }

    /// Gives a flow a program that needs no agent.
    fn make_safe(&mut self, flow: u64) -> ccp_netlink::Result<()> {
        let program = if let Some(program) = self.safe {
            program
        } else {
            let info = self
                .kernel
                .install(SAFE, fallback::EVENTS, fallback::INSTRUCTIONS)?;
            *self.safe.insert(info.id)
        };
        self.kernel.set_program(flow, program, &[])
    }

    /// What the compiler says of a program that a handler installed.
    fn warn(&mut self, warnings: String) {
        if !warnings.is_empty() {
            (self.observe)(&Notice::Warnings(warnings));
        }
    }

    fn failed(&mut self, flow: u64, error: &Error) {
        self.summary.failures += 1;
        (self.observe)(&Notice::FlowError {
            flow,
            error: error.to_string(),
        });
    }

    fn panicked(&mut self, flow: u64, outcome: Result<(), Box<dyn Any + Send>>) {
        let Err(panic) = outcome else { return };
        let text = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned());
        self.summary.failures += 1;
        (self.observe)(&Notice::FlowPanicked {
            flow,
            message: text.unwrap_or_else(|| "no message".into()),
        });
    }
}

/// Reasons that have passed by the time we hear of them.
fn is_transient(reason: FallbackReason) -> bool {
    matches!(
        reason,
        FallbackReason::AgentSilent | FallbackReason::AgentGone | FallbackReason::NoAgent
    )
}
