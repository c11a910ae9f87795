// SPDX-License-Identifier: GPL-2.0
//! No input makes the compiler panic, and what compiles is fit to run, with
//! and without the optimiser alike. `PROPTEST_CASES` runs more. What programs
//! do is compared in `differential.rs`.

mod common;

use ccp_lang::{compile_with, Severity};
use common::{generate::programs, BOTH};
use proptest::prelude::*;

/// Compiles with all options and checks what must hold of any result.
fn check(source: &str) -> bool {
    let results = BOTH.map(|options| compile_with("fuzz.ccp", source, options));
    for result in &results {
        let diagnostics = match result {
            Ok(compiled) => &compiled.warnings,
            Err(diagnostics) => diagnostics,
        };
        let errors = diagnostics.iter().filter(|d| d.severity == Severity::Error);
        assert_eq!(errors.count() == 0, result.is_ok());
        for (diagnostic, record) in diagnostics.iter().zip(diagnostics.records()) {
            assert_ne!(diagnostic.code, "E0499", "{source}\n{diagnostics}");
            assert!(source.get(diagnostic.span.clone()).is_some());
            assert!(record.start.line >= 1 && record.start.column >= 1);
        }
        diagnostics.render(true);
        serde_json::to_string(diagnostics).expect("serialises");
    }
    let [plain, optimised] = results.map(|result| result.is_ok());
    assert_eq!(plain, optimised, "the optimiser decides:\n{source}");
    plain
}

const PIECES: &[&str] = &[
    "(",
    "(",
    "(",
    ")",
    ")",
    ")",
    " ",
    "\n",
    "\r\n",
    "# c\n",
    "#",
    "def",
    "when",
    "Report",
    "Local",
    "volatile",
    "report",
    "fallthrough",
    "(report)",
    "(fallthrough)",
    "If",
    "else",
    "if",
    "!if",
    "ewma",
    "max",
    "min",
    "wrapped_max",
    "+",
    "-",
    "*",
    "/",
    "&&",
    "||",
    "!",
    ">",
    ">=",
    "<",
    "<=",
    "==",
    "!=",
    ":=",
    "bind",
    "add_sat",
    "a",
    "b",
    "Report.x",
    "x",
    "y",
    "Cwnd",
    "Rate",
    "Micros",
    "Flow.mss",
    "Ack.bytes_acked",
    "Flow.was_timeout",
    "Flow.typo",
    "true",
    "false",
    "0",
    "1",
    "42",
    "4294967295",
    "18446744073709551615",
    "18446744073709551616",
    "10ms",
    "1.5Mbps",
    "12bps",
    "0x10",
    "+infinity",
    "-1",
    "__x",
    "\u{161}",
    "\u{1f600}",
    "%",
    "\"",
    "\u{feff}",
    "(def (a 0) (b false) (Report (volatile x 0)))",
    "(when true ",
    "(:= a ",
];

fn soup() -> impl Strategy<Value = String> {
    let piece = (0..PIECES.len(), any::<bool>());
    prop::collection::vec(piece, 0..80).prop_map(|pieces| {
        pieces.into_iter().fold(String::new(), |text, (i, space)| {
            text + PIECES[i] + if space { " " } else { "" }
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        check(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_text(text in "\\PC*") {
        check(&text);
    }

    #[test]
    fn token_soup(source in soup()) {
        check(&source);
    }

    #[test]
    fn damaged_programs(source in programs(), at in any::<prop::sample::Index>(),
                        len in 0_usize..4, piece in 0..PIECES.len()) {
        let start = at.index(source.len());
        let end = (start + len).min(source.len());
        if source.is_char_boundary(start) && source.is_char_boundary(end) {
            check(&format!("{}{}{}", &source[..start], PIECES[piece], &source[end..]));
        }
    }
}

#[test]
fn deep_nesting_is_an_error_not_a_crash() {
    for open in [
        "(",
        "(:= a ",
        "(If true ",
        "(+ 1 ",
        "(when true ",
        "(def ",
        "(else ",
    ] {
        let source = format!("(def (a 0)) (when true {})", open.repeat(100_000));
        assert!(!check(&source));
    }
    assert!(!check(&")".repeat(100_000)));
}

#[test]
fn many_words_take_little_time() {
    let source = format!(
        "(def (a 0)) (when true {})",
        "(:= undeclared mistyped) ".repeat(4_000)
    );
    let started = std::time::Instant::now();
    check(&source);
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}
