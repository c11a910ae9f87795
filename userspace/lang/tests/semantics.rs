// SPDX-License-Identifier: GPL-2.0
//! What programs do, on the machine that runs them.

mod common;

use ccp_core::vm::Abort;
use common::{Flow, BOTH};

/// Values of `Report.r0`, `Report.r1`, ... after one invocation of `body`,
/// with `a`=7, `b`=3, `t`=true, `f`=false, and the given statements.
fn run(body: &str) -> Vec<u64> {
    let results = BOTH.map(|options| {
        let mut flow = Flow::new(&program(body), options);
        assert_eq!(flow.ack().abort, None, "{body}");
        flow.fields()
    });
    assert_eq!(results[0], results[1], "the optimiser changed: {body}");
    results[0].clone()
}

fn program(body: &str) -> String {
    format!(
        "(def (Report (r0 0) (r1 0) (r2 0)) (a 7) (b 3) (t true) (f false) (big 5000000000))
         (when true {body})"
    )
}

/// The value of one expression.
fn value(expr: &str) -> u64 {
    run(&format!("(:= Report.r0 {expr})"))[0]
}

/// How one expression aborts.
fn abort(expr: &str) -> Abort {
    let aborts = BOTH.map(|options| {
        let mut flow = Flow::new(&program(&format!("(:= Report.r0 {expr})")), options);
        flow.ack().abort
    });
    assert_eq!(aborts[0], aborts[1], "{expr}");
    aborts[0].expect("an abort")
}

#[test]
fn arithmetic() {
    for (expr, expected) in [
        ("(+ a b)", 10),
        ("(add a b)", 10),
        ("(+ a b 1 2 3)", 16),
        ("(- a b)", 4),
        ("(sub a b)", 4),
        ("(* a b)", 21),
        ("(mul 2 3 4 5)", 120),
        ("(/ a b)", 2),
        ("(div a b)", 2),
        ("(max a b)", 7),
        ("(max 1 9 a)", 9),
        ("(min a b)", 3),
        ("(min a b 1)", 1),
        ("(wrapped_max 4294967280 5)", 5),
        ("(wrapped_max 0 5)", 5),
        ("(+ big 1)", 5_000_000_001),
        ("(* big 2)", 10_000_000_000),
        ("(- 18446744073709551615 5)", u64::MAX - 5),
        ("(add_sat 18446744073709551615 5)", u64::MAX),
        ("(sub_sat b a)", 0),
        ("(mul_sat big big)", u64::MAX),
        ("4294967296", 1 << 32),
        ("4294967295", (1 << 32) - 1),
        ("1073741823", 0x3fff_ffff),
        ("+infinity", (1 << 32) - 1),
        ("10ms", 10_000),
        ("2s", 2_000_000),
        ("12Mbps", 1_500_000),
        ("64KB", 65_536),
        ("(+ (* a b) (* a b))", 42),
    ] {
        assert_eq!(value(expr), expected, "{expr}");
    }
}

#[test]
fn failing_arithmetic_aborts() {
    assert_eq!(abort("(/ a 0)"), Abort::DivideByZero);
    assert_eq!(abort("(- b a)"), Abort::SubUnderflow);
    assert_eq!(abort("(+ 18446744073709551615 a)"), Abort::AddOverflow);
    assert_eq!(abort("(* big (* big big))"), Abort::MulOverflow);
    // Also where the value is not used.
    for options in BOTH {
        for statement in ["(/ 1 0)", "(:= Report.r1 (if f (/ 1 0)))", "(&& f (/ 1 0))"] {
            let mut flow = Flow::new(&program(statement), options);
            assert_eq!(flow.ack().abort, Some(Abort::DivideByZero), "{statement}");
        }
    }
}

#[test]
fn an_abort_stops_everything_but_keeps_what_was_set() {
    for options in BOTH {
        let body = "(:= Report.r0 1) (:= Cwnd 1) (report) (:= Report.r1 (/ 1 0)) (:= Report.r2 1)";
        let mut flow = Flow::new(&program(body), options);
        let outcome = flow.ack();
        assert_eq!((outcome.cwnd, outcome.rate, outcome.report), (0, 0, false));
        assert_eq!(flow.fields(), [1, 0, 0]);
    }
}

#[test]
fn comparisons_and_logic_give_zero_or_one() {
    for (expr, expected) in [
        ("(> a b)", 1),
        ("(gt b a)", 0),
        ("(< a b)", 0),
        ("(lt b a)", 1),
        ("(>= a 7)", 1),
        ("(ge a 8)", 0),
        ("(<= a 7)", 1),
        ("(le a 6)", 0),
        ("(== a 7)", 1),
        ("(eq a b)", 0),
        ("(!= a b)", 1),
        ("(ne a 7)", 0),
        ("(== t true)", 1),
        ("(!= t f)", 1),
        ("(&& t t t)", 1),
        ("(&& t f t)", 0),
        ("(and 5 6)", 1),
        ("(|| t t t)", 1),
        ("(|| f f)", 0),
        ("(or f 9)", 1),
        ("(! t)", 0),
        ("(not f)", 1),
        ("(! a)", 0),
        ("(! 0)", 1),
        ("t", 1),
    ] {
        assert_eq!(value(expr), expected, "{expr}");
    }
}

#[test]
fn choice() {
    for (expr, expected) in [
        ("(if t 5)", 5),
        ("(if f 5)", 0),
        ("(!if f 5)", 5),
        ("(!if t 5)", 0),
        ("(if t 5 6)", 5),
        ("(if f 5 6)", 6),
        ("(!if t 5 6)", 6),
        ("(if (> a b) a b)", 7),
        ("(if a 5 6)", 5),
        ("(+ 1 (if t 2 3))", 3),
        ("(if t (if f 1 2) 3)", 2),
        ("(if (if t f t) 1 2)", 2),
        ("(max (if t a 0) (if f 99 b))", 7),
        ("(if big 5000000001 1)", 5_000_000_001),
    ] {
        assert_eq!(value(expr), expected, "{expr}");
    }
}

#[test]
fn a_choice_without_alternative_keeps_the_target() {
    assert_eq!(run("(:= Report.r0 9) (:= Report.r0 (if f 5))")[0], 9);
    assert_eq!(run("(:= Report.r0 9) (:= Report.r0 (if t (if f 5)))")[0], 9);
    assert_eq!(run("(:= Report.r0 9) (:= Report.r0 (+ 1 (if f 5)))")[0], 10);
    assert_eq!(run("(:= x 9) (:= x (if f 5)) (:= Report.r0 x)")[0], 9);
    // The operands may be the target itself.
    assert_eq!(
        run("(:= Report.r0 9) (:= Report.r0 (if (> Report.r0 8) 1 Report.r0))")[0],
        1
    );
    assert_eq!(
        run("(:= Report.r0 9) (:= Report.r0 (if f 1 (+ Report.r0 1)))")[0],
        10
    );
    assert_eq!(
        run("(:= Report.r0 9) (:= Report.r0 (if Report.r0 Report.r0 3))")[0],
        9
    );
}

#[test]
fn every_target_can_be_chosen_for() {
    for options in BOTH {
        let body = "(:= Cwnd (if t 5000)) (:= Rate (if f 1)) (:= Micros (if t 77)) \
                    (:= Report.r0 Micros) (:= Report.r1 (ewma 5 10)) (:= Cwnd (ewma 0 6000))";
        let mut flow = Flow::new(&program(body), options);
        let outcome = flow.after(1000).ack();
        assert_eq!((outcome.cwnd, outcome.rate), (6_000, 1_000_000));
        assert_eq!(flow.fields(), [77, 10, 0]);
    }
}

#[test]
fn moving_averages() {
    // The first sample is taken whole.
    assert_eq!(run("(:= Report.r0 (ewma 2 100))")[0], 100);
    assert_eq!(
        run("(:= Report.r0 100) (:= Report.r0 (ewma 2 200))")[0],
        180
    );
    assert_eq!(value("(ewma 2 100 200)"), 180);
    assert_eq!(value("(+ 1 (ewma 2 (+ 50 50) 200))"), 181);
    assert_eq!(
        run("(:= Report.r0 100) (:= Report.r0 (+ 1 (ewma 2 200)))")[0],
        181
    );
    assert_eq!(
        run("(:= x 100) (:= x (ewma 2 200)) (:= Report.r0 x)")[0],
        180
    );
}

#[test]
fn assignments_have_values() {
    assert_eq!(run("(:= Report.r0 (:= Report.r1 4))"), [4, 4, 0]);
    assert_eq!(run("(:= (:= Report.r0 1) 2)"), [2, 0, 0]);
    assert_eq!(run("(:= (+ 1 2) 3)"), [0, 0, 0]);
    assert_eq!(run("(:= Report.r0 (+ (:= (+ 1 2) 3) 1))")[0], 4);
    // An operand that is a variable is read when the operator runs.
    assert_eq!(
        run("(:= Report.r0 (+ (:= Report.r1 1) (:= Report.r1 2)))"),
        [4, 2, 0]
    );
    assert_eq!(run("(:= Report.r0 (+ a (:= a 1)))")[0], 2);
}

#[test]
fn if_statements() {
    for (body, expected) in [
        ("(If t (:= Report.r0 1) (:= Report.r1 2))", [1, 2, 0]),
        ("(If f (:= Report.r0 1) (:= Report.r1 2))", [0, 0, 0]),
        (
            "(If t (:= Report.r0 1) (else (:= Report.r0 2) (:= Report.r1 3)))",
            [1, 0, 0],
        ),
        (
            "(If f (:= Report.r0 1) (else (:= Report.r0 2) (:= Report.r1 3)))",
            [2, 3, 0],
        ),
        ("(If f (else (:= Report.r0 2)))", [2, 0, 0]),
        ("(If t (else (:= Report.r0 2)))", [0, 0, 0]),
        ("(If f (:= Report.r0 1) (else))", [0, 0, 0]),
        (
            "(If (> a b) (If (> b a) (:= Report.r0 1) (else (:= Report.r0 2))) (:= Report.r1 3) \
             (else (:= Report.r2 4)))",
            [2, 3, 0],
        ),
        ("(if t (:= Report.r0 1))", [1, 0, 0]),
        ("(if f (:= Report.r0 1) (:= Report.r0 2))", [2, 0, 0]),
        ("(!if f (:= Report.r0 1) (:= Report.r0 2))", [1, 0, 0]),
        ("(!if t (:= Report.r0 1))", [0, 0, 0]),
        // What is not chosen is not evaluated.
        (
            "(If (> b 0) (:= Report.r0 (/ a b)) (else (:= Report.r0 (/ 1 0))))",
            [2, 0, 0],
        ),
        ("(If (:= f 1) (:= Report.r0 1))", [1, 0, 0]),
        ("(If t 5)", [0, 0, 0]),
    ] {
        assert_eq!(run(body), expected, "{body}");
    }
}

#[test]
fn commands_inside_if() {
    for options in BOTH {
        let source = "(def (Report (n 0)) (on false))
            (when true (If on (report) (fallthrough)))
            (when true (:= Report.n (+ Report.n 1)))";
        let mut flow = Flow::new(source, options);
        assert_eq!(flow.report(), None);
        assert_eq!(flow.field("n"), 0);
        flow.update("on", 1);
        assert_eq!(flow.report(), Some(vec![1]));
    }
}

#[test]
fn conditions_of_every_kind() {
    for (condition, expected) in [
        ("true", 1),
        ("false", 0),
        ("Flow.was_timeout", 0),
        ("Flow.cwnd_limited", 1),
        ("t", 1),
        ("Cwnd", 1),
        ("0", 0),
        ("5000000000", 1),
        ("(! t)", 0),
        ("(if t t)", 1),
        ("(if t f t)", 0),
        ("(:= t false)", 0),
        ("(ewma 5 1 1)", 1),
        ("(&& t (> Cwnd 0) (!= Rate 0))", 1),
        ("(- 1 1)", 0),
    ] {
        let source =
            format!("(def (Report (n 0)) (t true) (f false)) (when {condition} (:= Report.n 1))");
        for options in BOTH {
            let mut flow = Flow::new(&source, options);
            flow.set("Flow.cwnd_limited", 1).ack();
            assert_eq!(flow.field("n"), expected, "{condition}");
        }
    }
}

#[test]
fn only_the_first_true_clause_runs() {
    for options in BOTH {
        let source = "(def (Report (a 0) (b 0) (c 0)))
            (when false (:= Report.a 1)) (when true (:= Report.b 1)) (when true (:= Report.c 1))";
        let mut flow = Flow::new(source, options);
        flow.ack();
        assert_eq!(flow.fields(), [0, 1, 0]);
    }
}

#[test]
fn fallthrough_is_sticky() {
    for options in BOTH {
        let source = "(def (Report (a 0) (b 0) (c 0)))
            (when true (:= Report.a 1) (fallthrough))
            (when true (:= Report.b 1))
            (when true (:= Report.c 1))";
        let mut flow = Flow::new(source, options);
        flow.ack();
        assert_eq!(flow.fields(), [1, 1, 1]);
    }
}

#[test]
fn the_report_leaves_after_all_clauses_with_final_values() {
    for options in BOTH {
        let source = "(def (Report (volatile a 5) (b 6)) (volatile c 7))
            (when true (report) (fallthrough))
            (when true (:= Report.a c) (:= Report.b c) (:= c 1) (report))";
        let mut flow = Flow::new(source, options);
        assert_eq!(flow.report(), Some(vec![7, 7]));
        // Volatile report and control variables start over, others do not.
        assert_eq!(flow.fields(), [5, 7]);
        assert_eq!(flow.report(), Some(vec![7, 7]));
    }
}

#[test]
fn locals_keep_their_value_from_ack_to_ack() {
    for options in BOTH {
        let source = "(def (Report (n 0))) (when true (:= Report.n x) (:= x (+ x 2)))";
        let mut flow = Flow::new(source, options);
        let seen = [(); 3].map(|()| {
            flow.ack();
            flow.field("n")
        });
        assert_eq!(seen, [0, 2, 4]);
    }
}

#[test]
fn micros_counts_from_its_last_write() {
    for options in BOTH {
        let source = "(def (Report (n 0))) (when true (:= Report.n Micros) (fallthrough))
            (when (> Micros 10ms) (:= Micros 5000))";
        let mut flow = Flow::new(source, options);
        let mut read = |us| {
            flow.after(us).ack();
            flow.field("n")
        };
        assert_eq!(read(0), 0);
        assert_eq!(read(9_999), 9_999);
        assert_eq!(read(1), 10_000);
        assert_eq!(read(1), 10_001);
        assert_eq!(read(1), 5_001);
        assert_eq!(read(100), 5_101);
    }
}

#[test]
fn micros_counts_modulo_2_to_the_64() {
    for options in BOTH {
        let source = "(def (Report (n 0)) (once false)) (when true (:= Report.n Micros)
            (If (! once) (:= once true) (:= Micros 18446744073709551600)))";
        let mut flow = Flow::new(source, options);
        let read = [0, 10, 1000].map(|us| {
            flow.after(us).ack();
            flow.field("n")
        });
        assert_eq!(read, [0, 18_446_744_073_709_551_610, 994]);
    }
}

#[test]
fn no_rtt_sample_reads_as_infinity() {
    for options in BOTH {
        let source = "(def (Report (r +infinity))) (when true \
            (:= Report.r (min Report.r Flow.rtt_sample_us)))";
        let mut flow = Flow::new(source, options);
        flow.ack();
        assert_eq!(flow.field("r"), u64::from(u32::MAX));
        flow.set("Flow.rtt_sample_us", 40_000).ack();
        flow.set("Flow.rtt_sample_us", 0).ack();
        assert_eq!(flow.field("r"), 40_000);
    }
}

#[test]
fn initial_values() {
    for options in BOTH {
        let source = "(def (Report (a 1) (b true) (c +infinity) (d 10ms) (e 18446744073709551615)
            (f 1073741823) (g infinity))) (when true (report))";
        let mut flow = Flow::new(source, options);
        let expected = vec![1, 1, u64::from(u32::MAX), 10_000, u64::MAX, 0x3fff_ffff, 0];
        assert_eq!(flow.report(), Some(expected));
    }
}

#[test]
fn report_fields_come_members_first() {
    for options in BOTH {
        let source =
            "(def (Report.flat 1) (c 9) (Report (x 2) (volatile y 3)) (volatile Report.z 4))
            (when true (report))";
        let mut flow = Flow::new(source, options);
        let fields: Vec<_> = flow.symbols.fields().map(str::to_owned).collect();
        assert_eq!(fields, ["x", "y", "flat", "z"]);
        assert_eq!(flow.report(), Some(vec![2, 3, 1, 4]));
        assert_eq!(flow.symbols.field("flat"), Some(2));
        assert_eq!(flow.symbols.field("c"), None);
        assert_eq!(flow.symbols.updatable_names(), ["Cwnd", "Rate", "c"]);
    }
}

#[test]
fn long_expressions_use_temporaries_again() {
    let sum = (0..300).fold("a".to_owned(), |sum, n| format!("(+ {sum} (* 2 {n}))"));
    // Too deep as one nest of lists; as operands of one operator it is flat.
    let products: Vec<String> = (0..100).map(|n| format!("(* 2 {n})")).collect();
    assert_eq!(value(&format!("(+ {})", products.join(" "))), 9_900);
    assert!(ccp_lang::compile("deep", &program(&sum)).is_err());
    let nested = (0..100).fold("a".to_owned(), |sum, n| format!("(+ {sum} (* 2 {n}))"));
    assert_eq!(value(&nested), 9_907);
}

#[test]
fn registers_hold_what_they_should_with_every_kind_full() {
    use std::fmt::Write as _;
    let mut def = String::from("(def (Report");
    for n in 0..16 {
        write!(def, " (r{n} {n})").expect("to a string");
    }
    def.push(')');
    for n in 0..16 {
        write!(def, " (c{n} {})", 100 + n).expect("to a string");
    }
    def.push_str(") (when true");
    for n in 0..8 {
        write!(def, " (:= l{n} (+ c{n} 1000))").expect("to a string");
    }
    for n in 0..16 {
        write!(def, " (:= Report.r{n} (+ Report.r{n} c{n} l{}))", n % 8).expect("to a string");
    }
    def.push(')');
    for options in BOTH {
        let mut flow = Flow::new(&def, options);
        flow.ack();
        let expected: Vec<u64> = (0..16).map(|n| n + 100 + n + 1100 + n % 8).collect();
        assert_eq!(flow.fields(), expected);
    }
}
