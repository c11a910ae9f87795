// SPDX-License-Identifier: GPL-2.0
//! Instructions from their wire form, also those that no verifier would take.

use ccp_core::vm::isa::{Class, Event, Instruction, Opcode, Reg, EVENT_BYTES, INSTRUCTION_BYTES};
use ccp_lang::Binary;

/// The instruction these bytes are, if its opcode and classes exist; the
/// indices may be anything.
pub(crate) fn instruction(bytes: [u8; INSTRUCTION_BYTES]) -> Option<Instruction> {
    let [op, dc, d0, d1, d2, d3, ac, a0, a1, a2, a3, bc, b0, b1, b2, b3] = bytes;
    let reg = |class, index| {
        Some(Reg::new(
            Class::from_code(class)?,
            u32::from_le_bytes(index),
        ))
    };
    Some(Instruction {
        opcode: Opcode::from_code(op)?,
        result: reg(dc, [d0, d1, d2, d3])?,
        left: reg(ac, [a0, a1, a2, a3])?,
        right: reg(bc, [b0, b1, b2, b3])?,
    })
}

/// The value two immediate operands make together.
pub(crate) fn wide(instruction: Instruction) -> u64 {
    u64::from(instruction.left.index) | (u64::from(instruction.right.index) << 32)
}

/// Whole units of 16 bytes, and what is left.
pub(crate) fn units(bytes: &[u8]) -> (Vec<[u8; 16]>, &[u8]) {
    const { assert!(EVENT_BYTES == 16 && INSTRUCTION_BYTES == 16) };
    let chunks = bytes.chunks_exact(16);
    let rest = chunks.remainder();
    let whole = chunks.filter_map(|chunk| chunk.try_into().ok());
    (whole.collect(), rest)
}

/// How many instructions come before the first event, if the events follow
/// each other from there to the end.
pub(crate) fn definitions(events: &[Event], count: usize) -> Option<usize> {
    let Some(first) = events.first() else {
        return Some(count);
    };
    let mut next = u64::from(first.cond_start);
    for event in events {
        let body = next + u64::from(event.cond_count);
        if u64::from(event.cond_start) != next || u64::from(event.body_start) != body {
            return None;
        }
        next = body + u64::from(event.body_count);
    }
    let whole = next == u64::try_from(count).ok()?;
    whole.then(|| usize::try_from(first.cond_start).ok())?
}

/// The events and instructions of a program that the verifier takes.
pub fn read(program: &Binary) -> (Vec<Event>, Vec<Instruction>) {
    let (events, _) = units(&program.events);
    let (instructions, _) = units(&program.instructions);
    (
        events.into_iter().map(Event::from_bytes).collect(),
        instructions.into_iter().filter_map(instruction).collect(),
    )
}
