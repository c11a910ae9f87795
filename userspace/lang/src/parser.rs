// SPDX-License-Identifier: GPL-2.0
//! Tree of lists to program: clauses and statements. Declarations are in
//! `declaration.rs`, expressions in `expression.rs`.

use std::collections::HashSet;

use crate::ast::{Event, Expr, ExprKind, Program, Span, Stmt};
use crate::diagnostic::Diagnostic;
use crate::heads::{self, Head};
use crate::names;
use crate::reader::{Node, NodeKind};

/// Parses the top level. What cannot be understood is reported and left out.
///
/// What `)` are missing in a list of `unclosed` nobody knows: how many operands
/// it has, and where its commands stand, is no error of its own.
pub(crate) fn parse(
    source: &str,
    nodes: &[Node],
    unclosed: &[Span],
    diagnostics: &mut Vec<Diagnostic>,
) -> Program {
    let mut found = Vec::new();
    let mut parser = Parser {
        source,
        known: names::builtins().map(str::to_owned).collect(),
        lost: 0,
        sound: diagnostics.is_empty(),
        diagnostics: &mut found,
    };
    let program = parser.program(nodes);
    found.retain(|d| {
        let shape = matches!(d.code, "E0107" | "E0108" | "E0110" | "E0111" | "E0120");
        !(shape && unclosed.iter().any(|span| span.contains(&d.span.start)))
    });
    diagnostics.append(&mut found);
    program
}

/// The parser's state.
pub(crate) struct Parser<'a> {
    pub(crate) source: &'a str,
    /// Names that mean something so far: a word may be split before them.
    pub(crate) known: HashSet<String>,
    /// Lists around this one that were not understood: whether a command may
    /// stand there cannot be told.
    pub(crate) lost: usize,
    /// Nothing was wrong before.
    sound: bool,
    pub(crate) diagnostics: &'a mut Vec<Diagnostic>,
}

/// An element of a list, words taken apart.
pub(crate) enum Item<'n> {
    Atom(Expr),
    List(&'n Node, &'n [Node]),
}

impl<'a> Parser<'a> {
    pub(crate) fn text(&self, node: &Node) -> &'a str {
        &self.source[node.span.clone()]
    }

    pub(crate) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    fn program(&mut self, nodes: &[Node]) -> Program {
        let mut program = Program::default();
        let mut defined = false;
        for node in nodes {
            if matches!(node.kind, NodeKind::Invalid) {
                continue;
            }
            let NodeKind::List(items) = &node.kind else {
                self.report(
                    Diagnostic::error(
                        "E0104",
                        node.span.clone(),
                        format!("`{}` stands outside of any clause", self.text(node)),
                    )
                    .help("a program is one `(def ...)` and then `(when ...)` clauses"),
                );
                continue;
            };
            match self.clause(items) {
                Some((Head::Def, _, rest)) => {
                    if defined || !program.events.is_empty() {
                        self.report(
                            Diagnostic::error(
                                "E0105",
                                node.span.start..items[0].span.end,
                                "`def` must stand once, before all clauses",
                            )
                            .help("declare all variables in the one `def` at the start"),
                        );
                    }
                    defined = true;
                    self.definitions(rest, &mut program.declarations);
                }
                Some((Head::When, first, rest)) => {
                    program.events.extend(self.event(node, first, rest));
                }
                _ => {
                    let first = items.first();
                    let span = first.map_or(node.span.clone(), |n| n.span.clone());
                    let text = first.map_or("", |n| self.text(n));
                    let d = Diagnostic::error("E0104", span, "this is no clause of a program");
                    self.report(match names::nearest(text, ["def", "when"].into_iter()) {
                        Some(near) => d.help(format!("did you mean `{near}`?")),
                        None => {
                            d.help("the clauses are `(def ...)`, once and first, and `(when ...)`")
                        }
                    });
                }
            }
        }
        let missing = match (defined, program.events.is_empty()) {
            (false, _) => Some((
                "a program needs a `def` block",
                "start with `(def)`, or `(def (name value) ...)` to declare variables",
            )),
            (true, true) => Some((
                "a program needs at least one `when` clause",
                "add one, such as `(when true (report))`",
            )),
            _ => None,
        };
        // When something else is wrong, what is missing may only be hidden.
        if let (Some((message, help)), true) = (missing, self.sound && self.diagnostics.is_empty())
        {
            let span = nodes.last().map_or(0..0, |n| n.span.clone());
            self.report(Diagnostic::error("E0106", span, message).help(help));
        }
        program
    }

    /// The keyword of a clause, what is glued to it, and the rest.
    fn clause<'n>(&mut self, items: &'n [Node]) -> Option<(Head, Vec<Item<'n>>, &'n [Node])> {
        let (first, rest) = items.split_first()?;
        if !matches!(first.kind, NodeKind::Word) {
            return None;
        }
        let text = self.text(first);
        if let Some(head) = heads::find(text) {
            return Some((head, Vec::new(), rest));
        }
        let glued = text.strip_prefix("when")?;
        let start = first.span.start + "when".len();
        let atoms = self.split_glued(glued, start, false)?;
        self.warn_glued(first.span.clone(), "when", glued);
        Some((Head::When, atoms, rest))
    }

    pub(crate) fn reserved(&mut self, span: Span, name: &str) {
        self.report(
            Diagnostic::error(
                "E0203",
                span,
                format!("`{name}`: names that start with `__` belong to the datapath"),
            )
            .help("choose a name without the leading underscores"),
        );
    }

    fn event<'n>(&mut self, node: &Node, glued: Vec<Item<'n>>, rest: &'n [Node]) -> Option<Event> {
        let mut items = glued;
        items.extend(self.items(rest));
        let mut items = items.into_iter();
        let Some(first) = items.next() else {
            self.report(
                Diagnostic::error("E0108", node.span.clone(), "`when` needs a condition")
                    .help("write `(when condition statements...)`"),
            );
            return None;
        };
        // What stands alone may be a statement whose condition is missing.
        let alone = items.len() == 0;
        self.lost += usize::from(alone);
        let condition = self.expr(first);
        self.lost -= usize::from(alone);
        let body: Vec<Stmt> = items.filter_map(|item| self.statement(item)).collect();
        if alone {
            self.report(
                Diagnostic::error(
                    "E0108",
                    node.span.clone(),
                    "`when` needs a condition and at least one statement",
                )
                .help("write `(when condition statements...)`"),
            );
        }
        Some(Event {
            condition,
            body,
            span: node.span.clone(),
        })
    }

    /// A statement, or nothing if it was reported.
    pub(crate) fn statement(&mut self, item: Item<'_>) -> Option<Stmt> {
        let (node, nodes) = match item {
            Item::List(node, nodes) => (node, nodes),
            Item::Atom(expr) => return self.bare_statement(expr, false),
        };
        let Some((head, glued, rest)) = self.head(node, nodes) else {
            return Some(Stmt::Expr(error(node)));
        };
        match head {
            Head::Report | Head::Fallthrough => {
                if !rest.is_empty() {
                    self.report(
                        Diagnostic::error(
                            "E0110",
                            node.span.clone(),
                            format!("`{}` takes no operands", self.text(&nodes[0])),
                        )
                        .help(format!("write `({})`", self.text(&nodes[0]))),
                    );
                }
                Some(if head == Head::Report {
                    Stmt::Report(node.span.clone())
                } else {
                    Stmt::Fallthrough(node.span.clone())
                })
            }
            Head::If { negate } => self.if_statement(node, negate, glued, rest),
            Head::IfBlock => self.if_block(node, rest),
            _ => Some(Stmt::Expr(self.list_expr(node, head, glued, rest))),
        }
    }

    /// A statement of an `If`, which portus does not have.
    fn block_statement(&mut self, item: Item<'_>) -> Option<Stmt> {
        match item {
            Item::Atom(expr) => self.bare_statement(expr, true),
            Item::List(..) => self.statement(item),
        }
    }

    /// A word as a statement. A keyword there would do something else than it
    /// says: `(If c A else B)` would run both A and B. portus takes commands,
    /// which then have no effect.
    fn bare_statement(&mut self, expr: Expr, block: bool) -> Option<Stmt> {
        let ExprKind::Name(name) = &expr.kind else {
            return Some(Stmt::Expr(expr));
        };
        let help = match name.as_str() {
            _ if self.known.contains(name) => return Some(Stmt::Expr(expr)),
            "else" => "write `(else statements...)`, as the last part of an `If`",
            "when" => "write `(If condition statements...)`; clauses do not nest",
            "report" if block => "write `(report)`",
            "fallthrough" if block => "write `(fallthrough)`",
            _ => return Some(Stmt::Expr(expr)),
        };
        let message = format!("`{name}` is a keyword and needs parentheses of its own");
        self.report(Diagnostic::error("E0120", expr.span, message).help(help));
        None
    }

    /// `(if c S)`, `(if c S E)`: only the chosen statement runs.
    fn if_statement<'n>(
        &mut self,
        node: &Node,
        negate: bool,
        glued: Vec<Item<'n>>,
        rest: &'n [Node],
    ) -> Option<Stmt> {
        let mut items = glued;
        items.extend(self.items(rest));
        if !(2..=3).contains(&items.len()) {
            self.report(
                Diagnostic::error(
                    "E0110",
                    node.span.clone(),
                    format!("`if` takes a condition and one or two operands, not {}", items.len()),
                )
                .help("for several statements write `(If condition statements... (else statements...))`"),
            );
            return None;
        }
        let mut items = items.into_iter();
        let condition = self.expr(items.next()?);
        let mut branches = [Vec::new(), Vec::new()];
        for (branch, item) in branches.iter_mut().zip(items) {
            branch.extend(self.statement(item));
        }
        let [mut then, mut otherwise] = branches;
        if negate {
            std::mem::swap(&mut then, &mut otherwise);
        }
        Some(Stmt::If {
            condition,
            then,
            otherwise,
            span: node.span.clone(),
        })
    }

    /// `(If c S... (else E...))`
    fn if_block(&mut self, node: &Node, rest: &[Node]) -> Option<Stmt> {
        let mut items = self.items(rest).into_iter();
        let Some(first) = items.next() else {
            self.report(
                Diagnostic::error("E0110", node.span.clone(), "`If` needs a condition")
                    .help("write `(If condition statements... (else statements...))`"),
            );
            return None;
        };
        let condition = self.expr(first);
        let mut then = Vec::new();
        let mut otherwise = Vec::new();
        let mut has_else: Option<Span> = None;
        for item in items {
            let otherwise_nodes = match &item {
                Item::List(_, nodes) if nodes.first().is_some_and(|n| self.text(n) == "else") => {
                    Some(&nodes[1..])
                }
                _ => None,
            };
            if let Some(span) = &has_else {
                self.report(
                    Diagnostic::error(
                        "E0111",
                        span.clone(),
                        "`else` must come last in its `If`, once",
                    )
                    .help("move the statements after it before it, or into another `If`"),
                );
                return None;
            }
            if let (Item::List(node, _), Some(nodes)) = (&item, otherwise_nodes) {
                has_else = Some(node.span.clone());
                for item in self.items(nodes) {
                    otherwise.extend(self.block_statement(item));
                }
            } else {
                then.extend(self.block_statement(item));
            }
        }
        if rest.len() < 2 {
            self.report(
                Diagnostic::error(
                    "E0108",
                    node.span.clone(),
                    "`If` needs at least one statement",
                )
                .help("write `(If condition statements... (else statements...))`"),
            );
        }
        Some(Stmt::If {
            condition,
            then,
            otherwise,
            span: node.span.clone(),
        })
    }
}

/// Stands for something already reported.
pub(crate) fn error(node: &Node) -> Expr {
    Expr {
        kind: ExprKind::Error,
        span: node.span.clone(),
    }
}
