// SPDX-License-Identifier: GPL-2.0
//! Programs in each of their forms: source, assembler text, and assembled.

use crate::{
    cli::{Form, ProgramFile},
    format::json,
    Failure,
};
use ccp_asm::Names;
use ccp_core::vm::{self, Layout};
use ccp_lang::{Binary, Diagnostics, MAX_SOURCE};
use serde_json::json as value;
use std::{
    fs::File,
    io::{IsTerminal, Read},
    path::Path,
};

/// A program, whatever it was read from.
pub(super) struct Loaded {
    /// What messages call it.
    pub(super) file: String,
    pub(super) program: Binary,
    pub(super) names: Names,
    /// What the compiler has to say.
    pub(super) warnings: Option<Diagnostics>,
    /// What it was compiled from.
    source: Option<String>,
}

/// What a file has in it.
pub(super) enum Content {
    Source(String),
    Assembler(String),
    Binary(Vec<u8>),
}

impl Content {
    /// Assembled programs have a mark; source begins with `(`, assembler text
    /// with a directive or a label. What is neither goes by the file's name.
    pub(super) fn read(file: &Path) -> Result<Self, Failure> {
        let bytes = read(file)?;
        if ccp_asm::is_binary(&bytes) {
            return Ok(Self::Binary(bytes));
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            let before = error.as_bytes().get(..valid).unwrap_or_default();
            let line = before.split(|byte| *byte == b'\n').count();
            Failure::Input(format!(
                "{}: line {line} is not UTF-8, and this is no assembled program",
                file.display()
            ))
        })?;
        let known = |ends: &[&str]| {
            let extension = file.extension().and_then(|extension| extension.to_str());
            extension.is_some_and(|extension| ends.contains(&extension))
        };
        Ok(match first(&text) {
            Some('.') => Self::Assembler(text),
            Some('(') => Self::Source(text),
            _ if known(&["s", "casm"]) => Self::Assembler(text),
            _ => Self::Source(text),
        })
    }
}

/// The first character of a text, comments apart; they look the same in both
/// forms.
fn first(text: &str) -> Option<char> {
    let lines = text.trim_start_matches('\u{feff}').lines();
    let mut code = lines.map(|line| line.split('#').next().unwrap_or(line).trim_start());
    code.find_map(|line| line.chars().next())
}

/// A whole file, or standard input, as long as a program can be.
fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let limit = MAX_SOURCE.max(ccp_asm::MAX_BYTES);
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    let read = if file.as_os_str() == "-" {
        std::io::stdin().take(most).read_to_end(&mut bytes)
    } else {
        File::open(file).and_then(|open| open.take(most).read_to_end(&mut bytes))
    };
    read.map_err(Failure::file(file))?;
    if bytes.len() > limit {
        let file = file.display();
        return Err(Failure::Input(format!(
            "{file}: a program has at most {limit} bytes"
        )));
    }
    Ok(bytes)
}

/// Shows diagnostics the way asked for; a failure that says no more.
pub(super) fn explain(form: Form, diagnostics: &Diagnostics) -> Failure {
    if form.json {
        let said = json(&value!({"ok": false, "diagnostics": diagnostics}));
        return said.err().unwrap_or(Failure::Quiet(1));
    }
    warn(diagnostics);
    Failure::Quiet(1)
}

/// Shows diagnostics to people.
pub(super) fn warn(diagnostics: &Diagnostics) {
    if !diagnostics.is_empty() {
        eprintln!("{}", diagnostics.render(std::io::stderr().is_terminal()));
    }
}

impl Loaded {
    /// The program in a file, which the verifier may not have seen if it was
    /// assembled before.
    pub(super) fn read(form: Form, args: &ProgramFile) -> Result<Self, Failure> {
        let file = args.file.display().to_string();
        let mut source = None;
        let (program, names, warnings) = match Content::read(&args.file)? {
            Content::Source(text) => {
                let options = ccp_lang::Options {
                    optimise: args.optimise > 0,
                };
                let compiled = ccp_lang::compile_with(&file, &text, options)
                    .map_err(|errors| explain(form, &errors))?;
                let names = Names::from(&compiled.symbols);
                source = Some(text);
                (compiled.program, names, Some(compiled.warnings))
            }
            Content::Assembler(text) => {
                let assembly =
                    ccp_asm::assemble(&file, &text).map_err(|errors| explain(form, &errors))?;
                (assembly.program, assembly.names, None)
            }
            Content::Binary(bytes) => {
                let (program, names) = ccp_asm::read(&bytes)
                    .map_err(|damage| Failure::Input(format!("{file}: {damage}")))?;
                (program, names, None)
            }
        };
        Ok(Self {
            file,
            program,
            names,
            warnings,
            source,
        })
    }

    /// The program with an event for each clause of its source: not optimised.
    pub(super) fn plain(&self) -> (Binary, Option<&str>) {
        let source = self.source.as_deref();
        let options = ccp_lang::Options { optimise: false };
        let compiled = source.and_then(|source| {
            let compiled = ccp_lang::compile_with(&self.file, source, options);
            Some(compiled.ok()?.program)
        });
        let own = || self.program.clone();
        (compiled.unwrap_or_else(own), source)
    }

    /// What the program needs, if the datapath's verifier takes it.
    pub(super) fn verify(&self, form: Form) -> Result<Layout, Failure> {
        vm::verify(&self.program.events, &self.program.instructions).map_err(|error| {
            let message = format!("the verifier refuses this program: {error}");
            if !form.json {
                return Failure::Input(format!("{}: {message}", self.file));
            }
            let diagnostic = value!({
                "code": "A0301", "severity": "error", "message": message, "file": self.file,
            });
            let said = json(&value!({"ok": false, "diagnostics": [diagnostic]}));
            said.err().unwrap_or(Failure::Quiet(1))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_told_by_its_first_character() {
        assert_eq!(first("\u{feff}# .isa\n \t# (\n  (def)"), Some('('));
        assert_eq!(first("# comment\r\n\r\n.isa 1"), Some('.'));
        assert_eq!(first(" # nothing\n"), None);
    }
}
