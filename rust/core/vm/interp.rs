// SPDX-License-Identifier: GPL-2.0

//! The interpreter.

use super::program::{
    code,
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
#[inline(always)]
pub(super) fn run<const SLOTS: usize>(
    ops: &[Op],
    file: &mut [u64; SLOTS],
    meter: &mut impl Meter,
) -> Option<Abort> {
    // SLOTS is a power of two: the mask makes every index valid.
    let slot = |index: u8| usize::from(index) & (SLOTS - 1);
    let mut next = 0usize;
    while let Some(&op) = ops.get(next) {
        meter.step();
        next = next.wrapping_add(1);
        let left = file[slot(op.left())];
        let right = file[slot(op.right())];
        let result = &mut file[slot(op.result())];
        let skip = match op.code() {
            code::ADD => match left.checked_add(right) {
                Some(sum) => {
                    *result = sum;
                    continue;
                }
                None => return Some(Abort::AddOverflow),
            },
            code::SUB => match left.checked_sub(right) {
                Some(difference) => {
                    *result = difference;
                    continue;
                }
                None => return Some(Abort::SubUnderflow),
            },
            code::MUL => match left.checked_mul(right) {
                Some(product) => {
                    *result = product;
                    continue;
                }
                None => return Some(Abort::MulOverflow),
            },
            code::DIV => match left.checked_div(right) {
                Some(quotient) => {
                    *result = quotient;
                    continue;
                }
                None => return Some(Abort::DivideByZero),
            },
            code::EWMA => match ewma(left, *result, right) {
                Ok(average) => {
                    *result = average;
                    continue;
                }
                Err(abort) => return Some(abort),
            },
            code::BIND_2 | code::BIND_3 => {
                *result = left;
                let (to, from) = op.second();
                file[slot(to)] = file[slot(from)];
                if op.code() == code::BIND_3 {
                    let (to, from) = op.third();
                    file[slot(to)] = file[slot(from)];
                }
                continue;
            }
            code::IF => {
                *result = if left != 0 { right } else { *result };
                continue;
            }
            code::NOT_IF => {
                *result = if left == 0 { right } else { *result };
                continue;
            }
            code::UNLESS_GT => left <= right,
            code::UNLESS_LE => left > right,
            code::UNLESS_EQ => left != right,
            code::UNLESS_NE => left == right,
            code::UNLESS_ADD => match left.checked_add(right) {
                Some(sum) => sum == 0,
                None => return Some(Abort::AddOverflow),
            },
            code::UNLESS_MUL => match left.checked_mul(right) {
                Some(product) => product == 0,
                None => return Some(Abort::MulOverflow),
            },
            code::UNLESS_AND => left == 0 || right == 0,
            code::UNLESS_OR => left | right == 0,
            code::SKIP_ZERO => left == 0,
            code::SKIP => true,
            code::END => {
                if left == 0 {
                    return None;
                }
                false
            }
            code::STOP => return None,
            code => {
                *result = total(code, left, right);
                continue;
            }
        };
        if skip {
            next = next.wrapping_add(op.distance() as usize);
        }
    }
    None
}

/// The operations that are defined for all operands.
#[inline(always)]
fn total(code: u8, left: u64, right: u64) -> u64 {
    match code {
        code::MIN => left.min(right),
        code::MAX => left.max(right),
        code::GT => u64::from(left > right),
        code::LE => u64::from(left <= right),
        code::EQ => u64::from(left == right),
        code::NE => u64::from(left != right),
        code::AND => u64::from(left != 0 && right != 0),
        code::OR => u64::from(left | right != 0),
        code::NOT => u64::from(right == 0),
        code::MAX_WRAP => max_wrap(left, right),
        code::ADD_SAT => left.saturating_add(right),
        code::SUB_SAT => left.saturating_sub(right),
        code::MUL_SAT => left.saturating_mul(right),
        _ => right,
    }
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
