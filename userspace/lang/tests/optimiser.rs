// SPDX-License-Identifier: GPL-2.0
//! What each pass of the optimiser does.
//!
//! `tests/optimiser/NAME.ccp` is for the pass NAME, `NAME.txt` is the program
//! it becomes, with sizes before and after. `UPDATE=1 cargo test` writes the
//! latter anew.

mod common;

use std::fmt::Write as _;
use std::path::Path;

use ccp_core::vm::{self, isa::INSTRUCTION_BYTES};
use common::{compile, listing::listing, BOTH};

/// Each line uses the value of the line before twice: followed as a tree, that
/// is a thousand million values.
#[test]
fn shared_values_are_followed_once() {
    type Line = fn(u32) -> String;
    let lines: [(&str, Line); 4] = [
        ("false", |k| {
            format!("(:= m (&& (&& m (> Ack.bytes_acked {k})) (&& m (> Flow.mss {k}))))")
        }),
        ("false", |k| {
            format!("(:= m (|| (|| m (> Ack.bytes_acked {k})) (|| m (> Flow.mss {k}))))")
        }),
        ("false", |k| {
            let (first, second) = (
                format!("(if (> Ack.now {k}) m (> Flow.lost {k}))"),
                format!("(if (> Flow.lost {k}) (> Ack.now {k}) m)"),
            );
            format!("(:= m (if (> Flow.mss {k}) {first} {second}))")
        }),
        ("0", |k| format!("(:= m (max (+ m {k}) (min m (* m {k}))))")),
    ];
    for (start, line) in lines {
        let body: String = (5..35).map(line).collect();
        let source = format!(
            "(def (Report (x 0)) (Local (m {start})))
             (when true {body} (If m (:= Report.x 1)) (report))"
        );
        let [plain, optimised] = BOTH.map(|options| compile(&source, options));
        assert!(optimised.program.instructions.len() <= plain.program.instructions.len());
    }
}

#[test]
fn passes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/optimiser");
    let update = std::env::var_os("UPDATE").is_some();
    let mut different = String::new();
    let mut seen = 0;
    for entry in std::fs::read_dir(&folder).expect("the folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|e| e != "ccp") {
            continue;
        }
        seen += 1;
        let source = std::fs::read_to_string(&path).expect("text");
        let [plain, optimised] = BOTH.map(|options| compile(&source, options));
        let [before, after] = [&plain, &optimised].map(|compiled| {
            let program = &compiled.program;
            let layout = vm::verify(&program.events, &program.instructions).expect("verifies");
            (program.instructions.len() / INSTRUCTION_BYTES, layout.cost)
        });
        let name = path.file_stem().expect("a name").to_string_lossy();
        // All but the order and the number of steps that run may stay.
        let smaller = after.0 < before.0 && after.1 < before.1;
        assert!(smaller || plain.program != optimised.program, "{name}");
        let text = format!(
            "instructions {} -> {}, cost {} -> {}\n\n{}",
            before.0,
            after.0,
            before.1,
            after.1,
            listing(&optimised)
        );
        let expected = path.with_extension("txt");
        if update {
            std::fs::write(&expected, &text).expect("written");
        } else if std::fs::read_to_string(&expected).unwrap_or_default() != text {
            writeln!(different, "{name}.txt should be:\n{text}").expect("to a string");
        }
    }
    assert!(seen >= 10, "only {seen} programs found");
    assert!(
        different.is_empty(),
        "{different}\nUPDATE=1 writes them anew"
    );
}

/// More values are computed again and again than there are registers for.
#[test]
fn sharing_stops_where_registers_do() {
    let mut body = String::new();
    for i in 0..200 {
        let value = i % 40;
        writeln!(body, "(:= l{} (+ (* a b) (max a {value})))", i % 8).expect("to a string");
    }
    let locals = "(l0 0) (l1 0) (l2 0) (l3 0) (l4 0) (l5 0) (l6 0) (l7 0)";
    let source = format!("(def (a 0) (b 0) (Local {locals})) (when true {body})");
    let [plain, optimised] = BOTH.map(|options| {
        let program = compile(&source, options).program;
        program.instructions.len() / INSTRUCTION_BYTES
    });
    // The product is computed once, and the copies go.
    assert_eq!(plain, 3 + 4 * 200);
    assert!(optimised <= 3 + 2 * 200 + 1, "{optimised}");
}
