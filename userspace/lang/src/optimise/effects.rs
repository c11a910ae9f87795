// SPDX-License-Identifier: GPL-2.0
//! What a step reads, writes and may end.

use ccp_core::vm::isa::{implicit, Class, Reg};

use crate::flat::{Block, If, Operand, Place, Step};

/// The flag that `(fallthrough)` sets.
pub(super) const CONTINUE: Reg = Reg::new(Class::Implicit, implicit::SHOULD_CONTINUE);

/// Whether nobody can see what `reg` holds after an abort: flags, the window
/// and the rate are set anew for each invocation.
pub(super) fn hides_aborts(reg: Reg) -> bool {
    reg.class == Class::Implicit && reg.index != implicit::MICROS
}

/// Whether running `step` can end the invocation.
pub(super) fn can_abort(step: &Step) -> bool {
    match step {
        Step::Set(set) => set.value.can_abort(),
        Step::If(step) => blocks(step).any(|block| block.iter().any(can_abort)),
    }
}

/// Whether `step` does nothing but set a temporary.
pub(super) fn is_pure(step: &Step) -> bool {
    match step {
        Step::Set(set) => matches!(set.to, Place::Temp(_)) && !set.value.can_abort(),
        Step::If(step) => blocks(step).all(|block| block.iter().all(is_pure)),
    }
}

/// Whether running `step` can read `reg`.
pub(super) fn reads(step: &Step, reg: Reg) -> bool {
    let is = |operand: Operand| operand == Operand::Reg(reg);
    match step {
        Step::Set(set) => set.value.operands().any(is),
        Step::If(step) => {
            is(step.condition)
                || step.also.iter().any(|test| is(test.value))
                || blocks(step).any(|block| block.iter().any(|step| reads(step, reg)))
        }
    }
}

/// Whether running `step` can write `reg`.
pub(super) fn writes(step: &Step, reg: Reg) -> bool {
    match step {
        Step::Set(set) => set.to == Place::Reg(reg),
        Step::If(step) => blocks(step).any(|block| block.iter().any(|step| writes(step, reg))),
    }
}

fn blocks(step: &If) -> impl Iterator<Item = &Block> {
    [&step.then, &step.otherwise]
        .into_iter()
        .chain(step.also.iter().map(|test| &test.steps))
}
