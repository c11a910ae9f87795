// SPDX-License-Identifier: GPL-2.0
//! Counts how often each temporary is read.

use std::collections::HashMap;

use crate::flat::{Operand, Place, Program, Step, Temp};

/// Reads of each temporary of a program.
#[derive(Debug, Default)]
pub(super) struct Uses(HashMap<Temp, usize>);

impl Uses {
    pub(super) fn of(program: &Program) -> Self {
        let mut uses = Self::default();
        for event in &program.events {
            uses.block(&event.condition);
            uses.operand(event.test);
            uses.block(&event.body);
        }
        uses
    }

    /// How often `temp` is read.
    pub(super) fn count(&self, temp: Temp) -> usize {
        self.0.get(&temp).copied().unwrap_or(0)
    }

    /// How often the temporary at `place` is read, if it is one.
    pub(super) fn place(&self, place: Place) -> usize {
        match place {
            Place::Temp(temp) => self.count(temp),
            Place::Reg(_) => 0,
        }
    }

    /// Takes back what was counted of `block`.
    pub(super) fn forget(&mut self, block: &[Step]) {
        let mut gone = Self::default();
        gone.block(block);
        for (temp, count) in gone.0 {
            if let Some(uses) = self.0.get_mut(&temp) {
                *uses = uses.saturating_sub(count);
            }
        }
    }

    pub(super) fn block(&mut self, block: &[Step]) {
        for step in block {
            match step {
                Step::Set(set) => set.value.operands().for_each(|o| self.operand(o)),
                Step::If(step) => {
                    self.operand(step.condition);
                    for test in &step.also {
                        self.block(&test.steps);
                        self.operand(test.value);
                    }
                    self.block(&step.then);
                    self.block(&step.otherwise);
                }
            }
        }
    }

    pub(super) fn operand(&mut self, operand: Operand) {
        if let Operand::Temp(temp) = operand {
            *self.0.entry(temp).or_default() += 1;
        }
    }
}
