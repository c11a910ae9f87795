// SPDX-License-Identifier: GPL-2.0
//! `ccpctl program asm` and `disasm`.

use super::load::{explain, Content, Loaded};
use crate::{
    cli::{AsmArgs, DisasmArgs, Form},
    Failure,
};
use ccp_asm::{assemble, assemble_unverified, disassemble, Listing};
use std::io::{IsTerminal, Write};

pub(super) fn asm(form: Form, args: &AsmArgs) -> Result<(), Failure> {
    let file = args.file.display().to_string();
    let wrong = |what: &str| Failure::Input(format!("{file}: {what}"));
    let text = match Content::read(&args.file)? {
        Content::Assembler(text) => text,
        Content::Source(_) => {
            return Err(wrong(
                "this is no assembler text, which begins with '.isa'; \
                 'ccpctl program disasm' makes it of source",
            ));
        }
        Content::Binary(_) => return Err(wrong("this is assembled already")),
    };
    let assembly = if args.no_verify {
        assemble_unverified(&file, &text)
    } else {
        assemble(&file, &text)
    };
    let assembly = assembly.map_err(|errors| explain(form, &errors))?;
    let bytes = ccp_asm::write(&assembly.program, &assembly.names)
        .map_err(|damage| wrong(&damage.to_string()))?;
    match &args.output {
        Some(path) if path.as_os_str() != "-" => {
            std::fs::write(path, bytes).map_err(Failure::file(path))
        }
        _ => {
            let mut out = std::io::stdout().lock();
            if out.is_terminal() {
                return Err(Failure::Input(
                    "an assembled program is nothing for a terminal: name a file with -o".into(),
                ));
            }
            out.write_all(&bytes)?;
            Ok(out.flush()?)
        }
    }
}

pub(super) fn disasm(form: Form, args: &DisasmArgs) -> Result<(), Failure> {
    let loaded = Loaded::read(form, &args.program)?;
    let listing = Listing {
        indices: form.details,
    };
    let text = disassemble(&loaded.program, &loaded.names, listing);
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}
