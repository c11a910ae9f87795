// SPDX-License-Identifier: GPL-2.0

//! The wire form of a program, read without trust.

use super::{
    error::{
        Error,
        Kind,
        Operand, //
    },
    isa::{
        self,
        Class,
        Event,
        Form,
        Instruction,
        Opcode,
        Reg, //
    },
};

/// The bytes of a program, whose lengths have been checked.
#[derive(Copy, Clone)]
pub(super) struct Code<'a> {
    events: &'a [u8],
    instructions: &'a [u8],
    /// Number of instructions.
    pub(super) count: u32,
}

impl<'a> Code<'a> {
    pub(super) fn new(events: &'a [u8], instructions: &'a [u8]) -> Result<Code<'a>, Error> {
        let refuse = |kind| Err(Error::program(kind));
        if events.len() % isa::EVENT_BYTES != 0 {
            return refuse(Kind::EventBytes {
                bytes: events.len(),
            });
        }
        if instructions.len() % isa::INSTRUCTION_BYTES != 0 {
            return refuse(Kind::InstructionBytes {
                bytes: instructions.len(),
            });
        }
        let count = events.len() / isa::EVENT_BYTES;
        if count == 0 {
            return refuse(Kind::NoEvents);
        }
        if count > isa::MAX_EVENTS {
            return refuse(Kind::TooManyEvents { count });
        }
        let count = instructions.len() / isa::INSTRUCTION_BYTES;
        if count > isa::MAX_INSTRUCTIONS {
            return refuse(Kind::TooManyInstructions { count });
        }
        Ok(Code {
            events,
            instructions,
            count: count as u32,
        })
    }

    /// The events with their indices, in order.
    pub(super) fn events(self) -> impl Iterator<Item = (u32, Event)> + 'a {
        (0..u32::MAX).zip(self.events.chunks_exact(isa::EVENT_BYTES).map(|bytes| {
            let mut event = [0; isa::EVENT_BYTES];
            // Of equal length, as the iterator says; `copy_from_slice` could panic.
            event
                .iter_mut()
                .zip(bytes)
                .for_each(|(to, from)| *to = *from);
            Event::from_bytes(event)
        }))
    }

    /// The instruction at `index`, which must be below `count`.
    pub(super) fn instruction(self, index: u32) -> Result<Instruction, Error> {
        let refuse = |kind| Error::instruction(index, kind);
        let bytes = (index as usize)
            .checked_mul(isa::INSTRUCTION_BYTES)
            .and_then(|at| self.instructions.get(at..))
            .and_then(|rest| rest.first_chunk::<{ isa::INSTRUCTION_BYTES }>())
            .ok_or(refuse(Kind::PastEnd {
                end: u64::from(index),
                count: self.count,
            }))?;
        let &[op, dc, d0, d1, d2, d3, ac, a0, a1, a2, a3, bc, b0, b1, b2, b3] = bytes;
        let opcode = Opcode::from_code(op).ok_or(refuse(Kind::UnknownOpcode { code: op }))?;
        let reg = |operand, code, index| {
            let class = Class::from_code(code).ok_or(Kind::UnknownClass { operand, code })?;
            if index > class.max_index() {
                return Err(Kind::Index {
                    operand,
                    class,
                    index,
                });
            }
            Ok(Reg { class, index })
        };
        let result = reg(Operand::Result, dc, u32::from_le_bytes([d0, d1, d2, d3]));
        let left = reg(Operand::Left, ac, u32::from_le_bytes([a0, a1, a2, a3]));
        let right = reg(Operand::Right, bc, u32::from_le_bytes([b0, b1, b2, b3]));
        let instruction = Instruction {
            opcode,
            result: result.map_err(refuse)?,
            left: left.map_err(refuse)?,
            right: right.map_err(refuse)?,
        };
        match instruction.result.class {
            class @ (Class::Immediate | Class::Primitive) => {
                Err(refuse(Kind::ReadOnlyResult { class }))
            }
            _ => Ok(instruction),
        }
    }
}

impl Instruction {
    /// The registers whose value it uses.
    pub(super) fn reads(self) -> [Option<(Operand, Reg)>; 3] {
        let left = Some((Operand::Left, self.left));
        let right = Some((Operand::Right, self.right));
        match self.opcode.form() {
            Form::Binary => [left, right, None],
            Form::Unary => [None, right, None],
            Form::Update => [left, right, Some((Operand::Result, self.result))],
            Form::Skip => [left, None, None],
            Form::Define | Form::Define64 | Form::Wide => [None, None, None],
        }
    }

    /// The register it always writes.
    pub(super) fn writes(self) -> Option<Reg> {
        match self.opcode.form() {
            Form::Binary | Form::Unary | Form::Wide => Some(self.result),
            Form::Update => match self.opcode {
                Opcode::If | Opcode::NotIf => None,
                _ => Some(self.result),
            },
            Form::Skip | Form::Define | Form::Define64 => None,
        }
    }

    /// Whether it uses tmp register `index`.
    pub(super) fn reads_tmp(self, index: u32) -> bool {
        self.reads()
            .into_iter()
            .flatten()
            .any(|(_, reg)| reg.tmp() == Some(index))
    }

    /// The 64-bit value of its two immediate operands.
    pub(super) fn wide(self) -> u64 {
        u64::from(self.left.index) | (u64::from(self.right.index) << 32)
    }

    /// The register a DEF declares and its initial value.
    pub(super) fn definition(self) -> Option<(Reg, u64)> {
        match self.opcode.form() {
            // libccp has two spellings of infinity here, both 2^32-1.
            Form::Define if self.right.index == 0x3fff_ffff => {
                Some((self.result, u64::from(u32::MAX)))
            }
            Form::Define => Some((self.result, u64::from(self.right.index))),
            Form::Define64 => Some((self.result, self.wide())),
            _ => None,
        }
    }
}
