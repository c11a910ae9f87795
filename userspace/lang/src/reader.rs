// SPDX-License-Identifier: GPL-2.0
//! Tokens to a tree of lists. Only parentheses matter here, so one wrong
//! operator never hides the next error.

use std::ops::Range;

use crate::diagnostic::Diagnostic;
use crate::lexer::{Kind, Token};

/// Deepest nesting of lists. Bounds the recursion of everything after this;
/// no real program comes near it.
pub(crate) const MAX_DEPTH: usize = 128;

/// A piece of the program as it is written.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) kind: NodeKind,
    pub(crate) span: Range<usize>,
}

/// What a node is.
#[derive(Clone, Debug)]
pub(crate) enum NodeKind {
    List(Vec<Node>),
    Word,
    Symbol,
    Infinity,
    /// Already reported; stands for anything.
    Invalid,
}

/// A list whose `)` has not come yet.
struct Open {
    /// The `(`.
    span: Range<usize>,
    items: Vec<Node>,
}

/// Builds the tree; the result is what stands outside of all lists.
/// Second is where the outermost lists are that had to be ended.
pub(crate) fn read(
    source: &str,
    tokens: &[Token],
    diagnostics: &mut Vec<Diagnostic>,
) -> (Vec<Node>, Vec<Range<usize>>) {
    let balanced = balanced(tokens);
    let mut unclosed = Vec::new();
    let mut top = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    // Lists inside a list that is too deep; they are skipped.
    let mut skipped = 0_usize;
    for (i, token) in tokens.iter().enumerate() {
        let leaf = |kind| Node {
            kind,
            span: token.span.clone(),
        };
        match token.kind {
            Kind::Open if skipped > 0 => skipped += 1,
            Kind::Close if skipped > 0 => skipped -= 1,
            _ if skipped > 0 => {}
            Kind::Open => {
                if !open.is_empty()
                    && !balanced
                    && starts_clause(source, &tokens[i..], in_declarations(source, &open))
                {
                    unclosed.extend(close_all(
                        &mut open,
                        &mut top,
                        token.span.start,
                        diagnostics,
                    ));
                }
                if open.len() == MAX_DEPTH {
                    skipped = 1;
                    push(&mut open, &mut top, leaf(NodeKind::Invalid));
                    diagnostics.push(
                        Diagnostic::error(
                            "E0112",
                            token.span.clone(),
                            format!("lists are nested more than {MAX_DEPTH} deep"),
                        )
                        .help("split the expression with local variables"),
                    );
                } else {
                    open.push(Open {
                        span: token.span.clone(),
                        items: Vec::new(),
                    });
                }
            }
            Kind::Close => match open.pop() {
                Some(list) => {
                    let node = Node {
                        kind: NodeKind::List(list.items),
                        span: list.span.start..token.span.end,
                    };
                    push(&mut open, &mut top, node);
                }
                None => diagnostics.push(
                    Diagnostic::error("E0103", token.span.clone(), "`)` without a `(`")
                        .help("remove it, or add the `(` it belongs to"),
                ),
            },
            Kind::Word => push(&mut open, &mut top, leaf(NodeKind::Word)),
            Kind::Symbol => push(&mut open, &mut top, leaf(NodeKind::Symbol)),
            Kind::Infinity => push(&mut open, &mut top, leaf(NodeKind::Infinity)),
            Kind::Invalid => push(&mut open, &mut top, leaf(NodeKind::Invalid)),
        }
    }
    let end = tokens.last().map_or(0, |t| t.span.end);
    unclosed.extend(close_all(&mut open, &mut top, end, diagnostics));
    (top, unclosed)
}

/// Whether each `(` has its `)`.
fn balanced(tokens: &[Token]) -> bool {
    let mut depth = 0_usize;
    for token in tokens {
        match (token.kind, depth) {
            (Kind::Open, _) => depth += 1,
            (Kind::Close, 0) => return false,
            (Kind::Close, _) => depth -= 1,
            _ => {}
        }
    }
    depth == 0
}

/// Appends to the innermost open list, or to what is outside of all.
fn push(open: &mut [Open], top: &mut Vec<Node>, node: Node) {
    open.last_mut().map_or(top, |o| &mut o.items).push(node);
}

/// Whether the innermost open list holds declarations, where `(when 0)` is a
/// variable and not a clause.
fn in_declarations(source: &str, open: &[Open]) -> bool {
    open.last()
        .and_then(|list| list.items.first())
        .is_some_and(|head| matches!(&source[head.span.clone()], "def" | "Report"))
}

/// Whether `tokens` start a `def` or `when`. These never stand inside another
/// list, so a `)` before them is missing.
fn starts_clause(source: &str, tokens: &[Token], declarations: bool) -> bool {
    let keyword = tokens
        .get(1)
        .is_some_and(|t| matches!(&source[t.span.clone()], "def" | "when"));
    let declaration = declarations
        && matches!(tokens.get(2), Some(t) if t.kind != Kind::Open)
        && matches!(tokens.get(3), Some(t) if t.kind == Kind::Close);
    keyword && !declaration
}

/// Ends every open list at `end`, with one error for the outermost, and says
/// where that is.
fn close_all(
    open: &mut Vec<Open>,
    top: &mut Vec<Node>,
    end: usize,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Range<usize>> {
    let outermost = open.first().map(|list| list.span.start..end);
    if let Some(outermost) = open.first() {
        let message = match open.len() {
            1 => "this `(` is never closed".to_owned(),
            n => format!("this `(` and {} inside it are never closed", n - 1),
        };
        diagnostics.push(
            Diagnostic::error("E0102", outermost.span.clone(), message).help("add the missing `)`"),
        );
    }
    while let Some(list) = open.pop() {
        let node = Node {
            kind: NodeKind::List(list.items),
            span: list.span.start..end.max(list.span.end),
        };
        push(open, top, node);
    }
    outermost
}
