// SPDX-License-Identifier: GPL-2.0
//! A constant added, subtracted or multiplied with, twice in a row: once will
//! do. It aborts if and only if one of the two did, and in the same way.

use ccp_core::vm::isa::Opcode;

use super::uses::Uses;
use crate::flat::{Block, Operand, Place, Program, Step, Value};

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
    let mut at = 1;
    while at < steps.len() {
        let both = match &steps[at - 1..=at] {
            [first, second] => combined(first, second, uses),
            _ => None,
        };
        match (both, &mut steps[at]) {
            (Some(value), Step::Set(second)) => {
                second.value = value;
                steps.remove(at - 1);
            }
            _ => at += 1,
        }
    }
}

fn combined(first: &Step, second: &Step, uses: &Uses) -> Option<Value> {
    let (Step::Set(first), Step::Set(second)) = (first, second) else {
        return None;
    };
    let Place::Temp(temp) = first.to else {
        return None;
    };
    let Value::Binary(opcode, operand, Operand::Const(a)) = first.value else {
        return None;
    };
    let Value::Binary(same, Operand::Temp(carried), Operand::Const(b)) = second.value else {
        return None;
    };
    if same != opcode || carried != temp || uses.count(temp) != 1 {
        return None;
    }
    let both = match opcode {
        Opcode::Add | Opcode::Sub => a.checked_add(b)?,
        // Times 0 never aborts, whatever the first product does.
        Opcode::Mul if a != 0 && b != 0 => a.checked_mul(b)?,
        _ => return None,
    };
    let both = u32::try_from(both).ok()?;
    Some(Value::Binary(opcode, operand, Operand::Const(both.into())))
}
