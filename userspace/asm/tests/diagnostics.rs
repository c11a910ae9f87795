// SPDX-License-Identifier: GPL-2.0
//! Every diagnostic as people see it.
//!
//! `tests/diagnostics/CODE.casm` causes CODE, among others; `CODE.txt` is what
//! the assembler says. `UPDATE=1 cargo test` writes the latter anew.

use ccp_asm::assemble;
use std::{collections::BTreeSet, fmt::Write as _, path::PathBuf};

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn cases() -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder("tests/diagnostics")).expect("the folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .filter(|path| path.extension().is_some_and(|e| e == "casm"))
        .map(|path| path.file_stem().expect("a name").to_string_lossy().into())
        .collect()
}

#[test]
fn messages() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut different = String::new();
    for code in cases() {
        let file = format!("{code}.casm");
        let source = folder("tests/diagnostics").join(&file);
        let source = std::fs::read_to_string(source).expect("the case");
        let found = assemble(&file, &source).expect_err("it is wrong");
        assert!(
            found.iter().any(|d| d.code == code),
            "no {code} in:\n{found}"
        );
        let text = format!("{found}\n");
        let expected = folder("tests/diagnostics").join(format!("{code}.txt"));
        if update {
            std::fs::write(&expected, &text).expect("written");
        } else if std::fs::read_to_string(&expected).unwrap_or_default() != text {
            writeln!(different, "{code}.txt should be:\n{text}").expect("to a string");
        }
    }
    assert!(
        different.is_empty(),
        "{different}\nUPDATE=1 writes them anew"
    );
}

/// Message and help of each error.
fn found(source: &str) -> Vec<(String, String)> {
    let found = assemble("p", source).expect_err("it is wrong");
    let each = found.iter();
    each.map(|d| (d.message.clone(), d.help.clone().unwrap_or_default()))
        .collect()
}

const EVENT: &str = "when:\n BIND __eventFlag, 1\ndo:\n BIND Cwnd, 1448\n";

#[test]
fn one_slip_is_one_error() {
    let program = |event: &str| format!(".isa 1\n{event}{EVENT}");
    let last = |event: &str| format!(".isa 1\n{EVENT}{event}");
    for wrong in ["", "when:", "DO:", "dO:"] {
        let event = EVENT.replace("do:", wrong);
        for source in [program(&event), last(&event)] {
            let errors = found(&source);
            assert_eq!(errors.len(), 1, "{source}{errors:?}");
            let (message, help) = &errors[0];
            assert!(message.contains("has no `do:`"), "{source}{message}");
            let label = wrong.starts_with(['D', 'd']);
            assert_eq!(
                help.contains("did you mean `do:`?"),
                label,
                "{source}{help}"
            );
        }
    }
    // Each that is missing is told.
    let none = EVENT.replace("do:", "Do:");
    assert_eq!(found(&format!(".isa 1\n{none}{EVENT}{none}")).len(), 2);
    let source = format!(".isa 1\n{EVENT}{0}{0}", EVENT.replace("when:", "When:"));
    let twice = (
        "label `When` stands in two places".into(),
        "did you mean `when:`?".into(),
    );
    assert!(found(&source).contains(&twice), "{source}");
}

#[test]
fn names_in_the_wrong_case_are_suggested() {
    for (wrong, right) in [
        ("report.0", "Report.0"),
        ("vcontrol.12", "VControl.12"),
        ("CWND", "Cwnd"),
        ("flow.MSS", "Flow.mss"),
        ("Floor", "floor"),
        ("Repot.3", "Report.3"),
    ] {
        let names = ".isa 1\n.name floor = Control.0\n";
        let source = format!("{names}{}", EVENT.replace("Cwnd", wrong));
        let errors = found(&source);
        let help = format!("did you mean `{right}`?");
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert_eq!(errors[0].1, help, "{wrong}");
    }
}

#[test]
fn source_that_is_too_long() {
    let found = assemble("long", &"#".repeat(ccp_lang::MAX_SOURCE + 1)).expect_err("too long");
    assert_eq!(found.iter().next().map(|d| d.code), Some("A0112"));
}

/// Strings of a text that look like a code.
fn codes(text: &str, mark: char) -> BTreeSet<String> {
    let code = |part: &&str| {
        let digits = part.strip_prefix('A').unwrap_or_default();
        digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit())
    };
    text.split(mark)
        .map(str::trim)
        .filter(code)
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_code_is_documented_and_tested() {
    let mut used = BTreeSet::new();
    for folder in [folder("src"), folder("src/assemble")] {
        for entry in std::fs::read_dir(folder).expect("the sources") {
            let path = entry.expect("an entry").path();
            if path.is_file() {
                used.extend(codes(&std::fs::read_to_string(path).expect("text"), '"'));
            }
        }
    }
    let page = std::fs::read_to_string(folder("../../docs/isa.md")).expect("the page");
    assert_eq!(codes(&page, '|'), used, "documented, used");
    let mut tested = cases();
    tested.insert("A0112".into());
    assert_eq!(tested, used, "tested, used");
}
