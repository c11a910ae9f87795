// SPDX-License-Identifier: GPL-2.0
//! Whole clauses: those that never run go, and those that always run one after
//! the other become one.

use super::effects::{self, CONTINUE};
use super::uses::Uses;
use super::values::Note;
use crate::flat::{Block, Event, Operand, Program, Step};

/// Rewrites the clauses, of which `notes` says what is known.
pub(super) fn run(program: &mut Program, notes: Vec<Note>) {
    let events = std::mem::take(&mut program.events);
    let reached = events
        .into_iter()
        .zip(notes)
        .filter(|(_, note)| note.reached);
    let clauses = reached
        .map(|(event, note)| Clause { event, note })
        .collect();
    let mut clauses = merged(without_false(clauses));
    let continues = clauses.iter().any(|clause| {
        let falls_through = |step| effects::writes(step, CONTINUE);
        clause.event.body.iter().any(falls_through)
    });
    while clauses.last().is_some_and(Clause::is_idle) {
        clauses.pop();
    }
    clauses.retain(|clause| clause.note.before != Some(true) || !clause.is_idle());
    let count = clauses.len();
    for (index, clause) in clauses.iter_mut().enumerate() {
        let last = index + 1 == count && (continues || count == 1);
        if last || clause.note.before == Some(true) {
            narrow(clause);
        }
    }
    program.events = clauses.into_iter().map(|clause| clause.event).collect();
    if program.events.is_empty() {
        program.events.push(Event {
            condition: Block::new(),
            test: Operand::Const(0),
            body: Block::new(),
            span: 0..0,
        });
    }
}

struct Clause {
    event: Event,
    note: Note,
}

impl Clause {
    /// Whether its condition does nothing but compute its test.
    fn is_pure(&self) -> bool {
        self.event.condition.iter().all(effects::is_pure)
    }

    /// Whether it makes no difference, but that it may be the last to run.
    fn is_idle(&self) -> bool {
        self.is_pure() && (self.event.body.is_empty() || self.note.truth == Some(false))
    }
}

/// Clauses whose condition is never true go; what their conditions do besides
/// is done by the clause after it.
fn without_false(clauses: Vec<Clause>) -> Vec<Clause> {
    let mut kept: Vec<Clause> = Vec::new();
    let mut before = Block::new();
    let count = clauses.len();
    for (index, mut clause) in clauses.into_iter().enumerate() {
        if clause.note.truth == Some(false) {
            if index + 1 < count {
                before.append(&mut clause.event.condition);
                continue;
            }
            clause.event.body.clear();
        }
        before.append(&mut clause.event.condition);
        clause.event.condition = std::mem::take(&mut before);
        kept.push(clause);
    }
    kept
}

fn merged(clauses: Vec<Clause>) -> Vec<Clause> {
    let count = clauses.len();
    let mut kept: Vec<Clause> = Vec::new();
    for (index, mut clause) in clauses.into_iter().enumerate() {
        let last = index + 1 == count;
        let Some(before) = kept.last_mut() else {
            kept.push(clause);
            continue;
        };
        let always = before.note.truth == Some(true);
        let goes_on = before.note.after == Some(true);
        if goes_on && always && clause.note.truth == Some(true) {
            before.event.body.append(&mut clause.event.condition);
            before.event.body.append(&mut clause.event.body);
        } else if goes_on && same_test(&before.note, &clause.note) && clause.is_pure() {
            // Nothing the first body does changes the condition.
            before.event.body.append(&mut clause.event.body);
        } else if always && (before.note.before == Some(true) || goes_on && last) {
            // Whether it goes on is settled, or of no concern any more.
            let mut condition = std::mem::take(&mut before.event.condition);
            condition.append(&mut before.event.body);
            condition.append(&mut clause.event.condition);
            clause.event.condition = condition;
            clause.note.before = before.note.before;
            clause.note.test = None;
            *before = clause;
        } else {
            kept.push(clause);
        }
    }
    kept
}

fn same_test(a: &Note, b: &Note) -> bool {
    a.test.is_some() && a.test == b.test
}

/// Where an invocation goes on in any case, or ends in any case, an `If` at
/// the end of a clause that always runs is the clause's own condition.
fn narrow(clause: &mut Clause) {
    if clause.note.truth != Some(true) {
        return;
    }
    let event = &mut clause.event;
    let Some((Step::If(last), before)) = event.body.split_last() else {
        return;
    };
    let simple = last.otherwise.is_empty() && last.also.is_empty();
    // No intermediate value gets from a condition to its body.
    let mut inside = Uses::default();
    inside.block(&last.then);
    let kept = |step: &Step| matches!(step, Step::Set(set) if inside.place(set.to) > 0);
    if !simple
        || before
            .iter()
            .any(|step| kept(step) || effects::writes(step, CONTINUE))
    {
        return;
    }
    if let Some(Step::If(mut last)) = event.body.pop() {
        event.condition.append(&mut event.body);
        event.test = last.condition;
        event.body.append(&mut last.then);
        clause.note.truth = None;
    }
}
