// SPDX-License-Identifier: GPL-2.0
//! The wire form to text: of any bytes, so that a broken program can be looked
//! at, and such that assembling the text gives the same bytes again.

use crate::{
    names::{self, Names},
    register::spelling,
    wire,
};
use ccp_core::vm::{
    self,
    isa::{implicit, Class, Event, Form, Instruction, Reg},
    ISA_VERSION,
};
use ccp_lang::Binary;
use std::{collections::BTreeMap, fmt::Write};

/// How a program is written down.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Listing {
    /// Note each instruction's index, which the verifier's messages name.
    pub indices: bool,
}

const FLAG: Reg = Reg::new(Class::Implicit, implicit::EVENT_FLAG);

/// The text form of a program. What the verifier has against it stands in
/// comments.
pub fn disassemble(program: &Binary, names: &Names, listing: Listing) -> String {
    let mut writer = Writer::new(program, names, listing);
    writer.refused = vm::verify(&program.events, &program.instructions).err();
    writer.program(&program.events, wire::units(&program.instructions).1);
    writer.out
}

/// The text form of one instruction, as a listing of the program has it.
pub fn operation(program: &Binary, names: &Names, index: usize) -> Option<String> {
    let writer = Writer::new(program, names, Listing::default());
    let (text, _) = (index < writer.code.len()).then(|| writer.instruction(index))?;
    Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

struct Unit {
    bytes: [u8; 16],
    instruction: Option<Instruction>,
}

/// A number for each instruction that some skip leads to.
fn labels(code: &[Unit]) -> BTreeMap<usize, usize> {
    let targets = code.iter().enumerate();
    let targets = targets.filter_map(|(index, unit)| target(index, unit.instruction?, code.len()));
    let mut labels: BTreeMap<usize, usize> = targets.map(|target| (target, 0)).collect();
    for (number, label) in (1..).zip(labels.values_mut()) {
        *label = number;
    }
    labels
}

/// Where a skip leads, if that is ahead and within the program.
fn target(index: usize, skip: Instruction, count: usize) -> Option<usize> {
    let is_skip = skip.opcode.form() == Form::Skip && skip.right.class == Class::Immediate;
    let distance = usize::try_from(skip.right.index).ok()?;
    let target = index.checked_add(1)?.checked_add(distance)?;
    (is_skip && distance > 0 && target <= count).then_some(target)
}

struct Writer<'a> {
    names: &'a Names,
    listing: Listing,
    refused: Option<vm::Error>,
    labels: BTreeMap<usize, usize>,
    code: Vec<Unit>,
    out: String,
}

impl<'a> Writer<'a> {
    fn new(program: &Binary, names: &'a Names, listing: Listing) -> Self {
        let (units, _) = wire::units(&program.instructions);
        let code: Vec<Unit> = units
            .into_iter()
            .map(|bytes| Unit {
                bytes,
                instruction: wire::instruction(bytes),
            })
            .collect();
        Self {
            names,
            listing,
            refused: None,
            labels: labels(&code),
            code,
            out: String::new(),
        }
    }

    fn program(&mut self, events: &[u8], rest: &[u8]) {
        if let Some(error) = self.refused {
            self.line(&format!("# The verifier refuses this program: {error}."));
        }
        self.line(&format!(".isa {ISA_VERSION}"));
        self.header();
        let (units, event_rest) = wire::units(events);
        let events: Vec<Event> = units.into_iter().map(Event::from_bytes).collect();
        // What is left of an instruction needs a block to stand in.
        let whole = event_rest.is_empty()
            && (rest.is_empty() || !self.code.is_empty() || !events.is_empty());
        match wire::definitions(&events, self.code.len()) {
            Some(definitions) if whole => self.blocks(definitions, &events),
            _ => self.flat(&events, event_rest),
        }
        self.label(self.code.len());
        if !rest.is_empty() {
            let text = format!("    .raw {}", hex(rest));
            self.noted(&text, &["incomplete".to_owned()]);
        }
    }

    fn header(&mut self) {
        let mut separate = true;
        for (reg, name) in self.names.iter() {
            if std::mem::take(&mut separate) {
                self.out.push('\n');
            }
            let register = spelling(reg);
            self.out += &if names::writable(name) {
                format!(".name {name} = {register}\n")
            } else {
                format!("# {register} is {}\n", name.escape_debug())
            };
        }
    }

    /// Events that follow each other.
    fn blocks(&mut self, definitions: usize, events: &[Event]) {
        if definitions > 0 {
            self.line("\ndef:");
            self.range(0, definitions);
        }
        let mut next = definitions;
        for (number, event) in events.iter().enumerate() {
            self.out.push('\n');
            let note = self.listing.indices.then(|| format!("event {number}"));
            self.event_line("when:", number, note);
            for (block, count) in [("", event.cond_count), ("do:", event.body_count)] {
                if !block.is_empty() {
                    self.line(block);
                }
                let end = next.saturating_add(usize::try_from(count).unwrap_or(usize::MAX));
                self.range(next, end);
                next = end;
            }
        }
    }

    /// Events that no compiler writes, by number.
    fn flat(&mut self, events: &[Event], rest: &[u8]) {
        self.out.push('\n');
        for (number, event) in events.iter().enumerate() {
            let text = format!(
                ".event {}, {}, {}, {}",
                event.cond_start, event.cond_count, event.body_start, event.body_count
            );
            let note = self.listing.indices.then(|| format!("event {number}"));
            self.event_line(&text, number, note);
        }
        if !rest.is_empty() {
            let text = format!(".rawevent {}", hex(rest));
            self.noted(&text, &["incomplete".to_owned()]);
        }
        self.line("\ncode:");
        self.range(0, self.code.len());
    }

    fn event_line(&mut self, text: &str, number: usize, note: Option<String>) {
        let refused = self.refused.filter(
            |error| matches!(error.place, vm::Place::Event(at) if usize::try_from(at) == Ok(number)),
        );
        let refused = refused.map(|error| format!("refused: {}", error.kind));
        let notes: Vec<String> = note.into_iter().chain(refused).collect();
        self.noted(text, &notes);
    }

    fn range(&mut self, start: usize, end: usize) {
        for index in start..end.min(self.code.len()) {
            self.label(index);
            let (text, unknown) = self.instruction(index);
            let mut notes = Vec::new();
            if self.listing.indices {
                notes.push(index.to_string());
            }
            match self.refused {
                Some(error) if is_at(error, index) => {
                    notes.push(format!("refused: {}", error.kind));
                }
                _ if unknown => notes.push("unknown".to_owned()),
                _ => {}
            }
            self.noted(&format!("    {text}"), &notes);
        }
    }

    fn label(&mut self, index: usize) {
        if let Some(number) = self.labels.get(&index) {
            self.line(&format!("L{number}:"));
        }
    }

    /// Text of an instruction, and whether it is none.
    fn instruction(&self, index: usize) -> (String, bool) {
        let unit = &self.code[index];
        let Some(instruction) = unit.instruction else {
            return (format!(".raw {}", hex(&unit.bytes)), true);
        };
        let Instruction {
            opcode,
            result,
            left,
            right,
        } = instruction;
        let show = |reg| match self.names.get(reg) {
            Some(name) if names::writable(name) => name.to_owned(),
            _ => spelling(reg),
        };
        let halves = left.class == Class::Immediate && right.class == Class::Immediate;
        let operands = match opcode.form() {
            Form::Skip => {
                let target = match target(index, instruction, self.code.len()) {
                    Some(target) => format!("L{}", self.labels[&target]),
                    // By its own name: a name given could be a label's.
                    None => spelling(right),
                };
                let result = (result != FLAG).then(|| show(result));
                result.into_iter().chain([show(left), target]).collect()
            }
            Form::Unary | Form::Define if left == result => vec![show(result), show(right)],
            Form::Wide | Form::Define64 if halves => {
                vec![show(result), wire::wide(instruction).to_string()]
            }
            _ => vec![show(result), show(left), show(right)],
        };
        let operands: Vec<String> = operands;
        (
            format!("{:<7} {}", opcode.name(), operands.join(", ")),
            false,
        )
    }

    fn line(&mut self, text: &str) {
        self.out += text;
        self.out.push('\n');
    }

    fn noted(&mut self, text: &str, notes: &[String]) {
        if notes.is_empty() {
            return self.line(text);
        }
        // Writing to a string cannot fail.
        let _ = writeln!(self.out, "{text:<48} # {}", notes.join(", "));
    }
}

fn is_at(error: vm::Error, index: usize) -> bool {
    matches!(error.place, vm::Place::Instruction(at) if usize::try_from(at) == Ok(index))
}

fn hex(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.join(" ")
}
