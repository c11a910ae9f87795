// SPDX-License-Identifier: GPL-2.0
//! A flow in the kernel, as its handler commands it.

use super::kernel::Kernel;
use crate::{library::Shelf, Datapath, Error, Program, Result};
use std::collections::HashMap;

/// Most programs of [`Datapath::install`] that are kept while no flow runs them.
pub(super) const LATE_MAX: usize = 64;

pub(super) struct KernelDatapath<'a, K> {
    pub(super) kernel: &'a mut K,
    pub(super) algorithm: usize,
    pub(super) shelf: &'a mut Shelf,
    /// Kernel ids of the shelf's programs.
    pub(super) ids: &'a mut HashMap<usize, u32>,
    /// Algorithm and position of a kernel id.
    pub(super) programs: &'a mut HashMap<u32, (usize, usize)>,
    pub(super) flow: u64,
    /// The program the flow was given last.
    pub(super) current: &'a mut Option<usize>,
}

impl<K: Kernel> KernelDatapath<'_, K> {
    fn switch(&mut self, position: usize, values: &[(&str, u64)]) -> Result<()> {
        let (Some(program), Some(&id)) = (self.shelf.get(position), self.ids.get(&position)) else {
            return Err(Error::NotStarted(self.flow));
        };
        let updates = program.updates(values)?;
        self.kernel.set_program(self.flow, id, &updates)?;
        *self.current = Some(position);
        Ok(())
    }

    /// Has the kernel know a late program that is on the shelf.
    fn load(&mut self, position: usize) -> Result<()> {
        let Some(program) = self.shelf.get(position) else {
            return Err(Error::NotStarted(self.flow));
        };
        let info = self
            .kernel
            .install(&program.name, &program.events, &program.instructions)?;
        self.ids.insert(position, info.id);
        self.programs.insert(info.id, (self.algorithm, position));
        Ok(())
    }

    /// Forgets late programs that are too many; the kernel knows which of them
    /// a flow runs.
    fn make_room(&mut self) {
        for position in self.shelf.surplus(LATE_MAX - 1) {
            let Some(&id) = self.ids.get(&position) else {
                self.shelf.forget(position);
                continue;
            };
            if self.kernel.remove_program(id).is_ok() {
                self.shelf.forget(position);
                self.ids.remove(&position);
                self.programs.remove(&id);
            } else {
                self.shelf.renew(position);
            }
        }
    }
}

impl<K: Kernel> Datapath for KernelDatapath<'_, K> {
    fn flow_id(&self) -> u64 {
        self.flow
    }

    fn set_program(&mut self, name: &str, values: &[(&str, u64)]) -> Result<()> {
        self.switch(self.shelf.find(name)?, values)
    }

    fn update(&mut self, values: &[(&str, u64)]) -> Result<()> {
        let program = self.current.and_then(|position| self.shelf.get(position));
        let program = program.ok_or(Error::NotStarted(self.flow))?;
        let updates = program.updates(values)?;
        Ok(self.kernel.update(self.flow, &updates)?)
    }

    fn install(&mut self, program: &Program, values: &[(&str, u64)]) -> Result<()> {
        if let Some(position) = self.shelf.find_late(program) {
            return self.switch(position, values);
        }
        self.make_room();
        let position = self.shelf.add_late(program)?;
        let done = self
            .load(position)
            .and_then(|()| self.switch(position, values));
        if done.is_err() && !self.ids.contains_key(&position) {
            self.shelf.forget(position);
        }
        done
    }
}
