// SPDX-License-Identifier: GPL-2.0

//! The decoder's part for conditions, of events and of skips: from truth values
//! to skips.
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
    },
    tree::{
        kind,
        Kind,
        Stack,
        Tree,
        REACH, //
    }, //
};

/// What is known of a condition when decoding.
pub(super) enum Truth {
    Always,
    Never,
    /// Ops skip the body: the head of their chain, see `Decoder::land`.
    Tested(usize),
}

/// The instructions that follow a test; `None` after a condition, whose tmp
/// registers nothing uses after it.
pub(super) type Rest = Option<(u32, u32)>;

/// Most instructions that are looked at after a test.
const LOOKAHEAD: u32 = 256;

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
        match self.tests(first, place, None)? {
            Some(head) => Ok(Truth::Tested(head)),
            None => self.test(EVENT_FLAG),
        }
    }

    fn test(&mut self, slot: u8) -> Result<Truth, Error> {
        self.tested(Op::new(op::UNLESS, 0, slot, 0))
            .map(Truth::Tested)
    }

    /// Adds an op that skips, as a chain of its own.
    pub(super) fn tested(&mut self, op: Op) -> Result<usize, Error> {
        let place = self.push_skip(op)?;
        Ok(self.chain(place, 0))
    }

    /// Turns the op at `last`, whose result is tested now and not used after,
    /// and those before it down to `first`, into skips: their chain, for when
    /// it is 0. `None` when a test of the result is all there can be.
    pub(super) fn tests(
        &mut self,
        first: usize,
        last: usize,
        rest: Rest,
    ) -> Result<Option<usize>, Error> {
        if let Some(tree) = self.tree(first, last, rest) {
            return self.branches(&tree, first, rest).map(Some);
        }
        if let Some(sum) = self.sum(first, last, rest) {
            self.len = last.saturating_sub(1);
            return self.tested(sum).map(Some);
        }
        let op = self.op(last);
        match unless(op.code) {
            Some(code) => {
                self.len = last;
                self.tested(Op { code, ..op }).map(Some)
            }
            None => Ok(None),
        }
    }

    /// Whether nothing uses the value that a slot's tmp register has now.
    pub(super) fn unused(&self, slot: u8, rest: Rest) -> bool {
        let tmp = slot.checked_sub(self.slots.tmps).map(u32::from);
        match (rest, tmp) {
            (None, _) => true,
            (Some((start, end)), Some(tmp)) => {
                end.saturating_sub(start) <= LOOKAHEAD && self.dead(tmp, start, end, false)
            }
            _ => false,
        }
    }

    /// A sum of a value and a comparison, which is how portus says "or".
    fn sum(&self, first: usize, place: usize, rest: Rest) -> Option<Op> {
        let last = self.op(place);
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
            && value != test.result
            && self.unused(test.result, rest);
        fits.then_some(Op {
            third: test.right,
            ..Op::new(op::UNLESS_ADD_GT, 0, value, test.left)
        })
    }

    /// Emits the tests of a tree as skips.
    fn branches(&mut self, tree: &Tree, first: usize, rest: Rest) -> Result<usize, Error> {
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
                        0 => self.absorb(test, first, tree, rest),
                        _ => test,
                    };
                    self.branch(test)?
                }
            };
            // `check` saw that it has room.
            let _ = stack.push((op.result, branch));
            root = Some(branch);
        }
        // There is one: a tree has ops.
        let (trues, falses) = root.map_or((0, 0), |root| (root.trues, root.falses));
        self.land_at(trues, self.len);
        Ok(falses)
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
    pub(super) fn append_chain(&mut self, head: usize, tail: usize) {
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
    fn absorb(&mut self, test: Op, first: usize, tree: &Tree, rest: Rest) -> Op {
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
        let others = tree.ops().get(1..).unwrap_or(&[]);
        let elsewhere = others.iter().any(|op| op.left == tmp || op.right == tmp);
        if test.right != tmp || test.left == tmp || elsewhere || !self.unused(tmp, rest) {
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

/// The skip that does what an operation and a test of its result do.
fn unless(code: u8) -> Option<u8> {
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
