// SPDX-License-Identifier: GPL-2.0
//! Finds the local variables of a program and their types.
//!
//! This runs over the whole program first, because a local keeps its value
//! from ACK to ACK: an early clause may read what a later one sets.

use crate::ast::{Expr, ExprKind, Literal, Op, Program, Stmt};
use crate::diagnostic::Diagnostic;
use crate::scope::Scope;
use crate::types::Type;

/// Enters every undeclared name into `scope`, in order of mention.
pub(crate) fn locals(program: &Program, scope: &mut Scope, diagnostics: &mut Vec<Diagnostic>) {
    let mut finder = Finder { scope, diagnostics };
    for event in &program.events {
        finder.expr(&event.condition);
        finder.block(&event.body);
    }
}

struct Finder<'a> {
    scope: &'a mut Scope,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl Finder<'_> {
    fn block(&mut self, statements: &[Stmt]) {
        for statement in statements {
            match statement {
                Stmt::Expr(expr) => {
                    self.expr(expr);
                }
                Stmt::If {
                    condition,
                    then,
                    otherwise,
                    ..
                } => {
                    self.expr(condition);
                    self.block(then);
                    self.block(otherwise);
                }
                Stmt::Report(_) | Stmt::Fallthrough(_) => {}
            }
        }
    }

    /// The type `expr` has as far as it is known here.
    fn expr(&mut self, expr: &Expr) -> Type {
        match &expr.kind {
            ExprKind::Literal(Literal::Bool(_)) => Type::Bool,
            ExprKind::Literal(_) => Type::Num,
            ExprKind::Name(name) => {
                self.scope.mention(name, &expr.span, self.diagnostics);
                self.scope.get(name).map_or(Type::Unknown, |v| v.ty)
            }
            ExprKind::Op(op, operands) => {
                for operand in operands {
                    self.expr(operand);
                }
                op_type(*op)
            }
            ExprKind::Assign(target, value) => {
                let before = self.expr(target);
                let ty = self.expr(value);
                if let ExprKind::Name(name) = &target.kind {
                    self.scope.assign(name, ty);
                    return self.scope.get(name).map_or(before, |v| v.ty);
                }
                before
            }
            ExprKind::Select {
                condition,
                value,
                otherwise,
                ..
            } => {
                self.expr(condition);
                let ty = self.expr(value);
                if let Some(otherwise) = otherwise {
                    self.expr(otherwise);
                }
                ty
            }
            ExprKind::Ewma {
                weight,
                state,
                sample,
            } => {
                self.expr(weight);
                if let Some(state) = state {
                    self.expr(state);
                }
                self.expr(sample);
                Type::Num
            }
            ExprKind::Error => Type::Unknown,
        }
    }
}

/// The type of what an operator computes.
pub(crate) fn op_type(op: Op) -> Type {
    match op {
        Op::And | Op::Or | Op::Not | Op::Gt | Op::Ge | Op::Lt | Op::Le | Op::Eq | Op::Ne => {
            Type::Bool
        }
        _ => Type::Num,
    }
}
