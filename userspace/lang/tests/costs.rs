// SPDX-License-Identifier: GPL-2.0
//! What the optimiser is worth: docs/language.md has the table.

mod common;

use std::fmt::Write as _;
use std::path::Path;

use ccp_core::vm::{self, isa::INSTRUCTION_BYTES};
use common::{compile, BOTH};

/// Instructions and cost of a program, plain and optimised.
fn sizes(source: &str) -> [(usize, u32); 2] {
    BOTH.map(|options| {
        let program = compile(source, options).program;
        let layout = vm::verify(&program.events, &program.instructions).expect("verifies");
        (program.instructions.len() / INSTRUCTION_BYTES, layout.cost)
    })
}

fn table() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs");
    let mut programs: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    programs.sort();
    let mut table = String::from(
        "| program | instructions | optimised | cost | optimised |\n|---|---|---|---|---|\n",
    );
    for path in programs {
        let name = path.file_stem().expect("a name").to_string_lossy();
        let source = std::fs::read_to_string(&path).expect("text");
        let [plain, optimised] = sizes(&source);
        assert!(optimised.0 <= plain.0 && optimised.1 <= plain.1, "{name}");
        writeln!(
            table,
            "| {name} | {} | {} | {} | {} |",
            plain.0, optimised.0, plain.1, optimised.1
        )
        .expect("to a string");
    }
    table
}

#[test]
fn docs_have_the_table() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/language.md");
    let docs = std::fs::read_to_string(docs).expect("docs/language.md");
    let table = table();
    assert!(
        docs.contains(&table),
        "docs/language.md should have\n\n{table}"
    );
}
