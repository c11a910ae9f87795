// SPDX-License-Identifier: GPL-2.0
//! Makes a part of a program keep the verifier's rules, with little change.

use ccp_core::vm::isa::{implicit, Class, Form, Instruction, Opcode, Reg};

const FLAG: Reg = Reg::new(Class::Implicit, implicit::EVENT_FLAG);

/// Mends a condition.
pub(crate) fn condition(code: &mut Vec<Instruction>) {
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
    part(code, true);
}

/// Mends a body.
pub(crate) fn body(code: &mut [Instruction]) {
    part(code, false);
}

fn part(code: &mut [Instruction], condition: bool) {
    let limit = code.len().saturating_sub(usize::from(condition));
    // The tmp registers written on every path to each instruction.
    let mut written = vec![u16::MAX; code.len() + 1];
    written[0] = 0;
    for (index, instruction) in code.iter_mut().enumerate() {
        form(instruction, limit.saturating_sub(index + 1));
        let mut known = written[index];
        tmps(instruction, known);
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

/// Mends opcode and classes of an instruction that can skip `room` others.
fn form(instruction: &mut Instruction, room: usize) {
    match instruction.opcode.form() {
        Form::Define | Form::Define64 => instruction.opcode = Opcode::Bind,
        Form::Skip if room == 0 => instruction.opcode = Opcode::Bind,
        Form::Skip => {
            let count = (instruction.right.index as usize).clamp(1, room);
            instruction.right = Reg::new(Class::Immediate, count as u32);
        }
        _ => (),
    }
    let result = &mut instruction.result;
    if matches!(result.class, Class::Immediate | Class::Primitive) {
        *result = Reg::new(Class::NonvolatileControl, result.index % 16);
    }
}

/// Reads another register where a tmp is read that may be unwritten.
fn tmps(instruction: &mut Instruction, written: u16) {
    let mend = |reg: &mut Reg| {
        if bit(*reg) & !written != 0 {
            *reg = Reg::new(Class::Local, reg.index % 8);
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
