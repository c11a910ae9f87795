// SPDX-License-Identifier: GPL-2.0

//! The decoder's part for folds: measurements added up, three to an op.

use super::{
    decode::Decoder,
    program::{
        code as op,
        step,
        Op,
        Step, //
    }, //
};

/// Steps that wait for their op.
struct Pending {
    steps: [Step; 3],
    count: usize,
    /// The op they are, when that is no more and takes two of them.
    sole: Option<Op>,
}

impl Decoder<'_> {
    /// Ends the segment: joins its ops to folds, and begins a new one.
    pub(super) fn close(&mut self) {
        let end = self.len;
        self.len = self.segment;
        let mut pending = Pending {
            steps: [Step::NOTHING; 3],
            count: 0,
            sole: None,
        };
        for place in self.segment..end {
            let op = self.op(place);
            let steps = self.steps(op);
            if steps[0].is_none() {
                self.flush(&mut pending);
                self.append(op);
                continue;
            }
            for (index, step) in (0usize..2).zip(steps.into_iter().flatten()) {
                if pending.count == pending.steps.len() {
                    self.flush(&mut pending);
                }
                // Two steps only pay when others are with them.
                pending.sole = (pending.count == index && index == 1).then_some(op);
                if let Some(to) = pending.steps.get_mut(pending.count) {
                    *to = step;
                }
                pending.count = pending.count.saturating_add(1);
            }
        }
        self.flush(&mut pending);
        self.segment = self.len;
    }

    fn flush(&mut self, pending: &mut Pending) {
        let steps = pending.steps.get(..pending.count).unwrap_or(&[]);
        if !steps.is_empty() {
            let op = pending.sole.unwrap_or(Op::fold(steps));
            self.append(op);
        }
        pending.count = 0;
        pending.sole = None;
    }

    /// Puts an op back. There is room: two steps an op, three to a fold.
    fn append(&mut self, op: Op) {
        self.set(self.len, op);
        self.len = self.len.saturating_add(1);
    }

    /// The steps that do what an op does; none when there are no such.
    fn steps(&self, op: Op) -> [Option<Step>; 2] {
        let step = |kind, from| {
            Some(Step {
                kind,
                to: op.result,
                from,
            })
        };
        let kind = match op.code {
            op::BIND => return [step(step::BIND, op.right), None],
            op::ADD => step::ADD,
            op::MIN => step::MIN,
            op::MAX => step::MAX,
            _ => return [None, None],
        };
        if op.left == op.result {
            [step(kind, op.right), None]
        } else if op.right == op.result {
            [step(kind, op.left), None]
        } else if kind != step::ADD || self.is_tmp(op.result) {
            // Should the sum abort, nobody sees what is in the tmp register.
            [step(step::BIND, op.left), step(kind, op.right)]
        } else {
            [None, None]
        }
    }
}
