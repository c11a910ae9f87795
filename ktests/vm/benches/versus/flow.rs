// SPDX-License-Identifier: GPL-2.0
//! A flow of ours, driven as the kernel does it.

use std::hint::black_box;

use ccp_core::vm::{
    self, isa::primitive::FLOW_WAS_TIMEOUT, Header, Op, Outcome, Program, Start, State,
};
use ccp_vm_tests::{AckSample, Effects};

use crate::case::Compiled;

/// Primitive registers of libccp.
pub(crate) const LIBCCP: usize = FLOW_WAS_TIMEOUT + 1;

pub(crate) struct Flow {
    header: Header,
    ops: Vec<Op>,
    state: State,
    file: Vec<u64>,
}

impl Flow {
    pub(crate) fn new(compiled: &Compiled) -> Self {
        let (events, instructions) = (&compiled.events, &compiled.instructions);
        let layout = vm::verify(events, instructions).expect("portus makes programs that verify");
        let mut ops = vec![Op::default(); layout.ops];
        let header = vm::decode(events, instructions, &mut ops).expect("it verified");
        let mut flow = Self {
            header,
            ops,
            state: State::default(),
            file: vec![0; layout.registers],
        };
        let program = Program::new(&flow.header, &flow.ops);
        flow.state.install(program, &mut flow.file, 0);
        for update in &compiled.updates {
            flow.state
                .update(
                    program,
                    &mut flow.file,
                    update.class,
                    update.index,
                    update.value,
                )
                .expect("an update of a control variable");
        }
        flow
    }

    pub(crate) fn slots(&self) -> usize {
        self.file.len()
    }

    /// Checks, decodes and installs a program, as for a flow that waits for it.
    pub(crate) fn install(&mut self, events: &[u8], instructions: &[u8]) -> bool {
        let Ok(layout) = vm::verify(events, instructions) else {
            return false;
        };
        let mut ops = vec![Op::default(); layout.ops];
        let Ok(header) = vm::decode(events, instructions, &mut ops) else {
            return false;
        };
        let program = Program::new(&header, &ops);
        self.state.install(program, &mut self.file, 0);
        black_box(&self.file);
        true
    }

    #[inline(never)]
    pub(crate) fn ack(&mut self, ack: &AckSample, sink: &mut Effects) {
        if let Some(primitives) = vm::measurements(&mut self.file) {
            // Those that libccp has as well.
            primitives[..LIBCCP].copy_from_slice(&ack.primitives[..LIBCCP]);
        }
        let program = Program::new(&self.header, &self.ops);
        let start = Start {
            now_us: ack.now_us,
            cwnd: ack.cwnd,
            rate: ack.rate,
        };
        let outcome = self.state.run(program, &mut self.file, start);
        if hand_back(&outcome, sink) {
            let report = self.state.report(program, &self.file);
            sink.set_report(report);
            self.state.reset_volatile(program, &mut self.file);
        }
    }

    /// Ops an ACK of the trace takes.
    pub(crate) fn mean_steps(&self, trace: &[AckSample]) -> f64 {
        let program = Program::new(&self.header, &self.ops);
        let (mut state, mut file) = (self.state, self.file.clone());
        let mut steps = 0;
        for ack in trace {
            let outcome = state.invoke_metered(program, &mut file, ack, &mut steps);
            if outcome.report {
                state.reset_volatile(program, &mut file);
            }
        }
        f64::from(steps) / trace.len() as f64
    }
}

/// Applies an outcome; says whether there is a report to make.
#[inline]
pub(crate) fn hand_back(outcome: &Outcome, sink: &mut Effects) -> bool {
    if outcome.abort.is_some() {
        return false;
    }
    if outcome.cwnd != 0 {
        sink.cwnd = Some(outcome.cwnd);
    }
    if outcome.rate != 0 {
        sink.rate = Some(outcome.rate);
    }
    outcome.report
}
