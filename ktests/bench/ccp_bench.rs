// SPDX-License-Identifier: GPL-2.0

//! Times the virtual machine in a kernel, compiled as the kernel compiles it.
//!
//! Does for each program what `ktests/vm/benches/versus.rs` does on the host,
//! with the same programs and ACKs, and logs the nanoseconds per ACK when it
//! is loaded. Nothing else: unload it again.

use core::hint::black_box;

use kernel::prelude::*;

#[allow(dead_code)]
#[path = "core/vm/mod.rs"]
pub mod vm;

mod data;

use data::{
    ACKS,
    PROGRAMS,
    SPACING_US,
    TRACE, //
};
use vm::{
    Header,
    Op,
    Outcome,
    Program,
    Start,
    State, //
};

module! {
    type: Bench,
    name: "ccp_bench",
    author: "The ccp_rs developers",
    description: "Times the virtual machine of ccp_rs",
    license: "GPL",
}

const TURNS: u32 = 120;
/// Passes over the trace in a turn.
const PASSES: u32 = 8;
/// Primitive registers that libccp has as well.
const LIBCCP: usize = vm::isa::primitive::FLOW_WAS_TIMEOUT + 1;

/// Where windows, rates and reports go.
#[derive(Default)]
struct Sink {
    cwnd: u64,
    rate: u64,
    fields: [u64; vm::isa::REPORTS as usize],
}

struct Flow {
    header: Header,
    ops: KVec<Op>,
    state: State,
    file: KVec<u64>,
}

impl Flow {
    fn new(events: &[u8], instructions: &[u8], updates: &[(u8, u32, u64)]) -> Result<Flow> {
        let layout = vm::verify(events, instructions).map_err(|_| EINVAL)?;
        let mut ops = KVec::from_elem(Op::default(), layout.ops, GFP_KERNEL)?;
        let header = vm::decode(events, instructions, &mut ops).map_err(|_| EINVAL)?;
        let mut flow = Flow {
            header,
            ops,
            state: State::default(),
            file: KVec::from_elem(0, layout.registers, GFP_KERNEL)?,
        };
        let program = Program::new(&flow.header, &flow.ops);
        flow.state.install(program, &mut flow.file, 0);
        for &(class, index, value) in updates {
            flow.state
                .update(program, &mut flow.file, class, index, value)
                .map_err(|_| EINVAL)?;
        }
        Ok(flow)
    }

    #[inline(never)]
    fn ack(&mut self, primitives: &[u64; LIBCCP], start: Start, sink: &mut Sink) {
        if let Some(to) = vm::measurements(&mut self.file).and_then(|to| to.first_chunk_mut()) {
            *to = *primitives;
        }
        let program = Program::new(&self.header, &self.ops);
        let Outcome {
            cwnd,
            rate,
            report,
            abort,
        } = self.state.run(program, &mut self.file, start);
        if abort.is_some() {
            return;
        }
        if cwnd != 0 {
            sink.cwnd = cwnd;
        }
        if rate != 0 {
            sink.rate = rate;
        }
        if report {
            let fields = self.state.report(program, &self.file);
            for (to, from) in sink.fields.iter_mut().zip(fields) {
                *to = from;
            }
            self.state.reset_volatile(program, &mut self.file);
        }
    }
}

fn now_ns() -> u64 {
    // SAFETY: Reads the clock; callable anywhere but in NMIs.
    unsafe { kernel::bindings::ktime_get() as u64 }
}

/// An ACK: its primitives, window and rate.
type Sample = ([u64; LIBCCP], u64, u64);

fn samples() -> Result<KVec<Sample>> {
    let mut samples = KVec::with_capacity(ACKS, GFP_KERNEL)?;
    for ack in &TRACE {
        let (primitives, cwnd, rate) = ack;
        samples.push((*primitives, *cwnd, *rate), GFP_KERNEL)?;
    }
    Ok(samples)
}

/// Hundredths of a nanosecond per ACK.
fn measure(flow: &mut Flow, samples: &mut [Sample]) -> u64 {
    let mut sink = Sink::default();
    let mut clock = 0u64;
    let mut best = u64::MAX;
    for _ in 0..TURNS {
        let mut spent = 0u64;
        for _ in 0..PASSES {
            let first = clock;
            for (primitives, _, _) in samples.iter_mut() {
                clock = clock.wrapping_add(SPACING_US);
                primitives[vm::isa::primitive::ACK_NOW] = clock;
            }
            let begin = now_ns();
            let mut now_us = first;
            for (primitives, cwnd, rate) in samples.iter() {
                now_us = now_us.wrapping_add(SPACING_US);
                let start = Start {
                    now_us,
                    cwnd: *cwnd,
                    rate: *rate,
                };
                flow.ack(primitives, start, &mut sink);
            }
            spent = spent.wrapping_add(now_ns().wrapping_sub(begin));
        }
        best = best.min(spent);
    }
    black_box(&sink.fields);
    let acks = u64::from(PASSES).wrapping_mul(ACKS as u64).max(1);
    best.saturating_mul(100) / acks
}

struct Bench;

impl kernel::Module for Bench {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let mut samples = samples()?;
        for (name, events, instructions, updates) in PROGRAMS {
            let mut flow = Flow::new(events, instructions, updates)?;
            let hundredths = measure(&mut flow, &mut samples);
            let (whole, part) = (hundredths / 100, hundredths % 100);
            pr_info!("{name}: {whole}.{part:02} ns\n");
        }
        Ok(Bench)
    }
}
