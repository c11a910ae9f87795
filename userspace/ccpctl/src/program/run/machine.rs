// SPDX-License-Identifier: GPL-2.0
//! One flow's datapath, as the kernel has it.

use crate::program::{acks::Ack, load::Loaded};
use ccp_core::vm::{self, isa::Reg, Abort, Header, Input, Layout, Op, Program, State};

pub(super) struct Machine {
    header: Header,
    ops: Vec<Op>,
    state: State,
    file: Vec<u64>,
    /// In force, bytes and bytes per second.
    pub(super) cwnd: u64,
    pub(super) rate: u64,
    /// The last measurements.
    pub(super) input: Input,
}

/// What an invocation did.
pub(super) struct Ran {
    /// Window and rate it found.
    pub(super) before: (u64, u64),
    pub(super) abort: Option<Abort>,
    pub(super) report: Option<Vec<u64>>,
    /// Operations it took.
    pub(super) steps: u32,
}

impl Machine {
    /// A flow that begins, with a program that needs `layout`.
    pub(super) fn new(loaded: &Loaded, layout: Layout) -> Self {
        let mut ops = vec![Op::default(); layout.ops];
        let program = &loaded.program;
        let header = vm::decode(&program.events, &program.instructions, &mut ops)
            .expect("what passes the verifier decodes");
        let mut machine = Self {
            header,
            ops,
            state: State::default(),
            file: vec![0; layout.registers],
            cwnd: 0,
            rate: 0,
            input: Input {
                primitives: [0; vm::PRIMITIVES],
                now_us: 0,
                cwnd: 0,
                rate: 0,
            },
        };
        machine.install(0);
        machine
    }

    pub(super) fn install(&mut self, now: u64) {
        let program = Program::new(&self.header, &self.ops);
        self.state.install(program, &mut self.file, now);
    }

    /// Sets a register as an agent does.
    pub(super) fn set(&mut self, reg: Reg, value: u64) -> Result<(), String> {
        let program = Program::new(&self.header, &self.ops);
        let class = reg.class as u8;
        match self
            .state
            .update(program, &mut self.file, class, reg.index, value)
        {
            Err(error) => return Err(error.kind.to_string()),
            Ok(Some(vm::Output::Cwnd)) if value > 0 => self.cwnd = value,
            Ok(Some(vm::Output::Rate)) if value > 0 => self.rate = value,
            Ok(_) => {}
        }
        Ok(())
    }

    pub(super) fn invoke(&mut self, ack: &Ack) -> Ran {
        let program = Program::new(&self.header, &self.ops);
        self.input = Input {
            primitives: ack.primitives,
            now_us: ack.time(),
            cwnd: self.cwnd,
            rate: self.rate,
        };
        let mut steps = 0;
        let outcome = self
            .state
            .invoke_metered(program, &mut self.file, &self.input, &mut steps);
        if outcome.cwnd > 0 {
            self.cwnd = outcome.cwnd;
        }
        if outcome.rate > 0 {
            self.rate = outcome.rate;
        }
        let report = outcome.report.then(|| {
            let fields = self.state.report(program, &self.file).collect();
            self.state.reset_volatile(program, &mut self.file);
            fields
        });
        Ran {
            before: (self.input.cwnd, self.input.rate),
            abort: outcome.abort,
            report,
            steps,
        }
    }

    /// What the flow keeps in a register for its next invocation.
    pub(super) fn kept(&self, reg: Reg) -> Option<u64> {
        let program = Program::new(&self.header, &self.ops);
        self.state.read(program, &self.file, reg)
    }
}
