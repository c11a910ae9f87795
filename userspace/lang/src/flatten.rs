// SPDX-License-Identifier: GPL-2.0
//! `ir` to steps, operands first, left to right.

use crate::ast::Span;
use crate::flat::{Block, Event, If, Operand, Place, Program, Set, Step, Value};
use crate::ir::{self, StmtKind, Target};

/// Flattens a program the plain way: each operator has a temporary, which an
/// assignment then copies.
pub(crate) fn flatten(program: ir::Program) -> Program {
    let mut flattener = Flattener {
        program: Program {
            definitions: program.definitions,
            events: Vec::new(),
            temps: 0,
        },
        steps: Vec::new(),
        span: 0..0,
    };
    for event in &program.events {
        flattener.event(event);
    }
    flattener.program
}

struct Flattener {
    program: Program,
    /// The block being made.
    steps: Block,
    /// The statement being flattened.
    span: Span,
}

impl Flattener {
    fn event(&mut self, event: &ir::Event) {
        self.span = event.span.clone();
        let test = self.operand(&event.condition);
        let condition = std::mem::take(&mut self.steps);
        let body = self.block(&event.body);
        self.program.events.push(Event {
            condition,
            test,
            body,
            span: event.span.clone(),
        });
    }

    fn block(&mut self, statements: &[ir::Stmt]) -> Block {
        let before = std::mem::take(&mut self.steps);
        for statement in statements {
            self.span = statement.span.clone();
            match &statement.kind {
                StmtKind::Flag(reg) => self.set(Place::Reg(*reg), Value::Copy(Operand::Const(1))),
                StmtKind::Value(value) => {
                    self.operand(value);
                }
                StmtKind::If {
                    condition,
                    then,
                    otherwise,
                } => {
                    let condition = self.operand(condition);
                    let (then, otherwise) = (self.block(then), self.block(otherwise));
                    self.steps.push(Step::If(If {
                        condition,
                        also: Vec::new(),
                        then,
                        otherwise,
                        span: statement.span.clone(),
                    }));
                }
            }
        }
        std::mem::replace(&mut self.steps, before)
    }

    fn set(&mut self, to: Place, value: Value) {
        self.steps.push(Step::Set(Set {
            to,
            value,
            span: self.span.clone(),
        }));
    }

    fn temp(&mut self, value: Value) -> Operand {
        let temp = self.program.temp();
        self.set(Place::Temp(temp), value);
        Operand::Temp(temp)
    }

    /// Computes `value` and says where it can be read.
    fn operand(&mut self, value: &ir::Value) -> Operand {
        match value {
            ir::Value::Const(value) => {
                let value = Operand::Const(*value);
                match value {
                    Operand::Const(0..=0xffff_ffff) => value,
                    _ => self.temp(Value::Copy(value)),
                }
            }
            ir::Value::Reg(reg) => Operand::Reg(*reg),
            ir::Value::Assign(target, value) => self.assign(target, value),
            _ => {
                let value = self.value(value);
                self.temp(value)
            }
        }
    }

    /// Computes the operands of `value`.
    fn value(&mut self, value: &ir::Value) -> Value {
        match value {
            ir::Value::Not(operand) => Value::Not(self.operand(operand)),
            ir::Value::Binary(opcode, left, right) => {
                let left = self.operand(left);
                let right = self.operand(right);
                Value::Binary(*opcode, left, right)
            }
            ir::Value::Select {
                negate,
                condition,
                value,
                otherwise,
            } => {
                let condition = self.operand(condition);
                let value = self.operand(value);
                let otherwise = self.operand(otherwise);
                Value::Select {
                    negate: *negate,
                    condition,
                    value,
                    otherwise,
                }
            }
            ir::Value::Ewma {
                weight,
                state,
                sample,
            } => {
                let weight = self.operand(weight);
                let state = self.operand(state);
                let sample = self.operand(sample);
                Value::Ewma {
                    weight,
                    state,
                    sample,
                }
            }
            ir::Value::Const(value) => Value::Copy(Operand::Const(*value)),
            ir::Value::Reg(_) | ir::Value::Assign(..) => Value::Copy(self.operand(value)),
        }
    }

    fn assign(&mut self, target: &Target, value: &ir::Value) -> Operand {
        let reg = match target {
            Target::Reg(reg) => *reg,
            Target::Assigned(reg, first) => {
                self.operand(first);
                *reg
            }
            Target::Nowhere(first) => {
                self.operand(first);
                let value = Value::Copy(self.operand(value));
                return self.temp(value);
            }
        };
        // These update their target in place, as portus has them do.
        let in_place = match value {
            ir::Value::Select { otherwise, .. } => **otherwise == ir::Value::Reg(reg),
            ir::Value::Ewma { state, .. } => **state == ir::Value::Reg(reg),
            ir::Value::Const(_) => true,
            _ => false,
        };
        let value = if in_place {
            self.value(value)
        } else {
            Value::Copy(self.operand(value))
        };
        self.set(Place::Reg(reg), value);
        Operand::Reg(reg)
    }
}
