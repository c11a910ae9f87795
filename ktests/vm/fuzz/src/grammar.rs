// SPDX-License-Identifier: GPL-2.0
//! From any bytes to a program, most of the time one that verifies.
//!
//! A program is a style byte, definitions and parts: a condition, a body, a
//! condition and so on. An instruction is a byte for the opcode and one for
//! each operand, so that the engine's insertions, deletions and swaps of bytes
//! are changes a person could make to a program.

use ccp_core::vm::isa::{implicit, Class, Event, Form, Instruction, Opcode, Reg};

use crate::{bytes::Bytes, mend::Mend};

/// A program in its wire form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wire {
    /// Events, 16 bytes each.
    pub events: Vec<u8>,
    /// Instructions, 16 bytes each.
    pub instructions: Vec<u8>,
}

/// Just more than is allowed, so that being too long is seen as well.
const MOST_INSTRUCTIONS: usize = 4098;
const MOST_EVENTS: usize = 258;

/// Opcode bytes that no opcode has mean one of these.
const COMMON: [Opcode; 6] = [
    Opcode::Bind,
    Opcode::SkipZ,
    Opcode::Gt,
    Opcode::Mul,
    Opcode::And,
    Opcode::Const,
];

const FLAG: Reg = Reg::new(Class::Implicit, implicit::EVENT_FLAG);
const CONTINUE: Reg = Reg::new(Class::Implicit, implicit::SHOULD_CONTINUE);
const REPORT: Reg = Reg::new(Class::Implicit, implicit::SHOULD_REPORT);

/// Reads a program.
pub fn program(bytes: &mut Bytes<'_>) -> Wire {
    let style = bytes.byte();
    let mend = match style % 8 {
        7 => None,
        6 => Some(Mend::BUT_TMPS),
        5 => Some(Mend::BUT_SKIPS),
        _ => Some(Mend::ALL),
    };
    let mut code = definitions(bytes, mend.is_some());
    let mut events = Vec::new();
    let mut more = true;
    while more && code.len() < MOST_INSTRUCTIONS && events.len() < MOST_EVENTS {
        let mut condition = Vec::new();
        let mut body = Vec::new();
        more = part(bytes, &mut condition) && part(bytes, &mut body);
        if let Some(mend) = mend {
            mend.condition(&mut condition);
            mend.body(&mut body);
        }
        let cond_start = code.len() as u32;
        let cond_count = condition.len() as u32;
        events.push(Event {
            cond_start,
            cond_count,
            body_start: cond_start + cond_count,
            body_count: body.len() as u32,
        });
        code.append(&mut condition);
        code.append(&mut body);
    }
    let mut wire = Wire {
        events: events.iter().flat_map(|event| event.to_bytes()).collect(),
        instructions: code.iter().flat_map(|code| code.to_bytes()).collect(),
    };
    if mend.is_none() {
        for _ in 0..style >> 6 {
            patch(bytes, &mut wire);
        }
    }
    wire
}

/// Overwrites a byte.
fn patch(bytes: &mut Bytes<'_>, wire: &mut Wire) {
    let at = usize::from(bytes.short());
    let value = bytes.byte();
    let target = if at & 1 == 0 {
        &mut wire.events
    } else {
        &mut wire.instructions
    };
    if let Some(last) = target.len().checked_sub(1) {
        target[(at / 2).min(last)] = value;
    }
}

fn definitions(bytes: &mut Bytes<'_>, mended: bool) -> Vec<Instruction> {
    let mut code: Vec<Instruction> = Vec::new();
    let count = bytes.byte() % 36;
    for _ in 0..count {
        let mut result = operand(bytes);
        let value = bytes.value();
        if mended {
            let index = result.index % 16;
            result = match result.class {
                Class::VolatileReport | Class::NonvolatileReport | Class::VolatileControl => {
                    Reg::new(result.class, index)
                }
                _ => Reg::new(Class::NonvolatileControl, index),
            };
            if code.iter().any(|other| same(other.result, result)) {
                continue;
            }
        }
        let (low, high) = (value as u32, (value >> 32) as u32);
        code.push(if high == 0 {
            instruction(Opcode::Def, result, result, immediate(low))
        } else {
            instruction(Opcode::Def64, result, immediate(low), immediate(high))
        });
    }
    code
}

/// Whether two definitions would be of the same register.
fn same(one: Reg, other: Reg) -> bool {
    let report = |reg: Reg| matches!(reg.class, Class::VolatileReport | Class::NonvolatileReport);
    one.index == other.index && report(one) == report(other)
}

/// Reads a condition or a body; returns whether more parts follow.
fn part(bytes: &mut Bytes<'_>, code: &mut Vec<Instruction>) -> bool {
    while !bytes.is_empty() && code.len() < MOST_INSTRUCTIONS {
        let byte = bytes.byte();
        match byte % 64 {
            16..20 => return true,
            20 => return false,
            // Without it an invocation ends with the first event that holds.
            21 | 22 => {
                let value = immediate(u32::from(bytes.byte() % 8 != 0));
                code.push(instruction(Opcode::Bind, CONTINUE, CONTINUE, value));
            }
            23 => code.push(instruction(Opcode::Bind, REPORT, REPORT, immediate(1))),
            24 => code.push(Instruction {
                result: FLAG,
                ..one(bytes, Opcode::Bind)
            }),
            25 => constants(bytes, code),
            26 => skips(bytes, code),
            27..32 => tree(bytes, code),
            tag => {
                let common = COMMON[usize::from(tag) % COMMON.len()];
                let opcode = Opcode::from_code(tag).unwrap_or(common);
                let one = one(bytes, opcode);
                code.push(if byte < 64 { one } else { calm(one) });
            }
        }
    }
    false
}

/// What aborts for most values, so that it doesn't.
fn calm(mut one: Instruction) -> Instruction {
    match one.opcode {
        Opcode::Sub => one.opcode = Opcode::SubSat,
        Opcode::Div if one.right.index % 2 == 1 => one.right = immediate(one.right.index),
        Opcode::Div => one.right = immediate(1 << (one.right.index % 12)),
        _ => (),
    }
    one
}

/// Many constants: they make a register file bigger.
fn constants(bytes: &mut Bytes<'_>, code: &mut Vec<Instruction>) {
    let (count, first) = (bytes.byte(), bytes.byte());
    for index in 0..u32::from(count) {
        let reg = Reg::new(Class::Local, index % 8);
        let value = immediate(u32::from(first) * 256 + index);
        code.push(instruction(Opcode::Max, reg, reg, value));
    }
}

/// Many skips to as many places.
fn skips(bytes: &mut Bytes<'_>, code: &mut Vec<Instruction>) {
    let (count, ahead) = (bytes.byte() % 40, bytes.byte() % 64);
    let left = operand(bytes);
    for _ in 0..count {
        code.push(instruction(
            Opcode::SkipZ,
            FLAG,
            left,
            immediate(ahead.into()),
        ));
    }
}

/// What joins truth values.
const JOINS: [Opcode; 4] = [Opcode::And, Opcode::Or, Opcode::Mul, Opcode::Add];

/// Values to compare with.
const VALUES: [Opcode; 4] = [Opcode::Mul, Opcode::Div, Opcode::Add, Opcode::Max];

/// What makes them.
const TESTS: [Opcode; 6] = [
    Opcode::Gt,
    Opcode::Le,
    Opcode::Equiv,
    Opcode::Ne,
    Opcode::Lt,
    Opcode::Ge,
];

/// A condition as a compiler writes it, or nearly: tests and what joins them,
/// operands first, with other instructions in between.
fn tree(bytes: &mut Bytes<'_>, code: &mut Vec<Instruction>) {
    let mut stack = Vec::new();
    let mut next = u32::from(bytes.byte() % 4);
    let mut computed = false;
    for _ in 0..24 {
        let tag = bytes.byte();
        let opcode = match tag % 16 {
            0..5 => TESTS[usize::from(tag / 16) % TESTS.len()],
            5 => {
                stack.push(operand(bytes));
                continue;
            }
            6 => VALUES[usize::from(tag / 16) % VALUES.len()],
            7..12 => JOINS[usize::from(tag / 16) % JOINS.len()],
            12 | 13 => Opcode::Not,
            14 => {
                let common = COMMON[usize::from(tag / 16) % COMMON.len()];
                let opcode = Opcode::from_code(bytes.byte() % 64).unwrap_or(common);
                code.push(one(bytes, opcode));
                continue;
            }
            _ => break,
        };
        // Joins take what there is, tests the value computed for them.
        let mut takes = match tag % 16 {
            0..=5 => i32::from(computed),
            6 => 0,
            _ => 2,
        };
        computed = tag % 16 == 6;
        let mut take = || match stack.pop() {
            Some(reg) if takes > 0 => {
                takes -= 1;
                reg
            }
            other => {
                stack.extend(other);
                operand(bytes)
            }
        };
        let right = take();
        let left = match opcode {
            Opcode::Not => right,
            _ => take(),
        };
        let result = Reg::new(Class::Tmp, next % 16);
        next += 1;
        stack.push(result);
        code.push(calm(instruction(opcode, result, left, right)));
    }
    match (stack.pop(), code.last_mut()) {
        (Some(value), Some(last)) if last.result == value => last.result = FLAG,
        (Some(value), _) => code.push(instruction(Opcode::Bind, FLAG, FLAG, value)),
        _ => (),
    }
}

fn one(bytes: &mut Bytes<'_>, opcode: Opcode) -> Instruction {
    let result = operand(bytes);
    let (left, right) = match opcode.form() {
        Form::Skip => (operand(bytes), immediate(u32::from(bytes.byte()) % 72)),
        Form::Wide => {
            let value = bytes.value();
            (immediate(value as u32), immediate((value >> 32) as u32))
        }
        Form::Unary | Form::Define => (result, operand(bytes)),
        Form::Binary | Form::Update | Form::Define64 => (operand(bytes), operand(bytes)),
    };
    instruction(opcode, result, left, right)
}

/// One byte, and more for a constant that is not small.
fn operand(bytes: &mut Bytes<'_>) -> Reg {
    let byte = bytes.byte();
    let index = u32::from(byte % 32);
    // Few of them, so that instructions meet.
    let few = match index % 16 {
        index @ 0..10 => index % 3,
        index => index,
    };
    match byte / 32 {
        0 | 1 => Reg::new(Class::Tmp, few),
        2 => Reg::new(Class::Local, few % 8),
        3 if index < 16 => Reg::new(Class::NonvolatileReport, few),
        3 => Reg::new(Class::VolatileReport, few),
        4 if index < 16 => Reg::new(Class::NonvolatileControl, few),
        4 => Reg::new(Class::VolatileControl, few),
        // Programs that read the flags are decoded with less ado: seldom.
        5 if index < 29 => Reg::new(Class::Implicit, 3 + index % 3),
        5 => Reg::new(Class::Implicit, index - 29),
        6 => Reg::new(Class::Primitive, index),
        _ if index < 16 => immediate(index),
        _ => immediate(bytes.value() as u32),
    }
}

const fn immediate(value: u32) -> Reg {
    Reg::new(Class::Immediate, value)
}

const fn instruction(opcode: Opcode, result: Reg, left: Reg, right: Reg) -> Instruction {
    Instruction {
        opcode,
        result,
        left,
        right,
    }
}
