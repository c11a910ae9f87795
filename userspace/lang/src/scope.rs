// SPDX-License-Identifier: GPL-2.0
//! What each name stands for.

use std::collections::{HashMap, HashSet};

use ccp_core::vm::isa::{Class, Reg, CONTROLS, LOCALS, REPORTS};

use crate::ast::{Declaration, Literal, Span};
use crate::diagnostic::Diagnostic;
use crate::ir::Definition;
use crate::names;
use crate::symbols::Symbols;
use crate::types::Type;

const REPORT_PREFIX: &str = "Report.";

/// A variable.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variable {
    pub(crate) reg: Reg,
    pub(crate) ty: Type,
    pub(crate) origin: Origin,
}

/// Where a variable comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Declared,
    Builtin,
    Local,
}

/// All names of a program.
pub(crate) struct Scope {
    variables: HashMap<String, Variable>,
    /// Locals that some assignment sets.
    assigned: HashSet<String>,
    locals: u32,
    pub(crate) symbols: Symbols,
    pub(crate) definitions: Vec<Definition>,
}

impl Scope {
    /// The builtins and the variables of the `def` block.
    pub(crate) fn new(declarations: &[Declaration], diagnostics: &mut Vec<Diagnostic>) -> Self {
        let mut scope = Self {
            variables: builtins(),
            assigned: HashSet::new(),
            locals: 0,
            symbols: Symbols::default(),
            definitions: Vec::new(),
        };
        scope.symbols.builtins();
        let report = |d: &&Declaration| d.name.text.starts_with(REPORT_PREFIX);
        // Members of `(Report ...)` come first, then flat `Report.x`, each in
        // source order: agents rely on the order of the fields.
        let (reports, controls): (Vec<_>, Vec<_>) = declarations.iter().partition(report);
        let (members, flat): (Vec<_>, Vec<_>) = reports.into_iter().partition(|d| d.member);
        let mut sorted = Vec::new();
        for (index, declaration) in (0..).zip(members.into_iter().chain(flat)) {
            scope.declare(declaration, true, index, &mut sorted, diagnostics);
        }
        for (index, declaration) in (0..).zip(controls) {
            scope.declare(declaration, false, index, &mut sorted, diagnostics);
        }
        sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
        scope.definitions = sorted.into_iter().map(|(_, def)| def).collect();
        scope
    }

    fn declare(
        &mut self,
        declaration: &Declaration,
        report: bool,
        index: u32,
        definitions: &mut Vec<(String, Definition)>,
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        let name = &declaration.name;
        let (class, limit, code, what) = match (report, declaration.volatile) {
            (true, true) => (Class::VolatileReport, REPORTS, "E0401", "report"),
            (true, false) => (Class::NonvolatileReport, REPORTS, "E0401", "report"),
            (false, true) => (Class::VolatileControl, CONTROLS, "E0402", "control"),
            (false, false) => (Class::NonvolatileControl, CONTROLS, "E0402", "control"),
        };
        if index == limit {
            diagnostics.push(
                Diagnostic::error(
                    code,
                    name.span.clone(),
                    format!(
                        "`{}` is one {what} variable too many: there are {limit}",
                        name.text
                    ),
                )
                .help(if report {
                    "combine fields, or keep what userspace does not need in control variables"
                } else {
                    "reuse a variable, or keep values in local variables"
                }),
            );
        }
        let (init, ty) = match &declaration.init {
            Literal::Num(value) => (*value, Type::Num),
            Literal::Bool(value) => (u64::from(*value), Type::Bool),
            Literal::Infinity => (INFINITY, Type::Num),
            Literal::Name(value) => {
                let d = Diagnostic::warning(
                    "W0507",
                    name.span.clone(),
                    format!(
                        "`{value}` is a name, not a value: `{}` starts at 0",
                        name.text
                    ),
                );
                diagnostics.push(d.help(if value == "infinity" {
                    "did you mean `+infinity`?"
                } else {
                    "start with a number, `true`, `false` or `+infinity`"
                }));
                (0, Type::Num)
            }
        };
        if let Some(hidden) = self.variables.get(&name.text) {
            let d = if hidden.origin == Origin::Builtin {
                Diagnostic::warning(
                    "W0505",
                    name.span.clone(),
                    format!("`{}` hides the datapath's variable of that name", name.text),
                )
            } else {
                Diagnostic::warning(
                    "W0504",
                    name.span.clone(),
                    format!("`{}` is declared twice; this one counts", name.text),
                )
            };
            diagnostics.push(d.help("choose another name"));
        }
        let reg = Reg::new(class, index);
        self.symbols.variable(&name.text, reg);
        if report {
            self.symbols.report(&name.text[REPORT_PREFIX.len()..]);
        } else {
            self.symbols.control(&name.text, reg);
        }
        definitions.push((name.text.clone(), Definition { reg, init }));
        self.variables.insert(
            name.text.clone(),
            Variable {
                reg,
                ty,
                origin: Origin::Declared,
            },
        );
    }

    /// The variable `name`, if it is known.
    pub(crate) fn get(&self, name: &str) -> Option<Variable> {
        self.variables.get(name).copied()
    }

    /// Gives an undeclared name a local register, in order of mention.
    pub(crate) fn mention(&mut self, name: &str, span: &Span, diagnostics: &mut Vec<Diagnostic>) {
        if self.variables.contains_key(name) || names::reserved_prefix(name).is_some() {
            return;
        }
        if self.locals == LOCALS {
            diagnostics.push(
                Diagnostic::error(
                    "E0403",
                    span.clone(),
                    format!("`{name}` is one local variable too many: there are {LOCALS}"),
                )
                .help(format!(
                    "declare it: `({name} 0)` in `def`, of which there are {CONTROLS}"
                )),
            );
        }
        let reg = Reg::new(Class::Local, self.locals);
        self.locals = self.locals.saturating_add(1);
        self.symbols.variable(name, reg);
        self.variables.insert(
            name.to_owned(),
            Variable {
                reg,
                ty: Type::Unknown,
                origin: Origin::Local,
            },
        );
    }

    /// Notes an assignment to a local; the first decides its type.
    pub(crate) fn assign(&mut self, name: &str, ty: Type) {
        let Some(variable) = self.variables.get_mut(name) else {
            return;
        };
        if variable.origin == Origin::Local && self.assigned.insert(name.to_owned()) {
            variable.ty = if ty == Type::Bool {
                Type::Bool
            } else {
                Type::Num
            };
        }
    }

    /// Whether a local is ever set.
    pub(crate) fn is_assigned(&self, name: &str) -> bool {
        self.assigned.contains(name)
    }

    /// The declared or builtin name nearest to `name`.
    pub(crate) fn nearest(&self, name: &str) -> Option<&str> {
        // In a fixed order, so that messages do not change from run to run.
        let mut known: Vec<&str> = self
            .variables
            .iter()
            .filter(|(_, variable)| variable.origin != Origin::Local)
            .map(|(name, _)| name.as_str())
            .collect();
        known.sort_unstable();
        names::nearest(name, known.into_iter())
    }
}

/// What `+infinity` is: libccp's reading, which programs compare against.
pub(crate) const INFINITY: u64 = u32::MAX as u64;

fn builtins() -> HashMap<String, Variable> {
    let primitives =
        names::primitives().map(|(name, index, ty)| (name, Reg::new(Class::Primitive, index), ty));
    let shared =
        names::shared().map(|(name, index)| (name, Reg::new(Class::Implicit, index), Type::Num));
    primitives
        .chain(shared)
        .map(|(name, reg, ty)| {
            let variable = Variable {
                reg,
                ty,
                origin: Origin::Builtin,
            };
            (name.to_owned(), variable)
        })
        .collect()
}
