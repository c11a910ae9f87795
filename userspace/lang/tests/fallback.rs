// SPDX-License-Identifier: GPL-2.0
//! The program built into the module is the one its source says.

use std::fmt::Write as _;

use ccp_core::{
    fallback,
    vm::isa::{implicit, primitive, Class, Opcode},
};
use ccp_lang::Compiled;

#[test]
fn built_in_program_is_its_source() {
    let source = include_str!("../../../rust/core/fallback/reno.ccp");
    let compiled = ccp_lang::compile("rust/core/fallback/reno.ccp", source)
        .unwrap_or_else(|errors| panic!("{errors}"));
    assert!(compiled.warnings.is_empty(), "{}", compiled.warnings);
    let same = compiled.program.events == fallback::EVENTS
        && compiled.program.instructions == fallback::INSTRUCTIONS;
    assert!(
        same,
        "rust/core/fallback/mod.rs should have\n{}",
        tables(&compiled)
    );
}

fn word(bytes: &[u8]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

/// `CODE` and `SHAPE` as they should be.
fn tables(compiled: &Compiled) -> String {
    let name = |class: u8, index: u32| {
        let place = index as usize;
        let variable = compiled
            .symbols
            .variables()
            .find(|(_, reg)| reg.class == class && reg.index == index)
            .map(|(name, _)| name.to_uppercase());
        variable.unwrap_or_else(|| match Class::from_code(class) {
            Some(Class::Immediate) => format!("imm({index})"),
            Some(Class::Tmp) => format!("T{index}"),
            Some(Class::Primitive) => {
                let (_, name) = primitive::NAMES[place].split_once('.').expect("a dot");
                name.to_uppercase()
            }
            Some(Class::Implicit) => match index {
                implicit::EVENT_FLAG => "FLAG".to_owned(),
                implicit::SHOULD_CONTINUE => "CONTINUE".to_owned(),
                _ => implicit::NAMES[place].to_uppercase(),
            },
            _ => format!("reg({class}, {index})"),
        })
    };
    let mut text = String::new();
    for bytes in compiled.program.instructions.chunks_exact(16) {
        let opcode = Opcode::from_code(bytes[0]).expect("an opcode");
        let [to, left, right] = [1, 6, 11].map(|at| name(bytes[at], word(&bytes[at + 1..])));
        writeln!(text, "    op({opcode:?}, {to}, {left}, {right}),").expect("to a string");
    }
    for bytes in compiled.program.events.chunks_exact(16) {
        writeln!(text, "    ({}, {}),", word(&bytes[4..]), word(&bytes[12..]))
            .expect("to a string");
    }
    text
}
