// SPDX-License-Identifier: GPL-2.0
//! A datapath that only remembers what it was told, for unit tests of an
//! algorithm's decisions. [`crate::sim`] runs whole flows.

use crate::{
    algorithm::{Algorithm, Datapath, Flow, Program},
    library::Shelf,
    Error, FlowInfo, Report, Result,
};
use ccp_netlink::RawReport;

/// What a flow's handler asked of the kernel.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Command {
    /// `set_program`, with the values in the order given.
    SetProgram(String, Vec<(String, u64)>),
    /// `update`.
    Update(Vec<(String, u64)>),
    /// `install`, with the program's source.
    Install(String, Vec<(String, u64)>),
}

/// A datapath under test: checks names as the real one does, and keeps the
/// commands.
pub struct Mock {
    shelf: Shelf,
    current: Option<usize>,
    seq: u64,
    commands: Vec<Command>,
}

impl Mock {
    /// A flow of `algorithm`, taken on with `info`.
    pub fn new(algorithm: &dyn Algorithm, info: &FlowInfo) -> Result<(Self, Box<dyn Flow>)> {
        let mut mock = Self {
            shelf: Shelf::compile(algorithm)?,
            current: None,
            seq: 0,
            commands: Vec::new(),
        };
        let flow = algorithm.new_flow(&mut mock, info)?;
        Ok((mock, flow))
    }

    /// The commands since the last call.
    pub fn take(&mut self) -> Vec<Command> {
        std::mem::take(&mut self.commands)
    }

    /// A report of the program that runs; fields not named are zero.
    ///
    /// # Panics
    ///
    /// When no program runs, or it has no such field: the test is wrong then.
    pub fn report(&mut self, cwnd: u64, fields: &[(&str, u64)]) -> Report {
        let index = self.current.expect("the flow runs a program");
        let program = self.shelf.get(index).expect("the program exists").clone();
        let mut values = vec![0; program.fields.len()];
        for (name, value) in fields {
            let field = program.field(name);
            values[field.unwrap_or_else(|| panic!("no report field '{name}'"))] = *value;
        }
        self.seq += 1;
        let raw = RawReport {
            flow_id: self.flow_id(),
            seq: self.seq,
            fields: values,
            cwnd,
            ..RawReport::default()
        };
        Report::new(program, raw, false, 0)
    }
}

fn owned(values: &[(&str, u64)]) -> Vec<(String, u64)> {
    values
        .iter()
        .map(|&(name, value)| (name.to_owned(), value))
        .collect()
}

impl Datapath for Mock {
    fn flow_id(&self) -> u64 {
        1
    }

    fn set_program(&mut self, name: &str, values: &[(&str, u64)]) -> Result<()> {
        let index = self.shelf.find(name)?;
        self.shelf.programs[index].updates(values)?;
        self.current = Some(index);
        self.commands
            .push(Command::SetProgram(name.to_owned(), owned(values)));
        Ok(())
    }

    fn update(&mut self, values: &[(&str, u64)]) -> Result<()> {
        let index = self.current.ok_or(Error::NotStarted(1))?;
        let program = self.shelf.get(index).ok_or(Error::NotStarted(1))?;
        program.updates(values)?;
        self.commands.push(Command::Update(owned(values)));
        Ok(())
    }

    fn install(&mut self, program: &Program, values: &[(&str, u64)]) -> Result<()> {
        let index = match self.shelf.find_late(program) {
            Some(index) => index,
            None => self.shelf.add_late(program)?,
        };
        let compiled = self.shelf.get(index).ok_or(Error::NotStarted(1))?;
        compiled.updates(values)?;
        self.current = Some(index);
        self.commands
            .push(Command::Install(program.source().to_owned(), owned(values)));
        Ok(())
    }
}
