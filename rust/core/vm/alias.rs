// SPDX-License-Identifier: GPL-2.0

//! The decoder's part for report registers that are nothing but a measurement.
//!
//! Most programs copy measurements into report registers on every ACK, to have
//! the last of them in the report. When that is all that happens to a register,
//! the copy can be left out: who reads the register reads the primitive.

use super::{
    error::Error,
    isa::{
        implicit,
        Class,
        Form,
        Instruction,
        Opcode,
        Reg,
        REPORTS, //
    },
    layout::Slots,
    wire::Code, //
};

/// What is known of a report register.
#[derive(Copy, Clone)]
enum Use {
    Unused,
    /// Written once, before it is read.
    Measured(Reg),
    Other,
}

/// Gives report registers the slot of the primitive they always equal.
///
/// Such a register has one write in the program, a BIND of a primitive, and is
/// not read before. The write is in the condition of the first event, or in its
/// body when that is always run, and before any skip. So each invocation that
/// gets to a report has done it: one that aborts before makes no report, and
/// the next does it anew.
pub(super) fn measured_fields(code: Code<'_>, slots: &mut Slots) -> Result<(), Error> {
    let mut uses = [Use::Unused; REPORTS as usize];
    let Some((start, end)) = certain(code)? else {
        return Ok(());
    };
    for index in start..code.count {
        let instruction = code.instruction(index)?;
        for (_, reg) in instruction.reads().into_iter().flatten() {
            if let Some(entry @ Use::Unused) = of(&mut uses, reg) {
                *entry = Use::Other;
            }
        }
        if instruction.opcode.form() == Form::Skip {
            continue;
        }
        // IF and NOTIF count: they may write.
        let Some(entry) = of(&mut uses, instruction.result) else {
            continue;
        };
        let measures = index < end
            && instruction.opcode == Opcode::Bind
            && instruction.right.class == Class::Primitive;
        *entry = match *entry {
            Use::Unused if measures => Use::Measured(instruction.right),
            _ => Use::Other,
        };
    }
    let own = *slots;
    for (slot, entry) in slots.fields.iter_mut().zip(uses) {
        if let Use::Measured(reg) = entry {
            *slot = own.register(reg);
        }
    }
    Ok(())
}

fn of(uses: &mut [Use; REPORTS as usize], reg: Reg) -> Option<&mut Use> {
    match reg.class {
        Class::VolatileReport | Class::NonvolatileReport => uses.get_mut(reg.index as usize),
        _ => None,
    }
}

/// The instructions after the definitions that every invocation runs.
fn certain(code: Code<'_>) -> Result<Option<(u32, u32)>, Error> {
    let Some((_, event)) = code.events().next() else {
        return Ok(None);
    };
    let (start, body) = (event.cond_start, event.body_start);
    let always = ends_true(code.instruction(body.saturating_sub(1))?);
    let end = match always {
        true => body.saturating_add(event.body_count),
        false => body,
    };
    for index in start..end {
        if code.instruction(index)?.opcode.form() == Form::Skip {
            return Ok(Some((start, index)));
        }
    }
    Ok(Some((start, end)))
}

/// Whether a condition holds that ends with this instruction.
fn ends_true(instruction: Instruction) -> bool {
    instruction.opcode == Opcode::Bind
        && instruction.result == Reg::new(Class::Implicit, implicit::EVENT_FLAG)
        && instruction.right.class == Class::Immediate
        && instruction.right.index != 0
}
