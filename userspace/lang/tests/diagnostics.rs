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

/// Sources too large to keep, by the code they cause.
fn generated() -> Vec<(String, String)> {
    let clauses = "(when Cwnd (report))\n".repeat(257);
    let statements = "(:= Cwnd 1)\n".repeat(4096);
    let mut numbers = String::new();
    for number in 1000..1129 {
        writeln!(numbers, "  (:= Cwnd (+ Rate {number}))").expect("to a string");
    }
    [
        ("E0118", " ".repeat(MAX_SOURCE + 1)),
        ("E0405", format!("(def)\n{clauses}")),
        ("E0406", format!("(def)\n(when true\n{statements})")),
        ("E0407", format!("(def)\n(when Cwnd\n{numbers})")),
    ]
    .map(|(code, source)| (code.to_owned(), source))
    .into()
}

fn kept() -> Vec<(String, String)> {
    let read = |code: String| {
        let file = folder().join(format!("{code}.ccp"));
        let source = std::fs::read_to_string(file).expect("the case");
        (code, source)
    };
    cases().into_iter().map(read).collect()
}

#[test]
fn messages() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut different = String::new();
    for (code, source) in kept().into_iter().chain(generated()) {
        let file = format!("{code}.ccp");
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
    let mut cases = cases();
    cases.extend(generated().into_iter().map(|(code, _)| code));
    // A bug of ours, which a test of the compiler makes up.
    cases.push("E0499".to_owned());
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/language.md");
    let docs = std::fs::read_to_string(docs).expect("docs/language.md");
    for code in codes(&folder().join("../../src")) {
        assert!(cases.contains(&code), "no case for {code}");
        assert!(
            docs.contains(&format!("| {code} |")),
            "{code} is not documented"
        );
    }
}

#[test]
fn the_most_there_may_be() {
    for (code, source) in generated() {
        // Without the one that is too many.
        let one_less = match code.as_str() {
            "E0118" => "(def) (when true (report))".to_owned() + &source[..MAX_SOURCE - 26],
            "E0405" => source.replacen("(when Cwnd (report))\n", "", 1),
            _ => {
                let (before, after) = source.split_once("(:= Cwnd").expect("an assignment");
                let (_, after) = after.split_once('\n').expect("an end");
                format!("{before}{after}")
            }
        };
        if let Err(errors) = compile("most", &one_less) {
            panic!("{code}: {errors}");
        }
    }
}

#[test]
fn carets_point_at_characters() {
    // Tabs, two-byte letters and a wide one, a line end of two characters.
    let source =
        "(def (a 0))\r\n\t(when true # \u{e4}\u{f6}\r\n\t\t(:= a \u{e4}\u{6f22}x) (- 1))\r\n";
    let found = diagnose("t.ccp", source);
    let places: Vec<_> = found
        .records()
        .map(|r| (r.code, r.start.line, r.start.column, r.end.column))
        .collect();
    assert_eq!(places, [("E0110", 3, 14, 19)]);
    assert_eq!(
        found.to_string(),
        "error[E0110]: `-` takes 2 operands, not 1\n \
         --> t.ccp:3:14\n  |\n\
         3 |         (:= a \u{e4}\u{6f22}x) (- 1))\n  |                     ^^^^^\n  |\n  \
         = help: there are no negative numbers: arithmetic is unsigned"
    );
}

#[test]
fn line_ends_and_comments_make_no_difference() {
    let unix = "# one\n(def # two\n  (a 0) # three\n  (Report # four\n    (x 0)))# five\n\
                (when # six\n  true # seven\n  (:= # eight\n  a # nine\n  (+ # ten\n 1 2))\n\
                # eleven\n  (If # twelve\n a # 13\n (report)# 14\n (else # 15\n (:= a 0)\n ))) # 16";
    let compile = |source: &str| compile("c.ccp", source).expect("it compiles").program;
    let plain =
        "(def (a 0) (Report (x 0))) (when true (:= a (+ 1 2)) (If a (report) (else (:= a 0))))";
    assert_eq!(compile(unix), compile(plain));
    assert_eq!(compile(&unix.replace('\n', "\r\n")), compile(plain));
    assert_eq!(compile(&unix.replace(' ', "\t")), compile(plain));
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

#[test]
fn what_may_be_meant_is_not_warned_about() {
    for source in [
        // What falls through somewhere may let every later clause run.
        "(def) (when Cwnd (fallthrough)) (when true (:= Rate 1)) (when Micros (report))",
        "(def) (when true (If Cwnd (fallthrough))) (when Micros (report))",
        // Not constant, or constant and false.
        "(def (on true)) (when on (report)) (when true (:= Cwnd 1))",
        "(def) (when (> 1 2) (report)) (when true (:= Cwnd 1))",
        // An agent may set either, or the operands may come to fit.
        "(def (zero 0)) (when true (:= Cwnd (/ 5 zero)))",
        "(def (a 1)) (when true (:= Cwnd (- (+ a 3) 4)) (:= Rate (sub_sat 3 4)))",
        // Read as the value of an assignment, or as a statement's condition.
        "(def (a 0) (b false)) (when true (If b (:= Cwnd (:= a 1))))",
        "(def (Report (a 0))) (when true (:= (:= Report.a 1) 2) (report))",
        "(def (Local (shared 0))) (when true (report))",
    ] {
        let found = diagnose("quiet.ccp", source);
        assert!(found.is_empty(), "{source}\n{found}");
    }
}

#[test]
fn one_mistake_is_one_error_that_says_the_way_out() {
    for (source, code, help) in [
        // What a missing or a superfluous parenthesis does to the rest.
        (
            "(def (a 0))\n(when true\n  (:= a (+ a 1)\n  (report)\n  (fallthrough))\n(when true (report))",
            "E0102",
            "add the missing `)`",
        ),
        (
            "(def (Report (acked 0)) (def (Flow.inQ 0))) (when true (report))",
            "E0111",
            "close the clause before",
        ),
        (
            "(def (a 0)) (when true (:= a 1) (when a (report)))",
            "E0111",
            "close the clause before",
        ),
        // Commands and blocks in what is not understood, or stands wrong.
        (
            "(def) (when true (IF (> Micros 5) (report) (else (fallthrough))))",
            "E0109",
            "did you mean `If`?",
        ),
        ("(def) (when (report))", "E0108", "condition"),
        (
            "(def) (when true (else (fallthrough)))",
            "E0111",
            "the last part of `(If",
        ),
        (
            "(def (a 0)) (when true (:= a (If a (report))))",
            "E0111",
            "as a value",
        ),
        // Operators and numbers as others write them.
        ("(def (a 0)) (when true (+= a 1))", "E0101", "`(:= x (+ x 1))`"),
        ("(def) (when !Flow.in_recovery (report))", "E0114", "`(! a)`"),
        (
            "(def) (when (> Micros .5ms) (report))",
            "E0202",
            "`0.5ms`",
        ),
        (
            "(def) (when (> Micros 10 ms) (report))",
            "E0110",
            "directly: `10ms`",
        ),
        (
            "(def) (when true (:= Cwnd (+ Cwnd 10 KB)))",
            "E0202",
            "directly: `10KB`",
        ),
        // Upper and lower case.
        (
            "(def (report (a 0))) (when true (report))",
            "E0107",
            "did you mean `Report`?",
        ),
        (
            "(Def (a 0)) (when true (:= Cwnd 1))",
            "E0104",
            "did you mean `def`?",
        ),
        // A file of another kind.
        (
            "now,bytes_acked\n10,1448\n(1)",
            "E0104",
            "a program is one `(def ...)`",
        ),
        ("\u{1}\u{2}", "E0101", ""),
        (
            "(def (Report (a 0))) (when true (:= Report.a \"ctrl: string\"))",
            "E0101",
            "there are no strings",
        ),
        (") (", "E0103", "remove it"),
    ] {
        let found = diagnose("one.ccp", source);
        let codes: Vec<_> = found.iter().map(|d| d.code).collect();
        assert_eq!(codes, [code], "{source}\n{found}");
        assert!(found.to_string().contains(help), "{source}\n{found}");
    }
}

#[test]
fn errors_come_before_warnings() {
    let mut source = "(def)\n(when true".to_owned();
    for name in [
        "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    ] {
        write!(source, "\n  (:= {name} 1)").expect("to a string");
    }
    let found = diagnose("nine.ccp", &format!("{source})"));
    let lines: Vec<_> = found.records().map(|r| (r.code, r.start.line)).collect();
    assert_eq!(lines[0], ("E0403", 11));
    let warnings = (3..=11).map(|line| ("W0501", line));
    assert!(lines[1..].iter().copied().eq(warnings), "{lines:?}");
}

#[test]
fn the_last_of_several_declarations_counts() {
    let found = diagnose(
        "three.ccp",
        "(def (Report (a 3) (a 1) (a 2)))\n(when true (:= Report.a 1))",
    );
    let places: Vec<_> = found.records().map(|r| (r.code, r.start.column)).collect();
    assert_eq!(places, [("W0504", 27)]);
}
