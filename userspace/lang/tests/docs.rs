// SPDX-License-Identifier: GPL-2.0
//! The programs in the documentation compile, without a warning.

use std::path::Path;

/// Every ```` ```ccp ```` block of a page, with the line it starts on.
fn programs(text: &str) -> Vec<(usize, String)> {
    let mut programs = Vec::new();
    let mut current: Option<(usize, String)> = None;
    for (number, line) in (1..).zip(text.lines()) {
        match &mut current {
            None if line == "```ccp" => current = Some((number + 1, String::new())),
            None => {}
            Some(_) if line == "```" => programs.extend(current.take()),
            Some((_, program)) => {
                program.push_str(line);
                program.push('\n');
            }
        }
    }
    programs
}

#[test]
fn examples_compile() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let mut seen = 0;
    for entry in std::fs::read_dir(docs).expect("docs") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|e| e != "md") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("text");
        for (line, program) in programs(&text) {
            let name = format!("{}, from line {line}", path.display());
            match ccp_lang::compile(&name, &program) {
                Ok(compiled) => assert!(compiled.warnings.is_empty(), "{}", compiled.warnings),
                Err(errors) => panic!("{errors}"),
            }
            seen += 1;
        }
    }
    assert!(seen >= 6, "only {seen} programs found");
}
