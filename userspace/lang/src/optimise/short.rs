// SPDX-License-Identifier: GPL-2.0
//! `(If (&& a b) ...)` looks at b only if a holds, where nothing can tell.
//! It takes no more instructions: the skip stands in for the conjunction.

use ccp_core::vm::isa::Opcode;

use super::compare::Relation;
use super::effects;
use super::uses::Uses;
use crate::flat::{Block, Operand, Place, Program, Set, Step, Temp, Test, Value};

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
        if let Step::If(choice) = &mut step {
            block(&mut choice.then, uses);
            block(&mut choice.otherwise, uses);
            if !choice.then.is_empty() {
                let mut tests = split(&mut out, choice.condition, uses).into_iter();
                if let Some(first) = tests.next() {
                    choice.condition = first.value;
                }
                choice.also.extend(tests);
            }
        }
        out.push(step);
    }
    *steps = out;
}

/// Takes the conjunction that is `condition` apart. What the first of its parts
/// needs stays in `before`.
fn split(before: &mut Block, condition: Operand, uses: &Uses) -> Vec<Test> {
    let whole = Test {
        steps: Block::new(),
        value: condition,
    };
    let Some((left, right)) = conjunction(before.last(), condition, uses) else {
        return vec![whole];
    };
    let steps = &before[..before.len() - 1];
    let was_there = matches!(right, Operand::Temp(_)) && own(steps, right, uses) == 0;
    let (first, second) = if was_there && own(steps, left, uses) > 0 {
        (right, left)
    } else {
        (left, right)
    };
    let count = own(steps, second, uses);
    let rest = &steps[..steps.len() - count];
    if count == 0 && !compared(rest.last(), first, uses) {
        // Two plain registers: the datapath tests both at once.
        return vec![whole];
    }
    before.pop();
    let mut steps = before.split_off(before.len() - count);
    let mut tests = split(before, first, uses);
    let mut others = split(&mut steps, second, uses);
    if let Some(other) = others.first_mut() {
        other.steps = steps;
    }
    tests.append(&mut others);
    tests
}

/// The operands of the conjunction that computes `condition`.
fn conjunction(step: Option<&Step>, condition: Operand, uses: &Uses) -> Option<(Operand, Operand)> {
    let set = computed(step, condition, uses)?;
    match set.value {
        Value::Binary(Opcode::And, left, right) => Some((left, right)),
        _ => None,
    }
}

/// Whether `step` is a comparison that computes `operand`.
fn compared(step: Option<&Step>, operand: Operand, uses: &Uses) -> bool {
    computed(step, operand, uses).is_some_and(|set| match set.value {
        Value::Binary(opcode, ..) => {
            Relation::of(opcode).is_some() || matches!(opcode, Opcode::And | Opcode::Or)
        }
        _ => false,
    })
}

/// The step that computes `operand`, if it is the one given and nothing else
/// reads it.
fn computed<'s>(step: Option<&'s Step>, operand: Operand, uses: &Uses) -> Option<&'s Set> {
    match (step, operand) {
        (Some(Step::Set(set)), Operand::Temp(temp)) => {
            (set.to == Place::Temp(temp) && uses.count(temp) == 1).then_some(set)
        }
        _ => None,
    }
}

/// How many of the last steps do no more than compute `operand`, which nothing
/// else reads.
fn own(steps: &[Step], operand: Operand, uses: &Uses) -> usize {
    if !compared(steps.last(), operand, uses) {
        return 0;
    }
    // Temporaries whose every use is among the steps taken so far.
    let mut inside = Uses::default();
    inside.operand(operand);
    let mut count = 0;
    for step in steps.iter().rev() {
        let Step::Set(set) = step else { break };
        let Place::Temp(temp) = set.to else { break };
        if !effects::is_pure(step) || !only(inside.count(temp), temp, uses) {
            break;
        }
        inside.block(std::slice::from_ref(step));
        count += 1;
    }
    count
}

fn only(inside: usize, temp: Temp, uses: &Uses) -> bool {
    inside > 0 && inside == uses.count(temp)
}
