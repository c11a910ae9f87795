// SPDX-License-Identifier: GPL-2.0
//! Whether a difference is a documented one.

use crate::{
    case::Program,
    driver::Step,
    model::{Model, Rules},
    Code, Counts, Deviation, Effects,
};

/// A model for each set of rules, in the order of the machines.
pub(crate) struct Explainer<'p> {
    programs: &'p [Program],
    models: Vec<Model<'p>>,
    results: Vec<Result<(), Code>>,
}

impl<'p> Explainer<'p> {
    /// Models of `machines` machines before the first step.
    pub(crate) fn new(programs: &'p [Program], machines: usize) -> Self {
        let rules = [Rules::Libccp, Rules::Isa, Rules::Language];
        let models = rules.into_iter().take(machines);
        let model = |rules| Model::new(rules, programs.iter().map(|p| &p.listing).collect());
        let models: Vec<_> = models.map(model).collect();
        Self {
            programs,
            results: vec![Ok(()); models.len()],
            models,
        }
    }

    /// Forgets the flow.
    pub(crate) fn restart(&mut self) {
        self.models.iter_mut().for_each(Model::restart);
    }

    /// What should happen at one ACK.
    pub(crate) fn step(&mut self, step: &Step) {
        for (model, result) in self.models.iter_mut().zip(&mut self.results) {
            if let Some(program) = step.change {
                model.change_program(program);
            }
            let program = &self.programs[model.next_program()];
            // The models run what the first machine runs.
            let updates = step.settings.iter().filter_map(|s| s.update(program, 0));
            model.update(updates);
            *result = model.invoke(&step.ack).map(|_| ());
        }
    }

    /// What should have happened since the flow began.
    pub(crate) fn replay(&mut self, steps: &[Step]) {
        self.restart();
        for step in steps {
            self.step(step);
        }
    }

    /// Whether the machines did what they should at the last step.
    pub(crate) fn matches<'e>(
        &self,
        done: impl IntoIterator<Item = (Result<(), Code>, &'e Effects)>,
    ) -> bool {
        done.into_iter()
            .enumerate()
            .all(|(lane, (result, effects))| {
                let at = lane.min(self.models.len() - 1);
                self.results[at] == result && self.models[at].effects() == effects
            })
    }

    /// The deviations met since the flow began that change what it does later
    /// on.
    pub(crate) fn met(&self) -> Counts {
        let mut met = Counts::default();
        for model in &self.models {
            met += model.met;
        }
        met.forget(Deviation::Truncated);
        met.forget(Deviation::ReportFields);
        met
    }
}
