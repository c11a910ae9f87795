// SPDX-License-Identifier: GPL-2.0
//! A flow to run compiled programs on.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "every test takes what it needs of this"
)]

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
        let layout = vm::verify(&program.events, &program.instructions).expect("verifies");
        let mut ops = vec![Op::default(); layout.ops];
        let header = vm::decode(&program.events, &program.instructions, &mut ops).expect("decodes");
        let mut flow = Self {
            symbols,
            input: Input {
                primitives: [0; PRIMITIVES],
                now_us: 1_000_000,
                cwnd: 14_480,
                rate: 1_000_000,
            },
            header,
            ops,
            state: State::default(),
            file: vec![0; layout.registers],
        };
        let program = Program::new(&flow.header, &flow.ops);
        flow.state
            .install(program, &mut flow.file, flow.input.now_us);
        flow
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
