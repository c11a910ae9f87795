// SPDX-License-Identifier: GPL-2.0
//! The compiled programs of all algorithms, found by name or number.

use crate::{error::listed, Algorithm, Error, Program, Result};
use ccp_lang::Register;
use ccp_netlink::Update;
use std::{
    borrow::Cow,
    collections::{HashSet, VecDeque},
    rc::Rc,
};

/// Longest algorithm name: what a socket option can carry, with `ccp_` before it.
const ALGORITHM_NAME_MAX: usize = 11;
/// Longest program name.
const PROGRAM_NAME_MAX: usize = 31;
/// Most programs that are looked at for being forgotten at a time.
const SURPLUS_MAX: usize = 8;

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
        self.symbols.field(name)
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
    /// Those that came while the agent ran, the one forgotten next first.
    late: VecDeque<Late>,
    /// Position of the next late one; positions are not used twice.
    next: usize,
}

#[derive(Debug)]
struct Late {
    position: usize,
    /// Makes its name in the kernel unique.
    number: usize,
    source: Cow<'static, str>,
    program: Rc<Compiled>,
}

impl Shelf {
    pub(crate) fn compile(algorithm: &dyn Algorithm) -> Result<Self> {
        let name = algorithm.name();
        bounded(name, ALGORITHM_NAME_MAX)?;
        let mut shelf = Self {
            algorithm: name.to_owned(),
            programs: Vec::new(),
            warnings: String::new(),
            late: VecDeque::new(),
            next: 0,
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
        shelf.next = shelf.programs.len();
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
        let compiled = self.compiled(name.clone(), &name, program)?;
        self.programs.push(Rc::new(compiled));
        Ok(())
    }

    /// `program` under the kernel's name `name`, which messages call `file`.
    fn compiled(&mut self, name: String, file: &str, program: &Program) -> Result<Compiled> {
        let compiled = ccp_lang::compile(file, &program.source)
            .map_err(|diagnostics| Error::Compile(diagnostics.to_string()))?;
        if !compiled.warnings.is_empty() {
            self.warnings += &format!("{}\n", compiled.warnings);
        }
        Ok(Compiled {
            name,
            local_name: program.name.clone().into_owned(),
            fields: compiled.symbols.fields().map(str::to_owned).collect(),
            events: compiled.program.events,
            instructions: compiled.program.instructions,
            symbols: compiled.symbols,
        })
    }

    /// Position of a late program, if it is here.
    pub(crate) fn find_late(&self, program: &Program) -> Option<usize> {
        let same =
            |late: &&Late| late.source == program.source && late.program.local_name == program.name;
        self.late.iter().find(same).map(|late| late.position)
    }

    /// Compiles a late program; its position.
    pub(crate) fn add_late(&mut self, program: &Program) -> Result<usize> {
        let taken: HashSet<usize> = self.late.iter().map(|late| late.number).collect();
        let free = (1..=taken.len() + 1).find(|number| !taken.contains(number));
        let number = free.unwrap_or_default();
        let file = format!("{}.{}", self.algorithm, program.name);
        let name = format!("{file}.{number}");
        bounded(&name, PROGRAM_NAME_MAX)?;
        let compiled = self.compiled(name, &file, program)?;
        let position = self.next;
        self.next += 1;
        self.late.push_back(Late {
            position,
            number,
            source: program.source.clone(),
            program: Rc::new(compiled),
        });
        Ok(position)
    }

    /// Positions of the late programs that are next to be forgotten, when
    /// there are more than `most` of them.
    pub(crate) fn surplus(&self, most: usize) -> Vec<usize> {
        let surplus = self.late.len().saturating_sub(most);
        let oldest = self.late.iter().take(surplus.min(SURPLUS_MAX));
        oldest.map(|late| late.position).collect()
    }

    /// Forgets a late program.
    pub(crate) fn forget(&mut self, position: usize) {
        self.late.retain(|late| late.position != position);
    }

    /// Keeps a late program for longer.
    pub(crate) fn renew(&mut self, position: usize) {
        if let Some(at) = self.late.iter().position(|l| l.position == position) {
            if let Some(late) = self.late.remove(at) {
                self.late.push_back(late);
            }
        }
    }

    /// The program at a position.
    pub(crate) fn get(&self, position: usize) -> Option<&Rc<Compiled>> {
        self.programs.get(position).or_else(|| {
            let late = self.late.iter().find(|late| late.position == position);
            late.map(|late| &late.program)
        })
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
