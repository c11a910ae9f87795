// SPDX-License-Identifier: GPL-2.0

//! A decoded program: what the interpreter runs.

use super::layout::{
    Layout,
    Slots, //
};

/// One unit of a decoded program: an operation or a value.
///
/// An operation is, from the low byte up, its code, the slots of its result,
/// left and right operand, and 32 bits of distance for those that skip.
#[derive(Copy, Clone, Debug, Default)]
pub struct Op(pub(super) u64);

impl Op {
    pub(super) fn new(code: u8, result: u8, left: u8, right: u8) -> Op {
        Op(u64::from(u32::from_le_bytes([code, result, left, right])))
    }

    pub(super) fn with_result(self, result: u8) -> Op {
        Op((self.0 & !0xff00) | (u64::from(result) << 8))
    }

    pub(super) fn with_code(self, code: u8) -> Op {
        Op(self.0 & !0xff | u64::from(code))
    }

    pub(super) fn with_distance(self, distance: u32) -> Op {
        Op((self.0 & u64::from(u32::MAX)) | (u64::from(distance) << 32))
    }

    /// This BIND and another one after it, if there is room in the op.
    pub(super) fn then_bind(self, next: Op) -> Option<Op> {
        let pair = u64::from(next.result()) | (u64::from(next.left()) << 8);
        match self.code() {
            code::BIND => Some(Op(self.with_code(code::BIND_2).0 | (pair << 32))),
            code::BIND_2 => Some(Op(self.with_code(code::BIND_3).0 | (pair << 48))),
            _ => None,
        }
    }

    /// Result and operand of the second BIND.
    #[inline(always)]
    pub(super) fn second(self) -> (u8, u8) {
        ((self.0 >> 32) as u8, (self.0 >> 40) as u8)
    }

    /// Result and operand of the third BIND.
    #[inline(always)]
    pub(super) fn third(self) -> (u8, u8) {
        ((self.0 >> 48) as u8, (self.0 >> 56) as u8)
    }

    #[inline(always)]
    pub(super) fn code(self) -> u8 {
        self.0 as u8
    }

    #[inline(always)]
    pub(super) fn result(self) -> u8 {
        (self.0 >> 8) as u8
    }

    #[inline(always)]
    pub(super) fn left(self) -> u8 {
        (self.0 >> 16) as u8
    }

    #[inline(always)]
    pub(super) fn right(self) -> u8 {
        (self.0 >> 24) as u8
    }

    #[inline(always)]
    pub(super) fn distance(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

/// Codes of the decoded operations.
pub(super) mod code {
    pub(crate) const ADD: u8 = 0;
    pub(crate) const BIND: u8 = 1;
    pub(crate) const SUB: u8 = 2;
    pub(crate) const MUL: u8 = 3;
    pub(crate) const DIV: u8 = 4;
    pub(crate) const MIN: u8 = 5;
    pub(crate) const MAX: u8 = 6;
    pub(crate) const GT: u8 = 7;
    pub(crate) const LE: u8 = 8;
    pub(crate) const EQ: u8 = 9;
    pub(crate) const NE: u8 = 10;
    pub(crate) const IF: u8 = 11;
    pub(crate) const NOT_IF: u8 = 12;
    pub(crate) const AND: u8 = 13;
    pub(crate) const OR: u8 = 14;
    pub(crate) const NOT: u8 = 15;
    pub(crate) const EWMA: u8 = 16;
    pub(crate) const MAX_WRAP: u8 = 17;
    pub(crate) const ADD_SAT: u8 = 18;
    pub(crate) const SUB_SAT: u8 = 19;
    pub(crate) const MUL_SAT: u8 = 20;
    /// Skips ahead unless left > right; the others likewise.
    pub(crate) const UNLESS_GT: u8 = 21;
    pub(crate) const UNLESS_LE: u8 = 22;
    pub(crate) const UNLESS_EQ: u8 = 23;
    pub(crate) const UNLESS_NE: u8 = 24;
    /// Skips ahead when left + right is 0; aborts as ADD does.
    pub(crate) const UNLESS_ADD: u8 = 25;
    /// Skips ahead when left · right is 0; aborts as MUL does.
    pub(crate) const UNLESS_MUL: u8 = 26;
    pub(crate) const UNLESS_AND: u8 = 27;
    pub(crate) const UNLESS_OR: u8 = 28;
    /// Skips ahead when left is 0.
    pub(crate) const SKIP_ZERO: u8 = 29;
    pub(crate) const SKIP: u8 = 30;
    /// End of a body: the invocation ends unless the continue flag is set.
    pub(crate) const END: u8 = 31;
    /// End of a body no flag can continue.
    pub(crate) const STOP: u8 = 32;
    /// Two and three BINDs, one after the other.
    pub(crate) const BIND_2: u8 = 33;
    pub(crate) const BIND_3: u8 = 34;
}

/// Describes a decoded program; goes with the ops it was decoded into.
#[derive(Copy, Clone, Debug, Default)]
pub struct Header {
    pub(super) slots: Slots,
    pub(super) report_fields: u8,
    pub(super) controls: u8,
    pub(super) rtt_sample: u8,
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
                [slot, value] => Some((slot.result(), value.0)),
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
            .map(move |(index, value)| (first.wrapping_add(index), value.0))
    }
}
