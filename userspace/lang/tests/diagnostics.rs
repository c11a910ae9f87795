// SPDX-License-Identifier: GPL-2.0
//! Every diagnostic as people see it.
//!
//! `tests/diagnostics/CODE.ccp` causes CODE, among others; `CODE.txt` is what
//! the compiler says. `UPDATE=1 cargo test` writes the latter anew.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use ccp_lang::{compile, Diagnostics, Severity, MAX_SOURCE};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics")
}

fn diagnose(name: &str, source: &str) -> Diagnostics {
    match compile(name, source) {
        Ok(compiled) => compiled.warnings,
        Err(diagnostics) => diagnostics,
    }
}

fn cases() -> Vec<String> {
    let mut cases: Vec<String> = std::fs::read_dir(folder())
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "ccp"))
        .map(|path| {
            path.file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    cases.sort();
    cases
}

#[test]
fn messages() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut different = String::new();
    for code in cases() {
        let file = format!("{code}.ccp");
        let source = std::fs::read_to_string(folder().join(&file)).expect("the case");
        let found = diagnose(&file, &source);
        assert!(
            found.iter().any(|d| d.code == code),
            "no {code} in:\n{found}"
        );
        let compiles = found.iter().all(|d| d.severity == Severity::Warning);
        assert_eq!(compile(&file, &source).is_ok(), compiles);
        assert_eq!(code.starts_with('W'), compiles, "{code}:\n{found}");
        let text = format!("{found}\n");
        let expected = folder().join(format!("{code}.txt"));
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

/// Codes named in the sources of the compiler.
fn codes(sources: &Path) -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    for entry in std::fs::read_dir(sources).expect("the sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            codes.extend(self::codes(&path));
            continue;
        }
        let text = std::fs::read_to_string(path).expect("text");
        for part in text.split('"') {
            let (kind, digits) = part.split_at_checked(1).unwrap_or_default();
            if matches!(kind, "E" | "W") && digits.len() == 4 && digits.parse::<u16>().is_ok() {
                codes.insert(part.to_owned());
            }
        }
    }
    codes
}

#[test]
fn every_code_has_a_case_and_is_documented() {
    // Too large to keep as files, tested below; the last is a bug of ours.
    let elsewhere = ["E0118", "E0405", "E0406", "E0407", "E0499"];
    let cases = cases();
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/language.md");
    let docs = std::fs::read_to_string(docs).expect("docs/language.md");
    for code in codes(&folder().join("../../src")) {
        let tested = cases.contains(&code) || elsewhere.contains(&code.as_str());
        assert!(tested, "no case for {code}");
        assert!(
            docs.contains(&format!("| {code} |")),
            "{code} is not documented"
        );
    }
}

#[track_caller]
fn fails_with(code: &str, source: &str) {
    let found = compile("large.ccp", source).expect_err(code);
    let codes: Vec<_> = found.iter().map(|d| d.code).collect();
    assert_eq!(codes, [code]);
    found.render(false);
}

#[test]
fn limits() {
    let clause = "(when true (report))\n";
    assert!(compile("most", &format!("(def)\n{}", clause.repeat(256))).is_ok());
    fails_with("E0405", &format!("(def)\n{}", clause.repeat(257)));

    let statement = "(:= Cwnd 1)\n";
    let body = |n| format!("(def) (when true {})", statement.repeat(n));
    assert!(compile("most", &body(4095)).is_ok());
    fails_with("E0406", &body(4096));

    let numbers = |n: u32| {
        let sums = (0..n).map(|i| format!("(:= Cwnd (+ Rate {}))", i + 1000));
        format!("(def) (when Cwnd {})", sums.collect::<String>())
    };
    assert!(compile("most", &numbers(128)).is_ok());
    fails_with("E0407", &numbers(129));

    fails_with("E0118", &" ".repeat(MAX_SOURCE + 1));
}

#[test]
fn all_errors_at_once() {
    let source = "(def (Report (acked 0)) (bad -1))\r\n(when (> b 0)\r\n  (:= Report.aked 1)\r\n  \
                  (:= Ack.now 1)\r\n  (reset))\r\n";
    let found = diagnose("many.ccp", source);
    let places: Vec<_> = found
        .records()
        .map(|r| (r.code, r.start.line, r.start.column))
        .collect();
    assert_eq!(
        places,
        [
            ("E0107", 1, 30),
            ("E0201", 3, 7),
            ("E0204", 4, 7),
            ("E0109", 5, 4)
        ]
    );
}

#[test]
fn as_json() {
    let found = diagnose("j.ccp", "(def)\n(when Report.x (report))");
    let json = serde_json::to_value(&found).expect("serialises");
    let expected = serde_json::json!([{
        "code": "E0201",
        "severity": "error",
        "message": "`Report.x` is not declared",
        "help": "declare it: `(Report (volatile x 0))` in `def`",
        "file": "j.ccp",
        "start": {"line": 2, "column": 7},
        "end": {"line": 2, "column": 15},
        "source": "(when Report.x (report))",
    }]);
    assert_eq!(json, expected);
}

#[test]
fn colour_is_a_choice() {
    let found = diagnose("c.ccp", "(def) (when x (report))");
    assert!(found.render(true).contains("\u{1b}["));
    assert!(!found.render(false).contains('\u{1b}'));
    assert_eq!(found.to_string(), found.render(false));
}
