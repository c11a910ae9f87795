// SPDX-License-Identifier: GPL-2.0
//! The program built into the module is the one its source says.

use ccp_core::fallback;

#[test]
fn built_in_program_is_its_source() {
    let source = include_str!("../../../rust/core/fallback/reno.ccp");
    let compiled = ccp_lang::compile("rust/core/fallback/reno.ccp", source)
        .unwrap_or_else(|errors| panic!("{errors}"));
    assert!(compiled.warnings.is_empty(), "{}", compiled.warnings);
    assert_eq!(compiled.program.events, fallback::EVENTS);
    assert_eq!(compiled.program.instructions, fallback::INSTRUCTIONS);
}
