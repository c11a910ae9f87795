// SPDX-License-Identifier: GPL-2.0
//! What the compiler tells people: errors and warnings with a place in the
//! source, a stable code and, where there is one, the way out.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use serde::{Serialize, Serializer};

/// How bad a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The program compiles; it may not do what its author thinks.
    Warning,
    /// There is no program.
    Error,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable: `E....` or `W....`, listed in `docs/language.md`.
    pub code: &'static str,
    /// Error or warning.
    pub severity: Severity,
    /// What is wrong, in one sentence.
    pub message: String,
    /// Bytes of the source it is about.
    pub span: Range<usize>,
    /// What to do next.
    pub help: Option<String>,
}

impl Diagnostic {
    pub(crate) fn error(
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            span,
            help: None,
        }
    }

    pub(crate) fn warning(
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, span, message)
        }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// A place in the source, counted the way editors do: from 1, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Position {
    /// Line number.
    pub line: usize,
    /// Column of the character.
    pub column: usize,
}

/// A diagnostic with its place resolved: the form for JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Record<'a> {
    /// Stable code.
    pub code: &'static str,
    /// Error or warning.
    pub severity: Severity,
    /// What is wrong.
    pub message: &'a str,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<&'a str>,
    /// Name the source was compiled under.
    pub file: &'a str,
    /// First character.
    pub start: Position,
    /// The place after the last character.
    pub end: Position,
    /// The line `start` is on.
    pub source: &'a str,
}

/// All findings about one source, in source order, with the source itself.
#[derive(Clone, Debug)]
pub struct Diagnostics {
    file: Arc<str>,
    source: Arc<str>,
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Diagnostics about `source`, which the user knows as `file`. They are
    /// put in source order; of equal ones the first stays.
    pub(crate) fn new(file: &str, source: &str, mut list: Vec<Diagnostic>) -> Self {
        list.sort_by_key(|d| (d.span.start, d.span.end));
        list.dedup();
        Self {
            file: file.into(),
            source: source.into(),
            list,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// In source order.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.list.iter()
    }

    /// With places resolved to lines and columns.
    pub fn records(&self) -> impl Iterator<Item = Record<'_>> {
        self.list.iter().map(|d| Record {
            code: d.code,
            severity: d.severity,
            message: &d.message,
            help: d.help.as_deref(),
            file: &self.file,
            start: self.position(d.span.start),
            end: self.position(d.span.end),
            source: self.line(d.span.start),
        })
    }

    /// For people: file, line, column, the source line, a caret and the help;
    /// `colour` for terminals.
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let mut out = String::new();
        for diagnostic in &self.list {
            if !out.is_empty() {
                out.push_str("\n\n");
            }
            out.push_str(&self.render_one(&renderer, diagnostic));
        }
        out
    }

    fn render_one(&self, renderer: &Renderer, diagnostic: &Diagnostic) -> String {
        let level = match diagnostic.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let snippet = Snippet::source(&*self.source)
            .path(&*self.file)
            .annotation(AnnotationKind::Primary.span(diagnostic.span.clone()));
        let group = level
            .primary_title(diagnostic.message.as_str())
            .id(diagnostic.code)
            .element(snippet);
        let group = match &diagnostic.help {
            Some(help) => group.element(Level::HELP.message(help.as_str())),
            None => group,
        };
        renderer.render(&[group])
    }

    fn position(&self, offset: usize) -> Position {
        let before = &self.source[..offset];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Position {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }

    fn line(&self, offset: usize) -> &str {
        let start = self.source[..offset].rfind('\n').map_or(0, |n| n + 1);
        let rest = &self.source[start..];
        rest[..rest.find('\n').unwrap_or(rest.len())].trim_end_matches('\r')
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.iter()
    }
}

impl Serialize for Diagnostics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.records())
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}
