// SPDX-License-Identifier: GPL-2.0

//! Random programs that verify, from a number.

use ccp_core::vm::{
    isa::{
        Class,
        Instruction,
        Opcode,
        Reg, //
    },
    Place, //
};

use crate::common::*;

/// A sequence of numbers (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 32) as u32 % end
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u32) as usize]
    }

    fn reg(&mut self) -> Reg {
        // Many of few: so instructions meet.
        match self.below(12) {
            0..5 => t(self.of(&[0, 1, 2, 3, 15])),
            5 => r(self.of(&[0, 1, 15])),
            6 => vr(self.of(&[0, 2, 14])),
            7 => c(self.of(&[0, 1, 15])),
            8 => vc(self.of(&[0, 2])),
            9 => l(self.below(8)),
            _ => self.of(&[FLAG, CONTINUE, REPORT, MICROS, CWND, RATE]),
        }
    }

    fn operand(&mut self) -> Reg {
        match self.below(4) {
            0 => p(self.below(32) as usize),
            1 => imm(self.of(&[0, 1, 2, 8, 10, 11, 1448, u32::MAX])),
            _ => self.reg(),
        }
    }

    fn instruction(&mut self) -> Instruction {
        const TRUTHS: [Opcode; 8] = [
            Opcode::Gt,
            Opcode::Le,
            Opcode::And,
            Opcode::Or,
            Opcode::Not,
            Opcode::Mul,
            Opcode::Add,
            Opcode::SkipZ,
        ];
        let opcode = match self.below(3) {
            0 => self.of(&TRUTHS),
            1 => self.of(&[Opcode::Bind, Opcode::Add, Opcode::Min, Opcode::Max]),
            _ => self.of(Opcode::ALL),
        };
        let (result, left, right) = (self.reg(), self.operand(), self.operand());
        match opcode {
            Opcode::SkipZ => op(opcode, FLAG, left, imm(1 + self.below(6))),
            Opcode::Const => op(opcode, result, imm(self.below(4)), imm(self.below(4))),
            Opcode::Def | Opcode::Def64 => bind(result, right),
            Opcode::Bind if self.below(4) == 0 => bind(CONTINUE, imm(1)),
            _ => op(opcode, result, left, right),
        }
    }

    fn part(&mut self, most: u32) -> Vec<Instruction> {
        (0..self.below(most)).map(|_| self.instruction()).collect()
    }
}

/// A program; what the verifier objects to becomes something harmless.
pub(crate) fn random(seed: u64) -> Source {
    let mut random = Random((seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut source = Source::new(&[def(vr(0), 3), def(vc(2), 4), def(c(15), 5)]);
    for _ in 0..=random.below(4) {
        let mut condition = random.part(9);
        let last = random.instruction();
        condition.push(match last.opcode {
            Opcode::SkipZ | Opcode::If | Opcode::NotIf => bind(FLAG, last.left),
            _ => Instruction {
                result: FLAG,
                ..last
            },
        });
        let body = random.part(12);
        source = source.when(&condition, &body);
    }
    // Some need a bigger file.
    if random.below(8) == 0 {
        let count = random.of(&[30, 90, 115]);
        let values: Vec<_> = (0..count)
            .map(|value| op(Opcode::Max, l(0), l(0), imm(value)))
            .collect();
        source = source.when(&always(), &values);
    }
    while let Err(error) = source.verify() {
        let Place::Instruction(at) = error.place else {
            panic!("{error}");
        };
        let wrong = &mut source.instructions[at as usize];
        let result = match wrong.result {
            FLAG => FLAG,
            _ => l(0),
        };
        *wrong = match wrong.right.class {
            Class::Tmp | Class::Immediate => bind(result, l(1)),
            _ => op(Opcode::Gt, result, l(2), wrong.right),
        };
    }
    source
}
