// SPDX-License-Identifier: GPL-2.0
//! The names an agent uses to talk about a running program.

use std::collections::HashMap;

use ccp_core::vm::isa::{Class, Reg};
use serde::Serialize;

use crate::names;

/// A register as the wire form names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Register {
    /// Register class.
    pub class: u8,
    /// Index within the class.
    pub index: u32,
}

impl From<Reg> for Register {
    fn from(reg: Reg) -> Self {
        Self {
            class: reg.class as u8,
            index: reg.index,
        }
    }
}

/// The fields of a program's reports and the variables an agent may set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Symbols {
    fields: Vec<String>,
    updatable: HashMap<String, Register>,
    variables: Vec<(String, Register)>,
}

impl Symbols {
    /// Place of the field `name` (without `Report.`) in each report.
    pub fn field(&self, name: &str) -> Option<usize> {
        // Of two with one name the later one is what the program sets.
        self.fields.iter().rposition(|field| field == name)
    }

    /// Fields of a report in order, without `Report.`.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = &str> {
        self.fields.iter().map(String::as_str)
    }

    /// The register behind `name`, if an agent may set it: control variables,
    /// `Cwnd` and `Rate`.
    pub fn updatable(&self, name: &str) -> Option<Register> {
        self.updatable.get(name).copied()
    }

    /// Names an agent may set, sorted.
    pub fn updatable_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.updatable.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    /// Every variable of the program with its register: report and control
    /// variables as declared, then locals as mentioned. Report variables begin
    /// with `Report.`. Of two with one name the later one is meant.
    pub fn variables(&self) -> impl ExactSizeIterator<Item = (&str, Register)> {
        self.variables.iter().map(|(name, reg)| (&**name, *reg))
    }

    pub(crate) fn builtins(&mut self) {
        for (name, index) in names::shared().filter(|(name, _)| *name != "Micros") {
            self.control(name, Reg::new(Class::Implicit, index));
        }
    }

    pub(crate) fn variable(&mut self, name: &str, reg: Reg) {
        self.variables.push((name.to_owned(), reg.into()));
    }

    pub(crate) fn report(&mut self, name: &str) {
        self.fields.push(name.to_owned());
    }

    pub(crate) fn control(&mut self, name: &str, reg: Reg) {
        self.updatable.insert(name.to_owned(), reg.into());
    }
}
