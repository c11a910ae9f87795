// SPDX-License-Identifier: GPL-2.0
//! Checking of `:=`: what can be assigned, and what to.

use ccp_core::vm::isa::{Class, Reg};

use crate::ast::{Expr, ExprKind, Span};
use crate::check::{Checker, Typed, NOTHING};
use crate::diagnostic::Diagnostic;
use crate::ir::{Target, Value};
use crate::scope::{Origin, Wanted};
use crate::types::Type;

impl Checker<'_> {
    pub(crate) fn assignment(&mut self, to: &Expr, value: &Expr) -> Typed {
        match &to.kind {
            ExprKind::Name(name) => {
                let Some((reg, ty)) = self.assignable(name, &to.span) else {
                    self.expr(value, None);
                    return NOTHING;
                };
                let value = self.assigned_value(value, (reg, ty));
                (Value::Assign(Target::Reg(reg), value.into()), ty)
            }
            ExprKind::Assign(..) => {
                let (first, ty) = self.expr(to, None);
                let Some(reg) = assigned_register(&first) else {
                    self.expr(value, None);
                    return NOTHING;
                };
                let value = self.assigned_value(value, (reg, ty));
                (
                    Value::Assign(Target::Assigned(reg, first.into()), value.into()),
                    ty,
                )
            }
            ExprKind::Op(..) => {
                let (first, ty) = self.expr(to, None);
                self.report(
                    Diagnostic::warning(
                        "W0506",
                        to.span.clone(),
                        "a value without a name is assigned",
                    )
                    .help("assign to a variable: `(:= name value)`"),
                );
                let (value, _) = self.copied(value, None);
                (
                    Value::Assign(Target::Nowhere(first.into()), value.into()),
                    ty,
                )
            }
            ExprKind::Literal(_) | ExprKind::Select { .. } | ExprKind::Ewma { .. } => {
                self.report(
                    Diagnostic::error("E0204", to.span.clone(), "only a variable can be assigned")
                        .help("write `(:= name value)`"),
                );
                self.expr(value, None);
                NOTHING
            }
            ExprKind::Error => {
                self.expr(value, None);
                NOTHING
            }
        }
    }

    fn assigned_value(&mut self, value: &Expr, (reg, ty): (Reg, Type)) -> Value {
        let (checked, found) = self.copied(value, Some((reg, ty)));
        if ty == Type::Bool && found == Type::Num {
            self.report(
                Diagnostic::warning(
                    "W0508",
                    value.span.clone(),
                    "a number goes into a truth value",
                )
                .help("compare it, as in `(> x 0)`; everything but 0 counts as true"),
            );
        }
        checked
    }

    fn assignable(&mut self, name: &str, span: &Span) -> Option<(Reg, Type)> {
        let Some(variable) = self.scope.get(name) else {
            self.undeclared(name, span, Wanted::Target);
            return None;
        };
        if variable.reg.class == Class::Primitive {
            self.report(
                Diagnostic::error(
                    "E0204",
                    span.clone(),
                    format!("`{name}` is measured by the datapath and cannot be set"),
                )
                .help("a program sets `Cwnd`, `Rate`, `Micros` and its own variables"),
            );
            return None;
        }
        if variable.origin == Origin::Local {
            let d = Diagnostic::warning(
                "W0501",
                span.clone(),
                format!("`{name}` is not declared; it becomes a local variable"),
            );
            let declare = format!("`(Local ({name} 0))` in `def` declares it");
            self.report(match self.scope.nearest(name, Wanted::Target) {
                Some(near) => d.help(format!("did you mean `{near}`? Otherwise {declare}")),
                None => d.help(declare),
            });
        }
        Some((variable.reg, variable.ty))
    }
}

/// Where the value of an assignment can be read.
fn assigned_register(value: &Value) -> Option<Reg> {
    match value {
        Value::Assign(Target::Reg(reg) | Target::Assigned(reg, _), _) => Some(*reg),
        _ => None,
    }
}
