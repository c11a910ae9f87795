// SPDX-License-Identifier: GPL-2.0
//! `ccpctl program check`: what a program is before a kernel sees it.

use crate::{
    cli::{Form, ProgramAction},
    format::json,
    Failure,
};
use ccp_core::vm;
use serde_json::json as value;
use std::{
    io::{IsTerminal, Read, Write},
    path::Path,
};

pub(crate) fn run(form: Form, action: &ProgramAction) -> Result<(), Failure> {
    let ProgramAction::Check { file } = action;
    check(form, file)
}

fn check(form: Form, file: &Path) -> Result<(), Failure> {
    let source = read(file)?;
    let name = file.display().to_string();
    let compiled = match ccp_lang::compile(&name, &source) {
        Ok(compiled) => compiled,
        Err(diagnostics) => {
            if form.json {
                json(&value!({"ok": false, "diagnostics": diagnostics}))?;
            } else {
                eprintln!("{}", diagnostics.render(std::io::stderr().is_terminal()));
            }
            return Err(Failure::Quiet(1));
        }
    };
    let program = &compiled.program;
    // The compiler has put it to the same verifier already.
    let layout = vm::verify(&program.events, &program.instructions)
        .map_err(|error| Failure::Input(format!("{name}: {error}")))?;
    let symbols = &compiled.symbols;
    let fields: Vec<&str> = symbols.fields().collect();
    let settable = symbols.updatable_names();
    let (events, instructions) = (program.events.len() / 16, program.instructions.len() / 16);
    let kernel = layout.ops * size_of::<vm::Op>();
    let flow = layout.registers * size_of::<u64>();
    if form.json {
        return json(&value!({
            "ok": true,
            "diagnostics": compiled.warnings,
            "events": events,
            "instructions": instructions,
            "wire_bytes": program.events.len() + program.instructions.len(),
            "cost": layout.cost,
            "registers": layout.registers,
            "program_bytes": kernel,
            "flow_bytes": flow,
            "report_fields": fields,
            "settable": settable,
        }));
    }
    if !compiled.warnings.is_empty() {
        eprintln!(
            "{}",
            compiled.warnings.render(std::io::stderr().is_terminal())
        );
    }
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{name}: ok\n\
         events        {events}\n\
         instructions  {instructions}, {} bytes on the wire\n\
         cost          {} instructions at most per ACK\n\
         memory        {kernel} bytes for the program, {flow} for each flow's registers\n\
         report        {}\n\
         settable      {}",
        program.events.len() + program.instructions.len(),
        layout.cost,
        fields.join(" "),
        settable.join(" "),
    )?;
    Ok(out.flush()?)
}

fn read(file: &Path) -> Result<String, Failure> {
    if file.as_os_str() == "-" {
        let mut text = String::new();
        let read = std::io::stdin().read_to_string(&mut text);
        return read.map(|_| text).map_err(Failure::file(file));
    }
    std::fs::read_to_string(file).map_err(Failure::file(file))
}
