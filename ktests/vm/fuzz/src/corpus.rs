// SPDX-License-Identifier: GPL-2.0
//! The corpus in the repository: for each target a text file, an input a line
//! in hexadecimal, so that there are few files and their changes can be read.

use std::{collections::BTreeSet, fmt::Write, fs, io, path::Path};

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
        let program = grammar::program(&mut Bytes::new(input));
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
