// SPDX-License-Identifier: GPL-2.0
//! Makes a part of a program keep the verifier's rules, with little change.

use ccp_core::vm::isa::{implicit, Class, Form, Instruction, Opcode, Reg};

const FLAG: Reg = Reg::new(Class::Implicit, implicit::EVENT_FLAG);

/// Which rules programs are made to keep; the others they may break.
#[derive(Copy, Clone, PartialEq, Eq)]
pub(crate) struct Mend {
    /// Skips end within their part; else they may be one too far.
    skips: bool,
    /// Tmp registers that are read were written.
    tmps: bool,
}

impl Mend {
    pub(crate) const ALL: Mend = Mend {
        skips: true,
        tmps: true,
    };
    pub(crate) const BUT_SKIPS: Mend = Mend {
        skips: false,
        ..Mend::ALL
    };
    pub(crate) const BUT_TMPS: Mend = Mend {
        tmps: false,
        ..Mend::ALL
    };
    /// Mends a condition.
    pub(crate) fn condition(self, code: &mut Vec<Instruction>) {
        match code.last_mut() {
            Some(last) => {
                last.result = FLAG;
                if matches!(last.opcode, Opcode::If | Opcode::NotIf | Opcode::SkipZ) {
                    last.opcode = Opcode::Bind;
                }
            }
            None => code.push(Instruction {
                opcode: Opcode::Bind,
                result: FLAG,
                left: FLAG,
                right: Reg::new(Class::Immediate, 1),
            }),
        }
        self.part(code, true);
    }

    /// Mends a body.
    pub(crate) fn body(self, code: &mut [Instruction]) {
        self.part(code, false);
    }

    fn part(self, code: &mut [Instruction], condition: bool) {
        let limit = code.len().saturating_sub(usize::from(condition));
        // The tmp registers written on every path to each instruction.
        let mut written = vec![u16::MAX; code.len() + 2];
        written[0] = 0;
        for (index, instruction) in code.iter_mut().enumerate() {
            let room = limit.saturating_sub(index + 1);
            form(instruction, room, room + usize::from(!self.skips));
            let mut known = written[index];
            if self.tmps {
                tmps(instruction, known);
            }
            let mut falls = true;
            match instruction.opcode.form() {
                Form::Skip => {
                    written[index + 1 + instruction.right.index as usize] &= known;
                    falls = instruction.left != Reg::new(Class::Immediate, 0);
                }
                _ if matches!(instruction.opcode, Opcode::If | Opcode::NotIf) => (),
                _ => known |= bit(instruction.result),
            }
            if falls {
                written[index + 1] &= known;
            }
        }
    }
}

/// Mends opcode and classes of an instruction that has `room` others to skip
/// and may skip `most`.
fn form(instruction: &mut Instruction, room: usize, most: usize) {
    match instruction.opcode.form() {
        Form::Define | Form::Define64 => instruction.opcode = Opcode::Bind,
        Form::Skip if room == 0 => instruction.opcode = Opcode::Bind,
        Form::Skip => {
            let count = (instruction.right.index as usize).clamp(1, most);
            instruction.right = Reg::new(Class::Immediate, count as u32);
        }
        _ => (),
    }
    let result = &mut instruction.result;
    if matches!(result.class, Class::Immediate | Class::Primitive) {
        *result = Reg::new(Class::NonvolatileControl, result.index % 16);
    }
}

/// Reads another register where a tmp is read that may be unwritten: one that
/// is written, so that values go far, or a local register.
fn tmps(instruction: &mut Instruction, written: u16) {
    let known = |index: &u32| written & (1 << index) != 0;
    let mend = |reg: &mut Reg| {
        if bit(*reg) & !written != 0 {
            let nth = (reg.index % 4) as usize;
            *reg = match (0..16).filter(known).nth(nth) {
                Some(index) => Reg::new(Class::Tmp, index),
                None => Reg::new(Class::Local, reg.index % 8),
            };
        }
    };
    match instruction.opcode.form() {
        Form::Binary => {
            mend(&mut instruction.left);
            mend(&mut instruction.right);
        }
        Form::Unary => mend(&mut instruction.right),
        Form::Update => {
            mend(&mut instruction.left);
            mend(&mut instruction.right);
            mend(&mut instruction.result);
        }
        Form::Skip => mend(&mut instruction.left),
        Form::Define | Form::Define64 | Form::Wide => (),
    }
}

fn bit(reg: Reg) -> u16 {
    match reg.class {
        Class::Tmp => 1 << reg.index,
        _ => 0,
    }
}
