// SPDX-License-Identifier: GPL-2.0
//! Text to the wire form.

mod blocks;
mod operands;

use crate::{
    names::{BadName, Names},
    parse::{self, Item},
    register,
};
use blocks::Blocks;
use ccp_core::vm::{self, ISA_VERSION};
use ccp_lang::{Binary, Diagnostic, Diagnostics, MAX_SOURCE};
use operands::{number, Operands};
use std::{collections::HashMap, ops::Range};

/// An assembled program.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Assembly {
    /// Its wire form.
    pub program: Binary,
    /// What its registers are called.
    pub names: Names,
}

/// Assembles `source`, which messages call `file`, and puts the result to the
/// datapath's verifier. The error has everything that is wrong with the text;
/// of what the verifier finds, the first thing.
pub fn assemble(file: &str, source: &str) -> Result<Assembly, Diagnostics> {
    run(file, source, true)
}

/// [`assemble`] without the verifier: every text that can be read.
pub fn assemble_unverified(file: &str, source: &str) -> Result<Assembly, Diagnostics> {
    run(file, source, false)
}

/// Errors after which reading on helps nobody.
const ENOUGH: usize = 200;

fn run(file: &str, source: &str, verify: bool) -> Result<Assembly, Diagnostics> {
    let mut diagnostics = Vec::new();
    if source.len() > MAX_SOURCE {
        diagnostics.push(
            Diagnostic::error("A0112", 0..0, "the source is too long for a program")
                .help(format!("at most {MAX_SOURCE} bytes are read")),
        );
        return Err(Diagnostics::new(file, source, diagnostics));
    }
    let items = parse::parse(source, &mut diagnostics);
    let version = version(&items, &mut diagnostics);
    let names = names(&items, &mut diagnostics);
    let blocks = Blocks::new(&items, &mut diagnostics);
    let instructions = instructions(&items, &names, &blocks.labels, &mut diagnostics);
    let assembly = Assembly {
        program: Binary {
            events: blocks.events,
            instructions,
        },
        names,
    };
    if verify && diagnostics.is_empty() {
        let program = &assembly.program;
        if let Err(error) = vm::verify(&program.events, &program.instructions) {
            let span = match error.place {
                vm::Place::Instruction(at) => blocks.instruction_spans.get(at as usize).cloned(),
                vm::Place::Event(at) => blocks.event_spans.get(at as usize).cloned(),
                vm::Place::Program | vm::Place::Update => None,
            };
            diagnostics.push(refused(&error, span.unwrap_or(version)));
        }
    }
    if diagnostics.is_empty() {
        Ok(assembly)
    } else {
        Err(Diagnostics::new(file, source, diagnostics))
    }
}

fn refused(error: &vm::Error, span: Range<usize>) -> Diagnostic {
    let message = format!("the verifier refuses this: {}", error.kind);
    let diagnostic = Diagnostic::error("A0301", span, message);
    match error.kind {
        vm::Kind::FlagNotWritten => {
            diagnostic.help("end the condition with an operation whose result is `__eventFlag`")
        }
        vm::Kind::UnwrittenTmp { .. } => {
            diagnostic.help("tmp registers have no value at the start of a condition or body")
        }
        vm::Kind::NoEvents => diagnostic.help("a program has at least one `when:` with a `do:`"),
        _ => diagnostic,
    }
}

/// Checks that the text is for this instruction set; where it says so.
fn version(items: &[Item<'_>], diagnostics: &mut Vec<Diagnostic>) -> Range<usize> {
    let mut versions = items.iter().filter_map(|item| match item {
        Item::Version(word) => Some(word),
        _ => None,
    });
    let Some(word) = versions.next() else {
        diagnostics.push(
            Diagnostic::error(
                "A0110",
                0..0,
                "the version of the instruction set is missing",
            )
            .help(format!("begin with `.isa {ISA_VERSION}`")),
        );
        return 0..0;
    };
    if number(word.text) != Some(ISA_VERSION.into()) {
        let message = format!("this is written for instruction set {}", word.text);
        diagnostics.push(
            Diagnostic::error("A0111", word.span.clone(), message)
                .help(format!("the assembler knows version {ISA_VERSION}")),
        );
    }
    if let Some(again) = versions.next() {
        diagnostics.push(
            Diagnostic::error("A0109", again.span.clone(), "`.isa` stands here again")
                .help("a program has one version"),
        );
    }
    word.span.clone()
}

fn names(items: &[Item<'_>], diagnostics: &mut Vec<Diagnostic>) -> Names {
    let mut names = Names::default();
    for item in items {
        if diagnostics.len() >= ENOUGH {
            break;
        }
        let Item::Name { name, register } = item else {
            continue;
        };
        let Some(reg) = register::parse(register.text) else {
            diagnostics.push(operands::unknown(register, None));
            continue;
        };
        if let Err(error) = names.insert(reg, name.text) {
            let (code, span) = match error {
                BadName::Malformed => ("A0203", &name.span),
                BadName::Taken => ("A0202", &name.span),
                BadName::Named => ("A0202", &register.span),
            };
            let message = match error {
                BadName::Malformed => format!("`{}` cannot be a name", name.text),
                BadName::Taken => format!("`{}` is the name of another register", name.text),
                BadName::Named => format!("`{}` has a name already", register.text),
            };
            diagnostics.push(
                Diagnostic::error(code, span.clone(), message).help(match error {
                    BadName::Malformed => {
                        "names begin with a letter or `_`, have at most 255 bytes of letters, \
                     digits, `_` and `.`, and are no register's own"
                    }
                    _ => "each register has one name, and each name one register",
                }),
            );
        }
    }
    names
}

fn instructions(
    items: &[Item<'_>],
    names: &Names,
    labels: &HashMap<&str, u32>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut index: u32 = 0;
    for item in items {
        if diagnostics.len() >= ENOUGH {
            break;
        }
        match item {
            Item::Instruction {
                operation,
                operands,
                span,
            } => {
                let mut reader = Operands {
                    names,
                    labels,
                    index,
                    diagnostics,
                };
                if let Some(instruction) = reader.instruction(operation, operands, span) {
                    bytes.extend(instruction.to_bytes());
                }
                index = index.saturating_add(1);
            }
            Item::Raw(raw, _) => {
                bytes.extend(raw);
                index = index.saturating_add(1);
            }
            _ => {}
        }
    }
    bytes
}
