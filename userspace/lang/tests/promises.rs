// SPDX-License-Identifier: GPL-2.0
//! What the guides of CCP and pyportus promise of the language, one test for
//! each promise, kept or not by the compilers they were written for.

mod common;

use common::{compile, Flow, BOTH};

/// Runs `source` once, compiled in both ways, and looks at the flow.
fn once(source: &str, look: impl Fn(&mut Flow)) {
    for options in BOTH {
        let mut flow = Flow::new(source, options);
        flow.ack();
        look(&mut flow);
    }
}

/// The value of an expression, with `a` 7, `b` 3, `t` true and `f` false.
fn value(expr: &str) -> u64 {
    let values = BOTH.map(|options| {
        let source = format!(
            "(def (Report (r 0)) (a 7) (b 3) (t true) (f false)) (when true (:= Report.r {expr}))"
        );
        let mut flow = Flow::new(&source, options);
        assert_eq!(flow.ack().abort, None, "{expr}");
        flow.field("r")
    });
    assert_eq!(values[0], values[1], "{expr}");
    values[0]
}

#[test]
fn variables_are_reported_or_not_and_reset_or_not() {
    let source = "(def
            (Report
                (volatile reportVarA 0)
                (reportBarB true))
            (contolVarA true)
            (volatile controlVarB false))
        (when true
            (:= Report.reportVarA (+ Report.reportVarA 1))
            (:= Report.reportBarB contolVarA)
            (:= contolVarA controlVarB)
            (:= controlVarB true)
            (report))";
    for options in BOTH {
        let mut flow = Flow::new(source, options);
        assert_eq!(flow.report(), Some(vec![1, 1]));
        // contolVarA took the false of controlVarB, which was then set, and
        // reset with the report, as reportVarA was.
        assert_eq!(flow.report(), Some(vec![1, 0]));
        assert_eq!(flow.report(), Some(vec![1, 0]));
        let fields: Vec<_> = flow.symbols.fields().collect();
        assert_eq!(fields, ["reportVarA", "reportBarB"]);
    }
}

#[test]
fn conditions_are_any_expression_as_in_c() {
    for (condition, runs) in [
        ("true", 1),
        ("Flow.was_timeout", 0),
        ("t", 1),
        ("f", 0),
        ("n", 1),
        ("(- n 5)", 0),
        ("(:= n 0)", 0),
    ] {
        let source = format!(
            "(def (Report (r 0)) (t true) (f false) (n 5)) (when {condition} (:= Report.r 1))"
        );
        once(&source, |flow| {
            assert_eq!(flow.field("r"), runs, "{condition}");
        });
    }
}

#[test]
fn arithmetic() {
    assert_eq!(
        ["(+ a b)", "(- a b)", "(* a b)", "(/ a b)"].map(value),
        [10, 4, 21, 2]
    );
}

#[test]
fn operators_take_more_than_two_operands() {
    let found = ["(+ a b 1 2)", "(* a b 2)", "(max 1 a b)", "(min a b 1)"].map(value);
    assert_eq!(found, [13, 42, 7, 1]);
}

#[test]
fn comparisons() {
    let found = [
        "(> a b)", "(>= a 7)", "(< a b)", "(<= a 7)", "(== a 7)", "(!= a 7)",
    ]
    .map(value);
    assert_eq!(found, [1, 1, 0, 1, 1, 0]);
}

#[test]
fn truth_values_are_zero_or_one() {
    let found = [
        "(|| t t t)",
        "(|| f f)",
        "(&& t t t)",
        "(&& t f t)",
        "(! t)",
        "(! a)",
        "(|| 5 6)",
    ];
    assert_eq!(found.map(value), [1, 0, 1, 0, 0, 0, 1]);
}

#[test]
fn bind_is_the_word_for_assignment() {
    once(
        "(def (Report (r 0))) (when true (bind Report.r 4))",
        |flow| {
            assert_eq!(flow.field("r"), 4);
        },
    );
}

#[test]
fn if_statements_have_several_statements_and_an_else() {
    for (on, expected) in [("true", [1, 2, 0]), ("false", [0, 0, 3])] {
        let source = format!(
            "(def (Report (x 0) (y 0) (z 0)) (on {on}))
             (when true (If on (:= Report.x 1) (:= Report.y 2) (else (:= Report.z 3))))"
        );
        once(&source, |flow| assert_eq!(flow.fields(), expected));
    }
}

/// Everything that can be assigned, declared where it has to be.
const TARGETS: [&str; 6] = ["Report.r", "c", "l", "Cwnd", "Rate", "Micros"];

#[test]
fn choices_and_averages_have_any_target() {
    for target in TARGETS {
        for (value, expected) in [
            ("(if (> n 1) 50)", 50),
            ("(if (> n 9) 50)", 100),
            ("(!if (> n 9) 50)", 50),
            ("(ewma 2 200)", 180),
            ("(max (if (> n 1) 50) 70)", 70),
            ("(min 90 (wrapped_max 3 (ewma 5 200)))", 90),
            ("(wrapped_max 4294967290 n)", 5),
            ("(+ 1 (if (> n 9) 50))", 101),
        ] {
            let source = format!(
                "(def (Report (r 0) (seen 0)) (c 0) (n 5) (Local (l 0)))
                 (when true (:= {target} 100) (:= {target} {value}) (:= Report.seen {target}))"
            );
            once(&source, |flow| {
                assert_eq!(flow.field("seen"), expected, "{target} {value}");
            });
        }
    }
}

#[test]
fn comments_stand_anywhere_and_lines_end_as_they_like() {
    let source = "# one\r\n(def # two\r\n (a 0)) # three\r\n# four\r\n\
                  (when # five\r\n true # six\r\n (:= a # seven\r\n 1)) # eight";
    let plain = compile("(def (a 0)) (when true (:= a 1))", BOTH[0]);
    assert_eq!(compile(source, BOTH[0]).program, plain.program);
}

#[test]
fn literals_have_units() {
    let found = ["10ms", "200us", "2s", "12Mbps", "64KB"].map(value);
    assert_eq!(found, [10_000, 200, 2_000_000, 1_500_000, 65_536]);
}

#[test]
fn literals_have_64_bits() {
    assert_eq!(value("18446744073709551615"), u64::MAX);
    assert_eq!(
        value("(- 18446744073709551615 4294967296)"),
        u64::MAX - (1 << 32)
    );
    let source = "(def (Report (r 18446744073709551614))) (when true (report))";
    once(source, |flow| assert_eq!(flow.field("r"), u64::MAX - 1));
}

#[test]
fn infinity_is_what_there_is_without_a_sample() {
    let source = "(def (Report (r +infinity)))
        (when (!= Flow.rtt_sample_us +infinity) (:= Report.r Flow.rtt_sample_us))";
    for options in BOTH {
        let mut flow = Flow::new(source, options);
        flow.ack();
        assert_eq!(flow.field("r"), u64::from(u32::MAX));
        flow.set("Flow.rtt_sample_us", 9).ack();
        assert_eq!(flow.field("r"), 9);
    }
}

#[test]
fn fallthrough_goes_on_to_the_next_clause() {
    let source = |command: &str| {
        format!(
            "(def (Report (r 0)))
             (when true (:= Report.r 1) {command})
             (when true (:= Report.r 2))"
        )
    };
    once(&source(""), |flow| assert_eq!(flow.field("r"), 1));
    once(&source("(fallthrough)"), |flow| {
        assert_eq!(flow.field("r"), 2);
    });
}

#[test]
fn every_measurement_has_its_name() {
    for name in [
        "Flow.packets_in_flight",
        "Flow.bytes_in_flight",
        "Flow.bytes_pending",
        "Flow.rtt_sample_us",
        "Flow.was_timeout",
        "Flow.rate_incoming",
        "Flow.rate_outgoing",
        "Ack.bytes_acked",
        "Ack.packets_acked",
        "Ack.bytes_misordered",
        "Ack.packets_misordered",
        "Ack.ecn_bytes",
        "Ack.ecn_packets",
        "Ack.lost_pkts_sample",
        "Ack.now",
    ] {
        let source = format!("(def (Report (r 0))) (when true (:= Report.r {name}) (report))");
        for options in BOTH {
            let mut flow = Flow::new(&source, options);
            assert_eq!(flow.set(name, 1).report(), Some(vec![1]), "{name}");
        }
    }
}

#[test]
fn window_and_rate_are_set_by_the_program_and_by_the_agent() {
    let source = "(def (Report (r 0))) (when (> Ack.bytes_acked 0)
        (:= Cwnd (+ Cwnd Ack.bytes_acked)) (:= Rate 1000))";
    for options in BOTH {
        let mut flow = Flow::new(source, options);
        flow.update("Cwnd", 10_000);
        flow.update("Rate", 500);
        let outcome = flow.ack();
        assert_eq!((outcome.cwnd, outcome.rate), (10_000, 500));
        let outcome = flow.set("Ack.bytes_acked", 1448).ack();
        assert_eq!((outcome.cwnd, outcome.rate), (11_448, 1000));
    }
}

#[test]
fn a_report_per_rtt_as_in_the_python_guide() {
    let source = "(def (Report.acked 0) (Report.rtt 0) (Report.timeout false))
        (when true
            (:= Report.acked (+ Report.acked Ack.bytes_acked))
            (:= Report.rtt Flow.rtt_sample_us)
            (:= Report.timeout Flow.was_timeout)
            (fallthrough))
        (when (> Micros Flow.rtt_sample_us)
            (report)
            (:= Micros 0))";
    for options in BOTH {
        let mut flow = Flow::new(source, options);
        flow.set("Flow.rtt_sample_us", 20_000);
        flow.set("Ack.bytes_acked", 100);
        let reports: Vec<_> = (0..50).filter_map(|_| flow.after(1_000).report()).collect();
        assert_eq!(reports, [vec![2_100, 20_000, 0], vec![4_200, 20_000, 0]]);
    }
}
