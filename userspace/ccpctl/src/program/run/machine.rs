// SPDX-License-Identifier: GPL-2.0
//! One flow's datapath, as the kernel has it.

use crate::program::{
    acks::{absent, Ack},
    load::Loaded,
};
use ccp_core::{
    tcp,
    vm::{
        self,
        isa::{implicit, primitive, Class, Reg},
        Abort, Header, Input, Layout, Op, Outcome, Program, State,
    },
};

/// The kernel's limit, bytes.
const MAX_WINDOW: u32 = 1 << 31;

pub(super) struct Machine {
    header: Header,
    ops: Vec<Op>,
    state: State,
    file: Vec<u64>,
    /// The file as the last invocation found it.
    saved: Vec<u64>,
    /// `Micros` when the last invocation ended, before it, and when that was.
    micros: u64,
    saved_micros: u64,
    ended: u64,
    /// What was outstanding at a timeout is not acknowledged yet.
    lost: bool,
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
            saved: vec![0; layout.registers],
            micros: 0,
            saved_micros: 0,
            ended: 0,
            lost: false,
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
        (self.micros, self.ended) = (0, now);
    }

    /// Sets a register as an agent does.
    pub(super) fn set(&mut self, reg: Reg, value: u64) -> Result<(), vm::Kind> {
        let program = Program::new(&self.header, &self.ops);
        let class = reg.class as u8;
        match self
            .state
            .update(program, &mut self.file, class, reg.index, value)
        {
            Err(error) => return Err(error.kind),
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
        let sample = &mut self.input.primitives[primitive::FLOW_RTT_SAMPLE_US];
        if *sample == 0 {
            *sample = absent(primitive::FLOW_RTT_SAMPLE_US);
        }
        let timeout = ack.primitives[primitive::FLOW_WAS_TIMEOUT] != 0;
        self.lost = timeout || self.lost && ack.primitives[primitive::FLOW_IN_RECOVERY] != 0;
        self.saved.copy_from_slice(&self.file);
        self.saved_micros = self
            .micros
            .wrapping_add(ack.time().wrapping_sub(self.ended));
        let mut steps = 0;
        let outcome = self
            .state
            .invoke_metered(program, &mut self.file, &self.input, &mut steps);
        self.apply(&outcome);
        let program = Program::new(&self.header, &self.ops);
        let report = outcome.report.then(|| {
            let fields = self.state.report(program, &self.file).collect();
            self.state.reset_volatile(program, &mut self.file);
            fields
        });
        let micros = Reg::new(Class::Implicit, implicit::MICROS);
        (self.micros, self.ended) = (self.kept(micros).unwrap_or(0), ack.time());
        Ran {
            before: (self.input.cwnd, self.input.rate),
            abort: outcome.abort,
            report,
            steps,
        }
    }

    /// Sets window and rate within the limits of the kernel, by its own code.
    fn apply(&mut self, outcome: &Outcome) {
        let primitives = &self.input.primitives;
        let mss = u32::try_from(primitives[primitive::FLOW_MSS]).unwrap_or(u32::MAX);
        let packets = self.cwnd / u64::from(mss.max(1));
        let ack = tcp::Ack {
            mss,
            snd_cwnd: u32::try_from(packets).unwrap_or(u32::MAX),
            snd_cwnd_clamp: MAX_WINDOW / mss.max(1),
            pacing_rate: self.rate,
            max_pacing_rate: u64::MAX,
            timeout: self.lost.into(),
            ..tcp::Ack::default()
        };
        let mut tracker = tcp::Tracker::new(&ack);
        let decision = tracker.apply(&ack, outcome);
        if outcome.abort.is_none() && outcome.cwnd > 0 {
            let snd_cwnd = match decision.cwnd {
                0 => ack.snd_cwnd,
                packets => packets,
            };
            let after = tcp::Ack { snd_cwnd, ..ack };
            self.cwnd = tracker.input(&after).cwnd;
        }
        if decision.rate > 0 {
            // The shim's part.
            self.rate = decision.rate.max(mss.into());
        }
    }

    /// What a register held when the last invocation began.
    pub(super) fn before(&self, reg: Reg) -> u64 {
        let index = usize::try_from(reg.index).unwrap_or(usize::MAX);
        match (reg.class, reg.index) {
            (Class::Implicit, implicit::MICROS) => self.saved_micros,
            (Class::Implicit, implicit::CWND) => self.input.cwnd,
            (Class::Implicit, implicit::RATE) => self.input.rate,
            (Class::Primitive, _) => self.input.primitives.get(index).copied().unwrap_or(0),
            _ => {
                let program = Program::new(&self.header, &self.ops);
                self.state.read(program, &self.saved, reg).unwrap_or(0)
            }
        }
    }

    /// What the flow keeps in a register for its next invocation.
    pub(super) fn kept(&self, reg: Reg) -> Option<u64> {
        let program = Program::new(&self.header, &self.ops);
        self.state.read(program, &self.file, reg)
    }
}
