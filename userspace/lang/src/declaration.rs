// SPDX-License-Identifier: GPL-2.0
//! Parsing of the `def` block.

use crate::ast::{Declaration, Literal, Name, Structure};
use crate::atom;
use crate::diagnostic::Diagnostic;
use crate::names;
use crate::parser::Parser;
use crate::reader::{Node, NodeKind};

impl Parser<'_> {
    /// The inside of `(def ...)`.
    pub(crate) fn definitions(&mut self, nodes: &[Node], into: &mut Vec<Declaration>) {
        for node in nodes {
            let NodeKind::List(items) = &node.kind else {
                self.not_a_declaration(node);
                continue;
            };
            let structure = self.structure(items);
            if let [head, rest @ ..] = &items[..] {
                let clause = matches!(self.text(head), "def" | "when");
                if clause && rest.iter().any(|n| matches!(n.kind, NodeKind::List(_))) {
                    self.nested(node);
                    continue;
                }
            }
            if structure == Structure::Outside {
                self.declaration(node, items, structure, into);
                continue;
            }
            for member in &items[1..] {
                match &member.kind {
                    NodeKind::List(items) => self.declaration(member, items, structure, into),
                    _ => self.not_a_declaration(member),
                }
            }
        }
    }

    /// The structure a list begins. `(Report 0)` declares a variable.
    fn structure(&self, items: &[Node]) -> Structure {
        let value = items.get(1).map(|n| &n.kind);
        if matches!(value, Some(NodeKind::Word | NodeKind::Infinity)) {
            return Structure::Outside;
        }
        match items.first().map(|n| self.text(n)) {
            Some("Report") => Structure::Report,
            Some("Local") => Structure::Local,
            _ => Structure::Outside,
        }
    }

    fn not_a_declaration(&mut self, node: &Node) {
        if matches!(node.kind, NodeKind::Invalid) {
            return;
        }
        let span = node.span.clone();
        self.report(
            Diagnostic::error("E0107", span, "this is no declaration").help(
                "declare a variable with `(name value)` or `(volatile name value)`, \
                 report variables inside `(Report ...)`, locals inside `(Local ...)`",
            ),
        );
    }

    fn declaration(
        &mut self,
        node: &Node,
        items: &[Node],
        structure: Structure,
        into: &mut Vec<Declaration>,
    ) {
        if items.iter().any(|n| matches!(n.kind, NodeKind::Invalid)) {
            return;
        }
        let mut items = items;
        let mut volatile = false;
        let mut glued = 0;
        if let Some((first, rest)) = items.split_first() {
            let text = self.text(first);
            if text == "volatile" {
                volatile = true;
                items = rest;
            } else if let Some(name) = text.strip_prefix("volatile") {
                volatile = true;
                glued = "volatile".len();
                self.report(
                    Diagnostic::warning(
                        "W0503",
                        first.span.clone(),
                        format!("`{text}` declares a volatile variable `{name}`"),
                    )
                    .help(format!("write `volatile {name}`, or choose another name")),
                );
            }
        }
        if let Some(symbol) = items.iter().find(|n| matches!(n.kind, NodeKind::Symbol)) {
            self.symbol_in_declaration(symbol, items.first());
            return;
        }
        let [name, init] = items else {
            let keyword = items.len() == 1 && volatile && glued == 0;
            let mut d = Diagnostic::error(
                "E0107",
                node.span.clone(),
                "a declaration is a name and a value",
            );
            d = d.help(if keyword {
                "`volatile` is a keyword: write `(volatile name value)`"
            } else {
                "write `(name value)` or `(volatile name value)`"
            });
            self.report(d);
            return;
        };
        if let (NodeKind::Word, NodeKind::List(_)) = (&name.kind, &init.kind) {
            let structures = ["Report", "Local"].into_iter();
            if let Some(near) = names::nearest(self.text(name), structures) {
                self.report(
                    Diagnostic::error("E0107", name.span.clone(), "this is no declaration")
                        .help(format!("did you mean `{near}`?")),
                );
                return;
            }
        }
        // A wrong value is no reason not to know the name.
        let value = self.init(init).unwrap_or(Literal::Num(0));
        let Some(name) = self.new_name(name, glued, structure) else {
            return;
        };
        if structure == Structure::Local {
            self.local(node, &name, volatile, &value, init);
        }
        let init = value;
        self.known.insert(name.text.clone());
        into.push(Declaration {
            name,
            volatile,
            structure,
            init,
        });
    }

    /// Locals outlive the program: it cannot say what they start with.
    fn local(&mut self, node: &Node, name: &Name, volatile: bool, value: &Literal, init: &Node) {
        let text = &name.text;
        let d = if names::reserved_prefix(text).is_some() {
            Diagnostic::error(
                "E0119",
                name.span.clone(),
                format!("`{text}` cannot be the name of a local variable"),
            )
            .help("choose a name without a prefix of the datapath")
        } else if volatile {
            Diagnostic::error(
                "E0119",
                node.span.clone(),
                "a local variable is never reset",
            )
            .help("take `volatile` away, or declare it outside of `(Local ...)`")
        } else if !matches!(value, Literal::Num(0) | Literal::Bool(false)) {
            Diagnostic::error(
                "E0119",
                init.span.clone(),
                format!("`{text}` starts at 0 when the flow begins, not with the program"),
            )
            .help(format!(
                "write `({text} 0)`, or `({text} false)` for a truth value"
            ))
        } else {
            return;
        };
        self.report(d);
    }

    fn symbol_in_declaration(&mut self, symbol: &Node, first: Option<&Node>) {
        let text = self.text(symbol);
        let d = Diagnostic::error(
            "E0107",
            symbol.span.clone(),
            format!("`{text}` cannot stand in a declaration"),
        );
        // `a-b` is a name in other Lisps.
        let in_name = first.is_some_and(|n| n.span.end == symbol.span.start);
        self.report(d.help(match text {
            _ if in_name => "names are made of letters, digits, `_` and `.`",
            "-" => "there are no negative numbers: arithmetic is unsigned",
            _ => "start with a fixed value and assign in a `when` clause",
        }));
    }

    /// The name of a declaration, `skip` bytes of the word being a keyword.
    fn new_name(&mut self, node: &Node, skip: usize, structure: Structure) -> Option<Name> {
        let span = node.span.start + skip..node.span.end;
        let text = &self.source[span.clone()];
        if !matches!(node.kind, NodeKind::Word) {
            self.report(
                Diagnostic::error("E0107", span, "a declaration starts with a name")
                    .help("write `(name value)` or `(volatile name value)`"),
            );
            return None;
        }
        if text.starts_with("__") {
            self.reserved(span, text);
            return None;
        }
        Some(Name {
            text: if structure == Structure::Report {
                format!("Report.{text}")
            } else {
                text.to_owned()
            },
            span,
        })
    }

    fn init(&mut self, node: &Node) -> Option<Literal> {
        match node.kind {
            NodeKind::Infinity => Some(Literal::Infinity),
            NodeKind::Word => {
                let text = self.text(node);
                match atom::read(text, &|_| false) {
                    Ok(atoms) if atoms.len() == 1 => Some(atoms[0].0.clone()),
                    // portus reads digits that do not fit as a name.
                    Err(atom::BadNumber::TooLarge) => Some(Literal::Name(text.to_owned())),
                    Err(bad) => {
                        self.bad_number(node.span.clone(), text, bad);
                        None
                    }
                    Ok(_) => {
                        self.no_value(node);
                        None
                    }
                }
            }
            _ => {
                self.no_value(node);
                None
            }
        }
    }

    fn no_value(&mut self, node: &Node) {
        self.report(
            Diagnostic::error(
                "E0107",
                node.span.clone(),
                "a variable starts with a number, `true`, `false` or `+infinity`",
            )
            .help("start with a fixed value and assign in a `when` clause; there are no negative numbers"),
        );
    }
}
