// SPDX-License-Identifier: GPL-2.0
//! Temporaries to tmp registers.

use std::collections::{HashMap, VecDeque};

use ccp_core::vm::isa::{Class, Reg, TMPS};

use crate::flat::{Block, Operand, Step, Temp};

/// The last place each temporary is read at, counted in steps and tests, in
/// the order in which code is generated for them.
#[derive(Debug, Default)]
pub(crate) struct Uses {
    last: HashMap<Temp, usize>,
    at: usize,
}

impl Uses {
    /// Of a condition and its test, or of a body.
    pub(crate) fn new(block: &Block, test: Option<Operand>) -> Self {
        let mut uses = Self::default();
        uses.block(block);
        uses.test(test);
        uses
    }

    /// Whether nothing reads `temp` after the place `at`.
    pub(crate) fn ends(&self, temp: Temp, at: usize) -> bool {
        self.last.get(&temp).is_none_or(|last| *last <= at)
    }

    fn block(&mut self, block: &Block) {
        for step in block {
            match step {
                Step::Set(set) => {
                    self.at += 1;
                    set.value.operands().for_each(|o| self.read(o));
                }
                Step::If(step) => {
                    self.test(Some(step.condition));
                    for test in &step.also {
                        self.block(&test.steps);
                        self.test(Some(test.value));
                    }
                    self.block(&step.then);
                    self.block(&step.otherwise);
                }
            }
        }
    }

    fn test(&mut self, operand: Option<Operand>) {
        self.at += 1;
        operand.into_iter().for_each(|o| self.read(o));
    }

    fn read(&mut self, operand: Operand) {
        if let Operand::Temp(temp) = operand {
            self.last.insert(temp, self.at);
        }
    }
}

/// Gives out tmp registers.
#[derive(Debug, Default)]
pub(crate) struct Tmps {
    /// Registers that are used before a free one is used again, and then the
    /// one free for longest: the datapath merges what it can tell apart.
    limit: u32,
    next: u32,
    free: VecDeque<u32>,
    of: HashMap<Temp, Reg>,
    live: u32,
    /// Most that were in use.
    pub(crate) most: u32,
    /// There were too few.
    pub(crate) exhausted: bool,
}

impl Tmps {
    pub(crate) fn new(limit: u32) -> Self {
        Self {
            limit: limit.min(TMPS),
            ..Self::default()
        }
    }

    /// Counts from 0 again, as portus does with each statement, if nothing is
    /// in use.
    pub(crate) fn restart(&mut self) {
        if self.live == 0 {
            self.next = 0;
            self.free.clear();
        }
    }

    /// A register for a temporary that is set here.
    pub(crate) fn set(&mut self, temp: Temp) -> Reg {
        let reg = self.take();
        self.of.insert(temp, reg);
        reg
    }

    /// The register of a temporary.
    pub(crate) fn get(&self, temp: Temp) -> Reg {
        let reg = self.of.get(&temp).copied();
        debug_assert!(reg.is_some(), "{temp:?} is read before it is set");
        reg.unwrap_or(Reg::new(Class::Tmp, 0))
    }

    /// Makes the register of a temporary that of another.
    pub(crate) fn rename(&mut self, from: Temp, to: Temp) -> Reg {
        let reg = self.get(from);
        self.of.remove(&from);
        self.of.insert(to, reg);
        reg
    }

    /// Frees the register of a temporary that nothing reads any more.
    pub(crate) fn end(&mut self, temp: Temp) {
        if let Some(reg) = self.of.remove(&temp) {
            self.free(reg);
        }
    }

    /// A register for no temporary.
    pub(crate) fn take(&mut self) -> Reg {
        let index = if self.next < self.limit {
            self.fresh()
        } else if let Some(free) = self.free.pop_front() {
            free
        } else if self.next < TMPS {
            self.fresh()
        } else {
            self.exhausted = true;
            0
        };
        self.live = self.live.saturating_add(1);
        Reg::new(Class::Tmp, index)
    }

    fn fresh(&mut self) -> u32 {
        self.next += 1;
        self.most = self.most.max(self.next);
        self.next - 1
    }

    pub(crate) fn free(&mut self, reg: Reg) {
        self.free.push_back(reg.index);
        self.live = self.live.saturating_sub(1);
    }
}
