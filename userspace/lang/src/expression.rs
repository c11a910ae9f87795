// SPDX-License-Identifier: GPL-2.0
//! Parsing of expressions: everything with a value.

use crate::ast::{Expr, ExprKind, Literal, Op, Span};
use crate::atom::{self, BadNumber};
use crate::diagnostic::Diagnostic;
use crate::heads::{self, Head};
use crate::names;
use crate::parser::{error, Item, Parser};
use crate::reader::{Node, NodeKind};

impl Parser<'_> {
    /// The elements of a list after its head.
    pub(crate) fn items<'n>(&mut self, nodes: &'n [Node]) -> Vec<Item<'n>> {
        let mut items = Vec::new();
        for node in nodes {
            match &node.kind {
                NodeKind::List(inner) => items.push(Item::List(node, inner)),
                NodeKind::Infinity => items.push(Item::Atom(Expr {
                    kind: ExprKind::Literal(Literal::Infinity),
                    span: node.span.clone(),
                })),
                NodeKind::Word => self.word(node, &mut items),
                NodeKind::Invalid => items.push(Item::Atom(error(node))),
                NodeKind::Symbol => {
                    self.stray_symbol(node);
                    items.push(Item::Atom(error(node)));
                }
            }
        }
        items
    }

    fn word(&mut self, node: &Node, items: &mut Vec<Item<'_>>) {
        let text = self.text(node);
        match atom::read(text, &|name| self.known.contains(name)) {
            Ok(atoms) => {
                if atoms.len() > 1 {
                    let parts: Vec<&str> = parts(text, &atoms).collect();
                    let parts = parts.join(" ");
                    self.report(
                        Diagnostic::warning(
                            "W0503",
                            node.span.clone(),
                            format!("`{text}` is read as `{parts}`"),
                        )
                        .help(format!("write `{parts}`")),
                    );
                }
                self.push_atoms(atoms, node.span.start, items);
            }
            Err(bad) => {
                self.bad_number(node.span.clone(), text, bad);
                items.push(Item::Atom(error(node)));
            }
        }
    }

    fn push_atoms(&mut self, atoms: Vec<atom::Atom>, start: usize, items: &mut Vec<Item<'_>>) {
        let mut at = start;
        for (literal, len) in atoms {
            let span = at..at + len;
            at += len;
            let kind = match literal {
                Literal::Name(name) if name.starts_with("__") => {
                    self.reserved(span.clone(), &name);
                    ExprKind::Error
                }
                Literal::Name(name) => ExprKind::Name(name),
                literal => ExprKind::Literal(literal),
            };
            items.push(Item::Atom(Expr { kind, span }));
        }
    }

    /// What follows a keyword without a space, if it means something or may
    /// be a `new_name`.
    pub(crate) fn split_glued<'n>(
        &mut self,
        text: &str,
        start: usize,
        new_name: bool,
    ) -> Option<Vec<Item<'n>>> {
        let known = |name: &str| self.known.contains(name);
        let atoms = atom::read(text, &known).ok()?;
        let meaningful = |atom: &atom::Atom| match &atom.0 {
            Literal::Name(name) => new_name || known(name),
            _ => true,
        };
        if !atoms.iter().all(meaningful) {
            return None;
        }
        let mut items = Vec::new();
        self.push_atoms(atoms, start, &mut items);
        Some(items)
    }

    pub(crate) fn warn_glued(&mut self, span: Span, keyword: &str, rest: &str) {
        self.report(
            Diagnostic::warning(
                "W0503",
                span,
                format!("`{keyword}{rest}` is read as `{keyword} {rest}`"),
            )
            .help(format!("write `{keyword} {rest}`")),
        );
    }

    pub(crate) fn bad_number(&mut self, span: Span, text: &str, bad: BadNumber) {
        let d = match bad {
            BadNumber::TooLarge => {
                Diagnostic::error("E0117", span, format!("`{text}` does not fit into 64 bits"))
                    .help("the greatest number is 18446744073709551615")
            }
            BadNumber::Fraction(unit) => Diagnostic::error(
                "E0116",
                span,
                format!("`{text}` is not a whole number of {unit}"),
            )
            .help(format!("values are whole {unit}; choose one that is")),
            BadNumber::Malformed => Diagnostic::error(
                "E0115",
                span,
                format!("`{text}` is neither a number nor a name"),
            )
            .help(format!(
                "numbers are decimal and whole, or have a unit: {}",
                atom::units()
            )),
        };
        self.report(d);
    }

    fn stray_symbol(&mut self, node: &Node) {
        let text = self.text(node);
        let d = Diagnostic::error(
            "E0114",
            node.span.clone(),
            format!("the operator `{text}` cannot stand here"),
        );
        self.report(match text {
            "-" => d.help(
                "operators come first: `(- a b)`; there are no negative numbers, arithmetic is unsigned",
            ),
            "!" => d.help("operators come first: `(! a)`"),
            _ => d.help(format!("operators come first: `({text} a b)`")),
        });
    }

    /// The head of a list, what is glued to it, and the rest.
    pub(crate) fn head<'n>(
        &mut self,
        node: &Node,
        nodes: &'n [Node],
    ) -> Option<(Head, Vec<Item<'n>>, &'n [Node])> {
        let Some((first, rest)) = nodes.split_first() else {
            self.report(
                Diagnostic::error("E0113", node.span.clone(), "empty list")
                    .help("write an operator and its operands, or remove it"),
            );
            return None;
        };
        let text = self.text(first);
        let found = match first.kind {
            NodeKind::Invalid => None,
            NodeKind::List(_) => Some(
                Diagnostic::error(
                    "E0114",
                    first.span.clone(),
                    "a list starts with an operator, not with another list",
                )
                .help("remove the outer parentheses; statements need no grouping"),
            ),
            NodeKind::Infinity => Some(
                Diagnostic::error(
                    "E0114",
                    first.span.clone(),
                    "a list starts with an operator, not with a value",
                )
                .help("remove the parentheses around the value"),
            ),
            NodeKind::Symbol | NodeKind::Word => {
                if let Some(head) = heads::find(text) {
                    return Some((head, Vec::new(), rest));
                }
                if let Some((head, len)) = heads::glued(text) {
                    let start = first.span.start + len;
                    // What is assigned need not be known yet.
                    let new_name = head == Head::Assign;
                    if let Some(items) = self.split_glued(&text[len..], start, new_name) {
                        self.warn_glued(first.span.clone(), &text[..len], &text[len..]);
                        return Some((head, items, rest));
                    }
                }
                Some(self.unknown_head(first, text))
            }
        };
        self.diagnostics.extend(found);
        // What is inside may have errors of its own.
        self.lost += 1;
        for item in self.items(rest) {
            self.expr(item);
        }
        self.lost -= 1;
        None
    }

    fn unknown_head(&self, node: &Node, text: &str) -> Diagnostic {
        let value = self.known.contains(text)
            || matches!(atom::read(text, &|_| false).as_deref(),
                Ok([(literal, _)]) if !matches!(literal, Literal::Name(_)));
        if value {
            return Diagnostic::error(
                "E0114",
                node.span.clone(),
                "a list starts with an operator, not with a value",
            )
            .help("operators come first, as in `(+ a b)`; a single value needs no parentheses");
        }
        let d = Diagnostic::error(
            "E0109",
            node.span.clone(),
            format!("there is no operator `{text}`"),
        );
        if let Some(help) = heads::foreign(text) {
            return d.help(help);
        }
        match names::nearest(text, heads::spellings()) {
            Some(near) => d.help(format!("did you mean `{near}`?")),
            None => d.help("docs/language.md lists the operators"),
        }
    }

    /// An expression; what is wrong in it is reported and becomes an error
    /// node.
    pub(crate) fn expr(&mut self, item: Item<'_>) -> Expr {
        match item {
            Item::Atom(expr) => expr,
            Item::List(node, nodes) => match self.head(node, nodes) {
                Some((head, glued, rest)) => self.list_expr(node, head, glued, rest),
                None => error(node),
            },
        }
    }

    /// An expression whose head is known.
    pub(crate) fn list_expr<'n>(
        &mut self,
        node: &Node,
        head: Head,
        glued: Vec<Item<'n>>,
        rest: &'n [Node],
    ) -> Expr {
        let mut items = glued;
        items.extend(self.items(rest));
        if head == Head::Assign {
            if let Some(Item::Atom(Expr {
                kind: ExprKind::Name(name),
                ..
            })) = items.first()
            {
                self.known.insert(name.clone());
            }
        }
        let block = matches!(head, Head::IfBlock | Head::Else | Head::When | Head::Def);
        self.lost += usize::from(block);
        let operands: Vec<Expr> = items.into_iter().map(|item| self.expr(item)).collect();
        self.lost -= usize::from(block);
        let kind = match head {
            Head::Op(op) => self.operator(node, op, operands),
            Head::Assign => self
                .exactly::<2>(node, operands)
                .map(|[target, value]| ExprKind::Assign(target.into(), value.into())),
            Head::If { negate } => {
                self.two_or_three(node, operands)
                    .map(|(a, b, c)| ExprKind::Select {
                        negate,
                        condition: a,
                        value: b,
                        otherwise: c,
                    })
            }
            Head::Ewma => self
                .two_or_three(node, operands)
                .map(|(weight, second, third)| match third {
                    None => ExprKind::Ewma {
                        weight,
                        state: None,
                        sample: second,
                    },
                    Some(third) => ExprKind::Ewma {
                        weight,
                        state: Some(second),
                        sample: third,
                    },
                }),
            Head::IfBlock | Head::Else | Head::Report | Head::Fallthrough => {
                self.misplaced(node, head);
                None
            }
            Head::When | Head::Def => {
                self.nested(node);
                None
            }
        };
        Expr {
            kind: kind.unwrap_or(ExprKind::Error),
            span: node.span.clone(),
        }
    }

    /// A clause inside another one.
    pub(crate) fn nested(&mut self, node: &Node) {
        self.report(
            Diagnostic::error("E0111", node.span.clone(), "clauses do not nest")
                .help("close the clause before this one first"),
        );
    }

    fn misplaced(&mut self, node: &Node, head: Head) {
        if self.lost > 0 {
            return;
        }
        let (what, help) = match head {
            Head::IfBlock => (
                "`If` is a statement and has no value",
                "as a value write `(if condition a b)`",
            ),
            Head::Else => (
                "`else` without `If`",
                "it is the last part of `(If condition statements... (else statements...))`",
            ),
            _ => (
                "a command is a statement and has no value",
                "let it stand alone in a body, or as a statement of `If`",
            ),
        };
        self.report(Diagnostic::error("E0111", node.span.clone(), what).help(help));
    }

    fn operator(&mut self, node: &Node, op: Op, operands: Vec<Expr>) -> Option<ExprKind> {
        let (least, most) = op.arity();
        if (least..=most).contains(&operands.len()) {
            return Some(ExprKind::Op(op, operands));
        }
        let wanted = match (least, most) {
            (1, _) => "one operand".to_owned(),
            (n, m) if n == m => format!("{n} operands"),
            (n, _) => format!("at least {n} operands"),
        };
        self.wrong_count(node, &wanted, operands.len());
        None
    }

    fn exactly<const N: usize>(&mut self, node: &Node, operands: Vec<Expr>) -> Option<[Expr; N]> {
        let count = operands.len();
        let array = operands.try_into().ok();
        if array.is_none() {
            self.wrong_count(node, &format!("{N} operands"), count);
        }
        array
    }

    #[allow(
        clippy::type_complexity,
        reason = "three operands, the last of them optional"
    )]
    fn two_or_three(
        &mut self,
        node: &Node,
        operands: Vec<Expr>,
    ) -> Option<(Box<Expr>, Box<Expr>, Option<Box<Expr>>)> {
        let count = operands.len();
        let mut operands = operands.into_iter().map(Box::new);
        match (operands.next(), operands.next(), operands.next()) {
            (Some(a), Some(b), c) if count <= 3 => Some((a, b, c)),
            _ => {
                self.wrong_count(node, "two or three operands", count);
                None
            }
        }
    }

    fn wrong_count(&mut self, node: &Node, wanted: &str, got: usize) {
        let NodeKind::List(nodes) = &node.kind else {
            return;
        };
        let name = nodes.first().map_or("", |n| self.text(n));
        let mut d = Diagnostic::error(
            "E0110",
            node.span.clone(),
            format!("`{name}` takes {wanted}, not {got}"),
        );
        let spaced = nodes.windows(2).find(|pair| {
            self.text(&pair[0])
                .starts_with(|c: char| c.is_ascii_digit())
                && atom::is_unit(self.text(&pair[1]))
        });
        if let Some([number, unit]) = spaced {
            let (number, unit) = (self.text(number), self.text(unit));
            d = d.help(format!(
                "a unit follows its number directly: `{number}{unit}`"
            ));
        } else if name == "-" && got == 1 {
            d = d.help("there are no negative numbers: arithmetic is unsigned");
        } else if got == 0 {
            d = d.help("add the operands after the operator");
        } else if got == 1 {
            d = d.help("add the missing operand");
        } else {
            d = d.help("nest the operator to combine more values");
        }
        self.report(d);
    }
}

fn parts<'t>(text: &'t str, atoms: &'t [atom::Atom]) -> impl Iterator<Item = &'t str> {
    atoms.iter().scan(0, move |at, (_, len)| {
        let part = &text[*at..*at + len];
        *at += len;
        Some(part)
    })
}
