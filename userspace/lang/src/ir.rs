// SPDX-License-Identifier: GPL-2.0
//! The program with names resolved and types checked, still a tree.

use ccp_core::vm::isa::{Opcode, Reg};

use crate::ast::Span;

/// A whole program.
#[derive(Debug)]
pub(crate) struct Program {
    /// In the order of the wire form: by name.
    pub(crate) definitions: Vec<Definition>,
    pub(crate) events: Vec<Event>,
}

/// A declared register and its initial value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Definition {
    pub(crate) reg: Reg,
    pub(crate) init: u64,
}

/// One `when` clause.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) condition: Value,
    pub(crate) body: Vec<Stmt>,
    pub(crate) span: Span,
}

/// Something done for its effect, and the source it comes from.
#[derive(Debug)]
pub(crate) struct Stmt {
    pub(crate) kind: StmtKind,
    pub(crate) span: Span,
}

/// Kinds of statement.
#[derive(Debug)]
pub(crate) enum StmtKind {
    /// The value is not used; the evaluation may still abort.
    Value(Value),
    If {
        condition: Value,
        then: Vec<Stmt>,
        otherwise: Vec<Stmt>,
    },
    /// Sets a flag of the datapath.
    Flag(Reg),
}

/// Something with a value. Operands are evaluated left to right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Const(u64),
    Reg(Reg),
    Not(Box<Value>),
    Binary(Opcode, Box<Value>, Box<Value>),
    Assign(Target, Box<Value>),
    /// `value` if `condition` is not 0 (is 0, when negated), else `otherwise`.
    Select {
        negate: bool,
        condition: Box<Value>,
        value: Box<Value>,
        otherwise: Box<Value>,
    },
    Ewma {
        weight: Box<Value>,
        state: Box<Value>,
        sample: Box<Value>,
    },
}

/// Where an assignment goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Reg(Reg),
    /// Another assignment, made first.
    Assigned(Reg, Box<Value>),
    /// A value without a name, computed and thrown away.
    Nowhere(Box<Value>),
}
