// SPDX-License-Identifier: GPL-2.0
//! `ccpctl program run` over a recorded trace.

mod common;

use common::{ccpctl, data, expect, lines, run};
use serde_json::{json, Value};

const PROGRAM: &str = "window.ccp";
const ASSEMBLED: &str = "window.casm";
const TRACE: &str = "reno.csv";

/// How many operations a program takes is the interpreter's business.
fn without_steps(text: &str) -> String {
    let line = |line: &str| match line.split_once(", steps ") {
        Some((start, _)) => format!("{start}\n"),
        None => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

#[test]
fn reports_and_final_registers() {
    let ran = ccpctl(
        &["program", "run", ASSEMBLED, "--acks", TRACE, "--feedback"],
        b"",
    );
    expect("window.run", &without_steps(ran.good()));
    for form in [&["-O0", PROGRAM], &["-O1", PROGRAM]] {
        let mut arguments = vec!["program", "run", "--acks", TRACE, "--feedback"];
        arguments.extend(form);
        let again = ccpctl(&arguments, b"");
        assert_eq!(without_steps(again.good()), without_steps(ran.good()));
    }
}

/// A row of the trace, as far as `window.ccp` reads it.
struct Row {
    now: u64,
    acked: u64,
    lost: u64,
    rtt: u64,
    cwnd: u64,
}

fn rows() -> Vec<Row> {
    let text = std::fs::read_to_string(data(TRACE)).expect("the trace");
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    let head: Vec<&str> = lines.next().expect("a head").split(',').collect();
    let column = |name| head.iter().position(|column| *column == name).expect(name);
    let columns = [
        "Ack.now",
        "Ack.bytes_acked",
        "Ack.lost_pkts_sample",
        "Flow.rtt_sample_us",
        "Cwnd",
    ]
    .map(column);
    let rows = lines.map(|line| {
        let cells: Vec<u64> = line
            .split(',')
            .map(|cell| cell.parse().expect("a number"))
            .collect();
        let [now, acked, lost, rtt, cwnd] = columns.map(|column| cells[column]);
        Row {
            now,
            acked,
            lost,
            rtt,
            cwnd,
        }
    });
    rows.collect()
}

/// What `window.ccp` does, in a few lines of Rust.
fn model(most: u64, feedback: bool) -> Vec<Value> {
    let mut events = Vec::new();
    let (mut acked, mut lost, mut rtt, mut halved) = (0, 0, u64::from(u32::MAX), false);
    let (mut cwnd, mut seq, mut since) = (14_480, 0, None);
    let start = rows().first().expect("a row").now;
    let seconds = |time: u64| (time - start) as f64 / 1e6;
    for (line, row) in (3..).zip(rows()) {
        if !feedback {
            cwnd = row.cwnd;
        }
        acked += row.acked;
        lost += row.lost;
        rtt = rtt.min(if row.rtt == 0 {
            u64::from(u32::MAX)
        } else {
            row.rtt
        });
        let before = cwnd;
        if row.lost > 0 && !halved {
            cwnd = (cwnd / 2).max(2896);
            halved = true;
        } else {
            cwnd = (cwnd + row.acked).min(most);
        }
        if cwnd != before {
            events.push(json!({
                "event": "change", "line": line, "t": seconds(row.now), "time_us": row.now,
                "cwnd": cwnd, "rate": u64::MAX,
            }));
        }
        if row.now - *since.get_or_insert(row.now) > 100_000 {
            seq += 1;
            events.push(json!({
                "event": "report", "line": line, "t": seconds(row.now), "time_us": row.now,
                "seq": seq,
                "fields": {"acked": acked, "lost": lost, "minrtt": rtt},
                "cwnd": cwnd, "rate": u64::MAX,
            }));
            (acked, lost, halved, since) = (0, 0, false, Some(row.now));
        }
    }
    events
}

#[test]
fn a_program_does_what_it_says() {
    // The pacing rate is not the program's, and changes with the trace.
    let text = std::fs::read_to_string(data(TRACE)).expect("the trace");
    let trace = text.replace(",Cwnd,Rate\n", ",Cwnd\n");
    let cut = |line: &str| match line.rsplit_once(',') {
        Some((start, _)) if line.as_bytes()[0].is_ascii_digit() => format!("{start}\n"),
        _ => format!("{line}\n"),
    };
    let trace: String = trace.lines().map(cut).collect();
    for feedback in [false, true] {
        let program = std::fs::read_to_string(data(PROGRAM)).expect("the program");
        let mut arguments = vec!["-j", "-d", "--set", "most=20000"];
        arguments.extend(feedback.then_some("--feedback"));
        let ran = run(&program, &trace, &arguments);
        let mut said = lines(ran.good());
        let end = said.pop().expect("an end");
        let expected = model(20_000, feedback);
        assert_eq!(said, expected);
        let reports = expected.iter().filter(|event| event["event"] == "report");
        assert_eq!(end["reports"], reports.count());
        assert_eq!(end["invocations"], rows().len());
        assert_eq!(end["registers"]["most"], 20_000);
        let mean = end["steps_mean"].as_f64().expect("a number");
        assert!(mean > 1.0 && mean <= end["steps_max"].as_f64().expect("a number"));
    }
}

#[test]
fn all_classes_of_registers_are_shown() {
    let program = "(def (Report (volatile r 7)) (c 5) (volatile v 6))
        (when true (:= l (+ c Ack.bytes_acked)) (:= v (if v 0)) (:= Report.r 1) (:= Rate 9)
            (:= Micros 1000))";
    let ran = run(program, "now,bytes_acked\n10,1\n20,2\n", &["-d"]);
    assert_eq!(ran.status, 0);
    assert!(ran.stderr.contains("warning[W0501]"), "{}", ran.stderr);
    let expected = "  0.000000 rate unlimited -> 9
invocations 2, reports 0, aborts 0

NAME             CLASS      VALUE
Report.r         report         1
c                control        5
v                control        0
l                local          7
Micros           implicit    1000
Cwnd             implicit   14480
Rate             implicit       9
Ack.bytes_acked  primitive      2
";
    assert_eq!(without_steps(ran.text()), expected);
}

#[test]
fn aborts_are_told_and_change_nothing() {
    let program = "(def (Report (n 0)) (d 3))
        (when true (:= Report.n (+ Report.n 1)) (report)
            (:= d (- d Ack.packets_acked)) (:= Cwnd (/ 100 d)))";
    let trace = "Ack.now,Ack.packets_acked\n0,1\n1000,2\n2000,0\n3000,1\n";
    let ran = run(program, trace, &[]);
    let expected = "  0.000000 report 1 n 1
  0.001000 abort at -:3: division by 0 in the clause of p:2, instruction 8: DIV Tmp.0, 100, d
  0.002000 abort at -:4: division by 0 in the clause of p:2, instruction 8: DIV Tmp.0, 100, d
  0.003000 abort at -:5: difference below 0 in the clause of p:2, \
instruction 6: SUB Tmp.0, d, Ack.packets_acked
invocations 4, reports 1, aborts 3

NAME      CLASS                    VALUE
Report.n  report                       4
d         control                      0
Micros    implicit                  3000
Cwnd      implicit                    50
Rate      implicit  18446744073709551615
";
    assert_eq!(without_steps(ran.good()), expected);
    let said = lines(run(program, trace, &["-j"]).good());
    let expected = json!({
        "event": "abort", "line": 3, "t": 0.001, "time_us": 1000, "reason": "division by 0",
        "program_event": 0, "program_line": 2, "instruction": 8,
        "operation": "DIV Tmp.0, 100, d",
    });
    assert_eq!(said[1], expected);
    assert_eq!((&said[4]["aborts"], said.len()), (&json!(3), 5));
    let program = program.replace("(/ 100 d)", "(* (* d 4294967296) 4294967296)");
    let ran = run(&program, "packets_acked\n1\n", &[]);
    assert!(ran
        .text()
        .starts_with("  0.000000 abort at -:2: product above 64 bits in the clause of p:2, "));
}

#[test]
fn what_the_trace_does_not_tell_has_no_value() {
    let program = "(def (Report (m 1) (s 1))) (when true
        (:= Report.m Micros) (:= Report.s Flow.srtt_us) (report))";
    let ran = run(program, "mss\n1448\n", &[]);
    assert_eq!(
        ran.stderr,
        "ccpctl: -: no column Flow.srtt_us, which the program reads: it is 0\n\
         ccpctl: -: no column Ack.now: time stands still, and Micros with it\n"
    );
    assert!(ran.text().starts_with("  0.000000 report 1 m 0 s 0\n"));
    let values = "(def (Report (a 0) (b 0) (c 0) (d 0) (e 0))) (when true
        (:= Report.a Flow.rtt_sample_us) (:= Report.b Flow.min_rtt_us)
        (:= Report.c Flow.ssthresh) (:= Report.d Rate) (:= Report.e Flow.lost) (report))";
    let ran = run(values, "now\n5\n", &[]);
    let most = u64::MAX;
    assert!(ran.text().starts_with(&format!(
        "  0.000000 report 1 a 4294967295 b 4294967295 c {most} d {most} e 0\n"
    )));
    assert!(ran
        .stderr
        .contains("Flow.min_rtt_us, which the program reads: it is 4294967295\n"));
    let ran = run(program, "time_us,srtt_us\n500,1\n800,2\n", &[]);
    assert!(ran
        .good()
        .starts_with("  0.000000 report 1 m 0 s 1\n  0.000300 report 2 m 300 s 2\n"));
}

#[test]
fn values_can_be_set() {
    let program = "(def (Report (r 0)) (c 1) (b false)) (when true
        (If b (:= Report.r (+ c Cwnd))) (:= Cwnd (+ Cwnd 1)) (report))";
    let set = [
        "--set",
        "c=1000",
        "--set",
        "b=true",
        "--set",
        "Cwnd=5",
        "--set",
        "Control.1=1",
    ];
    let ran = run(program, "now\n0\n0\n", &set);
    assert!(ran
        .good()
        .starts_with("  0.000000 report 1 r 1005\n  0.000000 report 2 r 1006\n"));
    for (value, expected) in [
        ("c", "--set c: write NAME=VALUE"),
        ("x=1", "--set x=1: the program has no 'x'; 'ccpctl program check' shows what can be set"),
        ("c=-1", "--set c=-1: write a whole number of 64 bits, or one with a unit, as 10ms, 12Mbps or 64KB, or 'true' or 'false'"),
        ("Report.r=1", "--set Report.r=1: 'Report.r' can't be set; the program's control variables, 'Cwnd' and 'Rate' can: 'ccpctl program check' shows them"),
        ("Micros=1", "--set Micros=1: 'Micros' can't be set; the program's control variables, 'Cwnd' and 'Rate' can: 'ccpctl program check' shows them"),
        ("Control.7=1", "--set Control.7=1: control register 7: the program has 0..1"),
    ] {
        let ran = run(program, "now\n0\n", &["--set", value]);
        assert_eq!(ran.bad(), format!("ccpctl: {expected}\n"));
    }
    for value in ["c=+1", "c=12bps", "c=1.5", "c=0x10", "c=12Mbit", "c="] {
        assert_eq!(
            run(program, "now\n0\n", &["--set", value]).status,
            1,
            "{value}"
        );
    }
}

#[test]
fn numbers_have_the_units_of_programs() {
    let program = "(def (Report (r 0) (a 0) (b 0) (w 0)) (a 1) (b 1)) (when true
        (:= Report.a a) (:= Report.b b) (:= Report.r Rate) (:= Report.w Cwnd) (report))";
    for rate in ["12Mbps", "12Mbit", "1500000"] {
        let set = [
            "--set", "a=1.5ms", "--set", "b=true", "--rate", rate, "--cwnd", "64KB",
        ];
        let ran = run(program, "now\n0\n", &set);
        let expected = "  0.000000 report 1 r 1500000 a 1500 b 1 w 65536\n";
        assert!(ran.good().starts_with(expected), "{rate}: {}", ran.text());
    }
    let simulated = |rate| ccpctl(&["program", "trace", "--time", "1s", "--rate", rate], b"");
    assert_eq!(simulated("12Mbps").good(), simulated("12Mbit").good());
}

/// The kernel's limits: two segments, one after a timeout, and one a second.
#[test]
fn window_and_rate_have_limits() {
    let program = "(def (Report (c 0) (r 0))) (when true
        (:= Report.c Cwnd) (:= Report.r Rate) (report) (:= Cwnd 1) (:= Rate 1))";
    let trace = "now,mss,was_timeout,in_recovery\n0,1000,0,0\n1,1000,1,1\n2,1000,0,1\n3,1000,0,0\n4,1000,0,0\n";
    let ran = run(program, trace, &["--cwnd", "9500"]);
    let said: Vec<&str> = ran.good().lines().take(5).collect();
    let most = u64::MAX;
    assert_eq!(
        said,
        [
            &format!("  0.000000 report 1 c 9500 r {most}"),
            "  0.000001 report 2 c 2000 r 1000",
            "  0.000002 report 3 c 1000 r 1000",
            "  0.000003 report 4 c 1000 r 1000",
            "  0.000004 report 5 c 2000 r 1000",
        ]
    );
    // Less than a segment is kept, more than 2 GiB is not.
    for (wanted, given) in [("2999", 2999), ("3GB", 2_147_483_000), ("500", 2000)] {
        let program = format!("(def) (when true (:= Cwnd {wanted}))");
        let ran = run(&program, trace, &["-j"]);
        assert_eq!(lines(ran.good())[0]["registers"]["Cwnd"], given, "{wanted}");
    }
}

#[test]
fn window_and_rate_come_from_options_trace_or_program() {
    let program = "(def (Report (c 0) (r 0))) (when true
        (:= Report.c Cwnd) (:= Report.r Rate) (report) (:= Cwnd (* 2 Cwnd)))";
    let first = |trace: &str, arguments: &[&str]| {
        let ran = run(program, trace, arguments);
        let lines: Vec<String> = ran.good().lines().take(2).map(str::to_owned).collect();
        lines
    };
    assert_eq!(
        first("now\n0\n0\n", &["--cwnd", "100", "--rate", "7"]),
        [
            "  0.000000 report 1 c 100 r 7",
            "  0.000000 report 2 c 200 r 7"
        ]
    );
    let told = "Cwnd,now,Rate\n30,0,1\n40,0,2\n";
    assert_eq!(
        first(told, &["--cwnd", "100"]),
        [
            "  0.000000 report 1 c 30 r 1",
            "  0.000000 report 2 c 40 r 2"
        ]
    );
    assert_eq!(
        first(told, &["--cwnd", "100", "--rate", "7", "--feedback"]),
        [
            "  0.000000 report 1 c 100 r 7",
            "  0.000000 report 2 c 200 r 7"
        ]
    );
}

#[test]
fn mistakes_in_a_trace_are_shown_where_they_are() {
    let program = "(def (Report (n 0))) (when true (:= Report.n Ack.now) (report))";
    let ran = run(program, "now\n1\n2x\n", &[]);
    assert_eq!(ran.status, 1);
    assert_eq!(
        ran.text(),
        "  0.000000 report 1 n 1\n",
        "what came before is shown"
    );
    assert_eq!(
        ran.stderr,
        "ccpctl: -: line 3, column 1 (Ack.now): '2x' is no whole number of 64 bits\n"
    );
    assert!(run(program, "now,bytes_aked\n", &[])
        .bad()
        .contains("did you mean Ack.bytes_acked?"));
    assert!(run(program, "", &[]).bad().contains("the trace is empty"));
    assert_eq!(
        run(program, "now\n", &[]).bad(),
        "ccpctl: -: the trace has no ACK, only its first line\n"
    );
    let ran = ccpctl(&["program", "run", PROGRAM, "--acks", "missing.csv"], b"");
    assert_eq!(
        ran.bad(),
        "ccpctl: missing.csv: No such file or directory (os error 2)\n"
    );
    let ran = ccpctl(&["program", "run", "-", "--acks", "-"], b"");
    assert_eq!(
        ran.bad(),
        "ccpctl: program and trace cannot both be standard input\n"
    );
    let ran = run("(def) (when tru (report))", "now\n", &[]);
    assert!(ran.bad().starts_with("error[E0202]"));
}

#[test]
fn long_traces_are_no_burden() {
    let mut trace = String::from("Ack.now,Ack.bytes_acked\n");
    for now in 0..300_000 {
        trace += &format!("{now},1448\n");
    }
    let program = "(def (Report (n 0))) (when true (:= Report.n (+ Report.n Ack.bytes_acked)))";
    let ran = run(program, &trace, &["-j"]);
    let said = lines(ran.good());
    assert_eq!(said[0]["registers"]["Report.n"], 300_000 * 1448);
}
