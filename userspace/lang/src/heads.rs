// SPDX-License-Identifier: GPL-2.0
//! What can follow a `(`: operators, commands and keywords.

use crate::ast::Op;

/// The meaning of the first thing in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Head {
    Op(Op),
    Assign,
    /// `if` and `!if`: a choice between values, or between two statements.
    If {
        negate: bool,
    },
    /// `If`: any number of statements.
    IfBlock,
    Else,
    Ewma,
    Report,
    Fallthrough,
    When,
    Def,
}

/// Every spelling. Symbols are split off by the lexer; words stand alone.
const HEADS: &[(&str, Head)] = &[
    ("+", Head::Op(Op::Add)),
    ("add", Head::Op(Op::Add)),
    ("-", Head::Op(Op::Sub)),
    ("sub", Head::Op(Op::Sub)),
    ("*", Head::Op(Op::Mul)),
    ("mul", Head::Op(Op::Mul)),
    ("add_sat", Head::Op(Op::AddSat)),
    ("sub_sat", Head::Op(Op::SubSat)),
    ("mul_sat", Head::Op(Op::MulSat)),
    ("/", Head::Op(Op::Div)),
    ("div", Head::Op(Op::Div)),
    ("max", Head::Op(Op::Max)),
    ("min", Head::Op(Op::Min)),
    ("wrapped_max", Head::Op(Op::WrappedMax)),
    ("&&", Head::Op(Op::And)),
    ("and", Head::Op(Op::And)),
    ("||", Head::Op(Op::Or)),
    ("or", Head::Op(Op::Or)),
    ("!", Head::Op(Op::Not)),
    ("not", Head::Op(Op::Not)),
    (">", Head::Op(Op::Gt)),
    ("gt", Head::Op(Op::Gt)),
    (">=", Head::Op(Op::Ge)),
    ("ge", Head::Op(Op::Ge)),
    ("<", Head::Op(Op::Lt)),
    ("lt", Head::Op(Op::Lt)),
    ("<=", Head::Op(Op::Le)),
    ("le", Head::Op(Op::Le)),
    ("==", Head::Op(Op::Eq)),
    ("eq", Head::Op(Op::Eq)),
    ("!=", Head::Op(Op::Ne)),
    ("ne", Head::Op(Op::Ne)),
    (":=", Head::Assign),
    ("bind", Head::Assign),
    ("if", Head::If { negate: false }),
    ("!if", Head::If { negate: true }),
    ("If", Head::IfBlock),
    ("else", Head::Else),
    ("ewma", Head::Ewma),
    ("report", Head::Report),
    ("fallthrough", Head::Fallthrough),
    ("when", Head::When),
    ("def", Head::Def),
];

/// Words that portus takes even when the first operand follows without a
/// space. None is the start of another.
const GLUED: &[&str] = &[
    "add",
    "sub",
    "mul",
    "div",
    "and",
    "or",
    "gt",
    "lt",
    "eq",
    "bind",
    "max",
    "min",
    "wrapped_max",
    "if",
    "ewma",
];

/// The head spelt exactly `text`.
pub(crate) fn find(text: &str) -> Option<Head> {
    HEADS
        .iter()
        .find(|(spelling, _)| *spelling == text)
        .map(|(_, head)| *head)
}

/// An operator at the start of `text` and its length.
pub(crate) fn glued(text: &str) -> Option<(Head, usize)> {
    let word = GLUED.iter().find(|word| text.starts_with(**word))?;
    find(word).map(|head| (head, word.len()))
}

/// Every spelling, for suggestions.
pub(crate) fn spellings() -> impl Iterator<Item = &'static str> {
    HEADS.iter().map(|(spelling, _)| *spelling)
}

/// How people of other languages spell things, and what to write here.
pub(crate) fn foreign(text: &str) -> Option<&'static str> {
    Some(match text {
        "reset" => "declare the variables `volatile`: they reset after each report",
        "set" | "set!" | "setq" | "let" => "assign with `(:= name value)`",
        "while" | "for" | "loop" => "there are no loops; a program runs on every ACK",
        "mod" | "rem" => "there is no remainder; `(- a (* b (/ a b)))` computes one",
        "IF" | "iF" => "did you mean `If`?",
        "cond" | "switch" | "case" => "nest `(If condition statements... (else ...))`",
        "elif" | "elseif" => "write `(else (If condition ...))`",
        "max_wrapped" => "the operator is `wrapped_max`",
        "Report" => "send a report with `(report)`; declare variables inside `def`",
        _ => return None,
    })
}
