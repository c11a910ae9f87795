// SPDX-License-Identifier: GPL-2.0
//! The order of steps that do not depend on each other: a condition can end at
//! the first comparison that fails if what can abort is done before, and the
//! datapath drops a `(fallthrough)` that comes last.

use ccp_core::vm::isa::Opcode;

use super::compare::Relation;
use super::effects::CONTINUE;
use crate::flat::{Block, Operand, Place, Program, Set, Step, Value};

pub(super) fn run(program: &mut Program) {
    for event in &mut program.events {
        block(&mut event.condition);
        block(&mut event.body);
        fallthrough_last(&mut event.body);
    }
}

fn block(steps: &mut Block) {
    for step in steps.iter_mut() {
        if let Step::If(step) = step {
            block(&mut step.then);
            block(&mut step.otherwise);
        }
    }
    comparisons_last(steps);
}

fn fallthrough_last(steps: &mut Block) {
    let flag = |step: &Step| matches!(step, Step::Set(set) if set.to == Place::Reg(CONTINUE));
    if let Some(at) = steps.iter().position(flag) {
        steps[at..].rotate_left(1);
    }
}

/// Moves what can abort before comparisons, which cannot.
fn comparisons_last(steps: &mut Block) {
    for at in 1..steps.len() {
        let mut to = at;
        while to > 0 && computes(&steps[to], &steps[to - 1]) {
            steps.swap(to, to - 1);
            to -= 1;
        }
    }
}

/// Whether `step` computes something that can abort and does not depend on the
/// comparison `before` it.
fn computes(step: &Step, before: &Step) -> bool {
    let (Step::Set(set), Step::Set(before)) = (step, before) else {
        return false;
    };
    let (Place::Temp(_), Place::Temp(compared)) = (set.to, before.to) else {
        return false;
    };
    let depends = set.value.operands().any(|o| o == Operand::Temp(compared));
    is_comparison(before) && set.value.can_abort() && !depends
}

fn is_comparison(set: &Set) -> bool {
    match set.value {
        Value::Binary(opcode, ..) => {
            Relation::of(opcode).is_some() || matches!(opcode, Opcode::And | Opcode::Or)
        }
        _ => false,
    }
}
