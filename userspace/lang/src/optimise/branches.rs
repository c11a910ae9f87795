// SPDX-License-Identifier: GPL-2.0
//! `If` statements: neighbours with one condition become one, what both
//! branches do last is done after them, and a choice between values needs no
//! branch.

use super::effects;
use super::uses::Uses;
use crate::flat::{Block, If, Operand, Place, Program, Set, Step, Value};

pub(super) fn run(program: &mut Program) {
    let uses = Uses::of(program);
    for event in &mut program.events {
        block(&mut event.condition, &uses);
        block(&mut event.body, &uses);
    }
}

fn block(steps: &mut Block, uses: &Uses) {
    let mut out = Block::new();
    for mut step in std::mem::take(steps) {
        let Step::If(choice) = &mut step else {
            out.push(step);
            continue;
        };
        block(&mut choice.then, uses);
        block(&mut choice.otherwise, uses);
        if join(&mut out, choice, uses) {
            continue;
        }
        let tail = common_tail(choice);
        match select(choice, &out, uses) {
            Some(set) => out.push(Step::Set(set)),
            None => out.push(step),
        }
        out.extend(tail);
    }
    *steps = out;
}

/// Adds the branches of `step` to those of the `If` before it, if that has the
/// same condition.
fn join(out: &mut Block, step: &mut If, uses: &Uses) -> bool {
    // The comparison of its own that a condition has may lie between.
    let own = match out.last() {
        Some(Step::Set(set)) if is_own(set, step.condition, uses) => Some(set.value),
        _ => None,
    };
    let at = out.len().checked_sub(if own.is_some() { 2 } else { 1 });
    let Some(at) = at else {
        return false;
    };
    let Some(Step::If(first)) = out.get(at) else {
        return false;
    };
    let watched: Vec<Operand> = match own {
        Some(value) => {
            let before = at.checked_sub(1).and_then(|at| out.get(at));
            match before {
                Some(Step::Set(set)) if is_own(set, first.condition, uses) => {
                    if set.value != value {
                        return false;
                    }
                }
                _ => return false,
            }
            value.operands().collect()
        }
        None if first.condition == step.condition => vec![step.condition],
        None => return false,
    };
    let changed = watched.iter().any(|operand| match operand {
        Operand::Reg(reg) => [&first.then, &first.otherwise]
            .into_iter()
            .flatten()
            .any(|step| effects::writes(step, *reg)),
        Operand::Const(_) | Operand::Temp(_) => false,
    });
    if changed || !first.also.is_empty() {
        return false;
    }
    out.truncate(at + 1);
    let Some(Step::If(first)) = out.last_mut() else {
        return false;
    };
    first.then.append(&mut step.then);
    first.otherwise.append(&mut step.otherwise);
    true
}

/// Whether `set` computes `condition` and nothing else reads it.
fn is_own(set: &Set, condition: Operand, uses: &Uses) -> bool {
    match set.to {
        Place::Temp(temp) => {
            condition == Operand::Temp(temp) && uses.count(temp) == 1 && !set.value.can_abort()
        }
        Place::Reg(_) => false,
    }
}

/// Takes the steps that end both branches.
fn common_tail(step: &mut If) -> Block {
    let mut tail = Block::new();
    while let (Some(Step::Set(a)), Some(Step::Set(b))) = (step.then.last(), step.otherwise.last()) {
        if a.to != b.to || a.value != b.value || matches!(a.to, Place::Temp(_)) {
            break;
        }
        tail.extend(step.then.pop());
        step.otherwise.pop();
    }
    tail.reverse();
    tail
}

/// A choice between two values of one register. A comparison that is made only
/// for it goes better with a branch, which the datapath makes one with it,
/// unless there are two.
fn select(step: &If, before: &Block, uses: &Uses) -> Option<Set> {
    let compared = matches!(
        before.last(),
        Some(Step::Set(set)) if is_own(set, step.condition, uses)
    );
    let (set, negate, value, otherwise) = match (&step.then[..], &step.otherwise[..]) {
        ([then], [otherwise]) => {
            let ((set, value), (other, otherwise)) = (copy(then)?, copy(otherwise)?);
            if set.to != other.to {
                return None;
            }
            (set, false, value, otherwise)
        }
        ([then], []) if !compared => {
            let (set, value) = copy(then)?;
            (set, false, value, set.to.into())
        }
        ([], [otherwise]) if !compared => {
            let (set, value) = copy(otherwise)?;
            (set, true, value, set.to.into())
        }
        _ => return None,
    };
    Some(Set {
        to: set.to,
        value: Value::Select {
            negate,
            condition: step.condition,
            value,
            otherwise,
        },
        span: set.span.clone(),
    })
}

/// A step that copies to a register. The flag of `(fallthrough)` stays a
/// constant, which the datapath makes most of.
fn copy(step: &Step) -> Option<(&Set, Operand)> {
    match step {
        Step::Set(set) => match (set.to, set.value) {
            (Place::Reg(effects::CONTINUE), _)
            | (_, Value::Copy(Operand::Const(0x1_0000_0000..))) => None,
            (Place::Reg(_), Value::Copy(from)) => Some((set, from)),
            _ => None,
        },
        Step::If(_) => None,
    }
}
