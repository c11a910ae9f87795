// SPDX-License-Identifier: GPL-2.0
//! Time per ACK of seven programs: our machine, libccp, and the same by hand.
//!
//! `--export FILE` writes the programs and the ACKs for `ktests/bench/`, which
//! times our machine in a kernel; `--kernel FILE` reads what that found.
//!
//! All three take turns on the same ACKs in the same process, and the best turn
//! counts. An ACK includes what surrounds a program: libccp's own primitives
//! are set, ours are measured into the register file, windows and rates are
//! handed back, and reports copied out.

#![allow(
    clippy::cast_precision_loss,
    reason = "times are printed, not computed with"
)]

#[path = "versus/case.rs"]
mod case;
#[path = "versus/export.rs"]
mod export;
#[path = "versus/flow.rs"]
mod flow;
#[path = "versus/kernel.rs"]
mod kernel;
#[path = "versus/table.rs"]
mod table;
#[path = "versus/trace.rs"]
mod trace;

use std::{
    hint::black_box,
    path::Path,
    time::{Duration, Instant},
};

use case::{Case, CASES, REPORT_TIME};
use ccp_vm_tests::{
    native::{Const, Copa, Native, Nimbus, PerAck, PerRtt, ProbeBw, ProbeRtt, Pulse},
    AckSample, Datapath, Effects, Libccp,
};
use flow::Flow;
use kernel::Kernel;
use table::Row;

const TURNS: u32 = 120;
/// Passes over the trace in a turn.
const PASSES: u32 = 8;
const INSTALLS: u32 = 200;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let value = |name: &str| {
        let at = args.iter().position(|arg| arg == name)?;
        args.get(at + 1).map(Path::new)
    };
    if let Some(file) = value("--export") {
        export::export(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        return;
    }
    let kernel = value("--kernel").map(Kernel::read);
    let trace = trace::trace();
    let pulse = Pulse {
        cwnd_cap: 200_000,
        bottle_rate: 12_000_000,
        three_fourths_rate: 9_000_000,
        five_fourths_rate: 15_000_000,
    };
    let [per_rtt, per_ack, probe_bw, probe_rtt, copa, nimbus, constant] = CASES;
    let rows = [
        row(&per_rtt, PerRtt::default(), &trace),
        row(&per_ack, PerAck::default(), &trace),
        row(&probe_bw, ProbeBw::new(pulse), &trace),
        row(&probe_rtt, ProbeRtt::default(), &trace),
        row(&copa, Copa::default(), &trace),
        row(&nimbus, Nimbus::new(REPORT_TIME), &trace),
        row(&constant, Const::default(), &trace),
    ];
    table::print(&rows, kernel.as_ref());
}

fn row<N: Native>(case: &Case, mut native: N, trace: &[AckSample]) -> Row {
    let program = case.compile();
    let (events, instructions) = (&program.events, &program.instructions);
    let mut libccp = Libccp::new();
    libccp
        .install(1, events, instructions)
        .expect("libccp takes it");
    libccp
        .change_program(1, &program.updates)
        .expect("libccp takes it");
    let mut ours = Flow::new(&program);
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
    Row {
        name: case.name,
        instructions: instructions.len() / 16,
        steps: ours.mean_steps(trace),
        libccp: libccp_ns,
        ours: ours_ns,
        native: native_ns,
        install_libccp: installs(|| libccp.install(1, events, instructions).is_ok()),
        install_ours: installs(|| ours.install(events, instructions)),
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
