// SPDX-License-Identifier: GPL-2.0
//! What portus 0.9 does with 155 inputs, measured, against what we do.
//!
//! `tests/data/portus-oracle.tsv` has a row for each input: a template, what
//! replaces its `{}`, and portus's answer. What portus accepts compiles here
//! too; what it refuses or panics on has a meaning in this language or an
//! error with a code.

use ccp_lang::{compile_with, Options};

/// Accepted by portus, refused here; `docs/language.md` has the reasons.
fn refused(row: &Row) -> Option<&'static str> {
    if row.section.contains("4100 body instructions") {
        return Some("E0406");
    }
    (row.input == "(:= Report.new 3)").then_some("E0201")
}

/// Accepted by portus without a DEF instruction; here each variable has one.
const NAME_AS_VALUE: &[&str] = &[
    "(def (Report (a b)))",
    "(def (a 18446744073709551616))",
    "(def (a infinity))",
];

/// Refused by portus, or worse, and given a meaning by this language.
const MEANING: &[&str] = &[
    "(def )",
    "( def (a 0))",
    "(def (Report))",
    "(def (Report (a 0)) (Report (b 0)))",
    "(def (a 2147483648))",
    "(def (a 4294967295))",
    "(def (a 10ms))",
    "(def (a 0) # hi\\n (b 0))",
    "# hi\\n(def (a 0))",
    "(def (a 0)) (when true (:= a 1)) # end\\n",
    "(def (a 0)) # c\\n # d\\n (when true (:= a 1))",
    "(def (a 0)) (when true # c\\n (:= a 1))",
    "(def (a 0)) (when true (:= a 1) # c\\n)",
    "(def (a 0)) (when # c\\n true (:= a 1))",
    "Flow.was_timeout",
    "Report.fb",
    "b",
    "1",
    "(+ 1 2)",
    "(if b true)",
    "(:= b true)",
    "(== b true)",
    "(>= Micros 5)",
    "(<= Micros 5)",
    "(!= Micros 5)",
    "(! b)",
    "(not b)",
    "c",
    "Micros",
    "(max 1 2)",
    "(:= c (+ 1 2 3))",
    "(:= Cwnd (ewma 2 Cwnd))",
    "(:= loc (ewma 2 Cwnd))",
    "(:= Cwnd (if (> c 1) 5))",
    "(:= loc (if (> c 1) 5))",
    "(if (> c 1) 5)",
    "(if (> c 1) (:= c 5))",
    "(if (> c 1) (report))",
    "(:= c (if (> c 1) (if b 3)))",
    "(+ (if b 1) 2)",
    "(+ 1 (if b 2))",
    "(:= c (+ 1 (ewma 2 c)))",
    "(ifb 5)",
    "(:= c 2147483648)",
    "(:= c (and 1 2))",
    "(:= l0 1)(:= l1 1)(:= l2 1)(:= l3 1)(:= l4 1)(:= l5 1)(:= l6 1)",
];

struct Row {
    section: String,
    input: String,
    source: String,
    answer: String,
}

fn rows() -> Vec<Row> {
    let unescape = |text: &str| text.replace("\\r", "\r").replace("\\n", "\n");
    include_str!("data/portus-oracle.tsv")
        .lines()
        .skip(1)
        .map(|line| {
            let mut fields = line.split('\t');
            let mut next = || fields.next().expect("three fields");
            let (section, input, answer) = (next(), next(), next());
            let (_, template) = section.split_once(": ").expect("a template");
            Row {
                section: section.to_owned(),
                input: input.to_owned(),
                source: unescape(&template.replacen("{}", input, 1)),
                answer: answer.to_owned(),
            }
        })
        .collect()
}

/// Bytes of the program as portus counts them, or the codes of the errors,
/// each of which has a place and says what to do.
fn compile(source: &str) -> Result<usize, Vec<&'static str>> {
    let optimised = compile_with("oracle", source, Options { optimise: true });
    let plain = compile_with("oracle", source, Options { optimise: false });
    assert_eq!(optimised.is_ok(), plain.is_ok(), "{source}");
    plain
        .map(|c| c.program.events.len() + c.program.instructions.len())
        .map_err(|errors| {
            for error in &errors {
                assert!(error.help.is_some(), "{errors}");
                assert!(source.get(error.span.clone()).is_some(), "{errors}");
                assert_ne!(error.code, "E0499");
            }
            errors.iter().map(|d| d.code).collect()
        })
}

#[test]
fn every_row() {
    let rows = rows();
    assert_eq!(rows.len(), 155);
    for row in &rows {
        let ours = compile(&row.source);
        let what = format!("{}\n  portus: {}\n  here: {ours:?}", row.source, row.answer);
        if let Some(code) = refused(row) {
            assert!(ours.is_err_and(|codes| codes.contains(&code)), "{what}");
        } else if let Some(size) = row.answer.strip_prefix("OK ") {
            let size: usize = size.trim_end_matches('B').parse().expect("a size");
            let defs = usize::from(NAME_AS_VALUE.contains(&row.input.as_str()));
            assert_eq!(ours, Ok(size + 16 * defs), "{what}");
        } else if row.section.contains("17 operator nodes") {
            // Intermediate values are used again as soon as they are free.
            assert!(ours.is_ok(), "{what}");
        } else {
            let means = MEANING.contains(&row.input.as_str());
            assert_eq!(ours.is_ok(), means, "{what}");
        }
    }
}

#[test]
fn every_meaning_is_in_the_table() {
    let rows = rows();
    for input in MEANING.iter().chain(NAME_AS_VALUE) {
        assert!(rows.iter().any(|row| row.input == *input), "{input}");
    }
}

/// Measured with the same compiler, not in the table.
#[test]
fn further_inputs() {
    for (source, size) in [
        ("(def (volatile volatile 0)) (when true (:= x 1))", 64),
        ("(def (Report 0)) (when true (:= Report 1))", 64),
        (
            "(def (Report 0) (Report (a 0))) (when true (:= Report 1))",
            80,
        ),
        ("(def(a 0))(when true(:= a 1))", 64),
        (
            "(def (a 0)) (when true (:= x 1) (:= x true) (:= a (+ x 1)))",
            112,
        ),
        ("(def (a 0)) (when true (:= a (+ +infinity 1)))", 80),
        ("(def (a 0)) (when true (:= Control.a 1))", 64),
    ] {
        assert_eq!(compile(source), Ok(size), "{source}");
    }
    for (source, code) in [
        (
            "(def (a 0)) (when true (:= x true) (:= a (+ x 1)))",
            "E0301",
        ),
        // y is Bool either way, and makes x Bool only if it was set before.
        (
            "(def (a 0)) (when true (:= x y) (:= y true) (:= a (+ y 1)))",
            "E0301",
        ),
        (
            "(def (a 0)) (when true (:= x (:= y true)) (:= a (+ x 1)))",
            "E0301",
        ),
        ("(def (a 0)) (when true (:= a +infinityx))", "E0110"),
        ("(def (a 0)) (when (+infinity) (:= a 1))", "E0110"),
        ("(def (a 0)) (when Report.zz (report))", "E0201"),
        ("(def (a 0)) (when true (:= (if true 1) 1))", "E0204"),
    ] {
        let codes = compile(source).expect_err(source);
        assert!(codes.contains(&code), "{source}: {codes:?}");
    }
    // Whole names and nested `if` mean something here.
    for source in [
        "(def (1a 0) (c 0)) (when true (:= c 1a))",
        "(def (a 0)) (when true (:= x y) (:= y true) (:= a (+ x 1)))",
        "(def (truex 0) (c 0)) (when true (:= c truex))",
        "(def (a 0)) (when true (:= a (&& (== 1 1) (if true 1))))",
    ] {
        assert!(compile(source).is_ok(), "{source}");
    }
}

/// Found by putting random programs to portus: it takes all of these.
#[test]
fn names_that_nothing_sets_may_be_copied() {
    for statement in [
        "(:= (+ 1 2) undef)",
        "(:= a (if undef 1))",
        "(if true undef)",
        "(:= a (ewma undef other))",
        "(bindnew 1)",
        "(:= a (!if (> (bindm 10) a) undef))",
    ] {
        let source = format!("(def (a 0)) (when true {statement})");
        assert!(compile(&source).is_ok(), "{source}: {:?}", compile(&source));
    }
}
