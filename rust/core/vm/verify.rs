// SPDX-License-Identifier: GPL-2.0

//! The verifier: every rule a program must keep before it is stored.

use super::{
    error::{
        Error,
        Kind,
        Operand, //
    },
    isa::{
        implicit,
        Class,
        Form,
        Instruction,
        Opcode,
        Reg, //
    },
    layout::{
        Layout,
        Profile, //
    },
    skips::Skips,
    wire::Code,
};

/// Checks a program and says what it needs.
///
/// The rules are those of `docs/isa.md`; the error is the first one broken.
pub fn verify(events: &[u8], instructions: &[u8]) -> Result<Layout, Error> {
    let code = Code::new(events, instructions)?;
    let mut profile = Profile::new();
    check(code, &mut profile)?;
    Ok(layout(code, &profile))
}

/// Checks a program and learns of it what the decoder needs.
pub(super) fn check(code: Code<'_>, profile: &mut Profile) -> Result<(), Error> {
    let mut next = definitions(code, profile)?;
    profile.defs = next;
    let (mut conditions, mut longest, mut bodies) = (0u32, 0u32, 0u32);
    for (index, event) in code.events() {
        let refuse = |kind| Err(Error::event(index, kind));
        if event.cond_start != next {
            return refuse(Kind::ConditionStart {
                expected: next,
                found: event.cond_start,
            });
        }
        if event.cond_count == 0 {
            return refuse(Kind::EmptyCondition);
        }
        let end = u64::from(next)
            .saturating_add(u64::from(event.cond_count))
            .saturating_add(u64::from(event.body_count));
        if end > u64::from(code.count) {
            return refuse(Kind::PastEnd {
                end,
                count: code.count,
            });
        }
        let body = next.saturating_add(event.cond_count);
        if event.body_start != body {
            return refuse(Kind::BodyStart {
                expected: body,
                found: event.body_start,
            });
        }
        let end = end as u32;
        let last = body.saturating_sub(1);
        range(code, next, body, last, profile)?;
        if code.instruction(last)?.writes() != Some(FLAG) {
            return Err(Error::instruction(last, Kind::FlagNotWritten));
        }
        range(code, body, end, end, profile)?;
        conditions = conditions.saturating_add(event.cond_count);
        bodies = bodies.saturating_add(event.body_count);
        longest = longest.max(event.body_count);
        next = end;
    }
    if next != code.count {
        return Err(Error::program(Kind::Trailing { end: next }));
    }
    // Without the continue flag at most one body runs.
    let bodies = if profile.continues { bodies } else { longest };
    profile.cost = conditions.saturating_add(bodies);
    Ok(())
}

const FLAG: Reg = Reg::new(Class::Implicit, implicit::EVENT_FLAG);
const CONTINUE: Reg = Reg::new(Class::Implicit, implicit::SHOULD_CONTINUE);

/// Checks the leading definitions; returns the index after them.
fn definitions(code: Code<'_>, profile: &mut Profile) -> Result<u32, Error> {
    let (mut reports, mut controls) = (0u32, 0u32);
    for index in 0..code.count {
        let instruction = code.instruction(index)?;
        if instruction.definition().is_none() {
            return Ok(index);
        }
        let refuse = |kind| Err(Error::instruction(index, kind));
        let reg = instruction.result;
        let defined = match reg.class {
            Class::NonvolatileControl | Class::VolatileControl => &mut controls,
            Class::NonvolatileReport | Class::VolatileReport => &mut reports,
            class => return refuse(Kind::DefClass { class }),
        };
        if instruction.opcode.form() == Form::Define && instruction.left != reg {
            return refuse(Kind::DefMismatch);
        }
        immediates(index, instruction)?;
        let bit = 1u32.wrapping_shl(reg.index);
        if *defined & bit != 0 {
            return refuse(Kind::DuplicateDef {
                class: reg.class,
                index: reg.index,
            });
        }
        *defined |= bit;
        profile.mention(reg);
    }
    Ok(code.count)
}

/// Checks that the operands that must be immediate are.
fn immediates(index: u32, instruction: Instruction) -> Result<(), Error> {
    let left = (Operand::Left, instruction.left);
    let right = (Operand::Right, instruction.right);
    let (first, second) = match instruction.opcode.form() {
        Form::Define64 | Form::Wide => (Some(left), Some(right)),
        Form::Define | Form::Skip => (None, Some(right)),
        Form::Binary | Form::Unary | Form::Update => (None, None),
    };
    for (operand, reg) in first.into_iter().chain(second) {
        if reg.class != Class::Immediate {
            return Err(Error::instruction(index, Kind::NotImmediate { operand }));
        }
    }
    Ok(())
}

/// Checks the instructions of a condition or a body, `start..end`, whose skips
/// may lead as far as `limit`.
fn range(
    code: Code<'_>,
    start: u32,
    end: u32,
    limit: u32,
    profile: &mut Profile,
) -> Result<(), Error> {
    // Bit mask of the tmp registers written on every path to this point.
    let mut written = 0u16;
    let mut skips = Skips::<u16>::new();
    for index in start..end {
        let instruction = code.instruction(index)?;
        let refuse = |kind| Error::instruction(index, kind);
        if let Some(mask) = skips.take(index) {
            written &= mask;
        }
        if instruction.definition().is_some() {
            return Err(refuse(Kind::MisplacedDef));
        }
        immediates(index, instruction)?;
        for (operand, reg) in instruction.reads().into_iter().flatten() {
            match reg.tmp() {
                Some(tmp) if written & 1u16.wrapping_shl(tmp) == 0 => {
                    return Err(refuse(Kind::UnwrittenTmp {
                        operand,
                        index: tmp,
                    }));
                }
                _ => (),
            }
        }
        observe(instruction, profile).ok_or(refuse(Kind::TooManyConstants))?;
        if instruction.opcode.form() == Form::Skip {
            let target = skip_target(index, instruction, limit)?;
            let mask = skips
                .at(target, written)
                .ok_or(refuse(Kind::TooManySkips))?;
            *mask &= written;
            if instruction.left == Reg::new(Class::Immediate, 0) {
                // Nothing gets past it, so nothing is missing there.
                written = u16::MAX;
            }
        }
        if let Some(tmp) = instruction.writes().and_then(Reg::tmp) {
            written |= 1u16.wrapping_shl(tmp);
        }
    }
    Ok(())
}

/// The instruction a skip leads to.
fn skip_target(index: u32, skip: Instruction, limit: u32) -> Result<u32, Error> {
    let refuse = |kind| Err(Error::instruction(index, kind));
    if skip.right.index == 0 {
        return refuse(Kind::EmptySkip);
    }
    let target = u64::from(index)
        .saturating_add(1)
        .saturating_add(u64::from(skip.right.index));
    if target > u64::from(limit) {
        return refuse(Kind::SkipPastEnd { target, end: limit });
    }
    Ok(target as u32)
}

/// Notes what an instruction needs of the register file.
fn observe(instruction: Instruction, profile: &mut Profile) -> Option<()> {
    for reg in [instruction.result, instruction.left, instruction.right] {
        profile.mention(reg);
    }
    for (_, reg) in instruction.reads().into_iter().flatten() {
        match reg.class {
            Class::Immediate => profile.constant(u64::from(reg.index))?,
            Class::Implicit => {
                profile.reads_flag |= reg == FLAG;
                profile.continue_varies |= reg == CONTINUE;
            }
            _ => (),
        }
    }
    if instruction.opcode.form() == Form::Wide {
        profile.constant(instruction.wide())?;
    }
    if instruction.opcode.form() != Form::Skip && instruction.result == CONTINUE {
        profile.continues = true;
        let right = instruction.right;
        let set = instruction.opcode == Opcode::Bind && right.class == Class::Immediate;
        profile.continue_varies |= !set || right.index == 0;
    }
    Some(())
}

/// What a checked program needs.
pub(super) fn layout(code: Code<'_>, profile: &Profile) -> Layout {
    let events = code.events().count();
    // Room for one op for each instruction, two for each event, two for each
    // definition and one for each constant.
    let ops = (code.count as usize)
        .saturating_add(profile.defs as usize)
        .saturating_add(events.saturating_mul(2))
        .saturating_add(profile.constant_count);
    Layout {
        ops,
        registers: usize::from(profile.slots().registers),
        report_fields: profile.reports as usize,
        cost: profile.cost,
    }
}
