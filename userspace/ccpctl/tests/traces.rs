// SPDX-License-Identifier: GPL-2.0
//! `ccpctl program trace`.

mod common;

use common::{ccpctl, lines, run};

/// The simulated flow ran the recording program: over its own trace it reports
/// the trace, and answers with the window and rate of the next row.
#[test]
fn a_trace_run_again_is_the_same() {
    let trace = [
        "--rate", "2Mbit", "--rtt", "20ms", "--queue", "12KB", "--time", "5s",
    ];
    let mut arguments = vec!["program", "trace"];
    arguments.extend(trace);
    let trace = ccpctl(&arguments, b"");
    let rows: Vec<Vec<&str>> = trace
        .good()
        .lines()
        .map(|l| l.split(',').collect())
        .collect();
    assert!(rows.len() > 500, "{} rows", rows.len());
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/record.ccp");
    let program = std::fs::read_to_string(program).expect("the program");
    for feedback in [false, true] {
        let arguments: &[&str] = if feedback {
            &["-j", "--feedback"]
        } else {
            &["-j"]
        };
        let ran = run(&program, trace.text(), arguments);
        assert_eq!(
            ran.stderr,
            "ccpctl: -: no column Flow.bytes_pending, which the program reads: it is 0\n"
        );
        let said = lines(ran.text());
        assert_eq!(said.len(), rows.len(), "an end instead of the head");
        let mut lost = 0;
        for (index, row) in rows.iter().enumerate().skip(1) {
            let report = &said[index - 1];
            for (name, cell) in rows[0].iter().zip(row) {
                let short = name.rsplit('.').next().expect("a name");
                if let Some(value) = report["fields"].get(short) {
                    assert_eq!(value.to_string(), *cell, "{name} in line {}", index + 1);
                }
            }
            lost += report["fields"]["lost_pkts_sample"]
                .as_u64()
                .expect("a number");
            if let Some(next) = rows.get(index + 1) {
                let columns = rows[0].len();
                assert_eq!(rows[0][columns - 2..], ["Cwnd", "Rate"]);
                let answer = [report["cwnd"].to_string(), report["rate"].to_string()];
                assert_eq!(answer, next[columns - 2..], "after line {}", index + 1);
            }
        }
        assert!(lost > 0, "a queue that short overflows");
    }
}

#[test]
fn traces_have_the_documented_columns() {
    let ran = ccpctl(&["program", "trace", "--time", "200ms"], b"");
    let head: Vec<&str> = ran
        .good()
        .lines()
        .next()
        .expect("a head")
        .split(',')
        .collect();
    let page = include_str!("../README.md");
    let (_, page) = page
        .split_once("`program trace` and `program record` write")
        .expect("the list");
    let (list, _) = page.split_once("\n\n").expect("its end");
    let mut told: Vec<&str> = list.split('`').skip(1).step_by(2).collect();
    let more = told.split_off(told.len() - 2);
    assert_eq!(more, ["program record", "Flow.bytes_pending"]);
    assert_eq!(head, told);
    let row = ran.text().lines().last().expect("a row");
    let cells: Vec<u64> = row
        .split(',')
        .map(|cell| cell.parse().expect("a number"))
        .collect();
    let cell = |name: &str| cells[head.iter().position(|known| *known == name).expect(name)];
    assert!((40_000..41_000).contains(&cell("Flow.min_rtt_us")), "{row}");
    assert_eq!(
        cell("Flow.delivered"),
        ran.text().lines().count() as u64 - 1
    );
}

#[test]
fn traces_of_no_time_or_of_too_much() {
    let ran = ccpctl(&["program", "trace", "--time", "10ms"], b"");
    assert_eq!(ran.status, 0);
    assert_eq!(ran.text().lines().count(), 1, "{}", ran.text());
    assert_eq!(
        ran.stderr,
        "ccpctl: no ACK in 10ms: the first one takes a round trip of 40ms and the time on the link\n"
    );
    for (options, said) in [
        (&["--time", "99999999999999s"][..], "at most 24 hours"),
        (
            &["--time", "3600s", "--rate", "1Gbit"],
            "at most 10000000 are simulated",
        ),
    ] {
        let mut arguments = vec!["program", "trace"];
        arguments.extend(options);
        let ran = ccpctl(&arguments, b"");
        assert!(ran.bad().contains(said), "{}", ran.stderr);
    }
}
