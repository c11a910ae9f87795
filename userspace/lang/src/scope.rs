// SPDX-License-Identifier: GPL-2.0
//! What each name stands for.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};

use ccp_core::vm::isa::{Class, Reg, CONTROLS, LOCALS, REPORTS};

use crate::ast::{Declaration, Literal, Name, Span, Structure};
use crate::diagnostic::{Diagnostic, MAX_DIAGNOSTICS};
use crate::ir::Definition;
use crate::names;
use crate::symbols::Symbols;
use crate::types::Type;

/// What names of report variables begin with.
pub(crate) const REPORT_PREFIX: &str = "Report.";

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
    /// Names that a nearest one was asked for.
    asked: Cell<usize>,
    /// What there is to say about names declared more than once.
    again: HashMap<String, Diagnostic>,
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
            asked: Cell::new(0),
            again: HashMap::new(),
            symbols: Symbols::default(),
            definitions: Vec::new(),
        };
        scope.symbols.builtins();
        // Members of `(Report ...)` come first, then flat `Report.x`, each in
        // source order: agents rely on the order of the fields.
        let mut ordered: Vec<&Declaration> = declarations.iter().collect();
        ordered.sort_by_key(|d| (Kind::of(d), d.structure != Structure::Report));
        let mut counts = [0; 3];
        let mut sorted = Vec::new();
        for declaration in ordered {
            let kind = Kind::of(declaration);
            let count = &mut counts[kind as usize];
            scope.declare(declaration, kind, *count, &mut sorted, diagnostics);
            *count += 1;
        }
        diagnostics.extend(scope.again.drain().map(|(_, d)| d));
        scope.locals = counts[Kind::Local as usize];
        sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
        scope.definitions = sorted.into_iter().map(|(_, def)| def).collect();
        scope
    }

    fn declare(
        &mut self,
        declaration: &Declaration,
        kind: Kind,
        index: u32,
        definitions: &mut Vec<(String, Definition)>,
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        let name = &declaration.name;
        if index == kind.limit() {
            diagnostics.push(kind.too_many(name));
        }
        let (init, ty) = initial(declaration, diagnostics);
        self.hides(name, diagnostics);
        let reg = Reg::new(kind.class(declaration.volatile), index);
        self.symbols.variable(&name.text, reg);
        match kind {
            Kind::Report => self.symbols.report(&name.text[REPORT_PREFIX.len()..]),
            Kind::Control => self.symbols.control(&name.text, reg),
            Kind::Local => {}
        }
        if kind != Kind::Local {
            definitions.push((name.text.clone(), Definition { reg, init }));
        }
        let variable = Variable {
            reg,
            ty,
            origin: Origin::Declared,
        };
        self.variables.insert(name.text.clone(), variable);
    }

    /// Warns if a declared name has a meaning already. Of several declarations
    /// the last is told of.
    fn hides(&mut self, name: &Name, diagnostics: &mut Vec<Diagnostic>) {
        let Some(variable) = self.variables.get(&name.text) else {
            return;
        };
        let warning = |code, message| {
            Diagnostic::warning(code, name.span.clone(), message).help("choose another name")
        };
        let text = &name.text;
        if variable.origin == Origin::Builtin {
            let message = format!("`{text}` hides the datapath's variable of that name");
            diagnostics.push(warning("W0505", message));
        } else {
            let message = format!("`{text}` is declared more than once; this one counts");
            self.again.insert(text.clone(), warning("W0504", message));
        }
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
                    "declare it: `({name} 0)` in `def` makes a control variable, of which there are {CONTROLS}"
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

    /// The name nearest to `name` that can stand where `wanted` says.
    pub(crate) fn nearest(&self, name: &str, wanted: Wanted) -> Option<&str> {
        // A program of nothing but mistakes would take long, and the rest of
        // its messages is not shown.
        self.asked.set(self.asked.get() + 1);
        if self.asked.get() > MAX_DIAGNOSTICS {
            return None;
        }
        let fits = |variable: &Variable, name: &str| match wanted {
            Wanted::Value => variable.origin != Origin::Local || self.assigned.contains(name),
            Wanted::Target => {
                variable.origin != Origin::Local && variable.reg.class != Class::Primitive
            }
        };
        // In a fixed order, so that messages do not change from run to run.
        let mut known: Vec<&str> = self
            .variables
            .iter()
            .filter(|(name, variable)| fits(variable, name))
            .map(|(name, _)| name.as_str())
            .collect();
        known.sort_unstable();
        names::nearest(name, known.into_iter())
    }
}

/// What a name is needed for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Value,
    /// Something to assign.
    Target,
}

/// Kinds of declared variable.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Report,
    Control,
    Local,
}

impl Kind {
    fn of(declaration: &Declaration) -> Self {
        match declaration.structure {
            Structure::Local => Self::Local,
            _ if declaration.name.text.starts_with(REPORT_PREFIX) => Self::Report,
            _ => Self::Control,
        }
    }

    fn class(self, volatile: bool) -> Class {
        match (self, volatile) {
            (Self::Report, true) => Class::VolatileReport,
            (Self::Report, false) => Class::NonvolatileReport,
            (Self::Control, true) => Class::VolatileControl,
            (Self::Control, false) => Class::NonvolatileControl,
            (Self::Local, _) => Class::Local,
        }
    }

    fn limit(self) -> u32 {
        match self {
            Self::Report => REPORTS,
            Self::Control => CONTROLS,
            Self::Local => LOCALS,
        }
    }

    fn too_many(self, name: &Name) -> Diagnostic {
        let (code, what, help) = match self {
            Self::Report => (
                "E0401",
                "report",
                "combine fields, or keep what userspace does not need in control variables",
            ),
            Self::Control => (
                "E0402",
                "control",
                "reuse a variable, or keep values in local variables",
            ),
            Self::Local => (
                "E0403",
                "local",
                "declare it outside of `(Local ...)`: as a control variable",
            ),
        };
        let message = format!(
            "`{}` is one {what} variable too many: there are {}",
            name.text,
            self.limit()
        );
        Diagnostic::error(code, name.span.clone(), message).help(help)
    }
}

/// What a declared variable starts with, and its type.
fn initial(declaration: &Declaration, diagnostics: &mut Vec<Diagnostic>) -> (u64, Type) {
    let name = &declaration.name;
    match &declaration.init {
        Literal::Num(value) => (*value, Type::Num),
        Literal::Bool(value) => (u64::from(*value), Type::Bool),
        Literal::Infinity => (INFINITY, Type::Num),
        Literal::Name(value) => {
            let message = format!(
                "`{value}` is a name, not a value: `{}` starts at 0",
                name.text
            );
            let d = Diagnostic::warning("W0507", name.span.clone(), message);
            diagnostics.push(d.help(if value == "infinity" {
                "did you mean `+infinity`?"
            } else {
                "start with a number, `true`, `false` or `+infinity`"
            }));
            (0, Type::Num)
        }
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
