// SPDX-License-Identifier: GPL-2.0
//! A flow that runs programs on the machine and on the naive one of rust/core's
//! tests at once, and compares.

use ccp_core::vm::{
    self,
    isa::{Class, Reg},
    Input, Outcome,
};

use crate::{grammar::Wire, naive::Naive, rules};

/// Slots of a file: more than any program has, for canaries.
const FILE: usize = 256 + 16;
const CANARY: u64 = 0xca11_ab1e_0ff5_1de5;

/// A program that was accepted.
#[derive(Debug)]
pub struct Program {
    wire: Wire,
    facts: rules::Facts,
    header: vm::Header,
    ops: Vec<vm::Op>,
}

impl Program {
    /// Verifies and decodes `wire`, which must be as the rules say; `None` when
    /// it is refused.
    pub fn load(wire: Wire) -> Option<Program> {
        let (events, instructions) = (&wire.events, &wire.instructions);
        let rules = rules::check(events, instructions);
        let verified = vm::verify(events, instructions);
        let layout = match (rules, verified) {
            (Ok(_), Ok(layout)) => layout,
            (Err(_), Err(error)) => {
                refused(&wire, error);
                return None;
            }
            disagree => panic!("rules and verifier: {disagree:?}"),
        };
        let facts = rules.unwrap_or_default();
        assert_eq!(layout.cost, facts.cost);
        assert_eq!(layout.report_fields, facts.report_fields);
        assert!(matches!(layout.registers, 64 | 128 | 256));
        // Time goes into verifying; too little room is a matter of length only.
        let too_small = (instructions.len() / 16) % 8 == 0;
        for given in [layout.ops.wrapping_sub(1), layout.ops + 1] {
            if !too_small {
                break;
            }
            let needed = layout.ops;
            let mut ops = vec![vm::Op::default(); given];
            let error = vm::decode(events, instructions, &mut ops).err();
            let kind = vm::Kind::Buffer { needed, given };
            let place = vm::Place::Program;
            assert_eq!(error, Some(vm::Error { place, kind }));
        }
        let mut ops = vec![vm::Op::default(); layout.ops];
        let decoded = vm::decode(events, instructions, &mut ops);
        let header = decoded.expect("what verifies decodes");
        let program = Program {
            wire,
            facts,
            header,
            ops,
        };
        assert_eq!(program.decoded().layout(), layout);
        assert_eq!(program.decoded().report_fields(), layout.report_fields);
        Some(program)
    }

    fn decoded(&self) -> vm::Program<'_> {
        vm::Program::new(&self.header, &self.ops)
    }
}

/// Decoding says the same as verifying, in a place that exists, and in a
/// sentence that fits a netlink message.
fn refused(wire: &Wire, error: vm::Error) {
    let mut ops = [vm::Op::default(); 8];
    let decoded = vm::decode(&wire.events, &wire.instructions, &mut ops);
    assert_eq!(decoded.err(), Some(error));
    let exists = match error.place {
        vm::Place::Program => true,
        vm::Place::Event(index) => (index as usize) < wire.events.len() / 16,
        vm::Place::Instruction(index) => (index as usize) < wire.instructions.len() / 16,
        vm::Place::Update => false,
    };
    assert!(exists, "{error:?}");
    assert!(error.to_string().len() < 200, "{error}");
}

/// A flow.
pub struct Flow<'a> {
    program: &'a Program,
    state: vm::State,
    file: [u64; FILE],
    naive: Naive,
    now: u64,
    /// Whether the last thing that happened was an invocation that ended well:
    /// only then do all report registers hold what the program left.
    fresh: bool,
    /// Instructions that may still run before the input counts as too long.
    budget: u32,
}

impl<'a> Flow<'a> {
    /// A flow that begins with `program`.
    pub fn new(program: &'a Program) -> Flow<'a> {
        let mut flow = Flow {
            program,
            state: vm::State::default(),
            file: [CANARY; FILE],
            naive: Naive::new(&program.wire.events, &program.wire.instructions),
            now: 0,
            fresh: false,
            budget: 20_000,
        };
        // A file begins as zeros; of its slots all programs have these.
        flow.file[..vm::MIN_FILE].fill(0);
        flow.install(program);
        flow
    }

    /// Whether there is time for one more invocation.
    pub fn has_time(&self) -> bool {
        self.budget >= self.program.facts.cost
    }

    /// Lets time pass.
    pub fn wait(&mut self, us: u64) {
        self.now = self.now.wrapping_add(us);
    }

    /// Switches to another program.
    pub fn install(&mut self, program: &'a Program) {
        self.program = program;
        self.file[vm::MIN_FILE..].fill(CANARY);
        let decoded = program.decoded();
        let registers = decoded.layout().registers;
        self.state
            .install(decoded, &mut self.file[..registers], self.now);
        let (events, instructions) = (&program.wire.events, &program.wire.instructions);
        self.naive.switch(events, instructions, self.now);
        self.fresh = false;
        self.canaries();
        self.compare();
    }

    /// Nothing is written beyond the slots the program asked for.
    fn canaries(&self) {
        let beyond = self.program.decoded().layout().registers;
        assert!(self.file[beyond..].iter().all(|slot| *slot == CANARY));
    }

    /// All that can be seen of the registers.
    fn compare(&self) {
        let (decoded, facts) = (self.program.decoded(), self.program.facts);
        let read = |class, index| self.state.read(decoded, &self.file, Reg::new(class, index));
        for index in 0..=facts.controls {
            let control = (index < facts.controls).then(|| self.naive.get(0, index));
            assert_eq!(read(Class::NonvolatileControl, index), control);
            assert_eq!(read(Class::VolatileControl, index), control);
        }
        for index in 0..=8 {
            let local = (index < 8).then(|| self.naive.get(3, index));
            assert_eq!(read(Class::Local, index), local);
        }
        let report = self.state.report(decoded, &self.file);
        assert_eq!(report.len(), facts.report_fields);
        if !self.fresh {
            return;
        }
        for (index, value) in (0..).zip(report) {
            assert_eq!(value, self.naive.get(6, index), "report register {index}");
            assert_eq!(read(Class::VolatileReport, index), Some(value));
        }
        for index in 3..6 {
            let implicit = read(Class::Implicit, index);
            assert_eq!(implicit, Some(self.naive.get(2, index)));
        }
    }

    /// Runs once; `reset` says whether a report resets volatile registers.
    pub fn invoke(&mut self, mut input: Input, reset: bool) -> Outcome {
        input.now_us = self.now;
        let decoded = self.program.decoded();
        let registers = decoded.layout().registers;
        let (mut state, mut file, mut steps) = (self.state, self.file, 0);
        let metered = state.invoke_metered(decoded, &mut file[..registers], &input, &mut steps);
        // As the kernel does, which measures straight into the file.
        *vm::measurements(&mut self.file).expect("room for them") = input.primitives;
        let start = vm::Start {
            now_us: input.now_us,
            cwnd: input.cwnd,
            rate: input.rate,
        };
        let outcome = self.state.run(decoded, &mut self.file, start);
        let (expected, executed, events) = self.naive.run(&input);
        assert_eq!(outcome, expected);
        assert_eq!(metered, outcome, "two ways to run it");
        assert_eq!(file, self.file, "two ways to run it");
        assert!(
            executed <= self.program.facts.cost,
            "the declared cost holds"
        );
        // At most a test and an end for each event more.
        assert!(
            steps <= executed + 2 * events,
            "{steps} steps for {executed}"
        );
        self.budget = self.budget.saturating_sub(executed + 1);
        self.fresh = outcome.abort.is_none();
        self.canaries();
        self.compare();
        if outcome.report && reset {
            self.state.reset_volatile(decoded, &mut self.file);
            self.naive.reset_volatile();
            self.fresh = false;
            self.canaries();
            self.compare();
        }
        outcome
    }

    /// Applies an update to any register there may be or not.
    pub fn update(&mut self, class: u8, index: u32, value: u64) {
        let decoded = self.program.decoded();
        let before = self.file;
        let checked = vm::State::check_update(decoded, class, index, value);
        let done = self
            .state
            .update(decoded, &mut self.file, class, index, value);
        assert_eq!(checked, done.map(|_| ()));
        let expected = match (class, index) {
            (0 | 8, _) if index < self.program.facts.controls => Some(None),
            (2, 4) => Some(Some(vm::Output::Cwnd)),
            (2, 5) => Some(Some(vm::Output::Rate)),
            _ => None,
        };
        assert_eq!(done.ok(), expected);
        let changed = before.iter().zip(&self.file).filter(|(a, b)| a != b);
        if let Some(None) = expected {
            self.naive.set(class, index, value);
            assert!(changed.count() <= 1, "an update changes one register");
        } else {
            assert_eq!(changed.count(), 0, "a refused update changes nothing");
        }
        self.canaries();
        self.compare();
    }
}
