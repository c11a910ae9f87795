// SPDX-License-Identifier: GPL-2.0
//! The program as a tree, names not yet resolved.

use std::ops::Range;

use ccp_core::vm::isa::Opcode;

/// Bytes of the source.
pub(crate) type Span = Range<usize>;

/// A whole program.
#[derive(Debug, Default)]
pub(crate) struct Program {
    pub(crate) declarations: Vec<Declaration>,
    pub(crate) events: Vec<Event>,
}

/// A name and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) span: Span,
}

/// One variable of the `def` block.
#[derive(Debug)]
pub(crate) struct Declaration {
    /// As used in expressions: members of `(Report ...)` have their prefix.
    pub(crate) name: Name,
    pub(crate) volatile: bool,
    pub(crate) structure: Structure,
    pub(crate) init: Literal,
}

/// Which part of `def` a declaration is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Structure {
    /// `(Report ...)`: these get the first report registers.
    Report,
    /// `(Local ...)`
    Local,
    /// None.
    Outside,
}

/// A value written out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Literal {
    Num(u64),
    Bool(bool),
    Infinity,
    /// Not a value at all; only where portus puts up with it.
    Name(String),
}

/// One `when` clause.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) condition: Expr,
    pub(crate) body: Vec<Stmt>,
    pub(crate) span: Span,
}

/// Something done for its effect.
#[derive(Debug)]
pub(crate) enum Stmt {
    Expr(Expr),
    If {
        condition: Expr,
        then: Vec<Stmt>,
        otherwise: Vec<Stmt>,
        span: Span,
    },
    Report(Span),
    Fallthrough(Span),
}

/// Something with a value.
#[derive(Clone, Debug)]
pub(crate) struct Expr {
    pub(crate) kind: ExprKind,
    pub(crate) span: Span,
}

/// Kinds of expression.
#[derive(Clone, Debug)]
pub(crate) enum ExprKind {
    Literal(Literal),
    Name(String),
    /// Two or more operands where the operator allows it, else exactly as
    /// many as it takes.
    Op(Op, Vec<Expr>),
    Assign(Box<Expr>, Box<Expr>),
    Select {
        negate: bool,
        condition: Box<Expr>,
        value: Box<Expr>,
        /// Without it the target of the enclosing assignment stays.
        otherwise: Option<Box<Expr>>,
    },
    Ewma {
        weight: Box<Expr>,
        /// Without it the state is the target of the enclosing assignment.
        state: Option<Box<Expr>>,
        sample: Box<Expr>,
    },
    /// Already reported; stands for anything.
    Error,
}

/// Operators that compute a value from their operands only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Add,
    AddSat,
    Sub,
    SubSat,
    Mul,
    MulSat,
    Div,
    Max,
    Min,
    WrappedMax,
    And,
    Or,
    Not,
    Gt,
    Ge,
    Lt,
    Le,
    Eq,
    Ne,
}

impl Op {
    /// Fewest and most operands.
    pub(crate) fn arity(self) -> (usize, usize) {
        match self {
            Self::Add | Self::Mul | Self::Max | Self::Min | Self::And | Self::Or => (2, usize::MAX),
            Self::Not => (1, 1),
            _ => (2, 2),
        }
    }

    /// The instruction of two operands that computes it; `!` has one.
    pub(crate) fn opcode(self) -> Option<Opcode> {
        Some(match self {
            Self::Add => Opcode::Add,
            Self::AddSat => Opcode::AddSat,
            Self::Sub => Opcode::Sub,
            Self::SubSat => Opcode::SubSat,
            Self::Mul => Opcode::Mul,
            Self::MulSat => Opcode::MulSat,
            Self::Div => Opcode::Div,
            Self::Max => Opcode::Max,
            Self::Min => Opcode::Min,
            Self::WrappedMax => Opcode::MaxWrap,
            Self::And => Opcode::And,
            Self::Or => Opcode::Or,
            Self::Gt => Opcode::Gt,
            Self::Ge => Opcode::Ge,
            Self::Lt => Opcode::Lt,
            Self::Le => Opcode::Le,
            Self::Eq => Opcode::Equiv,
            Self::Ne => Opcode::Ne,
            Self::Not => return None,
        })
    }
}
