// SPDX-License-Identifier: GPL-2.0
//! Characters to tokens.
//!
//! Tokens are coarser than one might expect: a run of name characters is one
//! word, because whether `1a` or `maxc` is one name or two things depends on
//! where it stands. `atom.rs` decides that.

use std::ops::Range;

use crate::diagnostic::Diagnostic;

/// Kinds of token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `(`
    Open,
    /// `)`
    Close,
    /// A run of name characters: a name, number, keyword, or several of them.
    Word,
    /// An operator made of symbols, or `!if`.
    Symbol,
    /// `+infinity`
    Infinity,
    /// Characters that mean nothing, already reported.
    Invalid,
}

/// A token and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) span: Range<usize>,
}

/// Longer spellings first: the first that matches wins.
const SYMBOLS: &[&str] = &[
    "!if", "&&", "||", ":=", "<=", ">=", "==", "!=", "+", "-", "*", "/", "<", ">", "!",
];

/// Characters that look like operators of other languages; named in errors as
/// a whole rather than one by one.
const SYMBOL_CHARS: &str = "+-*/&|<>=:!%^~";

/// Operators of other languages that begin with one of ours.
const UPDATES: &[&str] = &["+=", "-=", "*=", "/="];

const INFINITY: &str = "+infinity";

/// Whether names may contain `c`. For characters beyond ASCII this must take
/// whatever portus takes, which looks at the low byte only.
#[allow(
    clippy::cast_possible_truncation,
    reason = "the low byte is what is wanted"
)]
pub(crate) fn is_name_char(c: char) -> bool {
    let low = char::from(c as u32 as u8);
    let ascii = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '_';
    ascii(c) || (!c.is_ascii() && (c.is_alphanumeric() || ascii(low)))
}

/// Splits `source` into tokens. White space and comments separate tokens and
/// vanish; what is no token at all is reported.
pub(crate) fn lex(source: &str, diagnostics: &mut Vec<Diagnostic>) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut at = 0;
    while let Some(c) = source[at..].chars().next() {
        let rest = &source[at..];
        // An operator can only follow `(`: elsewhere `+infinity` is a value.
        let head = tokens.last().is_some_and(|t| t.kind == Kind::Open);
        let (kind, len) = match c {
            ' ' | '\t' | '\r' | '\n' => {
                at += 1;
                continue;
            }
            '\u{feff}' if at == 0 => {
                at += c.len_utf8();
                continue;
            }
            '#' => {
                at += rest.find('\n').unwrap_or(rest.len());
                continue;
            }
            '(' => (Kind::Open, 1),
            ')' => (Kind::Close, 1),
            _ if is_name_char(c) => (Kind::Word, run(rest, is_name_char)),
            _ if !head && rest.starts_with(INFINITY) => (Kind::Infinity, INFINITY.len()),
            _ if head && UPDATES.iter().any(|update| rest.starts_with(update)) => {
                diagnostics.push(unexpected(rest, at..at + 2));
                (Kind::Invalid, 2)
            }
            _ => {
                if let Some(symbol) = SYMBOLS.iter().find(|s| rest.starts_with(**s)) {
                    (Kind::Symbol, symbol.len())
                } else {
                    let len = match c {
                        '"' | '\'' => quoted(rest, c),
                        _ => run(rest, |c| SYMBOL_CHARS.contains(c)).max(c.len_utf8()),
                    };
                    diagnostics.push(unexpected(rest, at..at + len));
                    (Kind::Invalid, len)
                }
            }
        };
        tokens.push(Token {
            kind,
            span: at..at + len,
        });
        at += len;
    }
    tokens
}

/// Bytes at the start of `text` whose characters satisfy `accept`.
fn run(text: &str, accept: impl Fn(char) -> bool) -> usize {
    text.find(|c| !accept(c)).unwrap_or(text.len())
}

/// Bytes of the string that `text` begins with, in `quote`s on one line; of the
/// first alone if there is no other. One mistake, one operand.
fn quoted(text: &str, quote: char) -> usize {
    let end = text[1..].find([quote, '\n']).map(|at| at + 1);
    match end {
        Some(end) if text[end..].starts_with(quote) => end + 1,
        _ => 1,
    }
}

fn unexpected(rest: &str, span: Range<usize>) -> Diagnostic {
    let text = &rest[..span.len()];
    // A quote shows as it is.
    let shown = text.escape_debug().to_string();
    let shown = shown.replace("\\\"", "\"").replace("\\'", "'");
    let d = Diagnostic::error(
        "E0101",
        span,
        format!("`{shown}` has no meaning in this language"),
    );
    match text {
        "=" => d.help("assign with `:=`, compare with `==`"),
        "+=" | "-=" | "*=" | "/=" => {
            d.help(format!("assign with `:=`: `(:= x ({} x 1))`", &text[..1]))
        }
        "&" => d.help("logical and is `&&`; there are no bit operations"),
        "|" => d.help("logical or is `||`; there are no bit operations"),
        "%" => d.help("there is no remainder; `(- a (* b (/ a b)))` computes one"),
        _ if text.starts_with(['"', '\'']) => d.help("there are no strings"),
        ";" | "//" => d.help("a comment starts with `#`"),
        "{" | "}" | "[" | "]" => d.help("only `(` and `)` group"),
        "," => d.help("operands are separated by spaces"),
        _ => d,
    }
}
