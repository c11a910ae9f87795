// SPDX-License-Identifier: GPL-2.0
//! No input makes the compiler panic, and what compiles is fit to run, with
//! and without the optimiser alike. `PROPTEST_CASES` runs more.

mod common;

use ccp_core::vm::PRIMITIVES;
use ccp_lang::{compile_with, Compiled, Severity};
use common::{Flow, BOTH};
use proptest::prelude::*;

/// Compiles with all options and checks what must hold of any result.
fn check(source: &str) -> Option<[Compiled; 2]> {
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
    match results {
        [Ok(plain), Ok(optimised)] => Some([plain, optimised]),
        [Err(_), Err(_)] => None,
        _ => panic!("the optimiser decides whether this compiles:\n{source}"),
    }
}

/// Feeds the same ACKs to both programs and compares all that can be seen.
fn compare(compiled: [Compiled; 2], acks: &[([u64; PRIMITIVES], u64)]) {
    let mut flows = compiled.map(|c| Flow::load(&c.program, c.symbols));
    for (primitives, us) in acks {
        let seen = flows.each_mut().map(|flow| {
            flow.input.primitives = *primitives;
            let outcome = flow.after(*us).ack();
            let fields = flow.fields();
            if outcome.report {
                flow.reset_volatile();
            }
            (outcome, fields)
        });
        assert_eq!(seen[0], seen[1]);
    }
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

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (0_u64..20).prop_map(|n| n.to_string()),
        1 => any::<u64>().prop_map(|n| n.to_string()),
        1 => Just("+infinity".to_owned()),
        1 => Just("64KB".to_owned()),
    ]
}

fn pick(names: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::sample::select(names).prop_map(str::to_owned)
}

/// Numbers and truth values, nested.
fn expressions() -> (BoxedStrategy<String>, BoxedStrategy<String>) {
    let mut num = prop_oneof![
        number(),
        pick(&[
            "a",
            "va",
            "Report.x",
            "Report.vx",
            "l",
            "Cwnd",
            "Rate",
            "Micros"
        ]),
        pick(&[
            "Ack.bytes_acked",
            "Flow.rtt_sample_us",
            "Flow.mss",
            "Flow.rate_outgoing"
        ]),
    ]
    .boxed();
    let mut flag = pick(&["true", "false", "b", "Flow.was_timeout", "Report.t", "m"]).boxed();
    for _ in 0..3 {
        let (n, f) = (num.clone(), flag.clone());
        let next_num = prop_oneof![
            2 => n.clone(),
            3 => (pick(&["+", "*", "max", "min"]), prop::collection::vec(n.clone(), 2..4))
                .prop_map(|(op, args)| format!("({op} {})", args.join(" "))),
            2 => (pick(&["-", "/", "wrapped_max", "add_sat", "sub_sat", "mul_sat"]), n.clone(), n.clone())
                .prop_map(|(op, a, b)| format!("({op} {a} {b})")),
            1 => (pick(&["if", "!if"]), f.clone(), n.clone(), n.clone())
                .prop_map(|(op, c, a, b)| format!("({op} {c} {a} {b})")),
            1 => (f.clone(), n.clone()).prop_map(|(c, a)| format!("(if {c} {a})")),
            1 => (n.clone(), n.clone(), n.clone())
                .prop_map(|(k, old, new)| format!("(ewma {k} {old} {new})")),
            1 => (pick(&["a", "Report.x", "l", "Cwnd"]), n.clone())
                .prop_map(|(to, a)| format!("(:= {to} {a})")),
        ]
        .boxed();
        let next_flag = prop_oneof![
            2 => f.clone(),
            2 => (pick(&[">", "<", ">=", "<=", "==", "!="]), n.clone(), n.clone())
                .prop_map(|(op, a, b)| format!("({op} {a} {b})")),
            2 => (pick(&["&&", "||"]), prop::collection::vec(f.clone(), 2..4))
                .prop_map(|(op, args)| format!("({op} {})", args.join(" "))),
            1 => f.clone().prop_map(|a| format!("(! {a})")),
            1 => (f.clone(), f.clone(), f).prop_map(|(c, a, b)| format!("(if {c} {a} {b})")),
        ]
        .boxed();
        num = next_num;
        flag = next_flag;
    }
    (num, flag)
}

fn statements() -> BoxedStrategy<String> {
    let (num, flag) = expressions();
    let simple = prop_oneof![
        6 => (pick(&["a", "va", "Report.x", "Report.vx", "l", "Cwnd", "Rate", "Micros"]), num.clone())
            .prop_map(|(to, value)| format!("(:= {to} {value})")),
        2 => (pick(&["b", "Report.t", "m"]), flag.clone())
            .prop_map(|(to, value)| format!("(:= {to} {value})")),
        1 => (pick(&["a", "l", "Report.x", "Cwnd"]), num.clone(), num.clone())
            .prop_map(|(to, k, v)| format!("(:= {to} (ewma {k} {v}))")),
        1 => num,
        1 => pick(&["(report)", "(fallthrough)"]),
    ]
    .boxed();
    let block = prop::collection::vec(simple.clone(), 0..3).prop_map(|b| b.join(" "));
    let nested = (flag.clone(), block.clone(), simple.clone(), block.clone())
        .prop_map(|(c, a, s, b)| format!("(If {c} {s} {a} (else {b}))"))
        .boxed();
    let deeper =
        (flag, nested.clone(), block).prop_map(|(c, a, b)| format!("(If {c} {a} (else {b} {a}))"));
    prop::collection::vec(prop_oneof![6 => simple, 1 => nested, 1 => deeper], 1..5)
        .prop_map(|b| b.join("\n  "))
        .boxed()
}

fn programs() -> impl Strategy<Value = String> {
    let (_, flag) = expressions();
    let clause = (flag, statements()).prop_map(|(c, body)| format!("(when {c}\n  {body})\n"));
    (number(), prop::collection::vec(clause, 1..5)).prop_map(|(n, clauses)| {
        format!(
            "(def (Report (x 0) (volatile vx {n}) (t false)) (a {n}) (volatile va 3) (b true))
             (when true (:= l (add_sat l 1)) (:= m (> l 3)) (fallthrough))\n{}",
            clauses.concat()
        )
    })
}

fn acks() -> impl Strategy<Value = Vec<([u64; PRIMITIVES], u64)>> {
    let value = prop_oneof![3 => 0_u64..100, 1 => any::<u64>()];
    let ack = (prop::array::uniform25(value), 0_u64..100_000);
    prop::collection::vec(ack, 1..8)
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

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_optimiser_changes_nothing(source in programs(), acks in acks()) {
        let compiled = check(&source).unwrap_or_else(|| {
            let error = compile_with("p.ccp", &source, BOTH[0]).expect_err("it failed");
            // A generated expression may need too many temporaries, no more.
            assert!(error.iter().all(|d| d.severity == Severity::Warning || d.code == "E0404"), "{error}");
            let empty = "(def) (when true (report))";
            BOTH.map(|options| common::compile(empty, options))
        });
        compare(compiled, &acks);
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
        assert!(check(&source).is_none());
    }
    assert!(check(&")".repeat(100_000)).is_none());
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
