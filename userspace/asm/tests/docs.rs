// SPDX-License-Identifier: GPL-2.0
//! The programs in the documentation assemble, and come back as they stand.

use ccp_asm::{assemble, disassemble, Listing};
use std::path::Path;

/// Every ```` ```casm ```` block of a page.
fn programs(text: &str) -> impl Iterator<Item = &str> {
    let blocks = text.split("\n```casm\n").skip(1);
    blocks.filter_map(|rest| rest.split_once("\n```\n").map(|(block, _)| block))
}

/// Without comments and empty lines, and with labels by number.
fn plain(text: &str) -> String {
    let lines = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or(line).trim_end());
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    lines
        .join("\n")
        .replace("limited:", "L1:")
        .replace(", limited", ", L1")
}

#[test]
fn examples_assemble() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/isa.md");
    let page = std::fs::read_to_string(page).expect("the page");
    let mut seen = 0;
    for program in programs(&page) {
        let assembly = assemble("isa.md", program).unwrap_or_else(|errors| panic!("{errors}"));
        let text = disassemble(&assembly.program, &assembly.names, Listing::default());
        // `.name` lines come in the order of classes.
        let sorted = |text: &str| {
            let mut lines: Vec<String> = plain(text).lines().map(str::to_owned).collect();
            let names = lines
                .iter()
                .filter(|line| line.starts_with(".name"))
                .count();
            lines[1..=names].sort();
            lines
        };
        assert_eq!(sorted(&text), sorted(program));
        seen += 1;
    }
    assert_eq!(seen, 1);
}
