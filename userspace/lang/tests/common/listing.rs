// SPDX-License-Identifier: GPL-2.0
//! Programs as text, for people who compare them.

use std::fmt::Write as _;

use ccp_core::vm::isa::{implicit, primitive, Class, Opcode, INSTRUCTION_BYTES};
use ccp_lang::Compiled;

fn word(bytes: &[u8]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

fn name(compiled: &Compiled, class: u8, index: u32) -> String {
    let place = index as usize;
    let mut variables = compiled.symbols.variables();
    if let Some((name, _)) = variables.find(|(_, r)| (r.class, r.index) == (class, index)) {
        return name.to_owned();
    }
    match Class::from_code(class).expect("a class") {
        Class::Immediate => index.to_string(),
        Class::Implicit => implicit::NAMES[place].to_owned(),
        Class::Primitive => primitive::NAMES[place].to_owned(),
        Class::Tmp => format!("t{index}"),
        class => format!("{}{index}", class.name()),
    }
}

/// The instructions of all events, conditions first.
pub fn listing(compiled: &Compiled) -> String {
    let mut text = String::new();
    for event in compiled.program.events.chunks_exact(16) {
        let [start, conditions, body, bodies] = [0, 4, 8, 12].map(|at| word(&event[at..]));
        for (title, first, count) in [("when", start, conditions), ("do", body, bodies)] {
            writeln!(text, "{title}").expect("to a string");
            for at in first..first + count {
                let at = at as usize * INSTRUCTION_BYTES;
                let bytes = &compiled.program.instructions[at..at + INSTRUCTION_BYTES];
                let opcode = Opcode::from_code(bytes[0]).expect("an opcode").name();
                let [to, left, right] =
                    [1, 6, 11].map(|at| name(compiled, bytes[at], word(&bytes[at + 1..])));
                let line = match opcode {
                    "BIND" => format!("{to} <- {right}"),
                    "NOT" => format!("{to} <- NOT {right}"),
                    "SKIPZ" => format!("SKIPZ {left} {right}"),
                    _ => format!("{to} <- {opcode} {left} {right}"),
                };
                writeln!(text, "    {line}").expect("to a string");
            }
        }
    }
    text
}
