// SPDX-License-Identifier: GPL-2.0

//! The decoder's part for conditions: from a flag and its test to skips.

use super::{
    decode::{
        unless,
        Decoder, //
    },
    error::Error,
    layout::EVENT_FLAG,
    program::{
        code as op,
        Op, //
    },
};

/// What is known of a condition when decoding.
pub(super) enum Truth {
    Always,
    Never,
    /// Ops skip the body: the head of their chain, see `Decoder::land_all`.
    Tested(u32),
}

impl Decoder<'_> {
    /// Ends the condition decoded from `first` on with a test of the flag.
    pub(super) fn condition(&mut self, first: usize) -> Result<Truth, Error> {
        let (Some(place), false) = (self.last, self.profile.reads_flag) else {
            return self.test(EVENT_FLAG);
        };
        let last = self.op(place);
        if last.code() == op::BIND {
            // Nobody reads the flag but the test: test what it is set to.
            self.len = place;
            return match self.constant(last.right()) {
                // What is computed before it stays, as it may abort.
                Some(0) => Ok(Truth::Never),
                Some(_) => Ok(Truth::Always),
                None => self.test(last.right()),
            };
        }
        if let Some(start) = self.conjunction(first, place) {
            return Ok(Truth::Tested(self.split(start, place)));
        }
        match unless(last.code()) {
            Some(code) => {
                self.set(place, last.with_code(code));
                Ok(Truth::Tested(self.chain(place, 0)))
            }
            None => self.test(EVENT_FLAG),
        }
    }

    fn test(&mut self, slot: u8) -> Result<Truth, Error> {
        let place = self.push(Op::new(op::SKIP_ZERO, 0, slot, 0))?;
        Ok(Truth::Tested(self.chain(place, 0)))
    }

    /// Where the ops that end with `last` begin, if they do no more than join
    /// tests by MUL or AND.
    fn conjunction(&self, first: usize, last: usize) -> Option<usize> {
        // Masks of tmp registers: still to be found, found, used by a test.
        let mut wanted = self.joined(self.op(last))?;
        let (mut found, mut used) = (0u16, 0u16);
        let mut start = last;
        while wanted != 0 {
            start = start.checked_sub(1).filter(|start| *start >= first)?;
            let op = self.op(start);
            let result = self.tmp_bit(op.result());
            if result & wanted == 0 {
                return None;
            }
            wanted &= !result;
            found |= result;
            match self.joined(op) {
                Some(tmps) => wanted |= tmps,
                None if is_test(op.code()) => {
                    used |= self.tmp_bit(op.left()) | self.tmp_bit(op.right());
                }
                None => return None,
            }
        }
        // None of the results may be used otherwise, nor skipped.
        (used & found == 0 && start >= self.landed).then_some(start)
    }

    /// The tmp registers an op joins: MUL those of two, AND of two or of one
    /// and another register, which is 0 or 1 then as well.
    fn joined(&self, op: Op) -> Option<u16> {
        let (left, right) = (self.tmp_bit(op.left()), self.tmp_bit(op.right()));
        let joins = match op.code() {
            op::MUL => left != 0 && right != 0,
            op::AND => left != 0 || right != 0,
            _ => false,
        };
        joins.then_some(left | right)
    }

    /// A bit for each slot of a tmp register, 0 for others.
    fn tmp_bit(&self, slot: u8) -> u16 {
        match slot.checked_sub(self.slots.tmps) {
            Some(index) if slot < self.slots.constants => 1u16.wrapping_shl(u32::from(index)),
            _ => 0,
        }
    }

    /// Turns the tests of a conjunction into skips, and drops the rest.
    fn split(&mut self, start: usize, last: usize) -> u32 {
        let mut head = 0;
        self.len = start;
        for place in start..=last {
            let op = self.op(place);
            let skip = if self.joined(op).is_none() {
                unless(op.code()).map(|code| op.with_code(code))
            } else {
                // Only the register that is not a tmp is left to test.
                [op.left(), op.right()]
                    .into_iter()
                    .find(|slot| self.tmp_bit(*slot) == 0)
                    .map(|slot| Op::new(op::SKIP_ZERO, 0, slot, 0))
            };
            if let Some(skip) = skip {
                let to = self.len;
                self.set(to, skip);
                head = self.chain(to, head);
                self.len = to.saturating_add(1);
            }
        }
        head
    }
}

/// Whether an op gives 0 or 1 and nothing else happens.
fn is_test(code: u8) -> bool {
    matches!(code, op::GT | op::LE | op::EQ | op::NE | op::AND | op::OR)
}
