// SPDX-License-Identifier: GPL-2.0

//! A decoded program: what the interpreter runs.

use super::layout::{
    Layout,
    Slots, //
};

/// One unit of a decoded program: an operation or a value.
///
/// An operation has a code and, with it, slots of the register file: a result
/// and two operands, and a third operand for some. Those that skip have a
/// distance. A fold has three pairs of slots instead.
#[derive(Copy, Clone, Debug, Default)]
#[repr(C, align(8))]
pub struct Op {
    pub(super) code: u8,
    pub(super) result: u8,
    pub(super) left: u8,
    pub(super) right: u8,
    pub(super) third: u8,
    pub(super) spare: u8,
    pub(super) distance: [u8; 2],
}

impl Op {
    pub(super) fn new(code: u8, result: u8, left: u8, right: u8) -> Op {
        Op {
            code,
            result,
            left,
            right,
            ..Op::default()
        }
    }

    /// A value among the ops.
    pub(super) fn constant(value: u64) -> Op {
        let [code, result, left, right, third, spare, d0, d1] = value.to_le_bytes();
        Op {
            code,
            result,
            left,
            right,
            third,
            spare,
            distance: [d0, d1],
        }
    }

    fn value(self) -> u64 {
        let [d0, d1] = self.distance;
        u64::from_le_bytes([
            self.code,
            self.result,
            self.left,
            self.right,
            self.third,
            self.spare,
            d0,
            d1,
        ])
    }

    /// Up to three steps as one op.
    pub(super) fn fold(steps: &[Step]) -> Op {
        let step = |index: usize| steps.get(index).copied().unwrap_or(Step::NOTHING);
        let (first, second, third) = (step(0), step(1), step(2));
        let fold = match steps.len() {
            0 | 1 => code::FOLD_1,
            2 => code::FOLD_2,
            _ => code::FOLD_3,
        };
        Op {
            code: fold | first.kind | (second.kind << 2) | (third.kind << 4),
            result: first.to,
            left: first.from,
            right: second.to,
            third: second.from,
            spare: third.to,
            distance: [third.from, 0],
        }
    }

    /// The last pair of a fold.
    #[inline(always)]
    pub(super) fn last_pair(&self) -> (u8, u8) {
        (self.spare, self.distance[0])
    }

    pub(super) fn with_distance(self, distance: usize) -> Op {
        // A program has less than 2^13 ops.
        let distance = (distance as u16).to_le_bytes();
        Op { distance, ..self }
    }

    #[inline(always)]
    pub(super) fn distance(&self) -> usize {
        usize::from(u16::from_le_bytes(self.distance))
    }
}

/// One part of a fold: `to` takes a value made of itself and `from`.
#[derive(Copy, Clone, Debug)]
pub(super) struct Step {
    /// One of the constants in [`step`].
    pub(super) kind: u8,
    pub(super) to: u8,
    pub(super) from: u8,
}

impl Step {
    /// Stands for those a fold doesn't have.
    pub(super) const NOTHING: Step = Step {
        kind: step::BIND,
        to: 0,
        from: 0,
    };
}

/// Kinds of a fold's parts.
pub(super) mod step {
    pub(crate) const BIND: u8 = 0;
    pub(crate) const ADD: u8 = 1;
    pub(crate) const MIN: u8 = 2;
    pub(crate) const MAX: u8 = 3;
}

/// Codes of the decoded operations: those that compute, then those that may
/// skip, then folds.
pub(super) mod code {
    pub(crate) const BIND: u8 = 0;
    pub(crate) const ADD: u8 = 1;
    pub(crate) const SUB: u8 = 2;
    pub(crate) const MUL: u8 = 3;
    pub(crate) const DIV: u8 = 4;
    pub(crate) const EWMA: u8 = 5;
    pub(crate) const MIN: u8 = 6;
    pub(crate) const MAX: u8 = 7;
    pub(crate) const GT: u8 = 8;
    pub(crate) const LE: u8 = 9;
    pub(crate) const EQ: u8 = 10;
    pub(crate) const NE: u8 = 11;
    pub(crate) const IF: u8 = 12;
    pub(crate) const NOT_IF: u8 = 13;
    pub(crate) const AND: u8 = 14;
    pub(crate) const OR: u8 = 15;
    pub(crate) const NOT: u8 = 16;
    pub(crate) const MAX_WRAP: u8 = 17;
    pub(crate) const ADD_SAT: u8 = 18;
    pub(crate) const SUB_SAT: u8 = 19;
    pub(crate) const MUL_SAT: u8 = 20;
    /// left shifted right by the number `third`.
    pub(crate) const SHIFT: u8 = 21;

    /// Skips ahead unless left > right; the others likewise.
    pub(crate) const UNLESS_GT: u8 = 32;
    pub(crate) const UNLESS_EQ: u8 = 33;
    pub(crate) const UNLESS_LE: u8 = 34;
    pub(crate) const UNLESS_NE: u8 = 35;
    /// Skips ahead when left is 0.
    pub(crate) const UNLESS: u8 = 36;
    /// Skips ahead when left is not 0.
    pub(crate) const WHEN: u8 = 37;
    /// Skips ahead unless left > right · third; aborts as MUL does.
    pub(crate) const UNLESS_GT_MUL: u8 = 38;
    pub(crate) const UNLESS_LE_MUL: u8 = 39;
    /// Skips ahead unless left > right shifted right by the number `third`.
    pub(crate) const UNLESS_GT_SHIFT: u8 = 40;
    pub(crate) const UNLESS_LE_SHIFT: u8 = 41;
    /// Skips ahead when left + (right > third) is 0; aborts as ADD does.
    pub(crate) const UNLESS_ADD_GT: u8 = 42;
    /// Skips ahead when left + right is 0; aborts as ADD does.
    pub(crate) const UNLESS_ADD: u8 = 43;
    /// Skips ahead when left · right is 0; aborts as MUL does.
    pub(crate) const UNLESS_MUL: u8 = 44;
    pub(crate) const UNLESS_AND: u8 = 45;
    pub(crate) const UNLESS_OR: u8 = 46;
    pub(crate) const SKIP: u8 = 47;
    /// End of a body: the invocation ends unless the continue flag is set.
    pub(crate) const END: u8 = 48;
    /// End of a body no flag can continue.
    pub(crate) const STOP: u8 = 49;

    /// One to three steps; the low bits are their kinds, two each.
    pub(crate) const FOLD_1: u8 = 0x40;
    pub(crate) const FOLD_2: u8 = 0x80;
    pub(crate) const FOLD_3: u8 = 0xc0;
}

/// Describes a decoded program; goes with the ops it was decoded into.
#[derive(Copy, Clone, Debug, Default)]
pub struct Header {
    pub(super) slots: Slots,
    pub(super) report_fields: u8,
    pub(super) controls: u8,
    /// Volatile definitions, which come first, and all of them; two ops each.
    pub(super) volatiles: u8,
    pub(super) defs: u8,
    pub(super) constants: u8,
    /// Ops that run; definitions and then constants follow them.
    pub(super) code: u32,
    pub(super) ops: u32,
    pub(super) cost: u32,
}

/// A decoded program with its ops.
#[derive(Copy, Clone)]
pub struct Program<'a> {
    pub(super) header: &'a Header,
    ops: &'a [Op],
}

impl<'a> Program<'a> {
    /// Joins what [`super::decode`] returned and the ops it filled.
    pub fn new(header: &'a Header, ops: &'a [Op]) -> Program<'a> {
        Program { header, ops }
    }

    /// What it needs; the same that [`super::verify`] said.
    pub fn layout(&self) -> Layout {
        Layout {
            ops: self.header.ops as usize,
            registers: usize::from(self.header.slots.registers),
            report_fields: self.report_fields(),
            cost: self.header.cost,
        }
    }

    /// Values in a report.
    pub fn report_fields(&self) -> usize {
        usize::from(self.header.report_fields)
    }

    #[inline(always)]
    pub(super) fn code(&self) -> &'a [Op] {
        self.ops.get(..self.header.code as usize).unwrap_or(&[])
    }

    /// The slot and the initial value of the first `count` definitions.
    pub(super) fn definitions(&self, count: u8) -> impl Iterator<Item = (u8, u64)> + 'a {
        let ops = self.ops.get(self.header.code as usize..).unwrap_or(&[]);
        ops.chunks_exact(2)
            .take(usize::from(count))
            .filter_map(|pair| match pair {
                [slot, value] => Some((slot.result, value.value())),
                _ => None,
            })
    }

    /// The slot and the value of each constant.
    pub(super) fn constants(&self) -> impl Iterator<Item = (u8, u64)> + 'a {
        let start = (self.header.code as usize)
            .saturating_add(usize::from(self.header.defs).saturating_mul(2));
        let ops = self.ops.get(start..).unwrap_or(&[]);
        let first = self.header.slots.constants;
        (0..self.header.constants)
            .zip(ops)
            .map(move |(index, value)| (first.wrapping_add(index), value.value()))
    }
}
