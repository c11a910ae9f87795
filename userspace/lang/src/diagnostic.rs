// SPDX-License-Identifier: GPL-2.0
//! What the compiler tells people: errors and warnings with a place in the
//! source, a stable code and, where there is one, the way out.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};
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
    /// An error about the bytes `span` of the source.
    pub fn error(code: &'static str, span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            span,
            help: None,
        }
    }

    /// A warning about the bytes `span` of the source.
    pub fn warning(code: &'static str, span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, span, message)
        }
    }

    /// Adds what to do next.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
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
    /// The line `start` is on; empty when it is too long to show.
    pub source: &'a str,
}

/// All findings about one source, errors first, each kind in source order, with
/// the source itself.
#[derive(Clone, Debug)]
pub struct Diagnostics {
    file: Arc<str>,
    source: Arc<str>,
    list: Vec<Diagnostic>,
    omitted: usize,
    /// Where each line of the source starts.
    lines: Vec<usize>,
}

/// Most diagnostics that are kept; nobody reads more, and each takes time.
pub(crate) const MAX_DIAGNOSTICS: usize = 100;

/// Most bytes of source shown with a diagnostic; beyond it, it is no help.
const MAX_SNIPPET: usize = 16 << 10;

impl Diagnostics {
    /// Diagnostics about `source`, which the user knows as `file` and in which
    /// their spans lie. They are put in order; of equal ones the first stays.
    pub fn new(file: &str, source: &str, mut list: Vec<Diagnostic>) -> Self {
        list.sort_by_key(|d| (std::cmp::Reverse(d.severity), d.span.start, d.span.end));
        list.dedup();
        let omitted = list.len().saturating_sub(MAX_DIAGNOSTICS);
        list.truncate(MAX_DIAGNOSTICS);
        let newlines = source.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            file: file.into(),
            source: source.into(),
            list,
            omitted,
            lines: std::iter::once(0).chain(newlines).collect(),
        }
    }

    /// How many more there were than are kept.
    pub fn omitted(&self) -> usize {
        self.omitted
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Errors first, each kind in source order.
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
        if self.omitted > 0 {
            out.push_str(&format!("\n\n... and {} more", self.omitted));
        }
        out
    }

    fn render_one(&self, renderer: &Renderer, diagnostic: &Diagnostic) -> String {
        let level = match diagnostic.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        // Only the lines concerned: the renderer reads all it is given.
        let first = self.line_index(diagnostic.span.start);
        let start = self.lines[first];
        let last = self.line_index(diagnostic.span.end);
        let end = self
            .lines
            .get(last + 1)
            .copied()
            .unwrap_or(self.source.len());
        let span = diagnostic.span.start - start..diagnostic.span.end - start;
        let group = level
            .primary_title(diagnostic.message.as_str())
            .id(diagnostic.code);
        let snippet = Snippet::source(&self.source[start..end])
            .path(&*self.file)
            .line_start(first + 1)
            .annotation(AnnotationKind::Primary.span(span));
        let group = if end - start > MAX_SNIPPET {
            let place = self.position(diagnostic.span.start);
            let origin = Origin::path(&*self.file).line(place.line);
            group.element(origin.char_column(place.column))
        } else {
            group.element(snippet)
        };
        let group = match &diagnostic.help {
            Some(help) => group.element(Level::HELP.message(help.as_str())),
            None => group,
        };
        renderer.render(&[group])
    }

    /// Index of the line that `offset` is on.
    fn line_index(&self, offset: usize) -> usize {
        self.lines.partition_point(|start| *start <= offset) - 1
    }

    fn position(&self, offset: usize) -> Position {
        let line = self.line_index(offset);
        Position {
            line: line + 1,
            column: self.source[self.lines[line]..offset].chars().count() + 1,
        }
    }

    fn line(&self, offset: usize) -> &str {
        let line = self.line_index(offset);
        let end = self.lines.get(line + 1).copied();
        let text = &self.source[self.lines[line]..end.unwrap_or(self.source.len())];
        if text.len() > MAX_SNIPPET {
            return "";
        }
        text.trim_end_matches(['\n', '\r'])
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
