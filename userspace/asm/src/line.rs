// SPDX-License-Identifier: GPL-2.0
//! Lines of the text form as words and marks.

use crate::names::word;
use ccp_lang::Diagnostic;
use std::ops::Range;

/// A run of letters, digits, `_` and `.`, and where it is.
#[derive(Clone, Debug)]
pub(crate) struct Word<'a> {
    pub(crate) text: &'a str,
    pub(crate) span: Range<usize>,
}

#[derive(Clone, Debug)]
pub(crate) enum Token<'a> {
    Word(Word<'a>),
    /// `,`, `:` or `=`.
    Mark(char, Range<usize>),
}

impl Token<'_> {
    pub(crate) fn span(&self) -> Range<usize> {
        match self {
            Self::Word(word) => word.span.clone(),
            Self::Mark(_, span) => span.clone(),
        }
    }

    pub(crate) fn is(&self, mark: char) -> bool {
        matches!(self, Self::Mark(found, _) if *found == mark)
    }
}

/// The tokens of each line that has any; comments go from `#` to its end.
pub(crate) fn lines<'a>(source: &'a str, diagnostics: &mut Vec<Diagnostic>) -> Vec<Vec<Token<'a>>> {
    let mut lines = Vec::new();
    let mut start = source.len() - source.trim_start_matches('\u{feff}').len();
    for line in source[start..].split_inclusive('\n') {
        let tokens = tokens(line, start, diagnostics);
        if !tokens.is_empty() {
            lines.push(tokens);
        }
        start += line.len();
    }
    lines
}

fn tokens<'a>(line: &'a str, start: usize, diagnostics: &mut Vec<Diagnostic>) -> Vec<Token<'a>> {
    let mut tokens = Vec::new();
    let mut rest = line.split('#').next().unwrap_or(line);
    let mut at = start;
    while let Some(first) = rest.chars().next() {
        let length = |belongs: fn(char) -> bool| rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        let len = match first {
            ' ' | '\t' | '\r' | '\n' => first.len_utf8(),
            ',' | ':' | '=' => {
                let len = first.len_utf8();
                tokens.push(Token::Mark(first, at..at + len));
                len
            }
            c if word(c) => {
                let len = length(word);
                tokens.push(Token::Word(Word {
                    text: &rest[..len],
                    span: at..at + len,
                }));
                len
            }
            _ => {
                let len = length(stray);
                diagnostics.push(
                    Diagnostic::error("A0101", at..at + len, "this means nothing here").help(
                        "a line is `OPERATION result, left, right`, a label or a directive; \
                         comments begin with `#`",
                    ),
                );
                len
            }
        };
        rest = &rest[len..];
        at += len;
    }
    tokens
}

fn stray(c: char) -> bool {
    !word(c) && !matches!(c, ' ' | '\t' | '\r' | '\n' | ',' | ':' | '=')
}
