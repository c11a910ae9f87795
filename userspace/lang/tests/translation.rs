// SPDX-License-Identifier: GPL-2.0
//! How docs/language.md counts instructions, tmp registers and numbers: what
//! the limits are about.

mod common;

use common::{compile, BOTH};

/// Instructions of the plain translation, without those of the definitions.
fn count(clauses: &str) -> usize {
    let source = format!("(def (a 0) (b 0) (t false) (Local (l 0))) {clauses}");
    compile(&source, BOTH[0]).program.instructions.len() / 16 - 3
}

/// Of a statement.
fn statement(text: &str) -> usize {
    count(&format!("(when true {text})")) - 1
}

#[test]
fn statements() {
    for (text, instructions) in [
        ("(report)", 1),
        ("5", 0),
        ("a", 0),
        ("(+ a 1)", 1),
        ("(+ a 1 2 3)", 3),
        ("(! t)", 1),
        ("(:= a 1)", 1),
        ("(:= a b)", 1),
        ("(:= a 4294967295)", 1),
        ("(:= a 4294967296)", 1),
        ("(:= a (+ b 1))", 2),
        ("(:= a (+ b 4294967296))", 3),
        ("(:= a (:= b 1))", 2),
        ("(:= (:= a 1) 2)", 2),
        ("(:= (+ a 1) 2)", 2),
        // The old value is the target, another one, an intermediate one.
        ("(:= a (if t 1))", 1),
        ("(:= a (if t 1 a))", 1),
        ("(:= a (if t 1 b))", 3),
        ("(:= a (if t 1 (+ b 1)))", 3),
        ("(:= a (ewma 2 b))", 1),
        ("(:= a (ewma 2 b 5))", 3),
        ("(:= a (+ 1 (if t 1)))", 4),
        // One branch, both, the second, none.
        ("(If t (report))", 2),
        ("(If t (report) (else (report)))", 4),
        ("(If t (else (report)))", 3),
        ("(If t 5)", 0),
        ("(If (> a b) 5)", 1),
        ("(!if t (report))", 3),
    ] {
        assert_eq!(statement(text), instructions, "{text}");
    }
}

#[test]
fn conditions() {
    for (text, instructions) in [
        ("true", 1),
        ("a", 1),
        ("4294967296", 1),
        ("(> a b)", 1),
        ("(! t)", 1),
        ("(&& t (> a b) (> b a))", 4),
        ("(:= a 1)", 2),
        ("(if t 1 b)", 3),
        ("(ewma 1 a b)", 3),
    ] {
        assert_eq!(count(&format!("(when {text} 5)")), instructions, "{text}");
    }
}

#[test]
fn definitions_are_in_the_order_of_names() {
    let source = "(def (b 1) (Report (z 2) (volatile a 3)) (Control.x 4) (volatile B 5)
        (Report.m 6) (Local (l 0))) (when true (report))";
    let program = compile(source, BOTH[0]).program;
    // Class and index of each register, and its value.
    let found: Vec<_> = program
        .instructions
        .chunks_exact(16)
        .take(6)
        .map(|i| (i[1], i[2], i[12]))
        .collect();
    let expected = [
        (8, 2, 5), // B
        (0, 1, 4), // Control.x
        (5, 1, 3), // Report.a
        (6, 2, 6), // Report.m
        (6, 0, 2), // Report.z
        (0, 0, 1), // b
    ];
    assert_eq!(found, expected);
}

#[test]
fn definitions_of_one_name_are_in_the_order_of_registers() {
    let source = "(def (Report.x 1) (c 4294967296) (Report (x 1073741823)) (c 4294967295))
        (when true (report))";
    let program = compile(source, BOTH[0]).program;
    let found: Vec<_> = program
        .instructions
        .chunks_exact(16)
        .take(4)
        .map(|i| (i[0], i[1], i[2]))
        .collect();
    // DEF64 is 40, for what DEF cannot say.
    assert_eq!(found, [(40, 6, 0), (2, 6, 1), (40, 0, 0), (2, 0, 1)]);
}

#[test]
fn locals_are_numbered_as_declared_then_as_mentioned() {
    let source = "(def (Local (second 0)) (a 0) (Local (first 0)))
        (when (> second c) (:= a (+ (:= e d) first)) (:= c 1) (:= d 1))";
    let compiled = compile(source, BOTH[0]);
    let locals: Vec<_> = compiled
        .symbols
        .variables()
        .filter(|(_, register)| register.class == 3)
        .collect();
    let names: Vec<_> = locals.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["second", "first", "c", "e", "d"]);
    assert!((0..)
        .zip(&locals)
        .all(|(index, (_, reg))| reg.index == index));
}

#[test]
fn of_two_with_one_name_the_last_kind_counts() {
    let source = "(def (Local (x 0)) (x 7) (Report.y 1) (Report (y 2)))
        (when true (:= x 5) (:= Report.y 9) (report))";
    for options in BOTH {
        let mut flow = common::Flow::new(source, options);
        // The member is the first field, the flat one is what is set.
        assert_eq!(flow.report(), Some(vec![2, 9]));
        assert_eq!(flow.registers(ccp_core::vm::isa::Class::Local, 1), [5]);
    }
}
