// SPDX-License-Identifier: GPL-2.0
//! A flow to run compiled programs on.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "every test takes what it needs of this"
)]

pub mod docs;
pub mod generate;
pub mod listing;
pub mod reference;

use ccp_core::vm::{self, isa, Header, Input, Op, Outcome, Program, State, PRIMITIVES};
use ccp_lang::{compile_with, Binary, Compiled, Options, Symbols};

/// Both ways to compile; every result must be the same for both.
pub const BOTH: [Options; 2] = [Options { optimise: false }, Options { optimise: true }];

pub fn compile(source: &str, options: Options) -> Compiled {
    compile_with("test.ccp", source, options).unwrap_or_else(|d| panic!("{d}"))
}

/// One flow with one program.
pub struct Flow {
    pub symbols: Symbols,
    pub input: Input,
    header: Header,
    ops: Vec<Op>,
    state: State,
    file: Vec<u64>,
}

impl Flow {
    pub fn new(source: &str, options: Options) -> Self {
        let compiled = compile(source, options);
        Self::load(&compiled.program, compiled.symbols)
    }

    pub fn load(program: &Binary, symbols: Symbols) -> Self {
        let mut flow = Self {
            symbols: Symbols::default(),
            input: Input {
                primitives: [0; PRIMITIVES],
                now_us: 1_000_000,
                cwnd: 14_480,
                rate: 1_000_000,
            },
            header: Header::default(),
            ops: Vec::new(),
            state: State::default(),
            file: vec![0; vm::MIN_FILE],
        };
        flow.switch(program, symbols);
        flow
    }

    /// Gives the flow another program.
    pub fn switch(&mut self, program: &Binary, symbols: Symbols) {
        let (events, instructions) = (&program.events, &program.instructions);
        let layout = vm::verify(events, instructions).expect("verifies");
        self.symbols = symbols;
        self.ops = vec![Op::default(); layout.ops];
        self.header = vm::decode(events, instructions, &mut self.ops).expect("decodes");
        // Locals are in the part every file has.
        self.file.truncate(vm::MIN_FILE);
        self.file.resize(layout.registers, 0);
        let program = Program::new(&self.header, &self.ops);
        self.state
            .install(program, &mut self.file, self.input.now_us);
    }

    /// Sets a primitive.
    pub fn set(&mut self, name: &str, value: u64) -> &mut Self {
        let index = isa::primitive::NAMES.iter().position(|n| *n == name);
        self.input.primitives[index.expect("a primitive")] = value;
        self
    }

    /// Lets time pass.
    pub fn after(&mut self, us: u64) -> &mut Self {
        self.input.now_us += us;
        self
    }

    /// Sets a control variable, `Cwnd` or `Rate`, as an agent does.
    pub fn update(&mut self, name: &str, value: u64) {
        let register = self.symbols.updatable(name).expect("updatable");
        let program = Program::new(&self.header, &self.ops);
        let (class, index) = (register.class, register.index);
        State::check_update(program, class, index, value).expect("valid");
        let output = self
            .state
            .update(program, &mut self.file, class, index, value)
            .expect("valid");
        match output {
            Some(vm::Output::Cwnd) => self.input.cwnd = value,
            Some(vm::Output::Rate) => self.input.rate = value,
            None => {}
        }
    }

    /// Runs the program once and applies what it asks for.
    pub fn ack(&mut self) -> Outcome {
        let program = Program::new(&self.header, &self.ops);
        let outcome = self.state.invoke(program, &mut self.file, &self.input);
        if outcome.cwnd > 0 {
            self.input.cwnd = outcome.cwnd;
        }
        if outcome.rate > 0 {
            self.input.rate = outcome.rate;
        }
        outcome
    }

    /// The report registers as they are.
    pub fn fields(&self) -> Vec<u64> {
        let program = Program::new(&self.header, &self.ops);
        self.state.report(program, &self.file).collect()
    }

    /// The report field `name` as it is.
    pub fn field(&self, name: &str) -> u64 {
        self.fields()[self.symbols.field(name).expect("a field")]
    }

    /// The first `count` registers of a class, as they last.
    pub fn registers(&self, class: isa::Class, count: usize) -> Vec<u64> {
        let program = Program::new(&self.header, &self.ops);
        let read = |index| {
            let reg = isa::Reg::new(class, index);
            self.state.read(program, &self.file, reg).expect("is there")
        };
        (0..count as u32).map(read).collect()
    }

    /// Decoded operations the program runs on the next ACK, which does not
    /// count.
    pub fn steps(&self) -> u32 {
        let program = Program::new(&self.header, &self.ops);
        let (mut state, mut file, mut steps) = (self.state, self.file.clone(), 0);
        state.invoke_metered(program, &mut file, &self.input, &mut steps);
        steps
    }

    /// What follows each report.
    pub fn reset_volatile(&mut self) {
        let program = Program::new(&self.header, &self.ops);
        self.state.reset_volatile(program, &mut self.file);
    }

    /// Runs once and takes the report, if there is one.
    pub fn report(&mut self) -> Option<Vec<u64>> {
        let outcome = self.ack();
        assert_eq!(outcome.abort, None);
        outcome.report.then(|| {
            let fields = self.fields();
            self.reset_volatile();
            fields
        })
    }
}
