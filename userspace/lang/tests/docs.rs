// SPDX-License-Identifier: GPL-2.0
//! The programs in the documentation compile, without a warning. What those
//! with a name do is tested in `patterns.rs`.

mod common;

use common::docs::examples;

#[test]
fn examples_compile() {
    let examples = examples();
    for example in &examples {
        let name = format!("docs/{}, from line {}", example.page, example.line);
        match ccp_lang::compile(&name, &example.source) {
            Ok(compiled) => assert!(compiled.warnings.is_empty(), "{}", compiled.warnings),
            Err(errors) => panic!("{errors}"),
        }
    }
    assert!(examples.len() >= 16, "only {} programs", examples.len());
}
