// SPDX-License-Identifier: GPL-2.0
//! The compiled programs of all algorithms, found by name or number.

use crate::{error::listed, Algorithm, Error, Program, Result};
use ccp_lang::Register;
use ccp_netlink::Update;
use std::{collections::HashSet, rc::Rc};

/// Longest algorithm name: what a socket option can carry.
const ALGORITHM_NAME_MAX: usize = 15;
/// Longest program name.
const PROGRAM_NAME_MAX: usize = 31;

/// A program, compiled.
#[derive(Debug)]
pub(crate) struct Compiled {
    /// Name in the kernel, unique in the agent.
    pub(crate) name: String,
    /// Name in its algorithm.
    pub(crate) local_name: String,
    pub(crate) fields: Vec<String>,
    pub(crate) events: Vec<u8>,
    pub(crate) instructions: Vec<u8>,
    symbols: ccp_lang::Symbols,
}

impl Compiled {
    pub(crate) fn field(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field == name)
    }

    /// Named values as register updates.
    pub(crate) fn updates(&self, values: &[(&str, u64)]) -> Result<Vec<Update>> {
        let update = |&(name, value): &(&str, u64)| match self.symbols.updatable(name) {
            Some(Register { class, index }) => Ok(Update {
                class,
                index,
                value,
            }),
            None => Err(Error::NoRegister {
                program: self.name.clone(),
                name: name.to_owned(),
                known: listed(self.symbols.updatable_names()),
            }),
        };
        values.iter().map(update).collect()
    }
}

/// What `check` found.
#[derive(Debug, Default)]
pub struct Checked {
    /// Warnings of all programs, ready to print; empty without any.
    pub warnings: String,
    /// Number of programs.
    pub programs: usize,
}

/// Compiles the programs of `algorithms` and does nothing else.
pub fn check(algorithms: &[Box<dyn Algorithm>]) -> Result<Checked> {
    let mut checked = Checked::default();
    for algorithm in algorithms {
        let shelf = Shelf::compile(algorithm.as_ref())?;
        checked.programs += shelf.programs.len();
        checked.warnings += &shelf.warnings;
    }
    Ok(checked)
}

/// The programs of one algorithm.
#[derive(Debug)]
pub(crate) struct Shelf {
    algorithm: String,
    pub(crate) programs: Vec<Rc<Compiled>>,
    pub(crate) warnings: String,
}

impl Shelf {
    pub(crate) fn compile(algorithm: &dyn Algorithm) -> Result<Self> {
        let name = algorithm.name();
        bounded(name, ALGORITHM_NAME_MAX)?;
        let mut shelf = Self {
            algorithm: name.to_owned(),
            programs: Vec::new(),
            warnings: String::new(),
        };
        let mut seen = HashSet::new();
        let mut errors = Vec::new();
        for program in algorithm.programs() {
            if !seen.insert(program.name.clone()) {
                return Err(Error::Duplicate("programs", program.name.into_owned()));
            }
            match shelf.add(&program) {
                Err(Error::Compile(text)) => errors.push(text),
                other => other?,
            }
        }
        if errors.is_empty() {
            Ok(shelf)
        } else {
            Err(Error::Compile(errors.join("\n\n")))
        }
    }

    fn add(&mut self, program: &Program) -> Result<()> {
        let local_name = program.name.clone().into_owned();
        let name = if local_name == self.algorithm {
            local_name.clone()
        } else {
            format!("{}.{local_name}", self.algorithm)
        };
        bounded(&name, PROGRAM_NAME_MAX)?;
        let compiled = ccp_lang::compile(&name, &program.source)
            .map_err(|diagnostics| Error::Compile(diagnostics.to_string()))?;
        if !compiled.warnings.is_empty() {
            self.warnings += &format!("{}\n", compiled.warnings);
        }
        self.programs.push(Rc::new(Compiled {
            name,
            local_name,
            fields: compiled.symbols.fields().map(str::to_owned).collect(),
            events: compiled.program.events,
            instructions: compiled.program.instructions,
            symbols: compiled.symbols,
        }));
        Ok(())
    }

    /// Position of a program by its name in the algorithm.
    pub(crate) fn find(&self, name: &str) -> Result<usize> {
        let position = self.programs.iter().position(|p| p.local_name == name);
        position.ok_or_else(|| Error::NoProgram {
            algorithm: self.algorithm.clone(),
            name: name.to_owned(),
            known: listed(self.programs.iter().map(|p| p.local_name.as_str())),
        })
    }
}

fn bounded(name: &str, longest: usize) -> Result<()> {
    if name.is_empty() || name.len() > longest || name.contains('\0') {
        return Err(Error::Name(name.to_owned(), longest));
    }
    Ok(())
}
