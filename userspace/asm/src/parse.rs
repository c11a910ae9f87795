// SPDX-License-Identifier: GPL-2.0
//! Lines to what they say.

use crate::line::{self, Token, Word};
use ccp_lang::Diagnostic;
use std::ops::Range;

/// One statement of the text form.
#[derive(Clone, Debug)]
pub(crate) enum Item<'a> {
    Version(Word<'a>),
    Name {
        name: Word<'a>,
        register: Word<'a>,
    },
    /// The four numbers of an event on the wire.
    Event(Vec<Word<'a>>, Range<usize>),
    /// Bytes of an event, and of an instruction, as they are.
    RawEvent(Vec<u8>, Range<usize>),
    Raw(Vec<u8>, Range<usize>),
    Block(Block, Range<usize>),
    Label(Word<'a>),
    Instruction {
        operation: Word<'a>,
        operands: Vec<Word<'a>>,
        span: Range<usize>,
    },
}

/// What the instructions that follow are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Block {
    Def,
    When,
    Do,
    Code,
}

impl Block {
    const ALL: [(&'static str, Self); 4] = [
        ("def", Self::Def),
        ("when", Self::When),
        ("do", Self::Do),
        ("code", Self::Code),
    ];

    fn named(text: &str) -> Option<Self> {
        let found = Self::ALL.into_iter().find(|(name, _)| *name == text);
        found.map(|(_, block)| block)
    }

    /// The block that this label is, but for the case of its letters.
    pub(crate) fn meant(label: &str) -> Option<(&'static str, Self)> {
        let same = |(name, _): &(&str, Self)| name.eq_ignore_ascii_case(label);
        Self::ALL.into_iter().find(same)
    }
}

/// All statements that can be read; the diagnostics tell of the others.
pub(crate) fn parse<'a>(source: &'a str, diagnostics: &mut Vec<Diagnostic>) -> Vec<Item<'a>> {
    let mut items = Vec::new();
    for line in line::lines(source, diagnostics) {
        let mut rest = line.as_slice();
        while let [Token::Word(word), colon, after @ ..] = rest {
            if !colon.is(':') {
                break;
            }
            items.push(match Block::named(word.text) {
                Some(block) => Item::Block(block, word.span.clone()),
                None => Item::Label(word.clone()),
            });
            rest = after;
        }
        if !rest.is_empty() {
            match statement(rest) {
                Ok(item) => items.push(item),
                Err(diagnostic) => diagnostics.push(diagnostic),
            }
        }
    }
    items
}

fn statement<'a>(tokens: &[Token<'a>]) -> Result<Item<'a>, Diagnostic> {
    let span = span(tokens);
    let (Some(Token::Word(first)), rest) = (tokens.first(), &tokens[1..]) else {
        return Err(
            Diagnostic::error("A0101", span, "a line begins with a word")
                .help("write `OPERATION result, left, right`"),
        );
    };
    if first.text.starts_with('.') {
        return directive(first, rest, span);
    }
    let operands = list(rest).map_err(|at| {
        Diagnostic::error("A0101", at, "operands are separated by commas")
            .help("write `OPERATION result, left, right`")
    })?;
    Ok(Item::Instruction {
        operation: first.clone(),
        operands,
        span,
    })
}

fn directive<'a>(
    first: &Word<'a>,
    rest: &[Token<'a>],
    span: Range<usize>,
) -> Result<Item<'a>, Diagnostic> {
    let form = match (first.text, rest) {
        (".isa", [Token::Word(version)]) => return Ok(Item::Version(version.clone())),
        (".isa", _) => "write `.isa` and the version of the instruction set",
        (".name", [Token::Word(name), equals, Token::Word(register)]) if equals.is('=') => {
            return Ok(Item::Name {
                name: name.clone(),
                register: register.clone(),
            });
        }
        (".name", _) => "write `.name NAME = REGISTER`",
        (".event", rest) => match list(rest) {
            Ok(words) if words.len() == 4 => return Ok(Item::Event(words, span)),
            _ => "write four numbers: start and length of the condition, and of the body",
        },
        (".raw", rest) => match bytes(rest) {
            Some(bytes) => return Ok(Item::Raw(bytes, span)),
            None => HEX,
        },
        (".rawevent", rest) => match bytes(rest) {
            Some(bytes) => return Ok(Item::RawEvent(bytes, span)),
            None => HEX,
        },
        _ => {
            return Err(Diagnostic::error(
                "A0102",
                first.span.clone(),
                format!("there is no directive `{}`", first.text),
            )
            .help("there are: .isa .name .event .raw .rawevent"));
        }
    };
    let message = format!("`{}` is malformed", first.text);
    Err(Diagnostic::error("A0109", span, message).help(form))
}

const HEX: &str = "write 1 to 16 bytes of two hexadecimal digits each, with spaces between them";

/// Words with commas between them; the error is where something else is.
fn list<'a>(tokens: &[Token<'a>]) -> Result<Vec<Word<'a>>, Range<usize>> {
    let mut words = Vec::new();
    for pair in tokens.chunks(2) {
        match pair {
            [Token::Word(word)] => words.push(word.clone()),
            [Token::Word(word), comma] if comma.is(',') => words.push(word.clone()),
            [Token::Word(_), other] | [other, ..] => return Err(other.span()),
            [] => {}
        }
    }
    match tokens.last() {
        Some(last) if last.is(',') => Err(last.span()),
        _ => Ok(words),
    }
}

fn bytes(tokens: &[Token<'_>]) -> Option<Vec<u8>> {
    if !(1..=16).contains(&tokens.len()) {
        return None;
    }
    let byte = |token: &Token<'_>| match token {
        Token::Word(word) if word.text.len() == 2 => {
            let digits = word.text.bytes().all(|b| b.is_ascii_hexdigit());
            digits.then(|| u8::from_str_radix(word.text, 16).ok())?
        }
        _ => None,
    };
    tokens.iter().map(byte).collect()
}

fn span(tokens: &[Token<'_>]) -> Range<usize> {
    match (tokens.first(), tokens.last()) {
        (Some(first), Some(last)) => first.span().start..last.span().end,
        _ => 0..0,
    }
}
