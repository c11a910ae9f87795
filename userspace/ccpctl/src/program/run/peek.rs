// SPDX-License-Identifier: GPL-2.0
//! The registers of a flow between two invocations, seen from outside.

use ccp_core::vm::{
    self,
    isa::{implicit, Class, Event, Instruction, Opcode, Reg, CONTROLS, LOCALS},
    Input, Op, Program, State,
};

/// What a flow keeps.
pub(super) struct Kept {
    pub(super) reports: Vec<u64>,
    pub(super) controls: Vec<u64>,
    pub(super) locals: Vec<u64>,
    /// Microseconds since the program was installed or set it.
    pub(super) micros: u64,
}

impl Kept {
    /// The value of a register that outlives an invocation.
    pub(super) fn value(&self, reg: Reg) -> Option<u64> {
        let values = match reg.class {
            Class::VolatileReport | Class::NonvolatileReport => &self.reports,
            Class::VolatileControl | Class::NonvolatileControl => &self.controls,
            Class::Local => &self.locals,
            _ => return None,
        };
        values.get(usize::try_from(reg.index).ok()?).copied()
    }
}

/// What `program` keeps in `file`; `input` is what it was last invoked with.
pub(super) fn peek(program: Program<'_>, state: State, file: &[u64], input: &Input) -> Kept {
    let mut shared = shared(state, file, input);
    Kept {
        reports: state.report(program, file).to_vec(),
        controls: (0..CONTROLS)
            .map_while(|index| control(program, state, file, index))
            .collect(),
        micros: shared.pop().unwrap_or_default(),
        locals: shared,
    }
}

/// A control register: where an update puts its value is where it is.
fn control(program: Program<'_>, mut state: State, file: &[u64], index: u32) -> Option<u64> {
    let mut copy = file.to_vec();
    let class = Class::NonvolatileControl as u8;
    for value in [0, 1] {
        state.update(program, &mut copy, class, index, value).ok()?;
        let mut both = file.iter().zip(&copy);
        if let Some((before, _)) = both.find(|(before, after)| before != after) {
            return Some(*before);
        }
    }
    None
}

/// The locals, and `Micros`. Both outlive a program: the next one to run in
/// the same file can report them.
fn shared(mut state: State, file: &[u64], input: &Input) -> Vec<u64> {
    let bind = |result, right| Instruction {
        opcode: Opcode::Bind,
        result,
        left: result,
        right,
    };
    let report = |index| Reg::new(Class::NonvolatileReport, index);
    let always = Reg::new(Class::Primitive, 0);
    let flag = Reg::new(Class::Implicit, implicit::EVENT_FLAG);
    let mut code = vec![bind(flag, always)];
    code.extend((0..LOCALS).map(|index| bind(report(index), Reg::new(Class::Local, index))));
    code.push(bind(
        report(LOCALS),
        Reg::new(Class::Implicit, implicit::MICROS),
    ));
    let event = Event {
        cond_start: 0,
        cond_count: 1,
        body_start: 1,
        body_count: LOCALS + 1,
    };
    let (events, code) = (
        event.to_bytes(),
        code.iter().flat_map(|i| i.to_bytes()).collect::<Vec<u8>>(),
    );
    let layout = vm::verify(&events, &code).expect("it keeps the rules");
    let mut ops = vec![Op::default(); layout.ops];
    let header = vm::decode(&events, &code, &mut ops).expect("it is verified");
    let program = Program::new(&header, &ops);
    // Not installed: that would start `Micros` anew.
    let mut copy = file.to_vec();
    copy.resize(layout.registers.max(file.len()), 0);
    let mut input = *input;
    input.primitives[0] = 1;
    state.invoke(program, &mut copy, &input);
    state.report(program, &copy).to_vec()
}
