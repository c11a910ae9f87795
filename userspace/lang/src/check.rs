// SPDX-License-Identifier: GPL-2.0
//! Resolves names and checks types: syntax tree in, `ir` out.

use ccp_core::vm::isa::{implicit, Class, Reg};

use crate::ast::{self, Expr, ExprKind, Literal, Op, Span};
use crate::atom;
use crate::diagnostic::{Diagnostic, Severity};
use crate::infer;
use crate::ir::{self, StmtKind, Value};
use crate::names;
use crate::scope::{Origin, Scope, Wanted, INFINITY};
use crate::types::Type;

/// Checks the clauses of a program.
pub(crate) fn check(
    program: &ast::Program,
    scope: &mut Scope,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<ir::Event> {
    // An assignment that was not understood may be the one that is missed.
    let sound = !diagnostics.iter().any(|d| d.severity == Severity::Error);
    infer::locals(program, scope, diagnostics);
    let mut checker = Checker {
        sound,
        scope,
        diagnostics,
    };
    program
        .events
        .iter()
        .map(|event| ir::Event {
            condition: checker.condition(&event.condition),
            body: checker.block(&event.body),
            span: event.span.clone(),
        })
        .collect()
}

/// State of the checker.
pub(crate) struct Checker<'a> {
    /// Everything so far was understood.
    sound: bool,
    pub(crate) scope: &'a Scope,
    diagnostics: &'a mut Vec<Diagnostic>,
}

/// A checked expression and its type.
pub(crate) type Typed = (Value, Type);

/// Stands for what has been reported; never gets into a program.
pub(crate) const NOTHING: Typed = (Value::Const(0), Type::Unknown);

impl Checker<'_> {
    pub(crate) fn report(&mut self, diagnostic: Diagnostic) {
        // Warnings about half a program are mostly wrong.
        if self.sound || diagnostic.severity == Severity::Error {
            self.diagnostics.push(diagnostic);
        }
    }

    fn condition(&mut self, expr: &Expr) -> Value {
        self.expr(expr, None).0
    }

    fn block(&mut self, statements: &[ast::Stmt]) -> Vec<ir::Stmt> {
        statements.iter().map(|s| self.statement(s)).collect()
    }

    fn statement(&mut self, statement: &ast::Stmt) -> ir::Stmt {
        let flag = |index| StmtKind::Flag(Reg::new(Class::Implicit, index));
        let (kind, span) = match statement {
            ast::Stmt::Report(span) => (flag(implicit::SHOULD_REPORT), span),
            ast::Stmt::Fallthrough(span) => (flag(implicit::SHOULD_CONTINUE), span),
            ast::Stmt::If {
                condition,
                then,
                otherwise,
                span,
            } => (
                StmtKind::If {
                    condition: self.condition(condition),
                    then: self.block(then),
                    otherwise: self.block(otherwise),
                },
                span,
            ),
            ast::Stmt::Expr(expr) => {
                // An average without a target is an error of its own.
                let reported = matches!(
                    expr.kind,
                    ExprKind::Error | ExprKind::Ewma { state: None, .. }
                );
                if !reported && !assigns(expr) {
                    self.no_effect(expr);
                }
                let value = match &expr.kind {
                    // Said already; nobody means a variable of that name.
                    ExprKind::Name(name) if is_command(name) => Value::Const(0),
                    _ => self.copied(expr, None).0,
                };
                (StmtKind::Value(value), &expr.span)
            }
        };
        ir::Stmt {
            kind,
            span: span.clone(),
        }
    }

    fn no_effect(&mut self, expr: &Expr) {
        let help = match &expr.kind {
            ExprKind::Name(name) if is_command(name) => format!("did you mean `({name})`?"),
            _ => "assign the value with `(:= name value)`, or remove it".to_owned(),
        };
        self.report(
            Diagnostic::warning("W0506", expr.span.clone(), "this statement has no effect")
                .help(help),
        );
    }

    /// An expression whose value is only copied, or not used at all: a name
    /// that nothing sets does no harm there that a warning would not do.
    pub(crate) fn copied(&mut self, expr: &Expr, target: Option<(Reg, Type)>) -> Typed {
        match &expr.kind {
            ExprKind::Name(name) => self.name(name, &expr.span, true),
            _ => self.expr(expr, target),
        }
    }

    /// `target` is that of the nearest assignment around `expr`.
    pub(crate) fn expr(&mut self, expr: &Expr, target: Option<(Reg, Type)>) -> Typed {
        match &expr.kind {
            ExprKind::Literal(literal) => match literal {
                Literal::Num(value) => (Value::Const(*value), Type::Num),
                Literal::Infinity => (Value::Const(INFINITY), Type::Num),
                Literal::Bool(value) => (Value::Const(u64::from(*value)), Type::Bool),
                Literal::Name(_) => NOTHING,
            },
            ExprKind::Name(name) => self.name(name, &expr.span, false),
            ExprKind::Op(op, operands) => self.operator(*op, operands, target),
            ExprKind::Assign(to, value) => self.assignment(to, value),
            ExprKind::Select {
                negate,
                condition,
                value,
                otherwise,
            } => {
                let condition = self.copied(condition, target).0;
                self.warn_eager(value);
                let (value, ty) = self.copied(value, target);
                let otherwise = match otherwise {
                    Some(otherwise) => {
                        self.warn_eager(otherwise);
                        let (value, other) = self.copied(otherwise, target);
                        if !ty.fits(other) {
                            self.report(
                                Diagnostic::error(
                                    "E0303",
                                    expr.span.clone(),
                                    format!("`if` chooses between {ty} and {other}"),
                                )
                                .help("let both be of one type"),
                            );
                        }
                        value
                    }
                    None => target.map_or(Value::Const(0), |(reg, _)| Value::Reg(reg)),
                };
                let select = Value::Select {
                    negate: *negate,
                    condition: condition.into(),
                    value: value.into(),
                    otherwise: otherwise.into(),
                };
                (select, ty)
            }
            ExprKind::Ewma {
                weight,
                state,
                sample,
            } => self.ewma(expr, weight, state.as_deref(), sample, target),
            ExprKind::Error => NOTHING,
        }
    }

    /// Both operands of `if` are evaluated; an assignment among them happens
    /// whatever the condition says.
    fn warn_eager(&mut self, expr: &Expr) {
        if assigns(expr) {
            self.report(
                Diagnostic::warning(
                    "W0509",
                    expr.span.clone(),
                    "this assignment is made whatever the condition is",
                )
                .help("to assign on a condition write `(If condition (:= name value))` as a statement"),
            );
        }
    }

    fn ewma(
        &mut self,
        expr: &Expr,
        weight: &Expr,
        state: Option<&Expr>,
        sample: &Expr,
        target: Option<(Reg, Type)>,
    ) -> Typed {
        if let ExprKind::Literal(Literal::Num(11..) | Literal::Infinity) = weight.kind {
            self.report(
                Diagnostic::warning(
                    "W0510",
                    weight.span.clone(),
                    "the weight of the old value is in tenths, 0 to 10",
                )
                .help("above 10 the sample is subtracted, which can abort"),
            );
        }
        // Like portus, without a look at the types: a truth value averages too.
        let weight = self.copied(weight, target).0;
        let state = match (state, target) {
            (Some(state), _) => self.copied(state, target).0,
            (None, Some((reg, _))) => Value::Reg(reg),
            (None, None) => {
                self.report(
                    Diagnostic::error("E0304", expr.span.clone(), "`ewma` has no old value here")
                        .help("assign it, as in `(:= x (ewma k sample))`, or name the old value: `(ewma k old sample)`"),
                );
                return NOTHING;
            }
        };
        let sample = self.copied(sample, target).0;
        let ewma = Value::Ewma {
            weight: weight.into(),
            state: state.into(),
            sample: sample.into(),
        };
        (ewma, Type::Num)
    }

    fn operator(&mut self, op: Op, operands: &[Expr], target: Option<(Reg, Type)>) -> Typed {
        let result = infer::op_type(op);
        let Some(opcode) = op.opcode() else {
            let [operand] = operands else {
                return NOTHING;
            };
            let (value, _) = self.expr(operand, target);
            return (Value::Not(value.into()), result);
        };
        let values: Vec<Value> = match op {
            Op::And | Op::Or => operands.iter().map(|e| self.expr(e, target).0).collect(),
            Op::Eq | Op::Ne => self.comparable(operands, target),
            _ => operands.iter().map(|e| self.number(e, target)).collect(),
        };
        let value = values
            .into_iter()
            .reduce(|left, right| Value::Binary(opcode, left.into(), right.into()));
        (value.unwrap_or(Value::Const(0)), result)
    }

    /// Operands of `==`: of one type, whichever.
    fn comparable(&mut self, operands: &[Expr], target: Option<(Reg, Type)>) -> Vec<Value> {
        let mut values = Vec::new();
        let mut first = Type::Unknown;
        for operand in operands {
            let (value, ty) = self.expr(operand, target);
            if !ty.fits(first) {
                self.report(
                    Diagnostic::error(
                        "E0302",
                        operand.span.clone(),
                        format!("this is {ty}, but what it is compared with is {first}"),
                    )
                    .help("compare numbers with numbers; a truth value needs no comparison"),
                );
            }
            first = if first == Type::Unknown { ty } else { first };
            values.push(value);
        }
        values
    }

    fn number(&mut self, expr: &Expr, target: Option<(Reg, Type)>) -> Value {
        let (value, ty) = self.expr(expr, target);
        if !ty.fits(Type::Num) {
            self.report(
                Diagnostic::error(
                    "E0301",
                    expr.span.clone(),
                    "a number is needed, this is a truth value",
                )
                .help("`(if condition 1 0)` makes a number of a truth value"),
            );
        }
        value
    }

    /// `bare` is for `copied`.
    fn name(&mut self, name: &str, span: &Span, bare: bool) -> Typed {
        let Some(variable) = self.scope.get(name) else {
            self.undeclared(name, span, Wanted::Value);
            return NOTHING;
        };
        if variable.origin == Origin::Local && !self.scope.is_assigned(name) {
            if !self.sound {
                return (Value::Reg(variable.reg), Type::Unknown);
            }
            let message = format!("nothing sets `{name}`");
            let (d, ty) = if bare {
                (
                    Diagnostic::warning("W0502", span.clone(), message),
                    Type::Num,
                )
            } else {
                (
                    Diagnostic::error("E0202", span.clone(), message),
                    Type::Unknown,
                )
            };
            let decimal = name
                .strip_prefix('.')
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
            let d = match self.scope.nearest(name, Wanted::Value) {
                _ if decimal => d.help(format!("a number starts with a digit: `0{name}`")),
                _ if atom::is_unit(name) => {
                    d.help(format!("a unit follows its number directly: `10{name}`"))
                }
                Some(near) => d.help(format!("did you mean `{near}`?")),
                None => d.help(format!("declare it: `({name} 0)` in `def`")),
            };
            self.report(d);
            return (Value::Reg(variable.reg), ty);
        }
        (Value::Reg(variable.reg), variable.ty)
    }

    pub(crate) fn undeclared(&mut self, name: &str, span: &Span, wanted: Wanted) {
        let report = name.starts_with("Report.");
        let d = Diagnostic::error(
            "E0201",
            span.clone(),
            if report {
                format!("`{name}` is not declared")
            } else {
                format!("the datapath has no `{name}`")
            },
        );
        let d = match self.scope.nearest(name, wanted) {
            Some(near) => d.help(format!("did you mean `{near}`?")),
            None if report => {
                let member = name.strip_prefix("Report.").unwrap_or(name);
                d.help(format!(
                    "declare it: `(Report (volatile {member} 0))` in `def`"
                ))
            }
            None => {
                let prefix = names::reserved_prefix(name).unwrap_or_default();
                let all: Vec<&str> = names::builtins()
                    .filter(|n| n.starts_with(prefix))
                    .collect();
                d.help(format!("there are: {}", all.join(" ")))
            }
        };
        self.report(d);
    }
}

/// Whether a word is a command that lacks its parentheses.
fn is_command(name: &str) -> bool {
    matches!(name, "report" | "fallthrough")
}

/// Whether evaluating `expr` sets a variable.
fn assigns(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Assign(..) => true,
        ExprKind::Op(_, operands) => operands.iter().any(assigns),
        ExprKind::Select {
            condition,
            value,
            otherwise,
            ..
        } => assigns(condition) || assigns(value) || otherwise.as_deref().is_some_and(assigns),
        ExprKind::Ewma {
            weight,
            state,
            sample,
        } => assigns(weight) || assigns(sample) || state.as_deref().is_some_and(assigns),
        ExprKind::Literal(_) | ExprKind::Name(_) | ExprKind::Error => false,
    }
}
