// SPDX-License-Identifier: GPL-2.0
//! Makes a case that differs smaller while it still does.

use std::{
    cell::Cell,
    panic::{self, catch_unwind, AssertUnwindSafe},
    sync::Once,
};

use ccp_core::vm::{
    self,
    isa::{Event, EVENT_BYTES, INSTRUCTION_BYTES},
};
use ccp_lang::Binary;

use crate::{
    case::Program,
    driver::{Difference, Runner, Step, Totals},
};

/// Removes steps, statements and instructions that the difference can do
/// without. Returns what is left and how the machines differ on it.
pub fn shrink(mut programs: Vec<Program>, found: Difference) -> (Vec<Program>, Difference) {
    let mut best = found;
    loop {
        let before = size(&programs, &best.steps);
        shrink_steps(&programs, &mut best);
        for at in 0..programs.len() {
            shrink_program(&mut programs, at, &mut best);
        }
        if size(&programs, &best.steps) == before {
            return (programs, best);
        }
    }
}

fn size(programs: &[Program], steps: &[Step]) -> usize {
    let program =
        |p: &Program| p.portus.instructions.len() + p.text.as_ref().map_or(0, String::len);
    programs.iter().map(program).sum::<usize>() + steps.len()
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Tries something that may panic, as portus does on some sources, and keeps
/// that to itself.
fn attempt<T>(try_it: impl FnOnce() -> T) -> Option<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let hook = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                hook(info);
            }
        }));
    });
    QUIET.set(true);
    let done = catch_unwind(AssertUnwindSafe(try_it)).ok();
    QUIET.set(false);
    done
}

/// How the machines differ on these programs and steps, if they do.
fn differs(programs: &[Program], steps: &[Step]) -> Option<Difference> {
    steps.first()?.change?;
    let mut totals = Totals::default();
    attempt(|| Runner::new().replay(programs, steps, &mut totals).err())?
}

fn shrink_steps(programs: &[Program], best: &mut Difference) {
    let mut chunk = best.steps.len();
    while chunk > 0 {
        let mut at = 0;
        while at < best.steps.len() {
            let mut steps = best.steps.clone();
            let end = (at + chunk).min(steps.len());
            steps.drain(at..end);
            match differs(programs, &steps) {
                Some(smaller) => *best = smaller,
                None => at += chunk,
            }
        }
        chunk /= 2;
    }
    for at in 0..best.steps.len() {
        let mut steps = best.steps.clone();
        if let Some(step) = steps.get_mut(at) {
            step.settings.clear();
            *best = differs(programs, &steps).unwrap_or(best.clone());
        }
    }
}

/// Tries all smaller forms of one program until none of them differs.
fn shrink_program(programs: &mut [Program], at: usize, best: &mut Difference) {
    let mut edit = 0;
    loop {
        let candidate = match &programs[at].text {
            Some(text) => smaller_text(text, edit).map(|text| {
                let compiled = attempt(|| Program::source(&text, &programs[at].names));
                compiled?.ok()?
            }),
            None => smaller_wire(&programs[at].portus, edit).map(|wire| {
                vm::verify(&wire.events, &wire.instructions).ok()?;
                Some(Program::wire(wire))
            }),
        };
        match candidate {
            None => return,
            Some(None) => edit += 1,
            Some(Some(candidate)) => {
                let old = std::mem::replace(&mut programs[at], candidate);
                if let Some(smaller) = differs(programs, &best.steps) {
                    *best = smaller;
                } else {
                    programs[at] = old;
                    edit += 1;
                }
            }
        }
    }
}

/// The program without its event, or instruction, number `edit`.
fn smaller_wire(program: &Binary, edit: usize) -> Option<Binary> {
    let mut events: Vec<Event> = program
        .events
        .chunks_exact(EVENT_BYTES)
        .map(|bytes| Event::from_bytes(bytes.try_into().expect("of this size")))
        .collect();
    let cut = match edit.checked_sub(events.len()) {
        None => {
            let event = events.remove(edit);
            event.cond_start..event.body_start + event.body_count
        }
        Some(instruction) => {
            let start = instruction as u32;
            start..start.saturating_add(1)
        }
    };
    let bytes = |at: u32| at as usize * INSTRUCTION_BYTES;
    let mut instructions = program.instructions.clone();
    if bytes(cut.end) > instructions.len() {
        return None;
    }
    instructions.drain(bytes(cut.start)..bytes(cut.end));
    // How many of a range were cut away, and how far it moves.
    let overlap = |start: u32, count: u32| {
        let end = cut.end.min(start + count);
        end.saturating_sub(cut.start.max(start))
    };
    for event in &mut events {
        let (cond, body) = (event.cond_start, event.body_start);
        event.cond_start -= overlap(0, cond);
        event.body_start -= overlap(0, body);
        event.cond_count -= overlap(cond, event.cond_count);
        event.body_count -= overlap(body, event.body_count);
    }
    Some(Binary {
        events: events.iter().flat_map(|e| e.to_bytes()).collect(),
        instructions,
    })
}

/// The text with one list's child taken out, or one list replaced by a child.
fn smaller_text(text: &str, edit: usize) -> Option<String> {
    let spaced = text.replace('(', " ( ").replace(')', " ) ");
    let mut words = spaced.split_whitespace();
    let mut top = Node::list(&mut words);
    let mut left = edit;
    top.edit(&mut left).then(|| {
        let mut out = String::new();
        for child in &top.children {
            child.write(&mut out);
            out.push('\n');
        }
        out
    })
}

/// An atom if it has a word, else a list.
#[derive(Clone, Default)]
struct Node {
    word: Option<String>,
    children: Vec<Node>,
}

impl Node {
    /// Reads children up to the end of the list.
    fn list<'t>(words: &mut impl Iterator<Item = &'t str>) -> Self {
        let mut list = Self::default();
        loop {
            let child = match words.next() {
                None | Some(")") => return list,
                Some("(") => Self::list(words),
                Some(word) => Self {
                    word: Some(word.to_owned()),
                    children: Vec::new(),
                },
            };
            list.children.push(child);
        }
    }

    /// Makes edit number `left`, counted down over the whole tree.
    fn edit(&mut self, left: &mut usize) -> bool {
        for at in 0..self.children.len() {
            if *left == 0 {
                self.children.remove(at);
                return true;
            }
            *left -= 1;
            let within = self.children[at].children.len();
            if *left < within {
                self.children[at] = self.children[at].children[*left].clone();
                return true;
            }
            *left -= within;
            if self.children[at].edit(left) {
                return true;
            }
        }
        false
    }

    fn write(&self, out: &mut String) {
        if let Some(word) = &self.word {
            out.push_str(word);
            return;
        }
        out.push('(');
        for (at, child) in self.children.iter().enumerate() {
            if at > 0 {
                out.push(' ');
            }
            child.write(out);
        }
        out.push(')');
    }
}
