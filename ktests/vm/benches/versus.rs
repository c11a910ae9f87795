// SPDX-License-Identifier: GPL-2.0
//! Time per ACK of seven programs: our machine, libccp, and the same by hand.
//!
//! All three take turns on the same ACKs in the same process, and the best turn
//! counts. An ACK includes what surrounds a program: libccp's own primitives
//! are set, ours are measured into the register file, windows and rates are
//! handed back, and reports copied out.

#![allow(
    clippy::cast_precision_loss,
    reason = "times are printed, not computed with"
)]

#[path = "versus/flow.rs"]
mod flow;
#[path = "versus/trace.rs"]
mod trace;

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use ccp_vm_tests::{
    native::{Const, Copa, Native, Nimbus, PerAck, PerRtt, ProbeBw, ProbeRtt, Pulse},
    AckSample, Datapath, Effects, Libccp, Portus, Update,
};
use flow::Flow;

const TURNS: u32 = 120;
/// Passes over the trace in a turn.
const PASSES: u32 = 8;
const INSTALLS: u32 = 200;

macro_rules! source {
    ($name:literal) => {
        include_str!(concat!(
            "../../../userspace/lang/tests/programs/",
            $name,
            ".ccp"
        ))
    };
}

/// Nanoseconds of each.
struct Row {
    name: &'static str,
    instructions: usize,
    steps: f64,
    libccp: f64,
    ours: f64,
    native: f64,
    install_libccp: f64,
    install_ours: f64,
    slots: usize,
}

fn main() {
    let trace = trace::trace();
    let rows = [
        row(
            "gca RTT",
            source!("gca_interval_rtt"),
            &[],
            PerRtt::default(),
            &trace,
        ),
        row(
            "gca per-ACK",
            source!("gca_ack_update"),
            &[],
            PerAck::default(),
            &trace,
        ),
        row(
            "bbr probe_bw",
            source!("bbr_probe_bw"),
            &[
                ("cwndCap", 200_000),
                ("bottleRate", 12_000_000),
                ("threeFourthsRate", 9_000_000),
                ("fiveFourthsRate", 15_000_000),
            ],
            ProbeBw::new(Pulse {
                cwnd_cap: 200_000,
                bottle_rate: 12_000_000,
                three_fourths_rate: 9_000_000,
                five_fourths_rate: 15_000_000,
            }),
            &trace,
        ),
        row(
            "bbr probe_rtt",
            source!("bbr_probe_rtt"),
            &[],
            ProbeRtt::default(),
            &trace,
        ),
        row("copa", source!("copa"), &[], Copa::default(), &trace),
        row(
            "nimbus",
            source!("nimbus"),
            &[("report_time", 10_000)],
            Nimbus::new(10_000),
            &trace,
        ),
        row("const", source!("const"), &[], Const::default(), &trace),
    ];
    print(&rows);
}

fn row<N: Native>(
    name: &'static str,
    source: &str,
    updates: &[(&str, u64)],
    mut native: N,
    trace: &[AckSample],
) -> Row {
    let portus = Portus::compile(source).expect("a program that portus takes");
    let updates: Vec<Update> = updates
        .iter()
        .map(|(name, value)| {
            let (class, index) = portus.updatable(name).expect("a control variable");
            Update {
                class,
                index,
                value: *value,
            }
        })
        .collect();
    let events = &portus.program.events;
    let instructions = &portus.program.instructions;

    let mut libccp = Libccp::new();
    libccp
        .install(1, events, instructions)
        .expect("libccp takes it");
    libccp.change_program(1, &updates).expect("libccp takes it");
    let mut ours = Flow::new(events, instructions, &updates);
    let mut sink = Effects::default();

    let mut best = [f64::MAX; 3];
    let mut clock = 0;
    for _ in 0..TURNS {
        // Time goes on from turn to turn, and is the same for all.
        let start = clock;
        let mut turn = |index: usize, one: &mut dyn FnMut(&[AckSample])| {
            let mut acks = trace.to_vec();
            let mut spent = Duration::ZERO;
            clock = start;
            for _ in 0..PASSES {
                clock = trace::advance(&mut acks, clock);
                let begin = Instant::now();
                one(&acks);
                spent += begin.elapsed();
            }
            let acks = f64::from(PASSES) * trace.len() as f64;
            best[index] = best[index].min(spent.as_nanos() as f64 / acks);
        };
        turn(0, &mut |acks| {
            for ack in acks {
                libccp.set_primitives(ack);
                black_box(libccp.invoke_raw());
            }
        });
        turn(1, &mut |acks| {
            for ack in acks {
                ours.ack(ack, &mut sink);
            }
        });
        turn(2, &mut |acks| {
            for ack in acks {
                by_hand(&mut native, ack, &mut sink);
            }
        });
    }
    let [libccp_ns, ours_ns, native_ns] = best;
    let install_libccp = installs(|| libccp.install(1, events, instructions).is_ok());
    let install_ours = installs(|| ours.install(events, instructions));
    Row {
        name,
        instructions: instructions.len() / 16,
        steps: ours.mean_steps(trace),
        libccp: libccp_ns,
        ours: ours_ns,
        native: native_ns,
        install_libccp,
        install_ours,
        slots: ours.slots(),
    }
}

#[inline(never)]
fn by_hand<N: Native>(flow: &mut N, ack: &AckSample, sink: &mut Effects) {
    let outcome = flow.invoke(ack);
    if flow::hand_back(&outcome, sink) {
        sink.set_report(flow.report());
        flow.reset();
    }
}

fn installs(mut one: impl FnMut() -> bool) -> f64 {
    let mut best = f64::MAX;
    for _ in 0..INSTALLS {
        let begin = Instant::now();
        assert!(one(), "a program that was installed before");
        best = best.min(begin.elapsed().as_nanos() as f64);
    }
    best
}

fn print(rows: &[Row]) {
    println!(
        "{:<14} {:>5} {:>6} {:>8} {:>8} {:>8} {:>9} {:>9} {:>17} {:>6}",
        "program",
        "insns",
        "steps",
        "libccp",
        "ours",
        "native",
        "x faster",
        "x native",
        "install (libccp)",
        "slots"
    );
    let mut product = 1.0;
    let mut least = f64::MAX;
    let mut native = 1.0;
    for row in rows {
        let faster = row.libccp / row.ours;
        product *= faster;
        least = least.min(faster);
        native *= row.ours / row.native;
        println!(
            "{:<14} {:>5} {:>6.1} {:>5.1} ns {:>5.1} ns {:>5.1} ns {:>9.1} {:>9.1} {:>6.0} ({:>5.0}) ns {:>6}",
            row.name,
            row.instructions,
            row.steps,
            row.libccp,
            row.ours,
            row.native,
            faster,
            row.ours / row.native,
            row.install_ours,
            row.install_libccp,
            row.slots,
        );
    }
    let root = 1.0 / rows.len() as f64;
    println!(
        "vm-vs-libccp: geomean={:.1} min={least:.1} vs-native={:.1}",
        product.powf(root),
        native.powf(root),
    );
}
