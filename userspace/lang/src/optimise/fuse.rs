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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flat::{Event, Temp};
    use ccp_core::vm::isa::{Class, Opcode};

    fn reg(index: u32) -> Reg {
        Reg::new(Class::Local, index)
    }

    fn set(to: Place, value: Value) -> Step {
        Step::Set(Set {
            to,
            value,
            span: 0..0,
        })
    }

    /// A temporary, what is `between`, and its copy to local 0; whether the
    /// two become one.
    fn fuses(between: Option<Step>) -> bool {
        let sum = Value::Binary(Opcode::Add, Operand::Reg(reg(1)), Operand::Const(1));
        let carried = Value::Copy(Operand::Temp(Temp(1)));
        let mut body = vec![set(Place::Temp(Temp(1)), sum)];
        body.extend(between);
        body.push(set(Place::Reg(reg(0)), carried));
        let count = body.len();
        let mut program = Program {
            definitions: Vec::new(),
            events: vec![Event {
                condition: Vec::new(),
                test: Operand::Const(1),
                body,
                span: 0..0,
            }],
            temps: 1,
        };
        run(&mut program);
        program.events[0].body.len() < count
    }

    #[test]
    fn nothing_in_between_sees_the_register() {
        assert!(fuses(None));
        let copy = |to, from| Some(set(Place::Reg(to), Value::Copy(from)));
        assert!(fuses(copy(reg(2), Operand::Reg(reg(3)))));
        // What the sum reads may change once it is computed.
        assert!(fuses(copy(reg(1), Operand::Const(5))));
        assert!(!fuses(copy(reg(0), Operand::Const(5))));
        assert!(!fuses(copy(reg(2), Operand::Reg(reg(0)))));
        let quotient = Value::Binary(Opcode::Div, Operand::Const(1), Operand::Reg(reg(3)));
        assert!(!fuses(Some(set(Place::Reg(reg(2)), quotient))));
    }
}
