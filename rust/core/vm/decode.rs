// SPDX-License-Identifier: GPL-2.0

//! The decoder: a verified program into the interpreter's own form.
//!
//! Operands become slots of the register file. What the wire form spells out
//! and a run can't observe is left out: a tmp register that only carries a
//! value to the next instruction, the event flag of a plain condition, the
//! test of a condition that is a constant, the continue flag once it is set
//! for good. Conditions become skips (`branch.rs`), and measurements that are
//! added up become folds (`fold.rs`).

use super::{
    alias::measured_fields,
    branch::Truth,
    error::{
        Error,
        Kind, //
    },
    isa::{
        Class,
        Form,
        Instruction,
        Opcode,
        Reg, //
    },
    layout::{
        Profile,
        Slots,
        OWN_BASE,
        SHOULD_CONTINUE, //
    },
    program::{
        code as op,
        Header,
        Op, //
    },
    skips::Skips,
    tree::is_update,
    verify,
    wire::Code, //
};

/// Checks a program and decodes it into `ops`, which must have as many units
/// as the [`super::Layout`] of the program says.
pub fn decode(events: &[u8], instructions: &[u8], ops: &mut [Op]) -> Result<Header, Error> {
    let code = Code::new(events, instructions)?;
    let mut profile = Profile::new();
    verify::check(code, &mut profile)?;
    let layout = verify::layout(code, &profile);
    if ops.len() != layout.ops {
        return Err(Error::program(Kind::Buffer {
            needed: layout.ops,
            given: ops.len(),
        }));
    }
    let mut slots = profile.slots();
    measured_fields(code, &mut slots)?;
    let mut decoder = Decoder {
        code,
        profile: &profile,
        slots,
        ops,
        len: 0,
        segment: 0,
        continuing: false,
    };
    for (_, event) in code.events() {
        // Verified: the ranges follow each other and end within the program.
        let body = event.body_start;
        let end = body.saturating_add(event.body_count);
        decoder.event(event.cond_start, body, end, end == code.count)?;
    }
    let code_len = decoder.len;
    let volatiles = decoder.definitions(true)?;
    let others = decoder.definitions(false)?;
    for &value in profile.constants() {
        decoder.push(Op::constant(value))?;
    }
    Ok(Header {
        slots,
        report_fields: profile.reports as u8,
        controls: profile.controls as u8,
        volatiles,
        defs: volatiles.saturating_add(others),
        constants: profile.constant_count as u8,
        code: code_len as u32,
        ops: layout.ops as u32,
        cost: layout.cost,
    })
}

pub(super) struct Decoder<'a> {
    code: Code<'a>,
    pub(super) profile: &'a Profile,
    pub(super) slots: Slots,
    ops: &'a mut [Op],
    pub(super) len: usize,
    /// Where the ops begin that always run one after the other, up to `len`:
    /// none of them skips, and no skip leads among them.
    pub(super) segment: usize,
    /// Whether the continue flag is set from here on, and only read to test it.
    continuing: bool,
}

impl Decoder<'_> {
    fn push(&mut self, op: Op) -> Result<usize, Error> {
        let place = self.len;
        let (needed, given) = (place.saturating_add(1), self.ops.len());
        *self
            .ops
            .get_mut(place)
            .ok_or(Error::program(Kind::Buffer { needed, given }))? = op;
        self.len = needed;
        Ok(place)
    }

    /// Adds an op that may skip.
    pub(super) fn push_skip(&mut self, op: Op) -> Result<usize, Error> {
        self.close();
        let place = self.push(op)?;
        self.segment = self.len;
        Ok(place)
    }

    /// The op before, when it always runs just before the next, and its place.
    pub(super) fn last(&self) -> Option<(usize, Op)> {
        let place = self.len.checked_sub(1)?;
        (place >= self.segment).then(|| (place, self.op(place)))
    }

    pub(super) fn op(&self, place: usize) -> Op {
        self.ops.get(place).copied().unwrap_or_default()
    }

    pub(super) fn set(&mut self, place: usize, op: Op) {
        if let Some(to) = self.ops.get_mut(place) {
            *to = op;
        }
    }

    /// Lets all skips of a chain lead to where the next op will be.
    fn land(&mut self, head: usize) {
        if head != 0 {
            self.close();
            self.land_at(head, self.len);
        }
    }

    /// Lets all skips of a chain lead to `target`.
    ///
    /// The head is the place of the last of them plus one; the distance of each
    /// is that of the one before, or 0.
    pub(super) fn land_at(&mut self, mut head: usize, target: usize) {
        while let Some(place) = head.checked_sub(1) {
            let op = self.op(place);
            head = op.distance();
            let distance = target.saturating_sub(place).saturating_sub(1);
            self.set(place, op.with_distance(distance));
        }
    }

    /// Adds the op at `place` to the chain, and returns its new head.
    pub(super) fn chain(&mut self, place: usize, head: usize) -> usize {
        self.set(place, self.op(place).with_distance(head));
        place.saturating_add(1)
    }

    fn event(&mut self, start: u32, body: u32, end: u32, last: bool) -> Result<(), Error> {
        self.close();
        let first = self.len;
        self.range(start, body)?;
        let truth = self.condition(first)?;
        if let Truth::Never = truth {
            return Ok(());
        }
        self.close();
        let body_first = self.len;
        self.range(body, end)?;
        if self.continues(body_first) {
            if let (Truth::Always, false) = (&truth, self.profile.continue_varies) {
                self.continue_for_good();
            }
        } else if !self.continuing && !last {
            let code = if self.profile.continues {
                op::END
            } else {
                op::STOP
            };
            self.push_skip(Op::new(code, 0, SHOULD_CONTINUE, 0))?;
        }
        self.close();
        if let Truth::Tested(head) = truth {
            self.land(head);
        }
        Ok(())
    }

    /// From here on no body ends the invocation: the flag need not be kept.
    fn continue_for_good(&mut self) {
        self.continuing = true;
        if let Some((place, last)) = self.last() {
            if last.result == SHOULD_CONTINUE {
                self.len = place;
            }
        }
    }

    /// The constant in a slot, when it holds one.
    pub(super) fn constant(&self, slot: u8) -> Option<u64> {
        let index = slot.checked_sub(self.slots.constants)?;
        self.profile.constants().get(usize::from(index)).copied()
    }

    /// Whether the ops from `first` on always leave the continue flag set.
    fn continues(&self, first: usize) -> bool {
        let body = self.ops.get(first..self.len).unwrap_or(&[]);
        // Ops that skip come with folds, which hide what they write.
        if body.iter().any(|op| op.code >= op::UNLESS_GT) {
            return false;
        }
        let last = body.iter().rev().find(|op| op.result == SHOULD_CONTINUE);
        last.is_some_and(|op| op.code == op::BIND && matches!(self.constant(op.right), Some(1..)))
    }

    /// Decodes the instructions of a condition or a body.
    fn range(&mut self, start: u32, end: u32) -> Result<(), Error> {
        let mut skips = Skips::<usize>::new();
        for index in start..end {
            let instruction = self.code.instruction(index)?;
            self.land(skips.take(index).unwrap_or(0));
            if instruction.opcode.form() == Form::Skip {
                let target = index
                    .saturating_add(1)
                    .saturating_add(instruction.right.index);
                if let Some(chain) = self.skip(instruction, index, end)? {
                    let head = skips
                        .at(target, 0)
                        .ok_or(Error::instruction(index, Kind::TooManySkips))?;
                    self.append_chain(chain, *head);
                    *head = chain;
                }
            } else {
                self.plain(instruction, index, end)?;
            }
        }
        self.land(skips.take(end).unwrap_or(0));
        Ok(())
    }

    /// Decodes a skip to a chain of ops, unless there is nothing to do.
    fn skip(&mut self, skip: Instruction, index: u32, end: u32) -> Result<Option<usize>, Error> {
        match skip.left {
            Reg {
                class: Class::Immediate,
                index: 0,
            } => return self.tested(Op::new(op::SKIP, 0, 0, 0)).map(Some),
            Reg {
                class: Class::Immediate,
                ..
            } => return Ok(None),
            _ => (),
        }
        if let Some((place, _)) = self.carrier(skip.left, index, end, false) {
            let rest = Some((index.saturating_add(1), end));
            let chain = self.tests(self.segment, place, rest)?;
            if chain.is_some() {
                return Ok(chain);
            }
        }
        let slot = self.slot(skip.left);
        self.tested(Op::new(op::UNLESS, 0, slot, 0)).map(Some)
    }

    /// Decodes an instruction that computes.
    fn plain(&mut self, instruction: Instruction, index: u32, end: u32) -> Result<(), Error> {
        let result = self.slots.register(instruction.result);
        if instruction.opcode == Opcode::Bind {
            let same = instruction.right.class != Class::Immediate
                && result == self.slots.register(instruction.right);
            if same || (self.continuing && result == SHOULD_CONTINUE) {
                return Ok(());
            }
            if let Some((place, last)) = self.carrier(instruction.right, index, end, true) {
                self.set(place, Op { result, ..last });
                return Ok(());
            }
        }
        let right = self.slot(instruction.right);
        let left = match instruction.opcode.form() {
            Form::Binary | Form::Update => self.slot(instruction.left),
            _ => right,
        };
        let (code, left, right) = match instruction.opcode {
            Opcode::Add => (op::ADD, left, right),
            Opcode::Bind => (op::BIND, left, right),
            Opcode::Div => (op::DIV, left, right),
            Opcode::Equiv => (op::EQ, left, right),
            Opcode::Ewma => (op::EWMA, left, right),
            Opcode::Gt => (op::GT, left, right),
            Opcode::If => (op::IF, left, right),
            Opcode::Lt => (op::GT, right, left),
            Opcode::Max => (op::MAX, left, right),
            Opcode::MaxWrap => (op::MAX_WRAP, left, right),
            Opcode::Min => (op::MIN, left, right),
            Opcode::Mul => (op::MUL, left, right),
            Opcode::NotIf => (op::NOT_IF, left, right),
            Opcode::Sub => (op::SUB, left, right),
            Opcode::Le => (op::LE, left, right),
            Opcode::Ge => (op::LE, right, left),
            Opcode::Ne => (op::NE, left, right),
            Opcode::And => (op::AND, left, right),
            Opcode::Or => (op::OR, left, right),
            Opcode::Not => (op::NOT, left, right),
            Opcode::AddSat => (op::ADD_SAT, left, right),
            Opcode::SubSat => (op::SUB_SAT, left, right),
            Opcode::MulSat => (op::MUL_SAT, left, right),
            Opcode::Const => {
                let slot = self.constant_slot(instruction.wide());
                (op::BIND, slot, slot)
            }
            // Not in a range: the verifier saw to it.
            Opcode::Def | Opcode::Def64 | Opcode::SkipZ => return Ok(()),
        };
        let shift = match code {
            op::DIV => self.constant(right).filter(|value| value.is_power_of_two()),
            _ => None,
        };
        let op = match shift {
            Some(value) => Op {
                third: value.trailing_zeros() as u8,
                ..Op::new(op::SHIFT, result, left, left)
            },
            None => Op::new(code, result, left, right),
        };
        self.push(op).map(|_| ())
    }

    /// The op before, when all it does is hand its result in `reg` to the
    /// instruction at `index`, so that the two can become one. `falls` says
    /// whether that one always goes on with the next.
    fn carrier(&self, reg: Reg, index: u32, end: u32, falls: bool) -> Option<(usize, Op)> {
        let tmp = reg.tmp()?;
        let (place, last) = self.last()?;
        let carries = !is_update(last.code) && last.result == self.slots.register(reg);
        (carries && self.dead(tmp, index.saturating_add(1), end, falls)).then_some((place, last))
    }

    /// Whether nothing in `start..end` uses the value tmp register `tmp` has
    /// before. May say no where the answer is yes. `straight` says whether
    /// `start` is always reached.
    pub(super) fn dead(&self, tmp: u32, start: u32, end: u32, mut straight: bool) -> bool {
        for index in start..end {
            let Ok(instruction) = self.code.instruction(index) else {
                return false;
            };
            if instruction.reads_tmp(tmp) {
                return false;
            }
            straight &= instruction.opcode.form() != Form::Skip;
            if straight && instruction.writes().and_then(Reg::tmp) == Some(tmp) {
                return true;
            }
        }
        true
    }

    pub(super) fn is_tmp(&self, slot: u8) -> bool {
        slot >= self.slots.tmps && slot < self.slots.constants
    }

    /// A bit for each slot of a tmp register, 0 for others.
    pub(super) fn tmp_bit(&self, slot: u8) -> u16 {
        match slot.checked_sub(self.slots.tmps) {
            Some(index) if self.is_tmp(slot) => 1u16.wrapping_shl(u32::from(index)),
            _ => 0,
        }
    }

    /// The slot an operand is read from.
    fn slot(&self, reg: Reg) -> u8 {
        match reg.class {
            Class::Immediate => self.constant_slot(u64::from(reg.index)),
            _ => self.slots.register(reg),
        }
    }

    fn constant_slot(&self, value: u64) -> u8 {
        let known = self.profile.constants().iter().position(|c| *c == value);
        self.slots.constants.wrapping_add(known.unwrap_or(0) as u8)
    }

    /// Appends the definitions that are volatile, or those that are not.
    fn definitions(&mut self, volatile: bool) -> Result<u8, Error> {
        let mut count = 0u8;
        for index in 0..self.profile.defs {
            let Some((reg, value)) = self.code.instruction(index)?.definition() else {
                continue;
            };
            let class = matches!(reg.class, Class::VolatileControl | Class::VolatileReport);
            // A field that is a primitive needs no value of its own.
            if class == volatile && self.slots.register(reg) >= OWN_BASE {
                self.push(Op::new(0, self.slots.register(reg), 0, 0))?;
                self.push(Op::constant(value))?;
                count = count.saturating_add(1);
            }
        }
        Ok(count)
    }
}
