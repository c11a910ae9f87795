// SPDX-License-Identifier: GPL-2.0

//! What the tests share: writing programs, running them, and a second
//! interpreter to compare with.

#![allow(dead_code, missing_docs, unreachable_pub)]

pub mod naive;

use ccp_core::vm::{
    self,
    isa::{
        implicit,
        Class,
        Event,
        Instruction,
        Opcode,
        Reg, //
    },
    Input,
    Outcome, //
};

pub const fn r(index: u32) -> Reg {
    Reg::new(Class::NonvolatileReport, index)
}
pub const fn vr(index: u32) -> Reg {
    Reg::new(Class::VolatileReport, index)
}
pub const fn c(index: u32) -> Reg {
    Reg::new(Class::NonvolatileControl, index)
}
pub const fn vc(index: u32) -> Reg {
    Reg::new(Class::VolatileControl, index)
}
pub const fn l(index: u32) -> Reg {
    Reg::new(Class::Local, index)
}
pub const fn t(index: u32) -> Reg {
    Reg::new(Class::Tmp, index)
}
pub const fn p(index: usize) -> Reg {
    Reg::new(Class::Primitive, index as u32)
}
pub const fn imm(value: u32) -> Reg {
    Reg::new(Class::Immediate, value)
}
pub const FLAG: Reg = Reg::new(Class::Implicit, implicit::EVENT_FLAG);
pub const CONTINUE: Reg = Reg::new(Class::Implicit, implicit::SHOULD_CONTINUE);
pub const REPORT: Reg = Reg::new(Class::Implicit, implicit::SHOULD_REPORT);
pub const MICROS: Reg = Reg::new(Class::Implicit, implicit::MICROS);
pub const CWND: Reg = Reg::new(Class::Implicit, implicit::CWND);
pub const RATE: Reg = Reg::new(Class::Implicit, implicit::RATE);

pub const fn op(opcode: Opcode, result: Reg, left: Reg, right: Reg) -> Instruction {
    Instruction {
        opcode,
        result,
        left,
        right,
    }
}
pub const fn bind(result: Reg, right: Reg) -> Instruction {
    op(Opcode::Bind, result, result, right)
}
pub const fn def(reg: Reg, value: u32) -> Instruction {
    op(Opcode::Def, reg, reg, imm(value))
}

/// A condition that is always true.
pub fn always() -> Vec<Instruction> {
    vec![bind(FLAG, imm(1))]
}

/// A program being written.
#[derive(Clone, Debug, Default)]
pub struct Source {
    pub instructions: Vec<Instruction>,
    pub events: Vec<Event>,
}

impl Source {
    pub fn new(defs: &[Instruction]) -> Source {
        Source {
            instructions: defs.to_vec(),
            events: Vec::new(),
        }
    }

    pub fn when(mut self, condition: &[Instruction], body: &[Instruction]) -> Source {
        let cond_start = self.instructions.len() as u32;
        self.instructions.extend(condition);
        let body_start = self.instructions.len() as u32;
        self.instructions.extend(body);
        self.events.push(Event {
            cond_start,
            cond_count: condition.len() as u32,
            body_start,
            body_count: body.len() as u32,
        });
        self
    }

    pub fn event_bytes(&self) -> Vec<u8> {
        self.events.iter().flat_map(|e| e.to_bytes()).collect()
    }

    pub fn instruction_bytes(&self) -> Vec<u8> {
        self.instructions
            .iter()
            .flat_map(|i| i.to_bytes())
            .collect()
    }

    pub fn verify(&self) -> Result<vm::Layout, vm::Error> {
        vm::verify(&self.event_bytes(), &self.instruction_bytes())
    }

    pub fn load(&self) -> Machine {
        Machine::load(&self.event_bytes(), &self.instruction_bytes()).unwrap()
    }
}

/// A flow with a program.
pub struct Machine {
    pub layout: vm::Layout,
    pub header: vm::Header,
    pub ops: Vec<vm::Op>,
    pub file: Vec<u64>,
    pub state: vm::State,
    pub steps: u32,
}

impl Machine {
    pub fn load(events: &[u8], instructions: &[u8]) -> Result<Machine, vm::Error> {
        let mut machine = Machine {
            layout: vm::verify(events, instructions)?,
            header: vm::Header::default(),
            ops: Vec::new(),
            file: vec![0; 256],
            state: vm::State::default(),
            steps: 0,
        };
        machine.switch(events, instructions, 0)?;
        Ok(machine)
    }

    /// Gives the flow another program.
    pub fn switch(
        &mut self,
        events: &[u8],
        instructions: &[u8],
        now: u64,
    ) -> Result<(), vm::Error> {
        self.layout = vm::verify(events, instructions)?;
        self.ops = vec![vm::Op::default(); self.layout.ops];
        self.header = vm::decode(events, instructions, &mut self.ops)?;
        let program = vm::Program::new(&self.header, &self.ops);
        assert_eq!(program.layout(), self.layout);
        let file = &mut self.file[..self.layout.registers];
        self.state.install(program, file, now);
        Ok(())
    }

    pub fn run(&mut self, input: &Input) -> Outcome {
        self.steps = 0;
        let program = vm::Program::new(&self.header, &self.ops);
        let file = &mut self.file[..self.layout.registers];
        let mut other = self.state;
        let mut copy = file.to_vec();
        let metered = other.invoke_metered(program, &mut copy, input, &mut self.steps);
        let outcome = self.state.invoke(program, file, input);
        assert_eq!(metered, outcome);
        assert_eq!(copy, file);
        outcome
    }

    pub fn report(&self) -> Vec<u64> {
        let program = vm::Program::new(&self.header, &self.ops);
        self.state.report(program, &self.file).collect()
    }

    pub fn reset_volatile(&mut self) {
        let program = vm::Program::new(&self.header, &self.ops);
        self.state.reset_volatile(program, &mut self.file);
    }

    pub fn update(
        &mut self,
        class: u8,
        index: u32,
        value: u64,
    ) -> Result<Option<vm::Output>, vm::Error> {
        let program = vm::Program::new(&self.header, &self.ops);
        let checked = vm::State::check_update(program, class, index, value);
        let done = self
            .state
            .update(program, &mut self.file, class, index, value);
        assert_eq!(checked, done.map(|_| ()));
        done
    }

    pub fn locals(&self) -> &[u64] {
        &self.file[6..14]
    }
}

/// An input whose primitives are all 0.
pub fn input(now_us: u64) -> Input {
    Input {
        primitives: [0; vm::PRIMITIVES],
        now_us,
        cwnd: 14480,
        rate: 1_000_000,
    }
}
