// SPDX-License-Identifier: GPL-2.0

//! The interpreter.

use super::program::{
    code,
    step,
    Op, //
};

/// Why an invocation ended early.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Abort {
    /// ADD: the sum needs more than 64 bits.
    AddOverflow,
    /// SUB, or EWMA with a weight over 10: the difference is negative.
    SubUnderflow,
    /// MUL, or EWMA with a weight over 10: the product needs more than 64 bits.
    MulOverflow,
    /// DIV by 0.
    DivideByZero,
}

/// Sees each op before it runs; for tests that count them.
pub(super) trait Meter {
    fn step(&mut self);
}

/// Counts nothing and costs nothing.
pub(super) struct Unmetered;

impl Meter for Unmetered {
    #[inline(always)]
    fn step(&mut self) {}
}

/// Runs `ops` over the register file.
///
/// Distances only lead ahead, so it ends after at most `ops.len()` steps.
///
/// What is common is tested for first: the kernel is built without jump tables,
/// where a `match` over all codes is a search.
#[inline(always)]
pub(super) fn run<const SLOTS: usize>(
    ops: &[Op],
    file: &mut [u64; SLOTS],
    meter: &mut impl Meter,
) -> Option<Abort> {
    let mut next = 0usize;
    while let Some(op) = ops.get(next) {
        meter.step();
        next = next.wrapping_add(1);
        if op.code >= code::FOLD_1 {
            if let Err(abort) = fold(op, file) {
                return Some(abort);
            }
            continue;
        }
        // SLOTS is a power of two: the mask makes every index valid.
        let left = file[usize::from(op.left) & (SLOTS - 1)];
        let right = file[usize::from(op.right) & (SLOTS - 1)];
        if op.code >= code::UNLESS_GT {
            let holds = if op.code == code::UNLESS_GT {
                left > right
            } else if op.code == code::UNLESS_EQ {
                left == right
            } else if op.code == code::UNLESS_LE {
                left <= right
            } else {
                let third = file[usize::from(op.third) & (SLOTS - 1)];
                match test(op, left, right, third) {
                    Ok(Some(holds)) => holds,
                    Ok(None) => return None,
                    Err(abort) => return Some(abort),
                }
            };
            if !holds {
                next = next.wrapping_add(op.distance());
            }
            continue;
        }
        let result = &mut file[usize::from(op.result) & (SLOTS - 1)];
        match compute(op, *result, left, right) {
            Ok(value) => *result = value,
            Err(abort) => return Some(abort),
        }
    }
    None
}

/// Runs the steps of a fold.
#[inline(always)]
fn fold<const SLOTS: usize>(op: &Op, file: &mut [u64; SLOTS]) -> Result<(), Abort> {
    step(op.code, op.result, op.left, file)?;
    if op.code >= code::FOLD_2 {
        step(op.code >> 2, op.right, op.third, file)?;
    }
    if op.code >= code::FOLD_3 {
        let (to, from) = op.last_pair();
        step(op.code >> 4, to, from, file)?;
    }
    Ok(())
}

#[inline(always)]
fn step<const SLOTS: usize>(
    kind: u8,
    to: u8,
    from: u8,
    file: &mut [u64; SLOTS],
) -> Result<(), Abort> {
    let from = file[usize::from(from) & (SLOTS - 1)];
    let to = &mut file[usize::from(to) & (SLOTS - 1)];
    *to = match kind & 3 {
        step::BIND => from,
        step::ADD => to.checked_add(from).ok_or(Abort::AddOverflow)?,
        step::MIN => from.min(*to),
        _ => from.max(*to),
    };
    Ok(())
}

/// What another op that may skip tests; `None` ends the invocation.
#[inline(always)]
fn test(op: &Op, left: u64, right: u64, third: u64) -> Result<Option<bool>, Abort> {
    Ok(Some(match op.code {
        code::UNLESS_NE => left != right,
        code::UNLESS => left != 0,
        code::WHEN => left == 0,
        code::UNLESS_GT_MUL => left > mul(right, third)?,
        code::UNLESS_LE_MUL => left <= mul(right, third)?,
        code::UNLESS_GT_SHIFT => left > shift(right, op.third),
        code::UNLESS_LE_SHIFT => left <= shift(right, op.third),
        code::UNLESS_ADD_GT => add(left, u64::from(right > third))? != 0,
        code::UNLESS_ADD => add(left, right)? != 0,
        code::UNLESS_MUL => mul(left, right)? != 0,
        code::UNLESS_AND => left != 0 && right != 0,
        code::UNLESS_OR => left | right != 0,
        code::END if left == 0 => return Ok(None),
        code::END => true,
        code::STOP => return Ok(None),
        _ => false,
    }))
}

/// Runs an op that computes.
#[inline(always)]
fn compute(op: &Op, result: u64, left: u64, right: u64) -> Result<u64, Abort> {
    Ok(match op.code {
        code::BIND => right,
        code::ADD => add(left, right)?,
        code::SUB => left.checked_sub(right).ok_or(Abort::SubUnderflow)?,
        code::MUL => mul(left, right)?,
        code::DIV => left.checked_div(right).ok_or(Abort::DivideByZero)?,
        code::EWMA => ewma(left, result, right)?,
        code::MIN => left.min(right),
        code::MAX => left.max(right),
        code::GT => u64::from(left > right),
        code::LE => u64::from(left <= right),
        code::EQ => u64::from(left == right),
        code::NE => u64::from(left != right),
        code::IF if left != 0 => right,
        code::NOT_IF if left == 0 => right,
        code::IF | code::NOT_IF => result,
        code::AND => u64::from(left != 0 && right != 0),
        code::OR => u64::from(left | right != 0),
        code::NOT => u64::from(right == 0),
        code::MAX_WRAP => max_wrap(left, right),
        code::ADD_SAT => left.saturating_add(right),
        code::SUB_SAT => left.saturating_sub(right),
        code::MUL_SAT => left.saturating_mul(right),
        code::SHIFT => shift(left, op.third),
        _ => right,
    })
}

#[inline(always)]
fn add(left: u64, right: u64) -> Result<u64, Abort> {
    left.checked_add(right).ok_or(Abort::AddOverflow)
}

#[inline(always)]
fn mul(left: u64, right: u64) -> Result<u64, Abort> {
    left.checked_mul(right).ok_or(Abort::MulOverflow)
}

#[inline(always)]
fn shift(value: u64, by: u8) -> u64 {
    value.wrapping_shr(u32::from(by))
}

/// The later of two serial numbers, the right one when neither is.
fn max_wrap(left: u64, right: u64) -> u64 {
    if left == 0 {
        return right;
    }
    if right == 0 {
        return left;
    }
    let (left, right) = (left as u32, right as u32);
    if left.wrapping_sub(right) < right.wrapping_sub(left) {
        u64::from(left)
    } else {
        u64::from(right)
    }
}

/// The moving average `(weight·old + (10−weight)·new) / 10`, rounded down.
fn ewma(weight: u64, old: u64, new: u64) -> Result<u64, Abort> {
    if old == 0 {
        return Ok(new);
    }
    let Some(rest) = 10u64.checked_sub(weight) else {
        // Extrapolates; libccp's wrapping sum is the same where it is exact.
        let old = weight.checked_mul(old).ok_or(Abort::MulOverflow)?;
        let new = weight
            .wrapping_sub(10)
            .checked_mul(new)
            .ok_or(Abort::MulOverflow)?;
        return Ok(old.checked_sub(new).ok_or(Abort::SubUnderflow)? / 10);
    };
    // Tens and units apart: neither sum can overflow, as it is at most the
    // greater of old and new.
    let tens = (old / 10)
        .wrapping_mul(weight)
        .wrapping_add((new / 10).wrapping_mul(rest));
    let units = (old % 10)
        .wrapping_mul(weight)
        .wrapping_add((new % 10).wrapping_mul(rest));
    Ok(tens.wrapping_add(units / 10))
}
