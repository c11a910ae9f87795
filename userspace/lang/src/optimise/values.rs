// SPDX-License-Identifier: GPL-2.0
//! Follows values through the program: what is known is not computed, and what
//! was computed is not computed again.
//!
//! Facts reach from clause to clause; intermediate values last to the end of
//! their condition or body, as in the datapath.

use std::collections::HashMap;

use ccp_core::vm::isa::{Opcode, Reg};

use super::compare::Relation;
use super::effects::CONTINUE;
use super::numbers::{Node, Number, Table};
use super::simplify::Simplifier;
use super::state::State;
use super::uses::Uses;
use crate::flat::{Block, Event, If, Operand, Place, Program, Set, Step, Temp, Value};

/// What is known of a clause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Note {
    /// The invocation can get there.
    pub(super) reached: bool,
    /// The value its condition has.
    pub(super) test: Option<Number>,
    /// What the condition always is.
    pub(super) truth: Option<bool>,
    /// Whether `(fallthrough)` has been executed before it, and after its body.
    pub(super) before: Option<bool>,
    pub(super) after: Option<bool>,
}

/// Rewrites the program; says what it learnt of each clause. At most `limit`
/// temporaries are kept at once for others to read.
pub(super) fn run(program: &mut Program, limit: usize) -> Vec<Note> {
    let mut walker = Walker {
        table: Table::default(),
        numbers: HashMap::new(),
        uses: Uses::of(program),
        temps: program.temps,
        limit,
    };
    let mut state = Some(State::new(&mut walker.table));
    let mut notes = Vec::new();
    for event in &mut program.events {
        let Some(before) = state.take() else {
            notes.push(Note::default());
            continue;
        };
        let (note, after) = walker.event(event, before);
        notes.push(note);
        state = after;
    }
    program.temps = walker.temps;
    notes
}

struct Walker {
    table: Table,
    numbers: HashMap<Temp, Number>,
    uses: Uses,
    /// How many temporaries have been named.
    temps: u32,
    /// How many are shared at once.
    limit: usize,
}

impl Walker {
    /// Also returns what holds at the next clause, if it can be reached.
    fn event(&mut self, event: &mut Event, mut state: State) -> (Note, Option<State>) {
        let before = self.continues(&state);
        state.leave();
        let condition = std::mem::take(&mut event.condition);
        event.condition = self.block(condition, &mut state);
        let number = self.truth(event.test, &state);
        event.test = self
            .holder(number, &[event.test], &state)
            .unwrap_or(event.test);
        state.leave();
        let truth = self.simplifier(&state).decided(number);
        if let Some(truth) = truth {
            event.test = Operand::Const(u64::from(truth));
        }
        let mut note = Note {
            reached: true,
            test: Some(number),
            truth,
            before,
            after: before,
        };
        let mut next = None;
        if truth != Some(true) {
            let mut skipped = state.clone();
            skipped.assume(number, false, &self.table);
            next = Some(skipped);
        }
        if truth != Some(false) {
            state.assume(number, true, &self.table);
            let body = std::mem::take(&mut event.body);
            event.body = self.block(body, &mut state);
            note.after = self.continues(&state);
            if note.after != Some(false) {
                state.leave();
                next = Some(match next {
                    Some(next) => next.join(&state, &mut self.table),
                    None => state,
                });
            }
        }
        (note, next)
    }

    /// Whether the continue flag is set.
    fn continues(&mut self, state: &State) -> Option<bool> {
        let number = state.read(CONTINUE, &mut self.table);
        state.constant(number, &self.table).map(|value| value != 0)
    }

    fn simplifier<'a>(&'a mut self, state: &'a State) -> Simplifier<'a> {
        Simplifier {
            table: &mut self.table,
            state,
        }
    }

    fn block(&mut self, steps: Block, state: &mut State) -> Block {
        let mut out = Block::new();
        let mut steps = steps.into_iter().peekable();
        while let Some(step) = steps.next() {
            match step {
                Step::Set(set) => {
                    let share = !self.merges(&set, steps.peek());
                    out.extend(self.set(set, share, state).map(Step::Set));
                }
                Step::If(step) => self.choice(step, state, &mut out),
            }
        }
        out
    }

    /// Whether the datapath, or another pass, makes one of `set` and the step
    /// after it, unless the temporary between them is kept for others.
    fn merges(&self, set: &Set, next: Option<&Step>) -> bool {
        let Place::Temp(temp) = set.to else {
            return false;
        };
        let last = match next {
            Some(Step::If(step)) => step.condition == Operand::Temp(temp),
            Some(Step::Set(next)) => {
                matches!(next.to, Place::Reg(_)) && next.value == Value::Copy(Operand::Temp(temp))
            }
            None => false,
        };
        last && self.uses.count(temp) == 1
    }

    fn set(&mut self, set: Set, share: bool, state: &mut State) -> Option<Set> {
        let node = self.node(set.value, state);
        let node = self.simplifier(state).simplify(node);
        let number = self.table.number(node);
        let target = match set.to {
            Place::Reg(reg) => Some((reg, self.number(Operand::Reg(reg), state))),
            Place::Temp(_) => None,
        };
        if target.is_some_and(|(_, held)| held == number) {
            return None;
        }
        let hints: Vec<Operand> = set.value.operands().collect();
        let value = if let Some(holder) = self.holder(number, &hints, state) {
            Value::Copy(holder)
        } else if let Some(constant) = state.constant(number, &self.table) {
            Value::Copy(Operand::Const(constant))
        } else {
            self.build(node, &hints, target, state)
                .unwrap_or_else(|| self.renamed(set.value, state))
        };
        for operand in value.operands() {
            if let Operand::Temp(temp) = operand {
                state.touch(temp);
            }
        }
        match set.to {
            Place::Reg(reg) => state.write(reg, number),
            Place::Temp(temp) => {
                self.numbers.insert(temp, number);
                if share {
                    state.share(number, temp, self.limit);
                }
            }
        }
        Some(Set { value, ..set })
    }

    fn choice(&mut self, step: If, state: &mut State, out: &mut Block) {
        let number = self.truth(step.condition, state);
        if let Some(truth) = self.simplifier(state).decided(number) {
            let (chosen, other) = if truth {
                (step.then, step.otherwise)
            } else {
                (step.otherwise, step.then)
            };
            self.forget(&other);
            out.extend(self.block(chosen, state));
            return;
        }
        let hints = [step.condition];
        let mut condition = self
            .truth_holder(number, &hints, state)
            .unwrap_or(step.condition);
        let swap = match self.inverse(&step, number, state, out) {
            Some(inverse) => {
                condition = inverse;
                true
            }
            None => false,
        };
        let mut taken = state.clone();
        taken.assume(number, true, &self.table);
        state.assume(number, false, &self.table);
        let mut then = self.block(step.then, &mut taken);
        let mut otherwise = self.block(step.otherwise, state);
        *state = taken.join(state, &mut self.table);
        if swap {
            std::mem::swap(&mut then, &mut otherwise);
        }
        if then.is_empty() && otherwise.is_empty() {
            return;
        }
        out.push(Step::If(If {
            condition,
            then,
            otherwise,
            ..step
        }));
    }

    /// The condition of `step`, which has this `number`, the other way round,
    /// if that is better: with two branches a negation is free, and with the
    /// second alone it is needed.
    fn inverse(
        &mut self,
        step: &If,
        number: Number,
        state: &State,
        out: &mut Block,
    ) -> Option<Operand> {
        let hints = [step.condition];
        if !step.then.is_empty() {
            let inner = self.simplifier(state).negated(number)?;
            let inner = self.simplifier(state).truth(inner);
            return self
                .holder(inner, &hints, state)
                .filter(|_| !step.otherwise.is_empty());
        }
        let node = self.simplifier(state).not(number);
        let inverse = self.table.number(node);
        let inverse = self.simplifier(state).truth(inverse);
        if let Some(holder) = self.holder(inverse, &hints, state) {
            return Some(holder);
        }
        let value = self.build(node, &hints, None, state)?;
        self.temps += 1;
        let temp = Temp(self.temps);
        self.numbers.insert(temp, inverse);
        out.push(Step::Set(Set {
            to: Place::Temp(temp),
            value,
            span: step.span.clone(),
        }));
        Some(Operand::Temp(temp))
    }

    /// What only dropped code read need not be kept.
    fn forget(&mut self, block: &Block) {
        self.uses.forget(block);
    }

    fn number(&mut self, operand: Operand, state: &State) -> Number {
        let number = match operand {
            Operand::Const(value) => return self.table.constant(value),
            Operand::Reg(reg) => state.read(reg, &mut self.table),
            // Set before it is read, or it is part of nothing that runs.
            Operand::Temp(temp) => match self.numbers.get(&temp) {
                Some(number) => *number,
                None => self.table.mixed(),
            },
        };
        self.simplifier(state).canonical(number)
    }

    fn truth(&mut self, operand: Operand, state: &State) -> Number {
        let number = self.number(operand, state);
        self.simplifier(state).truth(number)
    }

    fn node(&mut self, value: Value, state: &State) -> Node {
        match value {
            Value::Copy(from) => {
                let number = self.number(from, state);
                self.table.node(number)
            }
            Value::Not(operand) => {
                let number = self.number(operand, state);
                self.simplifier(state).not(number)
            }
            Value::Binary(opcode, left, right) => {
                let (left, right) = (self.number(left, state), self.number(right, state));
                match Relation::of(opcode) {
                    Some(relation) => Node::Compare(relation, left, right),
                    None => Node::Binary(opcode, left, right),
                }
            }
            Value::Select {
                negate,
                condition,
                value,
                otherwise,
            } => {
                let condition = self.number(condition, state);
                let (value, otherwise) = (self.number(value, state), self.number(otherwise, state));
                if negate {
                    Node::Select(condition, otherwise, value)
                } else {
                    Node::Select(condition, value, otherwise)
                }
            }
            Value::Ewma {
                weight,
                state: old,
                sample,
            } => Node::Ewma(
                self.number(weight, state),
                self.number(old, state),
                self.number(sample, state),
            ),
        }
    }

    /// Where a value can be read: best as a constant, then from a register,
    /// which is there anyway. `hints` can be read for certain.
    fn holder(&mut self, number: Number, hints: &[Operand], state: &State) -> Option<Operand> {
        if let Some(value @ 0..=0xffff_ffff) = state.constant(number, &self.table) {
            return Some(Operand::Const(value));
        }
        let mut hint = None;
        for operand in hints {
            if self.number(*operand, state) == number {
                hint = Some(*operand);
                if matches!(operand, Operand::Reg(_)) {
                    return hint;
                }
            }
        }
        if let Some(reg) = state.holder(number, &self.table) {
            return Some(Operand::Reg(reg));
        }
        state.shared(number).map(Operand::Temp).or(hint)
    }

    /// Where something can be read that is true whenever `number` is.
    fn truth_holder(
        &mut self,
        number: Number,
        hints: &[Operand],
        state: &State,
    ) -> Option<Operand> {
        let holder = self.holder(number, hints, state);
        holder.or_else(|| {
            let is = |hint: &&Operand| self.truth(**hint, state) == number;
            hints.iter().find(is).copied()
        })
    }

    /// `node` as a step computes it, if its operands can be read here.
    /// `target` is the register it goes to and what that holds before.
    fn build(
        &mut self,
        node: Node,
        hints: &[Operand],
        target: Option<(Reg, Number)>,
        state: &State,
    ) -> Option<Value> {
        // What its target holds already need not be copied there.
        let held = |number| match target {
            Some((reg, held)) if held == number => Some(Operand::Reg(reg)),
            _ => None,
        };
        Some(match node {
            Node::Binary(opcode @ (Opcode::And | Opcode::Or), a, b) => {
                let left = self.truth_holder(a, hints, state)?;
                let right = self.truth_holder(b, hints, state)?;
                // The datapath tests plain registers last: a comparison keeps
                // its place before another one.
                let left = match (left, right, hints.first()) {
                    (Operand::Reg(_), Operand::Temp(_), Some(first @ Operand::Temp(_)))
                        if self.truth(*first, state) == a =>
                    {
                        *first
                    }
                    _ => left,
                };
                Value::Binary(opcode, left, right)
            }
            Node::Binary(opcode, a, b) => Value::Binary(
                opcode,
                self.holder(a, hints, state)?,
                self.holder(b, hints, state)?,
            ),
            Node::Compare(relation, a, b) => Value::Binary(
                relation.opcode()?,
                self.holder(a, hints, state)?,
                self.holder(b, hints, state)?,
            ),
            Node::Select(condition, then, otherwise) => {
                let negate = held(then).is_some();
                let (value, otherwise) = if negate {
                    (otherwise, then)
                } else {
                    (then, otherwise)
                };
                Value::Select {
                    negate,
                    condition: self.truth_holder(condition, hints, state)?,
                    value: self.holder(value, hints, state)?,
                    otherwise: match held(otherwise) {
                        None => self.holder(otherwise, hints, state)?,
                        Some(own) => own,
                    },
                }
            }
            Node::Ewma(weight, old, sample) => Value::Ewma {
                weight: self.holder(weight, hints, state)?,
                state: match held(old) {
                    None => self.holder(old, hints, state)?,
                    Some(own) => own,
                },
                sample: self.holder(sample, hints, state)?,
            },
            Node::Const(_) | Node::Entry(_) | Node::Mixed(_) => return None,
        })
    }

    /// The step as it was, its operands read where it is best.
    fn renamed(&mut self, value: Value, state: &State) -> Value {
        value.map(|operand| {
            let number = self.number(operand, state);
            self.holder(number, &[operand], state).unwrap_or(operand)
        })
    }
}
