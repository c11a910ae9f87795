// SPDX-License-Identifier: GPL-2.0
//! Random programs in wire form, of libccp's instructions and registers only.

use ccp_core::vm::{
    self,
    isa::{implicit, primitive, Class, Event, Instruction, Opcode, Reg},
};
use ccp_lang::Binary;
use fastrand::Rng;

use super::{one_in, pick, wild};

/// What libccp can run; one more and it never ends.
const MAX_INSTRUCTIONS: usize = 255;
/// A statement needs at most this many.
const LONGEST_STATEMENT: usize = 34;

const FLAG: Reg = Reg::new(Class::Implicit, implicit::EVENT_FLAG);
const CONTINUE: Reg = Reg::new(Class::Implicit, implicit::SHOULD_CONTINUE);
const REPORT: Reg = Reg::new(Class::Implicit, implicit::SHOULD_REPORT);
const MICROS: Reg = Reg::new(Class::Implicit, implicit::MICROS);
const CWND: Reg = Reg::new(Class::Implicit, implicit::CWND);
const RATE: Reg = Reg::new(Class::Implicit, implicit::RATE);

const fn imm(value: u32) -> Reg {
    Reg::new(Class::Immediate, value)
}

const fn op(opcode: Opcode, result: Reg, left: Reg, right: Reg) -> Instruction {
    Instruction {
        opcode,
        result,
        left,
        right,
    }
}

const fn bind(result: Reg, right: Reg) -> Instruction {
    op(Opcode::Bind, result, result, right)
}

/// A program our verifier takes.
pub fn wire(rng: &mut Rng) -> Binary {
    loop {
        let mut writer = Writer::new(rng);
        let program = writer.program();
        match vm::verify(&program.events, &program.instructions) {
            Ok(_) => return program,
            Err(error) if error.kind == vm::Kind::TooManyConstants => {}
            Err(error) => panic!("generated a program that is refused: {error}"),
        }
    }
}

struct Writer<'r> {
    rng: &'r mut Rng,
    code: Vec<Instruction>,
    reports: Vec<Reg>,
    controls: Vec<Reg>,
    /// tmp registers written in this statement, and their limit.
    tmps: u32,
    max_tmps: u32,
    /// Writes that libccp takes otherwise are made.
    odd: bool,
}

impl<'r> Writer<'r> {
    fn new(rng: &'r mut Rng) -> Self {
        let mut registers = |volatile, other| -> Vec<Reg> {
            let most = if one_in(rng, 4) { 17 } else { 6 };
            (0..rng.u32(..most))
                .map(|index| Reg::new(pick(rng, &[volatile, other]), index))
                .collect()
        };
        let reports = registers(Class::VolatileReport, Class::NonvolatileReport);
        let controls = registers(Class::VolatileControl, Class::NonvolatileControl);
        let max_tmps = if one_in(rng, 24) { 16 } else { 8 };
        let odd = one_in(rng, 8);
        Self {
            rng,
            code: Vec::new(),
            reports,
            controls,
            tmps: 0,
            max_tmps,
            odd,
        }
    }

    fn program(&mut self) -> Binary {
        self.definitions();
        let mut events = Vec::new();
        let count = if one_in(self.rng, 8) { 16 } else { 5 };
        for _ in 0..=self.rng.u32(..count) {
            let cond_start = self.code.len();
            if cond_start + 2 * LONGEST_STATEMENT > MAX_INSTRUCTIONS {
                break;
            }
            self.condition();
            let body_start = self.code.len();
            self.tmps = 0;
            for _ in 0..self.rng.u32(..9) {
                if self.code.len() + LONGEST_STATEMENT > MAX_INSTRUCTIONS {
                    break;
                }
                self.statement();
            }
            if body_start < self.code.len() && one_in(self.rng, 8) {
                self.disturb(body_start);
            }
            events.push(Event {
                cond_start: cond_start as u32,
                cond_count: (body_start - cond_start) as u32,
                body_start: body_start as u32,
                body_count: (self.code.len() - body_start) as u32,
            });
        }
        Binary {
            events: events.iter().flat_map(|e| e.to_bytes()).collect(),
            instructions: self.code.iter().flat_map(|i| i.to_bytes()).collect(),
        }
    }

    fn definitions(&mut self) {
        let mut registers: Vec<Reg> = self.reports.clone();
        registers.extend(&self.controls);
        self.rng.shuffle(&mut registers);
        let gaps = one_in(self.rng, 24);
        for reg in registers {
            if gaps && one_in(self.rng, 3) {
                continue;
            }
            let value = match self.rng.u32(..16) {
                0..10 => self.rng.u32(..4),
                10..13 => self.rng.u32(..1 << 20),
                13 => u32::MAX,
                14 => 0x3fff_ffff,
                _ => self.rng.u32(..),
            };
            self.code.push(op(Opcode::Def, reg, reg, imm(value)));
        }
    }

    /// Ends with a write of the event flag.
    fn condition(&mut self) {
        self.tmps = 0;
        let start = self.code.len();
        if one_in(self.rng, 3) {
            self.code.push(bind(FLAG, imm(1)));
            return;
        }
        let value = if one_in(self.rng, 4) {
            self.tangle()
        } else {
            self.truth(3)
        };
        match self.code[start..].last_mut() {
            Some(last) if !matches!(last.opcode, Opcode::If | Opcode::NotIf) => last.result = FLAG,
            _ => self.code.push(bind(FLAG, value)),
        }
        if one_in(self.rng, 3) {
            self.disturb(start);
        }
    }

    /// A comparison, or several joined as portus does it.
    fn truth(&mut self, depth: u32) -> Reg {
        match self.rng.u32(..8) {
            0..3 if depth > 0 => {
                let left = self.truth(depth - 1);
                let right = self.truth(depth - 1);
                let opcode = pick(self.rng, &[Opcode::Mul, Opcode::Add]);
                self.node(opcode, left, right)
            }
            3 if depth < 3 => Reg::new(Class::Primitive, primitive::FLOW_WAS_TIMEOUT as u32),
            5 if depth > 0 => {
                // A number where its truth counts.
                let number = match self.rng.u32(..2) {
                    0 => self.leaf(),
                    _ => Reg::new(Class::Primitive, primitive::ACK_NOW as u32),
                };
                let test = self.truth(0);
                let opcode = pick(self.rng, &[Opcode::Mul, Opcode::Mul, Opcode::Add]);
                self.node(opcode, test, number)
            }
            4 => {
                let right = pick(self.rng, &[0, 1, 1000, 20_000, 1_000_000]);
                self.node(Opcode::Gt, MICROS, imm(right))
            }
            _ => {
                let left = self.value(2);
                let right = self.value(1);
                let opcode = pick(self.rng, &[Opcode::Gt, Opcode::Lt, Opcode::Equiv]);
                self.node(opcode, left, right)
            }
        }
    }

    /// An operation into the next tmp register; its left operand if none is
    /// left.
    fn node(&mut self, opcode: Opcode, left: Reg, right: Reg) -> Reg {
        if self.tmps == self.max_tmps {
            return left;
        }
        let result = Reg::new(Class::Tmp, self.tmps);
        self.tmps += 1;
        self.code.push(op(opcode, result, left, right));
        result
    }

    fn value(&mut self, depth: u32) -> Reg {
        if depth == 0 || one_in(self.rng, 2) {
            return self.leaf();
        }
        let left = self.value(depth - 1);
        if one_in(self.rng, 16) {
            return self.update(left);
        }
        let (opcode, right) = match self.rng.u32(..32) {
            0..8 => (Opcode::Add, self.value(depth - 1)),
            8..12 => (Opcode::Min, self.value(depth - 1)),
            12..16 => (Opcode::Max, self.value(depth - 1)),
            16..19 => {
                let greater = self.node(Opcode::Max, left, imm(2));
                return self.node(Opcode::Sub, greater, imm(2));
            }
            19..22 => (Opcode::Mul, imm(1 + self.rng.u32(..10))),
            22..26 => (Opcode::Div, imm(1 + self.rng.u32(..10))),
            26 => (Opcode::MaxWrap, self.value(depth - 1)),
            27 => (Opcode::Sub, self.value(depth - 1)),
            28 => (Opcode::Mul, self.value(depth - 1)),
            29 => (Opcode::Div, self.value(depth - 1)),
            _ => (
                pick(self.rng, &[Opcode::Gt, Opcode::Lt, Opcode::Equiv]),
                self.value(depth - 1),
            ),
        };
        self.node(opcode, left, right)
    }

    /// A tmp register with this value, that an instruction changes or not.
    fn update(&mut self, value: Reg) -> Reg {
        let tmp = self.node(Opcode::Max, value, value);
        let (left, right) = (self.leaf(), self.leaf());
        if tmp.class == Class::Tmp {
            let (opcode, left) = match self.rng.u32(..3) {
                0 => (Opcode::Ewma, imm(self.rng.u32(..11))),
                1 => (Opcode::If, left),
                _ => (Opcode::NotIf, left),
            };
            self.code.push(op(opcode, tmp, left, right));
        }
        tmp
    }

    fn leaf(&mut self) -> Reg {
        match self.rng.u32(..32) {
            0..10 => Reg::new(Class::Primitive, self.rng.u32(..15)),
            10..22 => self.register(),
            22..26 => imm(self.rng.u32(..8)),
            26 => imm(self.rng.u32(..1 << 20)),
            27 if self.odd => imm(wild(self.rng) as u32),
            28 => pick(self.rng, &[FLAG, CONTINUE, REPORT]),
            29 if self.tmps > 0 => self.tmp(),
            _ => pick(self.rng, &[MICROS, CWND, RATE]),
        }
    }

    /// A report, control or local register.
    fn register(&mut self) -> Reg {
        let from = match self.rng.u32(..8) {
            0..4 => &self.reports,
            4..6 => &self.controls,
            _ => &Vec::new(),
        };
        if from.is_empty() {
            return Reg::new(Class::Local, self.rng.u32(..8));
        }
        let mut reg = pick(self.rng, from);
        if one_in(self.rng, 64) {
            // The other name of the same register.
            reg.class = match reg.class {
                Class::VolatileReport => Class::NonvolatileReport,
                Class::NonvolatileReport => Class::VolatileReport,
                Class::VolatileControl => Class::NonvolatileControl,
                _ => Class::VolatileControl,
            };
        }
        reg
    }

    /// A tmp register written before.
    fn tmp(&mut self) -> Reg {
        Reg::new(Class::Tmp, self.rng.u32(..self.tmps))
    }

    fn target(&mut self) -> Reg {
        match self.rng.u32(..32) {
            0 if self.tmps > 0 => self.tmp(),
            0..26 => self.register(),
            26 | 27 => CWND,
            28 | 29 => RATE,
            30 if self.odd => MICROS,
            31 if self.odd => pick(self.rng, &[FLAG, CONTINUE, REPORT]),
            _ => pick(self.rng, &[CONTINUE, REPORT]),
        }
    }

    fn statement(&mut self) {
        if !one_in(self.rng, 4) {
            self.tmps = 0;
        }
        match self.rng.u32(..32) {
            0..10 => {
                let value = self.value(3);
                let target = self.target();
                self.code.push(bind(target, value));
            }
            10..17 => {
                // As an accumulation is written by hand.
                let value = self.value(2);
                let target = self.target();
                let opcode = pick(self.rng, &[Opcode::Add, Opcode::Min, Opcode::Max]);
                self.code.push(op(opcode, target, target, value));
            }
            17..21 => {
                let condition = self.truth(1);
                let value = self.value(2);
                let target = self.target();
                let opcode = pick(self.rng, &[Opcode::If, Opcode::NotIf]);
                self.code.push(op(opcode, target, condition, value));
            }
            21..24 => {
                let weight = match self.rng.u32(..16) {
                    0 if self.odd => self.value(1),
                    _ => imm(self.rng.u32(..11)),
                };
                let value = self.value(1);
                let target = self.target();
                self.code.push(op(Opcode::Ewma, target, weight, value));
            }
            24 if one_in(self.rng, 2) => {
                let value = self.tangle();
                let target = self.target();
                self.code.push(bind(target, value));
            }
            24..28 => self.code.push(bind(REPORT, imm(1))),
            28 => self.code.push(bind(MICROS, imm(0))),
            29 if self.odd => self.code.push(bind(FLAG, imm(0))),
            29 | 30 => self.code.push(bind(CONTINUE, imm(1))),
            _ => self.any(),
        }
    }

    /// Puts instructions among those from `start` on that use tmp registers
    /// once more.
    fn disturb(&mut self, start: usize) {
        for _ in 0..=self.rng.u32(..2) {
            let at = self.rng.usize(start..self.code.len());
            let written = self.code[start..at].iter().map(|before| before.result);
            let written: Vec<Reg> = written.filter(|reg| reg.class == Class::Tmp).collect();
            if written.is_empty() {
                return;
            }
            let opcode = pick(
                self.rng,
                &[
                    Opcode::If,
                    Opcode::NotIf,
                    Opcode::Bind,
                    Opcode::Add,
                    Opcode::Max,
                    Opcode::Gt,
                ],
            );
            let result = match self.rng.u32(..3) {
                0 => self.register(),
                _ => pick(self.rng, &written),
            };
            let mut operand = || match self.rng.u32(..2) {
                0 => pick(self.rng, &written),
                _ => pick(self.rng, &[MICROS, imm(0), imm(1), imm(7)]),
            };
            let (left, right) = (operand(), operand());
            self.code.insert(at, op(opcode, result, left, right));
        }
    }

    /// Tests and sums over tmp registers that are used any number of times, as
    /// no compiler would write them. Returns the last register written.
    fn tangle(&mut self) -> Reg {
        const OPCODES: [Opcode; 14] = [
            Opcode::Gt,
            Opcode::Gt,
            Opcode::Lt,
            Opcode::Equiv,
            Opcode::Mul,
            Opcode::Mul,
            Opcode::Add,
            Opcode::Add,
            Opcode::Min,
            Opcode::Max,
            Opcode::Bind,
            Opcode::If,
            Opcode::NotIf,
            Opcode::Ewma,
        ];
        self.tmps = 0;
        for _ in 0..self.rng.u32(2..10) {
            let mut opcode = pick(self.rng, &OPCODES);
            let left = match opcode {
                Opcode::Ewma => imm(self.rng.u32(..11)),
                _ => self.tmp_or_leaf(),
            };
            let right = self.tmp_or_leaf();
            // The next register, or one of those written so far.
            let index = self.rng.u32(..self.tmps + 3).min(self.tmps);
            let new = index == self.tmps && index < self.max_tmps;
            if new && matches!(opcode, Opcode::If | Opcode::NotIf | Opcode::Ewma) {
                opcode = Opcode::Max;
            }
            self.tmps += u32::from(new);
            let result = Reg::new(Class::Tmp, index.min(self.max_tmps - 1));
            self.code.push(op(opcode, result, left, right));
        }
        self.code.last().map_or(imm(1), |last| last.result)
    }

    fn tmp_or_leaf(&mut self) -> Reg {
        match self.rng.u32(..16) {
            0..12 if self.tmps > 0 => self.tmp(),
            12 => MICROS,
            // Its square has more than 64 bits, as a rule.
            13 if one_in(self.rng, 4) => Reg::new(Class::Primitive, primitive::ACK_NOW as u32),
            _ => self.leaf(),
        }
    }

    /// Whatever is valid.
    fn any(&mut self) {
        const OPCODES: [Opcode; 14] = [
            Opcode::Add,
            Opcode::Bind,
            Opcode::Div,
            Opcode::Equiv,
            Opcode::Ewma,
            Opcode::Gt,
            Opcode::If,
            Opcode::Lt,
            Opcode::Max,
            Opcode::MaxWrap,
            Opcode::Min,
            Opcode::Mul,
            Opcode::NotIf,
            Opcode::Sub,
        ];
        let opcode = pick(self.rng, &OPCODES);
        let (left, right) = (self.leaf(), self.leaf());
        let result = if self.tmps > 0 && one_in(self.rng, 2) {
            self.tmp()
        } else {
            self.target()
        };
        self.code.push(op(opcode, result, left, right));
    }
}
