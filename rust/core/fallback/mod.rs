// SPDX-License-Identifier: GPL-2.0

//! The fallback program, in wire form: what a flow runs without an agent.
//!
//! Its source is `reno.ccp`.

use crate::vm::isa::{
    Class,
    Event,
    Instruction,
    Opcode,
    Reg, //
};

/// Events of the fallback program.
pub const EVENTS: &[u8] = &Event {
    cond_start: 0,
    cond_count: 1,
    body_start: 1,
    body_count: 0,
}
.to_bytes();

/// Instructions of the fallback program.
pub const INSTRUCTIONS: &[u8] = &Instruction {
    opcode: Opcode::Bind,
    result: Reg::new(Class::Implicit, 0),
    left: Reg::new(Class::Implicit, 0),
    right: Reg::new(Class::Immediate, 1),
}
.to_bytes();
