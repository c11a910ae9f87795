// SPDX-License-Identifier: GPL-2.0
//! Which instructions are definitions, conditions and bodies, and where labels
//! point.

use super::{operands::number, ENOUGH};
use crate::{
    line::Word,
    parse::{Block, Item},
    register,
};
use ccp_core::vm::isa::{Event, EVENT_BYTES, INSTRUCTION_BYTES};
use ccp_lang::Diagnostic;
use std::{collections::HashMap, ops::Range};

#[derive(Default)]
pub(super) struct Blocks<'a> {
    /// Index of the instruction each label stands before.
    pub(super) labels: HashMap<&'a str, u32>,
    /// Wire form of the events.
    pub(super) events: Vec<u8>,
    pub(super) event_spans: Vec<Range<usize>>,
    pub(super) instruction_spans: Vec<Range<usize>>,
    /// The block that has begun, and where.
    block: Option<(Block, Range<usize>)>,
    /// Something was wrong with its beginning.
    misplaced: bool,
    /// A label in it that should perhaps be its `do:`.
    slip: Option<&'a str>,
    /// First instruction of the condition and of the body.
    condition: u32,
    body: u32,
    /// Whether events are given by number, and the first directive that does.
    numbered: Option<Range<usize>>,
    /// An incomplete unit: nothing may follow it.
    cut: [bool; 2],
}

impl<'a> Blocks<'a> {
    pub(super) fn new(items: &[Item<'a>], diagnostics: &mut Vec<Diagnostic>) -> Self {
        let mut blocks = Self::default();
        for item in items {
            if diagnostics.len() >= ENOUGH {
                break;
            }
            blocks.item(item, diagnostics);
        }
        blocks.finish(diagnostics);
        blocks
    }

    fn next(&self) -> u32 {
        u32::try_from(self.instruction_spans.len()).unwrap_or(u32::MAX)
    }

    fn item(&mut self, item: &Item<'a>, diagnostics: &mut Vec<Diagnostic>) {
        match item {
            Item::Version(_) | Item::Name { .. } => {}
            Item::Label(label) => self.label(label, diagnostics),
            Item::Block(block, span) => self.enter(*block, span, diagnostics),
            Item::Instruction { span, .. } => self.instruction(span, false, diagnostics),
            Item::Raw(raw, span) => {
                self.instruction(span, raw.len() < INSTRUCTION_BYTES, diagnostics);
            }
            Item::Event(words, span) => {
                if let [Some(a), Some(b), Some(c), Some(d)] = fields(words, diagnostics)[..] {
                    let event = Event {
                        cond_start: a,
                        cond_count: b,
                        body_start: c,
                        body_count: d,
                    };
                    self.event(&event.to_bytes(), span, diagnostics);
                }
            }
            Item::RawEvent(raw, span) => self.event(raw, span, diagnostics),
        }
    }

    fn label(&mut self, label: &Word<'a>, diagnostics: &mut Vec<Diagnostic>) {
        let starts = |c: char| c == '_' || c.is_alphabetic();
        let plain = label.text.starts_with(starts) && !label.text.contains('.');
        if !plain || register::parse(label.text).is_some() {
            let message = format!("`{}` cannot be a label", label.text);
            diagnostics.push(
                Diagnostic::error("A0203", label.span.clone(), message).help(
                    "labels are made of letters, digits and `_`, begin with a letter or `_`, \
                 and are no register's name",
                ),
            );
            return;
        }
        let meant = Block::meant(label.text);
        if matches!(
            (meant, &self.block),
            (Some((_, Block::Do)), Some((Block::When, _)))
        ) {
            // The lack of a `do:` will be told.
            self.slip = Some(label.text);
            self.labels.insert(label.text, self.next());
        } else if self.labels.insert(label.text, self.next()).is_some() {
            let message = format!("label `{}` stands in two places", label.text);
            let diagnostic = Diagnostic::error("A0204", label.span.clone(), message);
            diagnostics.push(match meant {
                Some((name, _)) => diagnostic.help(format!("did you mean `{name}:`?")),
                None => diagnostic.help("rename one of them"),
            });
        }
    }

    fn enter(&mut self, block: Block, span: &Range<usize>, diagnostics: &mut Vec<Diagnostic>) {
        let before = self.block.as_ref().map(|(block, _)| *block);
        let problem = match (before, block) {
            (None, Block::Def | Block::When | Block::Code)
            | (Some(Block::Def | Block::Do), Block::When)
            | (Some(Block::When), Block::Do) => None,
            (_, Block::Def) => Some(("`def:` stands before everything else, once", DEF_FIRST)),
            (_, Block::Do) => Some(("`do:` without `when:` before it", PAIRS)),
            // It may have been reported itself.
            (Some(Block::When), Block::When) if self.misplaced => None,
            (Some(Block::When), Block::When) => Some(("the `when:` before has no `do:`", PAIRS)),
            (_, Block::When | Block::Code) => Some((
                "`code:` is the only block there is",
                "write `.event` lines and `code:`, or `def:`, `when:` and `do:`",
            )),
        };
        self.misplaced = problem.is_some();
        if let Some((message, help)) = problem {
            let help = self.missing(help);
            diagnostics.push(Diagnostic::error("A0108", span.clone(), message).help(help));
        }
        self.slip = None;
        self.end_event();
        match block {
            Block::When => self.condition = self.next(),
            Block::Do => self.body = self.next(),
            Block::Def | Block::Code => {}
        }
        let start = match (&self.block, block) {
            // The event is shown by its `when:`.
            (Some((Block::When, start)), Block::Do) => start.clone(),
            _ => span.clone(),
        };
        self.block = Some((block, start));
    }

    /// What helps where a `do:` may be missing.
    fn missing(&self, help: &str) -> String {
        match self.slip {
            Some(label) if help == PAIRS => format!("`{label}:` is a label; did you mean `do:`?"),
            _ => help.to_owned(),
        }
    }

    /// Writes the event down whose body ends here.
    fn end_event(&mut self) {
        if let Some((Block::Do, span)) = &self.block {
            let event = Event {
                cond_start: self.condition,
                cond_count: self.body.saturating_sub(self.condition),
                body_start: self.body,
                body_count: self.next().saturating_sub(self.body),
            };
            self.events.extend(event.to_bytes());
            self.event_spans.push(span.clone());
        }
    }

    fn instruction(&mut self, span: &Range<usize>, cut: bool, diagnostics: &mut Vec<Diagnostic>) {
        if self.block.is_none() {
            diagnostics.push(
                Diagnostic::error("A0107", span.clone(), "this belongs to no block")
                    .help("put `def:`, `when:`, `do:` or `code:` before it"),
            );
            // Once is enough.
            self.block = Some((Block::Def, span.clone()));
        }
        self.whole(0, cut, span, diagnostics);
        if !cut {
            self.instruction_spans.push(span.clone());
        }
    }

    fn event(&mut self, bytes: &[u8], span: &Range<usize>, diagnostics: &mut Vec<Diagnostic>) {
        let cut = bytes.len() < EVENT_BYTES;
        self.whole(1, cut, span, diagnostics);
        self.events.extend(bytes);
        if !cut {
            self.event_spans.push(span.clone());
        }
        self.numbered.get_or_insert_with(|| span.clone());
    }

    /// Notes an incomplete unit; none may follow it.
    fn whole(
        &mut self,
        kind: usize,
        cut: bool,
        span: &Range<usize>,
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        if std::mem::replace(&mut self.cut[kind], cut) {
            self.cut[kind] = false;
            diagnostics.push(
                Diagnostic::error("A0109", span.clone(), "this follows an incomplete one")
                    .help("only the last may have fewer than 16 bytes"),
            );
        }
    }

    fn finish(&mut self, diagnostics: &mut Vec<Diagnostic>) {
        if let (Some((Block::When, span)), false) = (&self.block, self.misplaced) {
            diagnostics.push(
                Diagnostic::error("A0108", span.clone(), "this `when:` has no `do:`")
                    .help(self.missing(PAIRS)),
            );
        }
        self.end_event();
        let flat = matches!(self.block, None | Some((Block::Code, _)));
        if let (Some(span), false) = (&self.numbered, flat) {
            diagnostics.push(
                Diagnostic::error(
                    "A0108",
                    span.clone(),
                    "`when:` and `do:` are events already",
                )
                .help("write `.event` lines and `code:`, or `def:`, `when:` and `do:`"),
            );
        }
    }
}

const DEF_FIRST: &str = "move the definitions to one `def:` at the start";
const PAIRS: &str = "an event is a `when:` with its condition and then a `do:` with its body";

/// The numbers of an `.event`, as far as they are some.
fn fields(words: &[Word<'_>], diagnostics: &mut Vec<Diagnostic>) -> Vec<Option<u32>> {
    let mut field = |word: &Word<'_>| {
        let value = number(word.text).and_then(|value| u32::try_from(value).ok());
        if value.is_none() {
            let message = format!("`{}` is no number of 32 bits", word.text);
            diagnostics.push(
                Diagnostic::error("A0105", word.span.clone(), message)
                    .help("write decimal digits, or hexadecimal ones after `0x`"),
            );
        }
        value
    };
    words.iter().map(&mut field).collect()
}
