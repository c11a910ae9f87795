// SPDX-License-Identifier: GPL-2.0
//! Names that a program's author gave to registers.

use crate::register::{self, INFINITY};
use ccp_core::vm::isa::{Class, Reg};
use ccp_lang::Symbols;
use std::collections::{BTreeMap, HashMap};

/// Why a register cannot have a name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadName {
    /// It is no word, or means something else.
    #[error("a name is made of letters, digits, `_` and `.`, begins with a letter or `_`, and is no register's own")]
    Malformed,
    /// Another register has it.
    #[error("another register has this name")]
    Taken,
    /// The register has one.
    #[error("the register has a name already")]
    Named,
}

/// Names of registers: each register has at most one, each name is one
/// register's. A register is meant together with its class, although two
/// classes may be one register to the datapath.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Names {
    names: BTreeMap<(u8, u32), String>,
    registers: HashMap<String, Reg>,
}

impl Names {
    /// Longest name in bytes.
    pub const LONGEST: usize = 255;

    /// Gives `reg` a name the text form can write.
    pub fn insert(&mut self, reg: Reg, name: &str) -> Result<(), BadName> {
        if !writable(name) || reg.class == Class::Immediate {
            return Err(BadName::Malformed);
        }
        if self.registers.contains_key(name) {
            return Err(BadName::Taken);
        }
        if self.get(reg).is_some() {
            return Err(BadName::Named);
        }
        self.set(reg, name);
        Ok(())
    }

    fn set(&mut self, reg: Reg, name: &str) {
        if let Some(before) = self.registers.insert(name.to_owned(), reg) {
            self.names.remove(&key(before));
        }
        self.names.insert(key(reg), name.to_owned());
    }

    /// The name of a register.
    pub fn get(&self, reg: Reg) -> Option<&str> {
        self.names.get(&key(reg)).map(String::as_str)
    }

    /// The register with this name, or with this spelling.
    pub fn find(&self, name: &str) -> Option<Reg> {
        let named = self.registers.get(name).copied();
        named.or_else(|| register::parse(name))
    }

    /// What to call a register.
    pub fn show(&self, reg: Reg) -> String {
        self.get(reg)
            .map_or_else(|| register::spelling(reg), str::to_owned)
    }

    /// What to call each of the first `count` fields of a report: without
    /// `Report.`, as long as no other could be meant.
    pub fn fields(&self, count: u32) -> Vec<String> {
        let whole: Vec<String> = (0..count).map(|index| self.report(index)).collect();
        let short = |name: &str| match name.strip_prefix("Report.") {
            // Without a name of its own, this is the register.
            Some(rest) if self.registers.contains_key(name) => rest.to_owned(),
            _ => name.to_owned(),
        };
        let shorts: Vec<String> = whole.iter().map(|name| short(name)).collect();
        let one = |(index, name): (usize, &String)| {
            let others = whole.iter().zip(&shorts).enumerate();
            let taken = others
                .filter(|(other, _)| *other != index)
                .any(|(_, (whole, short))| whole == name || short == name);
            if taken { &whole[index] } else { name }.clone()
        };
        shorts.iter().enumerate().map(one).collect()
    }

    /// The name of a report register in either of its classes.
    fn report(&self, index: u32) -> String {
        let classes = [Class::VolatileReport, Class::NonvolatileReport];
        let mut names = classes
            .into_iter()
            .filter_map(|class| self.get(Reg::new(class, index)));
        match names.next() {
            Some(name) => name.to_owned(),
            None => register::spelling(Reg::new(Class::NonvolatileReport, index)),
        }
    }

    /// All of them, by class and index.
    pub fn iter(&self) -> impl Iterator<Item = (Reg, &str)> {
        self.names.iter().filter_map(|(&(class, index), name)| {
            Some((Reg::new(Class::from_code(class)?, index), name.as_str()))
        })
    }
}

/// The variables of a compiled program.
impl From<&Symbols> for Names {
    fn from(symbols: &Symbols) -> Self {
        let mut names = Self::default();
        for (name, register) in symbols.variables() {
            if let Some(class) = Class::from_code(register.class) {
                names.set(Reg::new(class, register.index), name);
            }
        }
        names
    }
}

fn key(reg: Reg) -> (u8, u32) {
    (reg.class as u8, reg.index)
}

/// Whether the text form can write this name.
pub(crate) fn writable(name: &str) -> bool {
    let starts = |c: char| c == '_' || c.is_alphabetic();
    name.starts_with(starts)
        && name.chars().all(word)
        && name.len() <= Names::LONGEST
        && name != INFINITY
        && register::parse(name).is_none()
}

/// Whether words of the text form may have this character.
pub(crate) fn word(c: char) -> bool {
    c == '_' || c == '.' || c.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        let mut names = Names::default();
        let reg = |index| Reg::new(Class::VolatileReport, index);
        names.insert(reg(0), "Report.acked").unwrap();
        assert_eq!(names.insert(reg(1), "Report.acked"), Err(BadName::Taken));
        assert_eq!(names.insert(reg(0), "other"), Err(BadName::Named));
        for bad in [
            "",
            "1a",
            ".x",
            "Cwnd",
            "Report.0",
            "infinity",
            "a b",
            "a-b",
            "\u{1b}[0m",
        ] {
            assert_eq!(names.insert(reg(2), bad), Err(BadName::Malformed), "{bad}");
        }
        assert_eq!(names.fields(2), ["acked", "Report.1"]);
        assert_eq!(names.find("Report.acked"), Some(reg(0)));
        assert_eq!(names.find("VReport.0"), Some(reg(0)));
    }

    #[test]
    fn of_two_variables_with_one_name_the_later_has_it() {
        let source = "(def (a 1) (a 2) (b 3)) (when true (:= local (+ a b)))";
        let compiled = ccp_lang::compile("p", source).unwrap();
        let names = Names::from(&compiled.symbols);
        let known: Vec<_> = names.iter().map(|(reg, name)| (reg.index, name)).collect();
        assert_eq!(known, [(1, "a"), (2, "b"), (0, "local")]);
    }
}
