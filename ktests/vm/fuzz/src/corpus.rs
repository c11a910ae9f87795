// SPDX-License-Identifier: GPL-2.0
//! The corpus in the repository: for each target a text file, an input a line
//! in hexadecimal, so that there are few files and their changes can be read.

use std::{collections::BTreeSet, fmt::Write, fs, io, path::Path};

use ccp_core::vm::isa::Opcode;

use crate::{bytes::Bytes, grammar};

/// The inputs in a corpus file; lines that begin with `#` are comments.
pub fn read(file: &Path) -> io::Result<Vec<Vec<u8>>> {
    let text = fs::read_to_string(file)?;
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .enumerate()
        .map(|(number, line)| {
            let bad = || {
                let text = format!("{}: input {number} is not hexadecimal", file.display());
                io::Error::new(io::ErrorKind::InvalidData, text)
            };
            bytes(line).ok_or_else(bad)
        })
        .collect()
}

fn bytes(line: &str) -> Option<Vec<u8>> {
    if line.len() % 2 != 0 {
        return None;
    }
    let pairs = (0..line.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(line.get(at..at + 2)?, 16).ok())
        .collect()
}

/// Writes the inputs of an engine's directory to a corpus file, shortest first.
pub fn pack(directory: &Path, file: &Path) -> io::Result<usize> {
    let mut inputs = BTreeSet::new();
    for entry in fs::read_dir(directory)? {
        let input = fs::read(entry?.path())?;
        inputs.insert((input.len(), input));
    }
    let mut text = String::from("# GPL-2.0; see docs/testing.md\n");
    for (_, input) in &inputs {
        for byte in input {
            let _ = write!(text, "{byte:02x}");
        }
        text.push('\n');
    }
    fs::write(file, text)?;
    Ok(inputs.len())
}

/// Writes each input of a corpus file to a file of its own.
pub fn unpack(file: &Path, directory: &Path) -> io::Result<usize> {
    fs::create_dir_all(directory)?;
    let inputs = read(file)?;
    for (number, input) in inputs.iter().enumerate() {
        fs::write(directory.join(format!("{number:05}")), input)?;
    }
    Ok(inputs.len())
}

/// Writes the programs of a corpus file of `program` as inputs of `wire`.
pub fn wire(file: &Path, directory: &Path) -> io::Result<usize> {
    fs::create_dir_all(directory)?;
    let inputs = read(file)?;
    for (number, input) in inputs.iter().enumerate() {
        let program = grammar::program(&mut Bytes::with_tail(input));
        let Ok(length) = u16::try_from(program.events.len()) else {
            continue;
        };
        let bytes = [
            &length.to_le_bytes(),
            &program.events[..],
            &program.instructions,
        ];
        fs::write(directory.join(format!("p{number:05}")), bytes.concat())?;
    }
    Ok(inputs.len())
}

/// The programs of an input of `program`, for people.
pub fn show(input: &[u8]) -> String {
    let mut bytes = Bytes::with_tail(input);
    let mut text = String::new();
    for name in ["first", "second"] {
        let _ = writeln!(text, "{name} program:");
        let program = grammar::program(&mut bytes);
        for event in program.events.chunks_exact(16) {
            let word = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|byte| event[at + byte]));
            let [cond, conds, body, count] = [0, 4, 8, 12].map(word);
            let _ = writeln!(text, "when {cond}+{conds} do {body}+{count}");
        }
        for (index, code) in program.instructions.chunks_exact(16).enumerate() {
            let name = Opcode::from_code(code[0]).map_or("?", Opcode::name);
            let _ = write!(text, "{index:4} {name:8}");
            for at in [1, 6, 11] {
                let number = u32::from_le_bytes([1, 2, 3, 4].map(|byte| code[at + byte]));
                let _ = write!(text, " {}.{number}", code[at]);
            }
            text.push('\n');
        }
        if bytes.byte() % 4 != 0 {
            break;
        }
    }
    let _ = writeln!(text, "then: {:?}", bytes.rest());
    text
}
