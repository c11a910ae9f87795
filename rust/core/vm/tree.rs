// SPDX-License-Identifier: GPL-2.0

//! The decoder's part that finds the tests of a condition: which ops give truth
//! values that are only joined with each other.

use super::{
    branch::Rest,
    decode::Decoder,
    program::{
        code as op,
        Op, //
    }, //
};

/// Most ops that are looked at to find the tests of a condition.
pub(super) const REACH: usize = 32;

/// The ops at the end of a condition that are its tests and what joins them.
pub(super) struct Tree {
    ops: [Op; REACH],
    count: usize,
}

impl Tree {
    pub(super) fn ops(&self) -> &[Op] {
        self.ops.get(..self.count).unwrap_or(&[])
    }
}

/// The truth values that are not joined yet; a value for each tmp register.
pub(super) struct Stack<T> {
    entries: [Option<T>; 16],
    count: usize,
}

impl<T: Copy> Stack<T> {
    pub(super) fn new() -> Self {
        Stack {
            entries: [None; 16],
            count: 0,
        }
    }

    pub(super) fn push(&mut self, value: T) -> Option<()> {
        *self.entries.get_mut(self.count)? = Some(value);
        self.count = self.count.wrapping_add(1);
        Some(())
    }

    pub(super) fn pop(&mut self) -> Option<T> {
        self.count = self.count.checked_sub(1)?;
        self.entries.get_mut(self.count)?.take()
    }
}

/// What is known of a value whose truth counts.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Worth {
    /// 0 or 1.
    Bit,
    Any,
}

/// A set of slots.
#[derive(Default)]
struct SlotSet([u64; 4]);

impl SlotSet {
    fn add(&mut self, slot: u8) {
        if let Some(word) = self.0.get_mut(usize::from(slot >> 6)) {
            *word |= 1u64.wrapping_shl(u32::from(slot));
        }
    }

    fn has(&self, slot: u8) -> bool {
        let word = self.0.get(usize::from(slot >> 6));
        word.is_some_and(|word| word & 1u64.wrapping_shl(u32::from(slot)) != 0)
    }
}

impl Decoder<'_> {
    /// Takes the tests out of the ops from `first` to `last`, which writes the
    /// flag, and leaves what computes. Does nothing when they can't be parted.
    pub(super) fn tree(&mut self, first: usize, last: usize, rest: Rest) -> Option<Tree> {
        let first = first.max(last.saturating_sub(REACH.saturating_sub(1)));
        let (start, members) = self.members(first, last)?;
        if members == 1 && matches!(kind(self.op(last).code), Some(Kind::Join)) {
            return None;
        }
        self.check(start, last, members)?;
        let inner = |place: &usize| is_member(members, last, *place);
        if !(start..last)
            .filter(inner)
            .all(|place| self.unused(self.op(place).result, rest))
        {
            return None;
        }
        let mut tree = Tree {
            ops: [Op::default(); REACH],
            count: 0,
        };
        self.len = start;
        for place in start..=last {
            let op = self.op(place);
            if is_member(members, last, place) {
                *tree.ops.get_mut(tree.count)? = op;
                tree.count = tree.count.saturating_add(1);
            } else {
                self.set(self.len, op);
                self.len = self.len.saturating_add(1);
            }
        }
        Some(tree)
    }

    /// Finds the ops whose results are truth values that end up in the flag:
    /// where the first is, and a bit for each, counted from the last.
    fn members(&self, first: usize, last: usize) -> Option<(usize, u32)> {
        let root = self.op(last);
        let mut wanted = match kind(root.code)? {
            Kind::Test => 0,
            Kind::Join => self.tmp_bit(root.left) | self.tmp_bit(root.right),
            Kind::Not => self.tmp_bit(root.right),
        };
        let (mut members, mut start, mut place) = (1u32, last, last);
        while wanted != 0 {
            place = place.checked_sub(1).filter(|place| *place >= first)?;
            let op = self.op(place);
            let result = self.tmp_bit(op.result);
            if result & wanted == 0 {
                continue;
            }
            wanted &= !result;
            wanted |= match kind(op.code) {
                Some(Kind::Test) => 0,
                Some(Kind::Join) => self.tmp_bit(op.left) | self.tmp_bit(op.right),
                Some(Kind::Not) => self.tmp_bit(op.right),
                None => continue,
            };
            start = place;
            members |= 1u32.wrapping_shl(last.saturating_sub(place) as u32);
        }
        Some((start, members))
    }

    /// Whether the members can run after all others, each value being joined
    /// once and the latest first.
    fn check(&self, start: usize, last: usize, members: u32) -> Option<()> {
        let mut stack = Stack::<(u8, Worth)>::new();
        // Bits of the tmp registers on the stack, and of those that were: they
        // will not be written. And all that tests read.
        let (mut live, mut gone) = (0u16, 0u16);
        let mut read = SlotSet::default();
        for place in start..=last {
            let op = self.op(place);
            let result = self.tmp_bit(op.result);
            let operands = self.tmp_bit(op.left) | self.tmp_bit(op.right);
            if operands & gone != 0 {
                return None;
            }
            if !is_member(members, last, place) {
                let updated = if is_update(op.code) { result } else { 0 };
                let used = operands | result;
                if used & live != 0 || updated & gone != 0 || read.has(op.result) {
                    return None;
                }
                gone &= !result;
                continue;
            }
            let worth = match kind(op.code)? {
                Kind::Test => {
                    if operands & live != 0 {
                        return None;
                    }
                    read.add(op.left);
                    read.add(op.right);
                    Worth::Bit
                }
                Kind::Join => {
                    let mut bits = 0u32;
                    for _ in 0..(operands & live).count_ones() {
                        let (top, worth) = stack.pop()?;
                        if top != op.left && top != op.right {
                            return None;
                        }
                        live &= !self.tmp_bit(top);
                        gone |= self.tmp_bit(top);
                        bits = bits.saturating_add(u32::from(worth == Worth::Bit));
                    }
                    read.add(op.left);
                    read.add(op.right);
                    if op.left == op.right {
                        return None;
                    }
                    match (op.code, bits) {
                        // Can't overflow: it is a conjunction.
                        (op::MUL, 1) => Worth::Any,
                        (op::MUL, 2) | (op::AND | op::OR, _) => Worth::Bit,
                        // 0, 1 or 2: a disjunction.
                        (op::ADD, 2) => Worth::Any,
                        _ => return None,
                    }
                }
                Kind::Not => {
                    if operands & live != 0 {
                        let (top, _) = stack.pop()?;
                        if top != op.right {
                            return None;
                        }
                        live &= !self.tmp_bit(top);
                        gone |= self.tmp_bit(top);
                    }
                    read.add(op.right);
                    Worth::Bit
                }
            };
            if place != last {
                if result & live != 0 {
                    return None;
                }
                live |= result;
                gone &= !result;
                stack.push((op.result, worth))?;
            }
        }
        (live == 0).then_some(())
    }
}

/// What part an op can have in a condition.
pub(super) enum Kind {
    /// Gives 0 or 1 and does nothing else.
    Test,
    /// May join two truth values.
    Join,
    Not,
}

pub(super) fn kind(code: u8) -> Option<Kind> {
    match code {
        op::GT | op::LE | op::EQ | op::NE => Some(Kind::Test),
        op::AND | op::OR | op::MUL | op::ADD => Some(Kind::Join),
        op::NOT => Some(Kind::Not),
        _ => None,
    }
}

/// Whether an op uses the old value of its result.
pub(super) fn is_update(code: u8) -> bool {
    matches!(code, op::IF | op::NOT_IF | op::EWMA)
}

fn is_member(members: u32, last: usize, place: usize) -> bool {
    members & 1u32.wrapping_shl(last.saturating_sub(place) as u32) != 0
}
