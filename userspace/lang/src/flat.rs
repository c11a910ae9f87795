// SPDX-License-Identifier: GPL-2.0
//! The program as steps: each operator has a place for its result, so that
//! order, copies and lifetimes can be seen. What the optimiser rewrites and
//! code generation walks.

use ccp_core::vm::isa::{Opcode, Reg};

use crate::ast::Span;
use crate::ir::Definition;

/// A whole program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Program {
    /// In the order of the wire form: by name.
    pub(crate) definitions: Vec<Definition>,
    pub(crate) events: Vec<Event>,
    /// How many temporaries have been named.
    pub(crate) temps: u32,
}

impl Program {
    /// A temporary of its own.
    pub(crate) fn temp(&mut self) -> Temp {
        self.temps = self.temps.saturating_add(1);
        Temp(self.temps)
    }
}

/// One `when` clause: the body runs if `test` is not 0 after the condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) condition: Block,
    pub(crate) test: Operand,
    pub(crate) body: Block,
    pub(crate) span: Span,
}

/// Steps, run in order.
pub(crate) type Block = Vec<Step>;

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Set(Set),
    If(If),
}

/// Computes a value and stores it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Set {
    pub(crate) to: Place,
    pub(crate) value: Value,
    /// The statement it comes from.
    pub(crate) span: Span,
}

/// Runs one of two blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct If {
    pub(crate) condition: Operand,
    /// Further conditions, each evaluated if all before it hold.
    pub(crate) also: Vec<Test>,
    pub(crate) then: Block,
    pub(crate) otherwise: Block,
    pub(crate) span: Span,
}

/// Steps that compute a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Test {
    pub(crate) steps: Block,
    pub(crate) value: Operand,
}

/// An intermediate value: set once, in the condition or body that uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Temp(pub(crate) u32);

/// Where a value goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Reg(Reg),
    Temp(Temp),
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operand {
    /// At most 32 bits, but in [`Value::Copy`].
    Const(u64),
    Reg(Reg),
    Temp(Temp),
}

impl From<Place> for Operand {
    fn from(place: Place) -> Self {
        match place {
            Place::Reg(reg) => Self::Reg(reg),
            Place::Temp(temp) => Self::Temp(temp),
        }
    }
}

/// What a step computes. Operands are read when it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Copy(Operand),
    Not(Operand),
    Binary(Opcode, Operand, Operand),
    /// `value` if `condition` is not 0 (is 0, when negated), else `otherwise`.
    Select {
        negate: bool,
        condition: Operand,
        value: Operand,
        otherwise: Operand,
    },
    Ewma {
        weight: Operand,
        state: Operand,
        sample: Operand,
    },
}

impl Value {
    /// What it reads.
    pub(crate) fn operands(&self) -> impl Iterator<Item = Operand> {
        let all = match *self {
            Self::Copy(a) | Self::Not(a) => [Some(a), None, None],
            Self::Binary(_, a, b) => [Some(a), Some(b), None],
            Self::Select {
                condition: a,
                value: b,
                otherwise: c,
                ..
            }
            | Self::Ewma {
                weight: a,
                state: b,
                sample: c,
            } => [Some(a), Some(b), Some(c)],
        };
        all.into_iter().flatten()
    }

    /// The same of other operands.
    pub(crate) fn map(self, mut f: impl FnMut(Operand) -> Operand) -> Self {
        match self {
            Self::Copy(a) => Self::Copy(f(a)),
            Self::Not(a) => Self::Not(f(a)),
            Self::Binary(opcode, a, b) => Self::Binary(opcode, f(a), f(b)),
            Self::Select {
                negate,
                condition,
                value,
                otherwise,
            } => Self::Select {
                negate,
                condition: f(condition),
                value: f(value),
                otherwise: f(otherwise),
            },
            Self::Ewma {
                weight,
                state,
                sample,
            } => Self::Ewma {
                weight: f(weight),
                state: f(state),
                sample: f(sample),
            },
        }
    }

    /// Whether evaluating it can end the invocation.
    pub(crate) fn can_abort(&self) -> bool {
        match self {
            Self::Binary(Opcode::Div, _, Operand::Const(divisor)) => *divisor == 0,
            Self::Binary(opcode, ..) => matches!(
                opcode,
                Opcode::Add | Opcode::Sub | Opcode::Mul | Opcode::Div
            ),
            Self::Ewma { weight, .. } => !matches!(weight, Operand::Const(0..=10)),
            Self::Copy(_) | Self::Not(_) | Self::Select { .. } => false,
        }
    }
}
