// SPDX-License-Identifier: GPL-2.0
//! Operators write their result straight to the variable assigned, where
//! nothing can tell.

use ccp_core::vm::isa::Reg;

use super::effects::{can_abort, hides_aborts, reads, writes};
use super::uses::Uses;
use crate::flat::{Block, Operand, Place, Program, Set, Step, Value};

pub(super) fn run(program: &mut Program) {
    let uses = Uses::of(program);
    for event in &mut program.events {
        block(&mut event.condition, &uses);
        block(&mut event.body, &uses);
    }
}

fn block(steps: &mut Block, uses: &Uses) {
    for step in steps.iter_mut() {
        if let Step::If(step) = step {
            block(&mut step.then, uses);
            block(&mut step.otherwise, uses);
        }
    }
    let mut at = 0;
    while at < steps.len() {
        if let Some((from, reg)) = carrier(steps, at, uses) {
            steps.remove(at);
            if let Some(Step::Set(set)) = steps.get_mut(from) {
                set.to = Place::Reg(reg);
            }
        } else {
            at += 1;
        }
    }
}

/// If the step at `at` only copies a temporary to a register: the place where
/// the temporary is set, when the register can be set there instead.
fn carrier(steps: &Block, at: usize, uses: &Uses) -> Option<(usize, Reg)> {
    let Some(Step::Set(Set {
        to: Place::Reg(reg),
        value: Value::Copy(Operand::Temp(temp)),
        ..
    })) = steps.get(at)
    else {
        return None;
    };
    if uses.count(*temp) != 1 {
        return None;
    }
    for from in (0..at).rev() {
        let step = steps.get(from)?;
        if matches!(step, Step::Set(set) if set.to == Place::Temp(*temp)) {
            return Some((from, *reg));
        }
        // The register would change sooner: nothing in between may see it.
        let aborts = can_abort(step) && !hides_aborts(*reg);
        if aborts || reads(step, *reg) || writes(step, *reg) {
            return None;
        }
    }
    None
}
