// SPDX-License-Identifier: GPL-2.0
//! Warnings about programs that compile but cannot be meant: clauses that
//! never run, arithmetic that always aborts, variables of no use.

use std::collections::{HashMap, HashSet};

use ccp_core::vm::isa::Opcode;

use crate::ast::{Declaration, Event, Expr, ExprKind, Literal, Op, Program, Stmt, Structure};
use crate::diagnostic::Diagnostic;
use crate::optimise::fold;
use crate::scope::{INFINITY, REPORT_PREFIX};

/// Looks through a program without errors.
pub(crate) fn lint(source: &str, program: &Program, diagnostics: &mut Vec<Diagnostic>) {
    let mut linter = Linter {
        read: HashSet::new(),
        set: HashSet::new(),
        falls_through: false,
        diagnostics,
    };
    let mut last: Option<&Event> = None;
    for event in &program.events {
        if let Some(last) = last {
            linter.never_runs(source, event, last);
        }
        let always = linter.expr(&event.condition, true).is_some_and(|v| v != 0);
        linter.block(&event.body);
        if always && !linter.falls_through {
            last = last.or(Some(event));
        }
    }
    linter.unused(&program.declarations);
}

struct Linter<'a> {
    read: HashSet<&'a str>,
    set: HashSet<&'a str>,
    /// Some clause so far may let those after it be looked at.
    falls_through: bool,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl<'a> Linter<'a> {
    fn never_runs(&mut self, source: &str, event: &Event, last: &Event) {
        let line = source[..last.span.start].matches('\n').count() + 1;
        let span = event.span.start..event.condition.span.end;
        self.diagnostics.push(
            Diagnostic::warning(
                "W0511",
                span,
                format!("this clause never runs: the one in line {line} always does and ends the invocation"),
            )
            .help(format!(
                "put `(fallthrough)` into the clause in line {line}, or its statements after this clause"
            )),
        );
    }

    fn block(&mut self, statements: &'a [Stmt]) {
        for statement in statements {
            match statement {
                Stmt::Expr(expr) => {
                    self.expr(expr, false);
                }
                Stmt::If {
                    condition,
                    then,
                    otherwise,
                    ..
                } => {
                    self.expr(condition, true);
                    self.block(then);
                    self.block(otherwise);
                }
                Stmt::Fallthrough(_) => self.falls_through = true,
                Stmt::Report(_) => {}
            }
        }
    }

    /// Notes what `expr` reads and sets. Returns its value if that is the same
    /// on every ACK. `used` says whether somebody looks at the value.
    fn expr(&mut self, expr: &'a Expr, used: bool) -> Option<u64> {
        match &expr.kind {
            ExprKind::Literal(literal) => value(literal),
            ExprKind::Name(name) => {
                self.read.insert(name);
                None
            }
            ExprKind::Op(op, operands) => {
                let values: Vec<_> = operands.iter().map(|e| self.expr(e, true)).collect();
                self.operation(expr, *op, &values)
            }
            ExprKind::Assign(target, value) => {
                match &target.kind {
                    ExprKind::Name(name) => {
                        self.set.insert(name);
                        if used {
                            self.read.insert(name);
                        }
                    }
                    _ => {
                        self.expr(target, used);
                    }
                }
                self.expr(value, true);
                None
            }
            ExprKind::Select {
                condition,
                value,
                otherwise,
                ..
            } => {
                self.expr(condition, true);
                self.expr(value, true);
                if let Some(otherwise) = otherwise {
                    self.expr(otherwise, true);
                }
                None
            }
            ExprKind::Ewma {
                weight,
                state,
                sample,
            } => {
                self.expr(weight, true);
                if let Some(state) = state {
                    self.expr(state, true);
                }
                self.expr(sample, true);
                None
            }
            ExprKind::Error => None,
        }
    }

    /// What an operator makes of its operands, one after the other.
    fn operation(&mut self, expr: &Expr, op: Op, values: &[Option<u64>]) -> Option<u64> {
        let Some(opcode) = op.opcode() else {
            return values.first()?.map(|value| u64::from(value == 0));
        };
        let mut values = values.iter().copied();
        let mut left = values.next()?;
        for right in values {
            let result = match (left, right) {
                (Some(left), Some(right)) => fold::binary(opcode, left, right),
                (None, Some(0)) if opcode == Opcode::Div => None,
                _ => {
                    left = None;
                    continue;
                }
            };
            if result.is_none() {
                self.aborts(expr, opcode);
                return None;
            }
            left = result;
        }
        left
    }

    fn aborts(&mut self, expr: &Expr, opcode: Opcode) {
        let (why, help) = match opcode {
            Opcode::Div => (
                "it divides by 0",
                "divide by something else; `(max x 1)` is never 0",
            ),
            Opcode::Sub => (
                "the difference is below 0",
                "there are no negative numbers; `sub_sat` stops at 0",
            ),
            Opcode::Mul => (
                "the product is above 2^64-1",
                "`mul_sat` stops at the greatest number",
            ),
            _ => (
                "the sum is above 2^64-1",
                "`add_sat` stops at the greatest number",
            ),
        };
        self.diagnostics.push(
            Diagnostic::warning(
                "W0512",
                expr.span.clone(),
                format!("this always aborts the invocation: {why}"),
            )
            .help(help),
        );
    }

    /// Warns about declared variables that do nothing. Locals may be declared
    /// for the sake of other programs.
    fn unused(&mut self, declarations: &[Declaration]) {
        let mut count = HashMap::new();
        for declaration in declarations {
            *count.entry(&*declaration.name.text).or_insert(0) += 1;
        }
        for declaration in declarations {
            let name = &*declaration.name.text;
            // Of two with one name another warning tells.
            if declaration.structure == Structure::Local || count.get(name) != Some(&1) {
                continue;
            }
            let (message, help) = if name.starts_with(REPORT_PREFIX) {
                if self.set.contains(name) {
                    continue;
                }
                (
                    format!("nothing sets `{name}`: it is the same in every report"),
                    "assign it in a clause, or remove it",
                )
            } else {
                if self.read.contains(name) {
                    continue;
                }
                (
                    format!("nothing reads `{name}`"),
                    "use it or remove it; what the agent is to see belongs into `(Report ...)`",
                )
            };
            self.diagnostics.push(
                Diagnostic::warning("W0513", declaration.name.span.clone(), message).help(help),
            );
        }
    }
}

fn value(literal: &Literal) -> Option<u64> {
    match literal {
        Literal::Num(value) => Some(*value),
        Literal::Bool(value) => Some(u64::from(*value)),
        Literal::Infinity => Some(INFINITY),
        Literal::Name(_) => None,
    }
}
