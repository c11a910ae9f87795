// SPDX-License-Identifier: GPL-2.0
//! Runs a case on all machines and compares them after each ACK.

use std::fmt;

use fastrand::Rng;

use crate::{
    case::{Case, Program, Settable, Setting},
    explain::Explainer,
    generate::Acks,
    AckSample, Code, Counts, Datapath, Deviation, Effects, Libccp, Ours, Update,
};

/// What happens at one ACK, in this order.
#[derive(Clone, Debug)]
pub struct Step {
    /// Change to this program of the case.
    pub change: Option<usize>,
    /// Set registers.
    pub settings: Vec<Setting>,
    /// The measurements.
    pub ack: AckSample,
}

/// What a machine did: an early end, and the effects.
pub type Done = (Result<(), Code>, Effects);

/// Sums over cases.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    /// Programs that ran.
    pub programs: u64,
    /// ACKs, each of which all machines saw.
    pub invocations: u64,
    /// Of these, how many ended early on libccp.
    pub aborted: u64,
    /// How many made a report.
    pub reports: u64,
    /// How many set the window or the rate to a new value.
    pub outputs: u64,
    /// Changes of the program and updates of registers.
    pub changes: u64,
    /// How often the machines went apart by a deviation and began anew.
    pub explained: u64,
    /// What deviations were involved.
    pub deviations: Counts,
}

impl std::ops::AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.programs += other.programs;
        self.invocations += other.invocations;
        self.aborted += other.aborted;
        self.reports += other.reports;
        self.outputs += other.outputs;
        self.changes += other.changes;
        self.explained += other.explained;
        self.deviations += other.deviations;
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            programs,
            invocations,
            aborted,
            reports,
            outputs,
            changes,
            explained,
            deviations,
        } = self;
        write!(
            f,
            "{programs} programs, {invocations} invocations, of which {aborted} aborted, \
             {reports} reported, {outputs} set the window or the rate; {changes} changes and \
             updates, {explained} new starts, deviations {deviations}"
        )
    }
}

/// A difference that no deviation explains.
#[derive(Clone, Debug)]
pub struct Difference {
    /// All since the flow began; at the last one the machines differ.
    pub steps: Vec<Step>,
    /// What the machines did, by name.
    pub done: Vec<(&'static str, Done)>,
}

/// The machines, in the order in which they are compared.
const NAMES: [&str; 4] = [
    "libccp",
    "ours",
    "ours, our compiler",
    "ours, our compiler, optimised",
];

/// The machines; they serve case after case.
pub struct Runner {
    lanes: [Box<dyn Datapath>; 4],
    /// How many of them the case uses.
    used: usize,
    results: [Result<(), Code>; 4],
    /// All since the flow began, and the program it runs.
    steps: Vec<Step>,
    current: usize,
    updates: Vec<Update>,
}

impl Default for Runner {
    fn default() -> Self {
        Self::new()
    }
}

impl Runner {
    /// New machines.
    pub fn new() -> Self {
        Self {
            lanes: [
                Box::new(Libccp::new()),
                Box::new(Ours::new()),
                Box::new(Ours::new()),
                Box::new(Ours::new()),
            ],
            used: 0,
            results: [Ok(()); 4],
            steps: Vec::new(),
            current: 0,
            updates: Vec::new(),
        }
    }

    /// Runs a case until each of its programs has seen `acks` ACKs, with
    /// changes and updates in between.
    pub fn run(&mut self, case: &Case, acks: u32, totals: &mut Totals) -> Result<(), Difference> {
        let mut rng = Rng::with_seed(case.seed ^ 0x5eed_acc5);
        let mut stream = Acks::new(&mut rng);
        // The model goes along with some, and has to explain the others only
        // where they differ.
        let watch = rng.u32(..4) == 0;
        self.begin(&case.programs);
        let mut explainer = Explainer::new(&case.programs, self.used);
        let mut left = vec![acks; case.programs.len()];
        let mut current = None;
        let mut restarted = false;
        while left.iter().any(|left| *left > 0) {
            let (change, settings) =
                self.plan(&mut rng, case, &left, &mut current, restarted, totals);
            restarted = false;
            let program = current.expect("a program runs");
            let ack = *stream.next(&mut rng, self.lanes[1].effects());
            self.step(
                &case.programs,
                Step {
                    change,
                    settings,
                    ack,
                },
            );
            left[program] = left[program].saturating_sub(1);
            self.count(totals);
            if watch {
                explainer.step(self.steps.last().expect("a step"));
            }
            if !self.agree(totals) || watch && !explainer.matches(self.done()) {
                if !watch {
                    explainer.replay(&self.steps);
                }
                if !explainer.matches(self.done()) || explainer.met().is_empty() {
                    return Err(self.difference());
                }
                totals.explained += 1;
                totals.deviations.hit_each(&explainer.met());
                self.restart();
                explainer.restart();
                restarted = true;
            }
        }
        totals.programs += case.programs.len() as u64;
        Ok(())
    }

    /// Runs given steps, with the model; ends at the first difference, which is
    /// no error if a deviation explains it.
    pub fn replay(
        &mut self,
        programs: &[Program],
        steps: &[Step],
        totals: &mut Totals,
    ) -> Result<(), Difference> {
        self.begin(programs);
        let mut explainer = Explainer::new(programs, self.used);
        for step in steps {
            self.step(programs, step.clone());
            self.count(totals);
            explainer.step(step);
            if !explainer.matches(self.done()) {
                return Err(self.difference());
            }
            if !self.agree(totals) {
                if explainer.met().is_empty() {
                    return Err(self.difference());
                }
                totals.explained += 1;
                return Ok(());
            }
        }
        Ok(())
    }

    fn begin(&mut self, programs: &[Program]) {
        let both_compilers = programs.iter().all(|p| p.ours.is_some());
        self.used = if both_compilers { 4 } else { 2 };
        self.restart();
        for (lane, datapath) in self.lanes[..self.used].iter_mut().enumerate() {
            for (uid, program) in (1..).zip(programs) {
                let form = program.form(lane);
                if let Err(refusal) = datapath.install(uid, &form.events, &form.instructions) {
                    panic!("{} refuses a program: {refusal}\n{program}", NAMES[lane]);
                }
            }
        }
    }

    /// New flows; the programs stay.
    fn restart(&mut self) {
        self.steps.clear();
        self.results = [Ok(()); 4];
        self.current = 0;
        self.lanes.iter_mut().for_each(|lane| lane.restart());
    }

    /// Chooses what happens before the next ACK.
    fn plan(
        &self,
        rng: &mut Rng,
        case: &Case,
        left: &[u32],
        current: &mut Option<usize>,
        restarted: bool,
        totals: &mut Totals,
    ) -> (Option<usize>, Vec<Setting>) {
        let aborted = self.results[0].is_err();
        let change = match *current {
            None => Some(0),
            Some(program) if left[program] == 0 => left.iter().position(|left| *left > 0),
            Some(program) if restarted => Some(program),
            // A program that overflowed goes on to do so.
            Some(program) if aborted && rng.u32(..8) == 0 => Some(program),
            _ if rng.u32(..200) == 0 => {
                let at = rng.usize(..left.len());
                (left[at] > 0).then_some(at)
            }
            _ => None,
        };
        *current = change.or(*current);
        let program = &case.programs[current.expect("chosen first")];
        let count = match change {
            Some(_) => rng.usize(..4),
            None if rng.u32(..24) == 0 => 1 + rng.usize(..3),
            None => 0,
        };
        let mut settings: Vec<Setting> = Vec::new();
        for setting in (0..count).filter_map(|_| setting(rng, program)) {
            // Of several libccp sees only the last, a datapath each in turn.
            settings.retain(|other| other.what != setting.what);
            settings.push(setting);
        }
        totals.changes += u64::from(change.is_some() || !settings.is_empty());
        (change, settings)
    }

    fn step(&mut self, programs: &[Program], step: Step) {
        self.current = step.change.unwrap_or(self.current);
        let program = &programs[self.current];
        for (lane, datapath) in self.lanes[..self.used].iter_mut().enumerate() {
            self.updates.clear();
            let updates = step.settings.iter().filter_map(|s| s.update(program, lane));
            self.updates.extend(updates);
            let told = match step.change {
                Some(program) => datapath.change_program(program as u32 + 1, &self.updates),
                None if self.updates.is_empty() => Ok(()),
                None => datapath.update(&self.updates),
            };
            if let Err(refusal) = told {
                panic!("{} refuses an update: {refusal}\n{program}", NAMES[lane]);
            }
            self.results[lane] = datapath.invoke(&step.ack).map(|_| ());
        }
        self.steps.push(step);
    }

    fn done(&self) -> impl Iterator<Item = (Result<(), Code>, &Effects)> {
        let effects = self.lanes[..self.used].iter().map(|lane| lane.effects());
        self.results.iter().copied().zip(effects)
    }

    fn count(&self, totals: &mut Totals) {
        let (result, effects) = (self.results[0], self.lanes[0].effects());
        let ack = &self.steps.last().expect("a step").ack;
        totals.invocations += 1;
        totals.aborted += u64::from(result.is_err());
        totals.reports += u64::from(effects.report().is_some());
        let new = |set: Option<u64>, old| set.is_some_and(|set| set != old);
        totals.outputs += u64::from(new(effects.cwnd, ack.cwnd) || new(effects.rate, ack.rate));
    }

    /// Whether all machines did the same. Deviations that leave no trace in
    /// the flow are counted here.
    fn agree(&self, totals: &mut Totals) -> bool {
        let (libccp, ours) = (self.lanes[0].effects(), self.lanes[1].effects());
        if self.results[..self.used]
            .iter()
            .any(|r| *r != self.results[0])
            || self.lanes[2..self.used]
                .iter()
                .any(|lane| lane.effects() != ours)
        {
            return false;
        }
        if libccp == ours {
            return true;
        }
        let mut met = Counts::default();
        let mut cut = |libccp: Option<u64>, ours: Option<u64>| {
            let wide = ours.is_some_and(|value| value > u64::from(u32::MAX));
            if wide {
                met.hit(Deviation::Truncated);
            }
            libccp == ours.map(|value| u64::from(value as u32))
        };
        let mut same = cut(libccp.cwnd, ours.cwnd) & cut(libccp.rate, ours.rate);
        same &= match (libccp.report(), ours.report()) {
            (None, None) => true,
            (Some(libccp), Some(ours)) => {
                if libccp.len() != ours.len() {
                    met.hit(Deviation::ReportFields);
                }
                libccp.iter().zip(ours).all(|(a, b)| a == b)
            }
            _ => false,
        };
        if same {
            totals.deviations.hit_each(&met);
        }
        same
    }

    fn difference(&self) -> Difference {
        let done = self
            .done()
            .map(|(result, effects)| (result, effects.clone()));
        Difference {
            steps: self.steps.clone(),
            done: NAMES.into_iter().zip(done).collect(),
        }
    }
}

/// Something to set in a program.
fn setting(rng: &mut Rng, program: &Program) -> Option<Setting> {
    let value = match rng.u32(..16) {
        0 => rng.u64(..),
        1 => u64::from(rng.u32(..)),
        2..8 => rng.u64(..4),
        _ => 1 + rng.u64(..100_000),
    };
    let (what, value) = match rng.u32(..8) {
        // 0 is a deviation: rare.
        0 => (Settable::Cwnd, value.max(u64::from(rng.u32(..64) != 0))),
        1 => (Settable::Rate, value.max(u64::from(rng.u32(..64) != 0))),
        _ if program.controls.is_empty() => return None,
        _ => (
            Settable::Control(rng.usize(..program.controls.len())),
            value,
        ),
    };
    Some(Setting { what, value })
}
