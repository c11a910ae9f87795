// SPDX-License-Identifier: GPL-2.0
//! Compiler of the datapath-program language: source text in, the wire form of
//! a program out. `docs/language.md` is the language's definition.
//!
//! ```
//! let source = "(def (Report (volatile acked 0)))
//!               (when true (:= Report.acked (+ Report.acked Ack.bytes_acked)) (report))";
//! let compiled = ccp_lang::compile("acked.ccp", source).expect("it compiles");
//! assert_eq!(compiled.symbols.field("acked"), Some(0));
//! ```

mod assignment;
mod ast;
mod atom;
mod check;
mod declaration;
mod diagnostic;
mod expression;
mod flat;
mod flatten;
mod heads;
mod infer;
mod ir;
mod lexer;
mod lint;
mod lower;
mod names;
mod optimise;
mod parser;
mod reader;
mod scope;
mod symbols;
mod tmps;
mod types;

use ccp_core::vm;

pub use diagnostic::{Diagnostic, Diagnostics, Position, Record, Severity};
pub use symbols::{Register, Symbols};

/// Longest source in bytes. A program of the greatest size has room for a page
/// of comment on every instruction.
pub const MAX_SOURCE: usize = 4 << 20;

/// A compiled program.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// What the datapath installs.
    pub program: Binary,
    /// What agents call its variables.
    pub symbols: Symbols,
    /// Findings that did not stop it from compiling.
    pub warnings: Diagnostics,
}

/// The wire form of a program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Binary {
    /// Events, 16 bytes each.
    pub events: Vec<u8>,
    /// Instructions, 16 bytes each.
    pub instructions: Vec<u8>,
}

/// Choices of the compiler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Make the program smaller. What it does stays the same.
    pub optimise: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { optimise: true }
    }
}

/// Compiles `source`, which messages call `name`.
///
/// The error has everything that is wrong with the source, not just the first
/// thing.
pub fn compile(name: &str, source: &str) -> Result<Compiled, Diagnostics> {
    compile_with(name, source, Options::default())
}

/// [`compile`], with a choice of [`Options`].
pub fn compile_with(name: &str, source: &str, options: Options) -> Result<Compiled, Diagnostics> {
    let mut diagnostics = Vec::new();
    let compiled = run(source, options, &mut diagnostics);
    let failed = diagnostics.iter().any(|d| d.severity == Severity::Error);
    let diagnostics = Diagnostics::new(name, source, diagnostics);
    match compiled {
        Some((program, symbols)) if !failed => Ok(Compiled {
            program,
            symbols,
            warnings: diagnostics,
        }),
        _ => Err(diagnostics),
    }
}

fn run(
    source: &str,
    options: Options,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<(Binary, Symbols)> {
    if source.len() > MAX_SOURCE {
        diagnostics.push(
            Diagnostic::error("E0118", 0..0, "the source is too long for a program")
                .help(format!("at most {MAX_SOURCE} bytes are read")),
        );
        return None;
    }
    let mut tokens = lexer::lex(source, diagnostics);
    // What does not begin like a program is a file of another kind.
    if let Some(first) = tokens.first().filter(|t| t.kind != lexer::Kind::Open) {
        let end = first.span.end;
        diagnostics.retain(|d| d.span.start < end);
        tokens.truncate(1);
    }
    let (nodes, unclosed) = reader::read(source, &tokens, diagnostics);
    let syntax = parser::parse(source, &nodes, &unclosed, diagnostics);
    let mut scope = scope::Scope::new(&syntax.declarations, diagnostics);
    let events = check::check(&syntax, &mut scope, diagnostics);
    if failed(diagnostics) {
        return None;
    }
    lint::lint(source, &syntax, diagnostics);
    let program = ir::Program {
        definitions: scope.definitions,
        events,
    };
    let plain = flatten::flatten(program);
    let code = lower::lower(&plain, None);
    lower::limits(&plain, &code, diagnostics);
    if failed(diagnostics) {
        return None;
    }
    let binary = binary(&code);
    let layout = vm::verify(&binary.events, &binary.instructions);
    let layout = match layout {
        Ok(layout) => layout,
        Err(error) => {
            diagnostics.push(refused(error, &code.spans));
            return None;
        }
    };
    let binary = if options.optimise {
        smaller(&plain, &code, &layout).unwrap_or(binary)
    } else {
        binary
    };
    Some((binary, scope.symbols))
}

/// The program optimised, if it is no larger in any respect: values that are
/// shared need registers.
fn smaller(program: &flat::Program, plain: &lower::Code, layout: &vm::Layout) -> Option<Binary> {
    let free = vm::isa::TMPS.saturating_sub(plain.tmps) as usize;
    [free, 0].into_iter().find_map(|shared| {
        let mut program = program.clone();
        optimise::optimise(&mut program, shared);
        let code = lower::lower(&program, Some(plain.tmps));
        if !code.exhausted.is_empty() {
            return None;
        }
        let binary = binary(&code);
        let found = match vm::verify(&binary.events, &binary.instructions) {
            Ok(found) => found,
            Err(error) => {
                debug_assert!(limit(error.kind), "{error}");
                return None;
            }
        };
        debug_assert!(code.instructions.len() <= plain.instructions.len());
        debug_assert!(found.cost <= layout.cost);
        let fits = found.registers <= layout.registers && found.ops <= layout.ops;
        (fits && found.cost <= layout.cost).then_some(binary)
    })
}

/// Whether it is a limit of programs that some optimised ones may pass.
fn limit(kind: vm::Kind) -> bool {
    matches!(kind, vm::Kind::TooManyConstants | vm::Kind::TooManySkips)
}

fn binary(code: &lower::Code) -> Binary {
    Binary {
        events: code.events.iter().flat_map(|e| e.to_bytes()).collect(),
        instructions: code
            .instructions
            .iter()
            .flat_map(|i| i.to_bytes())
            .collect(),
    }
}

fn failed(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|d| d.severity == Severity::Error)
}

/// What the datapath's own verifier says: what passes it installs.
fn refused(error: vm::Error, spans: &[ast::Span]) -> Diagnostic {
    let span = match error.place {
        vm::Place::Instruction(index) => spans.get(index as usize).cloned().unwrap_or(0..0),
        _ => 0..0,
    };
    match error.kind {
        vm::Kind::TooManyConstants => Diagnostic::error(
            "E0407",
            span,
            format!(
                "here the program passes the {} different numbers it may use",
                vm::isa::MAX_CONSTANTS
            ),
        )
        .help("keep numbers in control variables"),
        vm::Kind::TooManySkips => {
            Diagnostic::error("E0408", span, "`If` statements are nested too deeply")
                .help("combine the conditions with `&&`")
        }
        _ => Diagnostic::error(
            "E0499",
            span,
            format!("the datapath would refuse this program: {error}"),
        )
        .help("this is a mistake of the compiler; please report it with the program"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_of_the_compiler_is_named_one() {
        // A condition that does not write the event flag.
        let instruction = [0, 6, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0];
        let event = [0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
        let error = vm::verify(&event, &instruction).expect_err("refused");
        let source = "(def) (when true (report))";
        let found = Diagnostics::new("e.ccp", source, vec![refused(error, &[6..26, 6..26])]);
        let text = found.to_string();
        assert!(text.starts_with("error[E0499]: the datapath would refuse this program: "));
        assert!(text.contains("--> e.ccp:1:7"), "{text}");
        assert!(text.contains("please report it"), "{text}");
    }
}
