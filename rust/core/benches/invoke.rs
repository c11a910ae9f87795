// SPDX-License-Identifier: GPL-2.0

//! Time of one invocation: `cargo bench`.
//!
//! Prints nanoseconds per invocation, the best of several runs, and the
//! number of wire instructions and of decoded steps it executes.

#![allow(missing_docs)]
#![expect(
    clippy::float_arithmetic,
    reason = "times are printed, not computed with"
)]

#[path = "../tests/common/mod.rs"]
mod common;

use std::{
    hint::black_box,
    time::Instant, //
};

use ccp_core::{
    fallback,
    tcp::{
        Ack,
        Tracker, //
    },
    vm::{
        isa::{
            primitive::*,
            Opcode::*, //
        },
        measurements,
        Input,
        Program,
        Start,
        State,
        PRIMITIVES, //
    },
};
use common::{
    naive::Naive,
    *, //
};

const RUNS: u32 = 60;
const ROUNDS: u32 = 100_000;

fn sample() -> Input {
    let mut input = input(1_000_000);
    input.primitives[ACK_BYTES_ACKED] = 1448;
    input.primitives[ACK_PACKETS_ACKED] = 1;
    input.primitives[FLOW_RTT_SAMPLE_US] = 20_000;
    input.primitives[FLOW_SRTT_US] = 20_000;
    input.primitives[FLOW_MSS] = 1448;
    input.primitives[FLOW_SSTHRESH] = 14_480;
    input.primitives[FLOW_CWND_LIMITED] = 1;
    input.primitives[FLOW_PACKETS_IN_FLIGHT] = 9;
    input.primitives[FLOW_BYTES_IN_FLIGHT] = 9 * 1448;
    input
}

/// The fold of a Reno agent that reports once per interval, as portus
/// compiles it: 24 instructions, of which 18 run when nothing is to report.
fn interval_report() -> Source {
    let (acked, sacked, loss, timeout, rtt, inflight) = (vr(0), vr(1), vr(2), vr(3), vr(4), vr(5));
    let defs = [acked, inflight, loss, rtt, sacked, timeout].map(|reg| def(reg, 0));
    let mut all = defs.to_vec();
    all.push(def(c(0), 0xffff_ffff));
    Source::new(&all)
        .when(
            &always(),
            &[
                bind(inflight, p(FLOW_PACKETS_IN_FLIGHT)),
                bind(rtt, p(FLOW_RTT_SAMPLE_US)),
                op(Add, t(0), acked, p(ACK_BYTES_ACKED)),
                bind(acked, t(0)),
                op(Add, t(0), sacked, p(ACK_PACKETS_MISORDERED)),
                bind(sacked, t(0)),
                bind(loss, p(ACK_LOST_PKTS_SAMPLE)),
                bind(timeout, p(FLOW_WAS_TIMEOUT)),
                bind(CONTINUE, imm(1)),
            ],
        )
        .when(
            &[op(Gt, t(0), loss, imm(0)), op(Add, FLAG, timeout, t(0))],
            &[bind(REPORT, imm(1)), bind(MICROS, imm(0))],
        )
        .when(
            &[op(Gt, FLAG, MICROS, c(0))],
            &[bind(REPORT, imm(1)), bind(MICROS, imm(0))],
        )
}

/// 20 instructions of many kinds in one body, none of which can be merged.
fn straight() -> Source {
    let defs: Vec<_> = (0..8).map(|index| def(r(index), 1)).collect();
    Source::new(&defs).when(
        &always(),
        &[
            op(AddSat, r(0), r(0), p(ACK_BYTES_ACKED)),
            op(Add, r(1), p(ACK_LOST_PKTS_SAMPLE), imm(3)),
            op(Ewma, r(2), imm(2), p(FLOW_RTT_SAMPLE_US)),
            op(Min, r(3), r(3), p(FLOW_RTT_SAMPLE_US)),
            op(Max, r(4), r(4), p(FLOW_RATE_INCOMING)),
            op(Gt, l(0), p(ACK_LOST_PKTS_SAMPLE), imm(0)),
            op(Gt, l(1), p(FLOW_WAS_TIMEOUT), imm(0)),
            op(If, r(5), l(0), imm(1)),
            op(If, r(5), l(1), imm(2)),
            op(Mul, l(2), p(ACK_BYTES_ACKED), imm(1448)),
            op(Div, l(3), l(2), CWND),
            op(Add, CWND, CWND, l(3)),
            op(Min, CWND, CWND, imm(1 << 20)),
            op(SubSat, l(4), p(ACK_NOW), imm(2)),
            op(Gt, l(5), l(4), p(FLOW_RTT_SAMPLE_US)),
            op(If, r(6), l(5), imm(1)),
            op(Div, l(6), CWND, imm(1448)),
            op(Max, r(7), r(7), l(6)),
            bind(l(7), imm(7)),
            bind(REPORT, imm(0)),
        ],
    )
}

fn time(mut body: impl FnMut()) -> f64 {
    let mut best = f64::MAX;
    for _ in 0..RUNS {
        let start = Instant::now();
        for _ in 0..ROUNDS {
            body();
        }
        best = best.min(start.elapsed().as_nanos() as f64 / f64::from(ROUNDS));
    }
    best
}

#[inline(never)]
fn run(state: &mut State, program: Program<'_>, file: &mut [u64], start: Start) {
    black_box(state.run(program, file, start));
}

fn measure(name: &str, events: &[u8], instructions: &[u8]) {
    let mut machine = Machine::load(events, instructions).unwrap();
    let sample = sample();
    let (_, executed, _) = Naive::new(events, instructions).run(&sample);
    machine.run(&sample);
    let steps = machine.steps;
    let program = Program::new(&machine.header, &machine.ops);
    let mut file = machine.file.clone();
    let mut state = machine.state;
    *measurements(&mut file).unwrap() = sample.primitives;
    let start = Start {
        now_us: sample.now_us,
        cwnd: sample.cwnd,
        rate: sample.rate,
    };
    let nanoseconds = time(|| {
        run(
            &mut state,
            black_box(program),
            black_box(&mut file[..machine.layout.registers]),
            black_box(start),
        )
    });
    println!("{name:<28} {nanoseconds:>7.1} ns  {executed:>3} instructions, {steps:>3} steps");
}

fn main() {
    let source = interval_report();
    measure(
        "interval report",
        &source.event_bytes(),
        &source.instruction_bytes(),
    );
    let source = straight();
    measure(
        "20 instructions",
        &source.event_bytes(),
        &source.instruction_bytes(),
    );
    measure("fallback", fallback::EVENTS, fallback::INSTRUCTIONS);
    let ack = Ack {
        mss: 1448,
        snd_cwnd: 10,
        rs_delivered: 2,
        rs_interval_us: 20_000,
        rs_snd_interval_us: 20_000,
        rs_rcv_interval_us: 20_000,
        rs_rtt_us: 20_000,
        ..Ack::default()
    };
    let mut tracker = Tracker::new(&ack);
    let mut primitives = [0; PRIMITIVES];
    let nanoseconds = time(|| {
        black_box(tracker.measure(black_box(&ack), black_box(&mut primitives)));
    });
    println!("{:<28} {nanoseconds:>7.1} ns", "measurements");
}
