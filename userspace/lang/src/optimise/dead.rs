// SPDX-License-Identifier: GPL-2.0
//! Takes out what nobody can see: values nothing reads, and stores that are
//! overwritten before a report, the next invocation or an abort shows them.

use ccp_core::vm::isa::{Class, Reg};

use super::effects::CONTINUE;
use super::uses::Uses;
use super::values::Note;
use crate::flat::{Block, Operand, Place, Program, Step};

/// Removes dead steps. `notes` are those of the clauses as they are.
pub(super) fn run(program: &mut Program, notes: &[Note]) {
    let mut sweeper = Sweeper {
        uses: Uses::of(program),
    };
    let last = program.events.len().saturating_sub(1);
    let mut next = Live::END;
    for (index, event) in program.events.iter_mut().enumerate().rev() {
        let after = notes.get(index).and_then(|note| note.after);
        let mut live = Live::NONE;
        if after != Some(true) {
            live = live.or(Live::END);
        }
        if after != Some(false) {
            live = live.or(next);
        }
        if index != last {
            live = live.with(CONTINUE);
        }
        let body = sweeper.block(&mut event.body, live);
        let live = match event.test {
            Operand::Const(0) => next,
            Operand::Const(_) => body,
            _ => body.or(next),
        };
        next = sweeper.block(&mut event.condition, live.with_operand(event.test));
    }
}

/// Registers whose value somebody will see.
#[derive(Clone, Copy)]
struct Live(u64);

impl Live {
    const NONE: Self = Self(0);
    /// What an abort shows: all that lasts, and `Micros`.
    const ABORT: Self = Self(!0b11_0111);
    /// What the end of an invocation shows: the flag of reports, the window
    /// and the rate, too.
    const END: Self = Self(!0b00_0011);

    fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn with(self, reg: Reg) -> Self {
        Self(self.0 | bit(reg))
    }

    fn without(self, reg: Reg) -> Self {
        Self(self.0 & !bit(reg))
    }

    fn with_operand(self, operand: Operand) -> Self {
        match operand {
            Operand::Reg(reg) => self.with(reg),
            Operand::Const(_) | Operand::Temp(_) => self,
        }
    }

    fn has(self, reg: Reg) -> bool {
        self.0 & bit(reg) != 0
    }
}

/// The bit of a register; none for those that are never written.
fn bit(reg: Reg) -> u64 {
    let first = match reg.class {
        Class::Implicit => 0,
        Class::Local => 6,
        Class::VolatileReport | Class::NonvolatileReport => 14,
        Class::VolatileControl | Class::NonvolatileControl => 30,
        Class::Immediate | Class::Primitive | Class::Tmp => return 0,
    };
    1 << (first + reg.index)
}

struct Sweeper {
    uses: Uses,
}

impl Sweeper {
    /// Sweeps a block after which `live` is seen; returns what is seen of what
    /// holds before it.
    fn block(&mut self, block: &mut Block, mut live: Live) -> Live {
        let steps = std::mem::take(block);
        for mut step in steps.into_iter().rev() {
            if self.step(&mut step, &mut live) {
                block.push(step);
            } else {
                self.uses.forget(&[step]);
            }
        }
        block.reverse();
        live
    }

    /// Whether the step stays.
    fn step(&mut self, step: &mut Step, live: &mut Live) -> bool {
        match step {
            Step::Set(set) => {
                let seen = match set.to {
                    Place::Reg(reg) => live.has(reg),
                    Place::Temp(temp) => self.uses.count(temp) > 0,
                };
                let aborts = set.value.can_abort();
                if !seen && !aborts {
                    return false;
                }
                if let Place::Reg(reg) = set.to {
                    *live = live.without(reg);
                }
                if aborts {
                    *live = live.or(Live::ABORT);
                }
                for operand in set.value.operands() {
                    *live = live.with_operand(operand);
                }
            }
            Step::If(step) => {
                let then = self.block(&mut step.then, *live);
                let otherwise = self.block(&mut step.otherwise, *live);
                if step.then.is_empty() && step.otherwise.is_empty() {
                    return false;
                }
                *live = then.or(otherwise).with_operand(step.condition);
            }
        }
        true
    }
}
