// SPDX-License-Identifier: GPL-2.0
//! What should happen: a third machine, plain and slow, that knows libccp's
//! rules and ours, and notes where they differ.
//!
//! A difference between the machines is accepted only when this model, told
//! which rules to follow, does the same as each of them and has met a
//! [`Deviation`] on the way.

use ccp_core::vm::{isa::primitive, PRIMITIVES};

use crate::{
    listing::{Instruction, Listing, Operand},
    AckSample, Code, Counts, Deviation, Effects, Update,
};

/// Whose rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rules {
    /// libccp's.
    Libccp,
    /// Those of `docs/isa.md`.
    Isa,
    /// Those of `docs/language.md`, for what portus compiled.
    Language,
}

/// A flow of the model.
pub struct Model<'p> {
    rules: Rules,
    programs: Vec<&'p Listing>,
    current: Option<usize>,
    report: [u64; 16],
    control: [u64; 16],
    implicit: [u64; 6],
    local: [u64; 8],
    tmp: [u64; 16],
    primitives: [u64; PRIMITIVES],
    now_us: u64,
    /// When `Micros` is 0, in nanoseconds for libccp, else in microseconds.
    base: u64,
    next: Option<usize>,
    updates: Vec<Update>,
    effects: Effects,
    /// What was met.
    pub met: Counts,
}

impl<'p> Model<'p> {
    /// A flow that runs none of `programs` yet.
    pub fn new(rules: Rules, programs: Vec<&'p Listing>) -> Self {
        Self {
            rules,
            programs,
            current: None,
            report: [0; 16],
            control: [0; 16],
            implicit: [0; 6],
            local: [0; 8],
            tmp: [0; 16],
            primitives: [0; PRIMITIVES],
            now_us: 0,
            base: 0,
            next: None,
            updates: Vec::new(),
            effects: Effects::default(),
            met: Counts::default(),
        }
    }

    /// See [`crate::Datapath::change_program`].
    pub fn change_program(&mut self, index: usize) {
        self.next = Some(index);
        self.updates.clear();
    }

    /// See [`crate::Datapath::update`].
    pub fn update(&mut self, updates: impl IntoIterator<Item = Update>) {
        self.updates.extend(updates);
    }

    /// See [`crate::Datapath::restart`].
    pub fn restart(&mut self) {
        *self = Self::new(self.rules, std::mem::take(&mut self.programs));
    }

    /// The program that runs at the next ACK; the first if none was chosen.
    pub fn next_program(&self) -> usize {
        self.next.or(self.current).unwrap_or(0)
    }

    /// See [`crate::Datapath::effects`].
    pub fn effects(&self) -> &Effects {
        &self.effects
    }

    /// See [`crate::Datapath::invoke`].
    pub fn invoke(&mut self, ack: &AckSample) -> Result<&Effects, Code> {
        self.effects.clear();
        self.now_us = ack.now_us;
        self.primitives = ack.primitives;
        if self.primitives[primitive::FLOW_RTT_SAMPLE_US] == 0 {
            self.primitives[primitive::FLOW_RTT_SAMPLE_US] = u64::from(u32::MAX);
        }
        self.implicit[4] = ack.cwnd;
        self.implicit[5] = ack.rate;
        self.apply_waiting();
        let program = self.programs[self.current.ok_or(Code::NO_PROGRAM)?];
        self.implicit[0] = 0;
        self.implicit[1] = 0;
        self.implicit[2] = 0;
        self.implicit[3] = match self.rules {
            Rules::Libccp => self.now_ns().wrapping_sub(self.base) / 1000,
            _ => self.now_us.wrapping_sub(self.base),
        };
        for &[cond, conds, body, bodies] in &program.events {
            self.run(program, cond, conds)?;
            if self.implicit[0] == 0 {
                continue;
            }
            self.run(program, body, bodies)?;
            if self.implicit[1] != 0 {
                continue;
            }
            if self.implicit[0] == 0 {
                self.met.hit(Deviation::FlagCleared);
                if self.rules == Rules::Libccp {
                    continue;
                }
            }
            break;
        }
        self.set_outputs(self.implicit[4], self.implicit[5]);
        if self.implicit[2] != 0 {
            if program.defined_fields != program.named_fields {
                self.met.hit(Deviation::ReportFields);
            }
            let fields = match self.rules {
                Rules::Libccp => program.defined_fields,
                _ => program.named_fields,
            };
            self.effects
                .set_report(self.report[..fields].iter().copied());
            self.define(program, Operand::is_volatile);
        }
        Ok(&self.effects)
    }

    fn now_ns(&self) -> u64 {
        self.now_us.wrapping_mul(1000)
    }

    /// Sets what is not 0.
    fn set_outputs(&mut self, cwnd: u64, rate: u64) {
        for (value, libccp, to) in [
            (cwnd, cwnd as u32, &mut self.effects.cwnd),
            (rate, rate as u32, &mut self.effects.rate),
        ] {
            if value == 0 {
                continue;
            }
            if value > u64::from(u32::MAX) {
                self.met.hit(Deviation::Truncated);
            }
            *to = Some(match self.rules {
                Rules::Libccp => u64::from(libccp),
                _ => value,
            });
        }
    }

    fn apply_waiting(&mut self) {
        if let Some(next) = self.next.take() {
            self.switch(next);
        }
        for update in std::mem::take(&mut self.updates) {
            match (update.class, update.index) {
                (0 | 8, index) => self.control[index as usize] = update.value,
                (2, index @ (4 | 5)) => {
                    if update.value == 0 {
                        self.met.hit(Deviation::ZeroUpdate);
                        if self.rules != Rules::Libccp {
                            continue;
                        }
                    }
                    self.implicit[index as usize] = update.value;
                    let of = |wanted| if index == wanted { update.value } else { 0 };
                    self.set_outputs(of(4), of(5));
                }
                other => unreachable!("no update of {other:?} is generated"),
            }
        }
    }

    fn switch(&mut self, next: usize) {
        self.current = Some(next);
        let program = self.programs[next];
        let stale = |reg: &Operand| self.read(*reg) != 0;
        if program.undefined.iter().any(stale) {
            self.met.hit(Deviation::Stale);
        }
        if self.rules != Rules::Libccp {
            self.report = [0; 16];
            self.control = [0; 16];
        }
        self.define(program, |_| true);
        self.base = match self.rules {
            Rules::Libccp => self.now_ns(),
            _ => self.now_us,
        };
    }

    /// Gives the registers that `which` chooses their initial values.
    fn define(&mut self, program: &Listing, which: fn(Operand) -> bool) {
        for definition in program.definitions().filter(|d| which(d.result)) {
            let mut value = u64::from(definition.right.index);
            if value == 0x3fff_ffff {
                if self.rules == Rules::Language {
                    self.met.hit(Deviation::Infinity);
                } else {
                    value = u64::from(u32::MAX);
                }
            }
            let index = definition.result.index as usize;
            if definition.result.is_report() {
                self.report[index] = value;
            } else {
                self.control[index] = value;
            }
        }
    }

    fn run(&mut self, program: &Listing, start: u32, count: u32) -> Result<(), Code> {
        for instruction in &program.instructions[start as usize..(start + count) as usize] {
            let left = self.read(instruction.left);
            let right = self.read(instruction.right);
            let old = self.read(instruction.result);
            let value = self.compute(*instruction, left, right, old)?;
            if let Some(value) = value {
                self.write(instruction.result, value);
            }
        }
        Ok(())
    }

    fn read(&self, from: Operand) -> u64 {
        let at = from.index as usize;
        match from.class {
            0 | 8 => self.control[at],
            1 => u64::from(from.index),
            2 => self.implicit[at],
            3 => self.local[at],
            4 => self.primitives[at],
            5 | 6 => self.report[at],
            // In libccp's struct the locals follow eight tmp registers.
            _ if self.rules == Rules::Libccp && at >= 8 => self.local[at - 8],
            _ => self.tmp[at],
        }
    }

    fn write(&mut self, to: Operand, value: u64) {
        let at = to.index as usize;
        match to.class {
            0 | 8 => self.control[at] = value,
            2 => self.implicit[at] = value,
            3 => self.local[at] = value,
            5 | 6 => self.report[at] = value,
            _ => {
                if at >= 8 {
                    self.met.hit(Deviation::Tmp);
                }
                self.tmp[at] = value;
            }
        }
        if (to.class, to.index) == (2, 3) {
            if value != 0 {
                self.met.hit(Deviation::Micros);
            }
            self.base = match self.rules {
                Rules::Libccp => self.now_ns().wrapping_sub(value),
                _ => self.now_us.wrapping_sub(value),
            };
        }
    }

    /// What an instruction writes; nothing, or the reason to stop.
    fn compute(
        &mut self,
        instruction: Instruction,
        left: u64,
        right: u64,
        old: u64,
    ) -> Result<Option<u64>, Code> {
        let (a, b) = (u128::from(left), u128::from(right));
        let value = match instruction.opcode {
            0 => {
                let sum = u64::try_from(a + b).map_err(|_| Code::ADD_OVERFLOW);
                self.logical(instruction, sum, left != 0 || right != 0)?
            }
            3 => left.checked_div(right).ok_or(Code::DIVIDE_BY_ZERO)?,
            4 => u64::from(left == right),
            5 => self.ewma(left, right, old)?,
            6 => u64::from(left > right),
            7 if left == 0 => return Ok(None),
            8 => u64::from(left < right),
            9 => left.max(right),
            10 => self.later(left, right),
            11 => left.min(right),
            12 => {
                let product = self.product(left, right);
                self.logical(instruction, product, left != 0 && right != 0)?
            }
            13 if left != 0 => return Ok(None),
            1 | 7 | 13 => right,
            14 => left.checked_sub(right).ok_or(Code::SUB_UNDERFLOW)?,
            opcode => unreachable!("opcode {opcode} in an event"),
        };
        Ok(Some(value))
    }

    /// The result of an addition or multiplication that may stand for a truth
    /// value.
    fn logical(
        &mut self,
        instruction: Instruction,
        arithmetic: Result<u64, Code>,
        truth: bool,
    ) -> Result<u64, Code> {
        if instruction.logical && self.rules == Rules::Language {
            if arithmetic != Ok(u64::from(truth)) {
                self.met.hit(Deviation::Logical);
            }
            return Ok(u64::from(truth));
        }
        arithmetic
    }

    fn product(&mut self, left: u64, right: u64) -> Result<u64, Code> {
        let wrapped = left.wrapping_mul(right);
        if left.checked_mul(right).is_some() {
            return Ok(wrapped);
        }
        if wrapped < left && right > 0 {
            return Err(Code::MUL_OVERFLOW);
        }
        self.met.hit(Deviation::Mul);
        match self.rules {
            Rules::Libccp => Ok(wrapped),
            _ => Err(Code::MUL_OVERFLOW),
        }
    }

    fn ewma(&mut self, weight: u64, new: u64, old: u64) -> Result<u64, Code> {
        if old == 0 {
            return Ok(new);
        }
        let wrapped = weight
            .wrapping_mul(old)
            .wrapping_add(10u64.wrapping_sub(weight).wrapping_mul(new))
            / 10;
        let exact = if weight <= 10 {
            let sum =
                u128::from(weight) * u128::from(old) + u128::from(10 - weight) * u128::from(new);
            Ok((sum / 10) as u64)
        } else {
            let fits = |product: u128| u64::try_from(product).map_err(|_| Code::MUL_OVERFLOW);
            let plus = fits(u128::from(weight) * u128::from(old));
            let minus = fits(u128::from(weight - 10) * u128::from(new));
            match (plus, minus) {
                (Ok(plus), Ok(minus)) => plus
                    .checked_sub(minus)
                    .map(|difference| difference / 10)
                    .ok_or(Code::SUB_UNDERFLOW),
                (Err(code), _) | (_, Err(code)) => Err(code),
            }
        };
        if exact == Ok(wrapped) {
            return exact;
        }
        self.met.hit(Deviation::Ewma);
        match self.rules {
            Rules::Libccp => Ok(wrapped),
            _ => exact,
        }
    }

    fn later(&mut self, left: u64, right: u64) -> u64 {
        if left == 0 || right == 0 {
            return left | right;
        }
        let (a, b) = (left as u32, right as u32);
        let ahead = a.wrapping_sub(b);
        if ahead == 1 << 31 {
            self.met.hit(Deviation::MaxWrapTie);
            return u64::from(match self.rules {
                Rules::Libccp => a.min(b),
                _ => b,
            });
        }
        u64::from(if ahead < 1 << 31 && ahead != 0 { a } else { b })
    }
}
