// SPDX-License-Identifier: GPL-2.0
//! Programs that compile, but for too long an expression now and then.

use proptest::prelude::*;

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => (0_u64..4).prop_map(|n| n.to_string()),
        4 => (4_u64..20).prop_map(|n| n.to_string()),
        1 => any::<u64>().prop_map(|n| n.to_string()),
        1 => Just(u64::MAX.to_string()),
        1 => Just("4294967296".to_owned()),
        1 => Just("+infinity".to_owned()),
        1 => Just("64KB".to_owned()),
    ]
}

fn pick(names: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::sample::select(names).prop_map(str::to_owned)
}

const NUMBERS: &[&str] = &[
    "a",
    "va",
    "Report.x",
    "Report.vx",
    "l",
    "k",
    "Cwnd",
    "Rate",
    "Micros",
];

/// Numbers and truth values, nested. `@` stands for a number and `?` for a
/// truth value that the program has more than once.
fn expressions(depth: usize) -> (BoxedStrategy<String>, BoxedStrategy<String>) {
    let mut num = prop_oneof![
        3 => number(),
        4 => pick(NUMBERS),
        2 => pick(&["Ack.bytes_acked", "Flow.rtt_sample_us", "Flow.mss", "Flow.srtt_us"]),
        2 => pick(&["@0", "@1"]),
    ]
    .boxed();
    let mut flag = prop_oneof![
        2 => pick(&["true", "false", "b", "Flow.was_timeout", "Report.t", "m", "a", "l"]),
        2 => pick(&["?0", "?1", "?2"]),
    ]
    .boxed();
    for _ in 0..depth {
        let (n, f) = (num.clone(), flag.clone());
        let next_num = prop_oneof![
            3 => n.clone(),
            3 => (pick(&["+", "*", "max", "min"]), prop::collection::vec(n.clone(), 2..4))
                .prop_map(|(op, args)| format!("({op} {})", args.join(" "))),
            2 => (pick(&["-", "/", "wrapped_max", "add_sat", "sub_sat", "mul_sat"]), n.clone(), n.clone())
                .prop_map(|(op, a, b)| format!("({op} {a} {b})")),
            1 => (pick(&["if", "!if"]), f.clone(), n.clone(), n.clone())
                .prop_map(|(op, c, a, b)| format!("({op} {c} {a} {b})")),
            1 => (f.clone(), n.clone()).prop_map(|(c, a)| format!("(if {c} {a})")),
            1 => (number(), n.clone(), n.clone())
                .prop_map(|(k, old, new)| format!("(ewma {k} {old} {new})")),
            1 => (n.clone(), n.clone(), n.clone())
                .prop_map(|(k, old, new)| format!("(ewma {k} {old} {new})")),
            1 => (pick(&["a", "Report.x", "l", "Cwnd"]), n.clone())
                .prop_map(|(to, a)| format!("(:= {to} {a})")),
        ]
        .boxed();
        let next_flag = prop_oneof![
            2 => f.clone(),
            3 => (pick(&[">", "<", ">=", "<=", "==", "!="]), n.clone(), n.clone())
                .prop_map(|(op, a, b)| format!("({op} {a} {b})")),
            1 => (pick(&["==", "!="]), f.clone(), f.clone())
                .prop_map(|(op, a, b)| format!("({op} (! {a}) (! {b}))")),
            3 => (pick(&["&&", "||"]), prop::collection::vec(f.clone(), 2..4))
                .prop_map(|(op, args)| format!("({op} {})", args.join(" "))),
            1 => f.clone().prop_map(|a| format!("(! {a})")),
            1 => (f.clone(), f.clone(), f)
                .prop_map(|(c, a, b)| format!("(if {c} (! {a}) (! {b}))")),
        ]
        .boxed();
        num = next_num;
        flag = next_flag;
    }
    (num, flag)
}

/// Assignments whose target is an operand.
const OWN: &[&str] = &[
    "(:= %T (if %T %A %B))",
    "(:= %T (!if %T %A %B))",
    "(:= %T (if (> %A 3) %T %B))",
    "(:= %T (if (> %A %T) %B 4))",
    "(:= %T (ewma %T %A %B))",
    "(:= %T (ewma 3 %A %T))",
    "(If (&& (> %T 2) (> %A (/ %B (min %T 5)))) (:= %T %A))",
];

fn statements() -> BoxedStrategy<String> {
    let (num, flag) = expressions(2);
    let (_, test) = expressions(1);
    let copy = (pick(NUMBERS), prop_oneof![number(), pick(NUMBERS)])
        .prop_map(|(to, value)| format!("(:= {to} {value})"));
    let simple = prop_oneof![
        4 => copy,
        5 => (pick(NUMBERS), num.clone())
            .prop_map(|(to, value)| format!("(:= {to} {value})")),
        2 => (pick(&["b", "Report.t", "m"]), flag.clone())
            .prop_map(|(to, value)| format!("(:= {to} {value})")),
        1 => (pick(&["a", "l", "Report.x", "Cwnd"]), number(), num.clone())
            .prop_map(|(to, k, v)| format!("(:= {to} (ewma {k} {v}))")),
        1 => (pick(&["if", "!if"]), pick(&["a", "l", "Report.x", "Cwnd"]), test.clone(), num.clone())
            .prop_map(|(op, to, c, v)| format!("(:= {to} ({op} {c} {v}))")),
        1 => (prop::sample::select(OWN), pick(NUMBERS), num.clone(), num.clone())
            .prop_map(|(form, to, a, b)| {
                form.replace("%T", &to).replace("%A", &a).replace("%B", &b)
            }),
        1 => (num.clone(), num.clone()).prop_map(|(a, b)| format!("(:= (+ {a} 1) {b})")),
        1 => num,
        1 => pick(&["(report)", "(fallthrough)"]),
    ]
    .boxed();
    let short = (pick(&["if", "!if"]), test.clone(), simple.clone())
        .prop_map(|(op, c, s)| format!("({op} {c} {s})"));
    let block = prop::collection::vec(simple.clone(), 0..3).prop_map(|b| b.join(" "));
    let test = prop_oneof![test, flag].boxed();
    let nested = (test.clone(), block.clone(), simple.clone(), block.clone())
        .prop_map(|(c, a, s, b)| format!("(If {c} {s} {a} (else {b}))"))
        .boxed();
    let else_only =
        (test.clone(), simple.clone()).prop_map(|(c, s)| format!("(If {c} (else {s}))"));
    let deeper = (test.clone(), nested.clone(), block.clone())
        .prop_map(|(c, a, b)| format!("(If {c} {a} (else {b} {a}))"));
    let twice = (test, nested.clone(), simple.clone())
        .prop_map(|(c, a, s)| format!("(If {c} {s} {a})\n  (If {c} {s})"));
    let one =
        prop_oneof![6 => simple, 1 => short, 1 => nested, 1 => else_only, 1 => deeper, 1 => twice];
    prop::collection::vec(one, 1..6)
        .prop_map(|b| b.join("\n  "))
        .boxed()
}

/// Whole programs, all of which have the variables `a`, `va`, `b` and more.
pub fn programs() -> impl Strategy<Value = String> {
    let (_, flag) = expressions(1);
    let (_, long) = expressions(3);
    let condition = prop_oneof![4 => flag, 1 => long, 1 => Just("true".to_owned())];
    let clause = (condition, statements()).prop_map(|(c, body)| format!("(when {c}\n  {body})\n"));
    let shared = (
        prop::collection::vec(leafless(), 2),
        prop::collection::vec(leafless_flag(), 3),
    );
    let first = pick(&[
        "(when true (:= l (add_sat l 1)) (:= m (> l 3)) (fallthrough))",
        "(when true (:= k a) (fallthrough) (:= m (== k Report.x)) (:= va 5) (:= Rate 7))",
        "",
    ]);
    (number(), first, prop::collection::vec(clause, 1..6), shared).prop_map(
        |(n, first, clauses, (numbers, flags))| {
            let mut text = clauses.concat();
            for (i, flag) in flags.iter().enumerate() {
                text = text.replace(&format!("?{i}"), flag);
            }
            for (i, number) in numbers.iter().enumerate() {
                text = text.replace(&format!("@{i}"), number);
            }
            format!(
                "(def (Report (x 0) (volatile vx {n}) (t false)) (a {n}) (volatile va 3) (b true)
                   (Local (k 0) (on false)))
                 {first}\n{text}(when false (:= l 0) (:= m false))"
            )
        },
    )
}

/// What `@` stands for.
fn leafless() -> impl Strategy<Value = String> {
    let leaf = || prop_oneof![2 => pick(NUMBERS), 1 => number(), 1 => pick(&["Flow.mss"])];
    (
        pick(&["+", "*", "max", "min", "-", "/", "sub_sat"]),
        leaf(),
        leaf(),
    )
        .prop_map(|(op, a, b)| format!("({op} {a} {b})"))
}

/// What `?` stands for.
fn leafless_flag() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![2 => pick(NUMBERS), 1 => number(), 1 => pick(&["Flow.mss", "@0"])];
    let compare = (
        pick(&[">", "<", ">=", "<=", "==", "!="]),
        leaf.clone(),
        leaf,
    )
        .prop_map(|(op, a, b)| format!("({op} {a} {b})"))
        .boxed();
    prop_oneof![
        4 => compare.clone(),
        1 => (compare.clone(), pick(&["b", "Report.t"])).prop_map(|(a, b)| format!("(&& {a} {b})")),
        1 => (compare.clone(), compare).prop_map(|(a, b)| format!("(|| {a} {b})")),
    ]
}
