// SPDX-License-Identifier: GPL-2.0
//! Counts how often each temporary is read.

use std::collections::HashMap;

use crate::flat::{Block, Operand, Program, Step, Temp};

/// Reads of each temporary of a program.
#[derive(Debug, Default)]
pub(super) struct Uses(HashMap<Temp, usize>);

impl Uses {
    pub(super) fn of(program: &Program) -> Self {
        let mut uses = Self::default();
        for event in &program.events {
            uses.block(&event.condition);
            uses.read(event.test);
            uses.block(&event.body);
        }
        uses
    }

    /// How often `temp` is read.
    pub(super) fn count(&self, temp: Temp) -> usize {
        self.0.get(&temp).copied().unwrap_or(0)
    }

    pub(super) fn block(&mut self, block: &Block) {
        for step in block {
            match step {
                Step::Set(set) => set.value.operands().for_each(|o| self.read(o)),
                Step::If(step) => {
                    self.read(step.condition);
                    for test in &step.also {
                        self.block(&test.steps);
                        self.read(test.value);
                    }
                    self.block(&step.then);
                    self.block(&step.otherwise);
                }
            }
        }
    }

    fn read(&mut self, operand: Operand) {
        if let Operand::Temp(temp) = operand {
            *self.0.entry(temp).or_default() += 1;
        }
    }
}
