// SPDX-License-Identifier: GPL-2.0
//! Operations and their operands.

use crate::{
    line::Word,
    names::Names,
    register::{self, INFINITY},
};
use ccp_core::vm::isa::{implicit, Class, Form, Instruction, Opcode, Reg};
use ccp_lang::Diagnostic;
use std::{collections::HashMap, ops::Range};

const FLAG: Reg = Reg::new(Class::Implicit, implicit::EVENT_FLAG);

/// What the operands of one instruction may refer to.
pub(super) struct Operands<'a, 'd> {
    pub(super) names: &'a Names,
    pub(super) labels: &'a HashMap<&'a str, u32>,
    /// Of this instruction.
    pub(super) index: u32,
    pub(super) diagnostics: &'d mut Vec<Diagnostic>,
}

impl Operands<'_, '_> {
    /// The instruction, unless something is wrong with it.
    pub(super) fn instruction(
        &mut self,
        operation: &Word<'_>,
        operands: &[Word<'_>],
        span: &Range<usize>,
    ) -> Option<Instruction> {
        let known = Opcode::ALL.iter().copied();
        let Some(opcode) = known
            .clone()
            .find(|opcode| opcode.name().eq_ignore_ascii_case(operation.text))
        else {
            let message = format!("there is no operation `{}`", operation.text);
            let mut diagnostic = Diagnostic::error("A0103", operation.span.clone(), message);
            let names = known.map(Opcode::name);
            diagnostic.help = Some(match nearest(operation.text, names.clone()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are: {}", names.collect::<Vec<_>>().join(" ")),
            });
            self.diagnostics.push(diagnostic);
            return None;
        };
        let (result, left, right) = match (opcode.form(), operands) {
            (Form::Skip, [left, target]) => {
                let left = self.operand(left);
                (Some(FLAG), left, self.target(target))
            }
            (Form::Skip, [result, left, target]) => {
                let (result, left) = (self.operand(result), self.operand(left));
                (result, left, self.target(target))
            }
            (Form::Wide | Form::Define64, [result, value]) => {
                let result = self.operand(result);
                let (low, high) = self.wide(value).unzip();
                (result, low, high)
            }
            (Form::Unary | Form::Define, [result, right]) => {
                let result = self.operand(result);
                (result, result, self.operand(right))
            }
            (_, [result, left, right]) => {
                let (result, left) = (self.operand(result), self.operand(left));
                (result, left, self.operand(right))
            }
            (form, _) => {
                let plural = if operands.len() == 1 { "" } else { "s" };
                let (name, count) = (opcode.name(), operands.len());
                self.diagnostics.push(
                    Diagnostic::error(
                        "A0104",
                        span.clone(),
                        format!("`{name}` with {count} operand{plural}"),
                    )
                    .help(format!("write `{} {}`", opcode.name(), usage(form))),
                );
                return None;
            }
        };
        Some(Instruction {
            opcode,
            result: result?,
            left: left?,
            right: right?,
        })
    }

    /// A register or an immediate.
    fn operand(&mut self, word: &Word<'_>) -> Option<Reg> {
        if is_number(word.text) {
            let small = u32::try_from(self.value(word)?).ok();
            if small.is_none() {
                let message = format!("`{}` needs more than 32 bits", word.text);
                self.diagnostics.push(
                    Diagnostic::error("A0105", word.span.clone(), message)
                        .help("CONST loads such a number into a register, DEF64 defines one"),
                );
            }
            return small.map(|value| Reg::new(Class::Immediate, value));
        }
        let reg = self.names.find(word.text);
        if reg.is_none() {
            self.diagnostics
                .push(if self.labels.contains_key(word.text) {
                    let message = format!("`{}` is a label, not a register", word.text);
                    Diagnostic::error("A0201", word.span.clone(), message)
                        .help("only the last operand of SKIPZ is a label")
                } else {
                    unknown(word, Some(self.names))
                });
        }
        reg
    }

    /// The value of a number.
    fn value(&mut self, word: &Word<'_>) -> Option<u64> {
        let value = number(word.text);
        if value.is_none() {
            let message = format!("`{}` is no number of 64 bits", word.text);
            self.diagnostics.push(
                Diagnostic::error("A0105", word.span.clone(), message)
                    .help("write decimal digits, or hexadecimal ones after `0x`"),
            );
        }
        value
    }

    /// The halves of a 64-bit number.
    fn wide(&mut self, word: &Word<'_>) -> Option<(Reg, Reg)> {
        if !is_number(word.text) {
            let message = format!("`{}` is no number", word.text);
            self.diagnostics.push(
                Diagnostic::error("A0106", word.span.clone(), message)
                    .help("this operation takes its value as a number"),
            );
            return None;
        }
        let value = self.value(word)?;
        let half = |value: u64| Reg::new(Class::Immediate, value as u32);
        Some((half(value), half(value >> 32)))
    }

    /// What a skip is given: a label, the count itself, or what no verifier
    /// takes.
    fn target(&mut self, word: &Word<'_>) -> Option<Reg> {
        if is_number(word.text) {
            return self.operand(word);
        }
        if let Some(reg) = register::parse(word.text) {
            return Some(reg);
        }
        let Some(target) = self.labels.get(word.text) else {
            let message = format!("there is no label `{}`", word.text);
            let near = nearest(word.text, self.labels.keys().copied());
            let diagnostic = Diagnostic::error("A0205", word.span.clone(), message);
            self.diagnostics.push(diagnostic.help(match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("put `{}:` before an instruction", word.text),
            }));
            return None;
        };
        let count = target.checked_sub(self.index.saturating_add(1));
        if count.is_none() {
            let message = format!("label `{}` lies behind", word.text);
            self.diagnostics.push(
                Diagnostic::error("A0206", word.span.clone(), message)
                    .help("programs only go forward: there are no loops"),
            );
        }
        count.map(|count| Reg::new(Class::Immediate, count))
    }
}

fn usage(form: Form) -> &'static str {
    match form {
        Form::Binary | Form::Update => "result, left, right",
        Form::Unary => "result, right",
        Form::Define => "register, initial value",
        Form::Define64 => "register, initial value of 64 bits",
        Form::Wide => "result, value of 64 bits",
        Form::Skip => "condition, label",
    }
}

/// A word that should be a register.
pub(super) fn unknown(word: &Word<'_>, names: Option<&Names>) -> Diagnostic {
    let message = format!("there is no register `{}`", word.text);
    let diagnostic = Diagnostic::error("A0201", word.span.clone(), message);
    let indexed: Vec<String> = register::all_with_index_of(word.text).collect();
    let mut known: Vec<&str> = register::all_fixed().collect();
    known.extend(indexed.iter().map(String::as_str));
    known.extend(
        names
            .into_iter()
            .flat_map(Names::iter)
            .map(|(_, name)| name),
    );
    diagnostic.help(match nearest(word.text, known.into_iter()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "registers are Report.N, VReport.N, Control.N, VControl.N, Local.N, Tmp.N, \
                 those of the datapath, and what `.name` names"
            .to_owned(),
    })
}

/// Whether a word can be nothing but a number, well-formed or not.
fn is_number(text: &str) -> bool {
    text == INFINITY || text.starts_with(|c: char| c.is_ascii_digit())
}

/// The value of a number, if it is one and has one of 64 bits.
pub(super) fn number(text: &str) -> Option<u64> {
    if text == INFINITY {
        return Some(u32::MAX.into());
    }
    let (digits, radix) = match text.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None => (text, 10),
    };
    // There is no sign to let through: words have none.
    u64::from_str_radix(digits, radix).ok()
}

/// The candidate that `text` most likely meant, if any is near.
fn nearest<'a>(text: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let (text, limit) = (text.to_lowercase(), text.chars().count() / 3);
    // Suggestions are for slips; a word of this length is none.
    if limit > 20 {
        return None;
    }
    candidates
        .filter_map(|candidate| {
            let whole = candidate.to_lowercase();
            let short = whole.rsplit('.').next().unwrap_or(&whole);
            let distance = if short == text {
                0
            } else {
                strsim::damerau_levenshtein(&text, &whole)
            };
            (distance <= limit).then_some((distance, candidate))
        })
        .min()
        .map(|(_, candidate)| candidate)
}
