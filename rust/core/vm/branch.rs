// SPDX-License-Identifier: GPL-2.0

//! The decoder's part for conditions: from truth values to skips.
//!
//! What joins tests (`&&`, `||`, `!`, or a product or sum of zeros and ones) is
//! turned into skips, so that a condition ends where its truth is known.
//! Nothing else is left out: what computes, and so may abort, runs first.

use super::{
    decode::Decoder,
    error::Error,
    layout::EVENT_FLAG,
    program::{
        code as op,
        Op, //
    }, //
};

/// What is known of a condition when decoding.
pub(super) enum Truth {
    Always,
    Never,
    /// Ops skip the body: the head of their chain, see `Decoder::land`.
    Tested(usize),
}

/// Most ops that are looked at to find the tests of a condition.
const REACH: usize = 32;

/// The ops at the end of a condition that are its tests and what joins them.
struct Tree {
    ops: [Op; REACH],
    count: usize,
}

impl Tree {
    fn ops(&self) -> &[Op] {
        self.ops.get(..self.count).unwrap_or(&[])
    }
}

/// Emitted tests that stand for one truth value. When it is 1 they lead to the
/// op after them. The last of them is the head of `falses`.
#[derive(Copy, Clone)]
struct Branch {
    /// Chains of the skips that are taken when it is 0, and when it is 1.
    falses: usize,
    trues: usize,
    /// Place after the last of them.
    end: usize,
}

/// The truth values that are not joined yet; a value for each tmp register.
struct Stack<T> {
    entries: [Option<T>; 16],
    count: usize,
}

impl<T: Copy> Stack<T> {
    fn new() -> Self {
        Stack {
            entries: [None; 16],
            count: 0,
        }
    }

    fn push(&mut self, value: T) -> Option<()> {
        *self.entries.get_mut(self.count)? = Some(value);
        self.count = self.count.wrapping_add(1);
        Some(())
    }

    fn pop(&mut self) -> Option<T> {
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
    /// Ends the condition decoded from `first` on with a test of the flag.
    pub(super) fn condition(&mut self, first: usize) -> Result<Truth, Error> {
        let first = first.max(self.segment);
        let last = self.last().filter(|(place, _)| *place >= first);
        let (Some((place, last)), false) = (last, self.profile.reads_flag) else {
            return self.test(EVENT_FLAG);
        };
        if last.code == op::BIND {
            // Nobody reads the flag but the test: test what it is set to.
            self.len = place;
            return match self.constant(last.right) {
                // What is computed before it stays, as it may abort.
                Some(0) => Ok(Truth::Never),
                Some(_) => Ok(Truth::Always),
                None => self.test(last.right),
            };
        }
        if let Some(tree) = self.tree(first, place) {
            return self.branches(&tree, first);
        }
        if let Some(sum) = self.sum(first, place, last) {
            self.len = place.saturating_sub(1);
            return self.tested(sum);
        }
        match unless(last.code) {
            Some(code) => {
                self.len = place;
                self.tested(Op { code, ..last })
            }
            None => self.test(EVENT_FLAG),
        }
    }

    fn test(&mut self, slot: u8) -> Result<Truth, Error> {
        self.tested(Op::new(op::UNLESS, 0, slot, 0))
    }

    fn tested(&mut self, op: Op) -> Result<Truth, Error> {
        let place = self.push_skip(op)?;
        Ok(Truth::Tested(self.chain(place, 0)))
    }

    /// A sum of a value and a comparison, which is how portus says "or".
    fn sum(&self, first: usize, place: usize, last: Op) -> Option<Op> {
        let before = place.checked_sub(1).filter(|before| *before >= first)?;
        let test = self.op(before);
        let value = match test.result {
            tmp if tmp == last.right => last.left,
            tmp if tmp == last.left => last.right,
            _ => return None,
        };
        let fits = last.code == op::ADD
            && test.code == op::GT
            && self.is_tmp(test.result)
            && value != test.result;
        fits.then_some(Op {
            third: test.right,
            ..Op::new(op::UNLESS_ADD_GT, 0, value, test.left)
        })
    }

    /// Takes the tests out of the ops from `first` to `last`, which writes the
    /// flag, and leaves what computes. Does nothing when they can't be parted.
    fn tree(&mut self, first: usize, last: usize) -> Option<Tree> {
        let first = first.max(last.saturating_sub(REACH.saturating_sub(1)));
        let (start, members) = self.members(first, last)?;
        if members == 1 && matches!(kind(self.op(last).code), Some(Kind::Join)) {
            return None;
        }
        self.check(start, last, members)?;
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

    /// Emits the tests of a tree as skips.
    fn branches(&mut self, tree: &Tree, first: usize) -> Result<Truth, Error> {
        let mut stack = Stack::<(u8, Branch)>::new();
        let mut root = None;
        for (index, &op) in (0usize..REACH).zip(tree.ops()) {
            let branch = match kind(op.code) {
                Some(Kind::Join) => {
                    let (before, after) = self.operands(&mut stack, op)?;
                    match op.code {
                        op::AND | op::MUL => self.and(before, after),
                        _ => self.or(before, after),
                    }
                }
                Some(Kind::Not) => {
                    let branch = match top(&mut stack, [op.right; 2]) {
                        Some((_, branch)) => branch,
                        None => self.truth(op.right)?,
                    };
                    self.not(branch)
                }
                _ => {
                    let code = unless(op.code).unwrap_or(op::SKIP);
                    let test = Op { code, ..op };
                    let test = match index {
                        0 => self.absorb(test, first, tree),
                        _ => test,
                    };
                    self.branch(test)?
                }
            };
            // `check` saw that it has room.
            let _ = stack.push((op.result, branch));
            root = Some(branch);
        }
        let Some(root) = root else {
            return self.test(EVENT_FLAG);
        };
        self.land_at(root.trues, self.len);
        Ok(Truth::Tested(root.falses))
    }

    /// The branches of both operands of a join, in the order they are emitted.
    fn operands(
        &mut self,
        stack: &mut Stack<(u8, Branch)>,
        join: Op,
    ) -> Result<(Branch, Branch), Error> {
        let Some((slot, after)) = top(stack, [join.left, join.right]) else {
            return Ok((self.truth(join.left)?, self.truth(join.right)?));
        };
        let other = if slot == join.left {
            join.right
        } else {
            join.left
        };
        Ok(match top(stack, [other; 2]) {
            Some((_, before)) => (before, after),
            None => (after, self.truth(other)?),
        })
    }

    fn truth(&mut self, slot: u8) -> Result<Branch, Error> {
        self.branch(Op::new(op::UNLESS, 0, slot, 0))
    }

    fn branch(&mut self, test: Op) -> Result<Branch, Error> {
        let place = self.push_skip(test)?;
        Ok(Branch {
            falses: self.chain(place, 0),
            trues: 0,
            end: self.len,
        })
    }

    fn and(&mut self, before: Branch, after: Branch) -> Branch {
        self.land_at(before.trues, before.end);
        self.append_chain(after.falses, before.falses);
        after
    }

    fn or(&mut self, before: Branch, after: Branch) -> Branch {
        if let Some(branch) = self.not_less(before, after) {
            return branch;
        }
        let before = self.not(before);
        // What made it 0 now makes it fall through, as it has to here.
        self.land_at(before.trues, before.end);
        let trues = match after.trues {
            0 => before.falses,
            trues => {
                self.append_chain(trues, before.falses);
                trues
            }
        };
        Branch { trues, ..after }
    }

    /// "Greater, or equal" of the same operands as one test: portus has none.
    fn not_less(&mut self, before: Branch, after: Branch) -> Option<Branch> {
        let (first, second) = (before.end.checked_sub(1)?, after.end.checked_sub(1)?);
        let (greater, equal) = (self.op(first), self.op(second));
        let alone = before.trues == 0 && after.trues == 0 && after.end == self.len;
        let operands = [greater.left, greater.right];
        let same = [equal.left, equal.right] == operands || [equal.right, equal.left] == operands;
        let kinds = greater.code == op::UNLESS_GT && equal.code == op::UNLESS_EQ;
        // Both are the only test of their side, and lie side by side.
        let single = greater.distance() == 0 && equal.distance() == 0 && second == before.end;
        if !(alone && same && kinds && single) {
            return None;
        }
        let test = Op::new(op::UNLESS_LE, 0, greater.right, greater.left);
        self.set(first, test);
        self.len = before.end;
        self.segment = before.end;
        Some(before)
    }

    /// The same tests for the opposite: the last one skips when it did not.
    fn not(&mut self, branch: Branch) -> Branch {
        let Some(last) = branch.falses.checked_sub(1) else {
            return branch;
        };
        let op = self.op(last);
        let code = inverse(op.code);
        self.set(last, Op { code, ..op }.with_distance(branch.trues));
        Branch {
            trues: op.distance(),
            ..branch
        }
    }

    /// Hangs the chain `tail` on the end of the chain `head`.
    fn append_chain(&mut self, head: usize, tail: usize) {
        let mut next = head;
        while let Some(place) = next.checked_sub(1) {
            let op = self.op(place);
            next = op.distance();
            if next == 0 {
                self.set(place, op.with_distance(tail));
            }
        }
    }

    /// The first test of a tree, with the product or quotient it compares to
    /// when that was computed just before and is used nowhere else.
    fn absorb(&mut self, test: Op, first: usize, tree: &Tree) -> Op {
        let last = self.last().filter(|(place, _)| *place >= first);
        let Some((place, value)) = last.filter(|(_, op)| self.is_tmp(op.result)) else {
            return test;
        };
        let tmp = value.result;
        let code = match (test.code, value.code) {
            (op::UNLESS_GT, op::MUL) => op::UNLESS_GT_MUL,
            (op::UNLESS_LE, op::MUL) => op::UNLESS_LE_MUL,
            (op::UNLESS_GT, op::SHIFT) => op::UNLESS_GT_SHIFT,
            (op::UNLESS_LE, op::SHIFT) => op::UNLESS_LE_SHIFT,
            _ => return test,
        };
        let rest = tree.ops().get(1..).unwrap_or(&[]);
        let elsewhere = rest.iter().any(|op| op.left == tmp || op.right == tmp);
        if test.right != tmp || test.left == tmp || elsewhere {
            return test;
        }
        self.len = place;
        let third = match value.code {
            op::MUL => value.right,
            _ => value.third,
        };
        Op {
            third,
            ..Op::new(code, 0, test.left, value.left)
        }
    }
}

/// Takes the top of the stack if it is one of two registers.
fn top(stack: &mut Stack<(u8, Branch)>, slots: [u8; 2]) -> Option<(u8, Branch)> {
    let (slot, branch) = stack.pop()?;
    if slots.contains(&slot) {
        return Some((slot, branch));
    }
    let _ = stack.push((slot, branch));
    None
}

/// What part an op can have in a condition.
enum Kind {
    /// Gives 0 or 1 and does nothing else.
    Test,
    /// May join two truth values.
    Join,
    Not,
}

fn kind(code: u8) -> Option<Kind> {
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

/// The skip that does what an operation and a test of its result do.
pub(super) fn unless(code: u8) -> Option<u8> {
    match code {
        op::GT => Some(op::UNLESS_GT),
        op::LE => Some(op::UNLESS_LE),
        op::EQ => Some(op::UNLESS_EQ),
        op::NE => Some(op::UNLESS_NE),
        op::ADD => Some(op::UNLESS_ADD),
        op::MUL => Some(op::UNLESS_MUL),
        op::AND => Some(op::UNLESS_AND),
        op::OR => Some(op::UNLESS_OR),
        _ => None,
    }
}

/// The skip that is taken when `code` is not; of those that `branches` emits.
fn inverse(code: u8) -> u8 {
    match code {
        op::UNLESS_GT => op::UNLESS_LE,
        op::UNLESS_LE => op::UNLESS_GT,
        op::UNLESS_EQ => op::UNLESS_NE,
        op::UNLESS_NE => op::UNLESS_EQ,
        op::UNLESS => op::WHEN,
        op::WHEN => op::UNLESS,
        op::UNLESS_GT_MUL => op::UNLESS_LE_MUL,
        op::UNLESS_LE_MUL => op::UNLESS_GT_MUL,
        op::UNLESS_GT_SHIFT => op::UNLESS_LE_SHIFT,
        op::UNLESS_LE_SHIFT => op::UNLESS_GT_SHIFT,
        code => code,
    }
}
