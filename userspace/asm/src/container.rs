// SPDX-License-Identifier: GPL-2.0
//! The file a program is kept in.

use crate::names::{self, BadName, Names};
use ccp_core::vm::{
    isa::{Class, Reg, EVENT_BYTES, INSTRUCTION_BYTES},
    ISA_VERSION,
};
use ccp_lang::Binary;

const MAGIC: [u8; 4] = *b"\x7fCCP";
/// Version of the file form.
const FORM: u16 = 1;
const HEADER: usize = 20;

/// Longest file: 16 times what a program of the greatest size with all its
/// names needs, so that broken ones can be looked at.
pub const MAX_BYTES: usize = 16 * (128 << 10);

/// What is wrong with a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Damage {
    /// Not of this kind at all.
    #[error("this is no assembled program")]
    Magic,
    /// Shorter than its header.
    #[error("the file ends within its header: it has {0} bytes")]
    Header(usize),
    /// Of another version of the file form.
    #[error("the file has form {0}, not {FORM}")]
    Form(u16),
    /// For another instruction set.
    #[error("the program is for instruction set {0}, not {ISA_VERSION}")]
    Isa(u16),
    /// Cut off or extended.
    #[error("the file has {found} bytes where its header says {expected}")]
    Length {
        /// By the header.
        expected: u64,
        /// In the file.
        found: usize,
    },
    /// Has part of an event or an instruction.
    #[error("the last event or instruction is incomplete, which no file can keep")]
    Incomplete,
    /// Longer than any program.
    #[error("more than {MAX_BYTES} bytes are no program")]
    Long,
    /// The table of names is cut off in this one, counting from 1.
    #[error("name {0} is cut off")]
    NameLength(usize),
    /// A name of no register.
    #[error("name {0} is of class {1}, which no register has")]
    NameClass(usize, u8),
    /// A name that is not text, or that no register can have.
    #[error("name {0} is not UTF-8")]
    NameText(usize),
    /// A name that the register cannot have.
    #[error("name {0}: {1}")]
    Name(usize, BadName),
}

/// Whether a file claims to be an assembled program.
pub fn is_binary(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC)
}

/// The file of a program. Names the text form cannot write are left out.
pub fn write(program: &Binary, names: &Names) -> Result<Vec<u8>, Damage> {
    let mut table = Vec::new();
    for (reg, name) in names.iter().filter(|(_, name)| names::writable(name)) {
        table.push(reg.class as u8);
        table.extend(reg.index.to_le_bytes());
        // At most `Names::LONGEST`, which a byte holds.
        table.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
        table.extend(name.as_bytes());
    }
    let Binary {
        events,
        instructions,
    } = program;
    if events.len() % EVENT_BYTES + instructions.len() % INSTRUCTION_BYTES != 0 {
        return Err(Damage::Incomplete);
    }
    let mut file = Vec::new();
    file.extend(MAGIC);
    file.extend(FORM.to_le_bytes());
    file.extend(u16::try_from(ISA_VERSION).unwrap_or(u16::MAX).to_le_bytes());
    for count in [
        events.len() / EVENT_BYTES,
        instructions.len() / INSTRUCTION_BYTES,
        table.len(),
    ] {
        file.extend(
            u32::try_from(count)
                .map_err(|_| Damage::Long)?
                .to_le_bytes(),
        );
    }
    for part in [events, instructions, &table] {
        file.extend(part);
    }
    if file.len() > MAX_BYTES {
        return Err(Damage::Long);
    }
    Ok(file)
}

/// The program in a file. It need not be one the verifier takes.
pub fn read(file: &[u8]) -> Result<(Binary, Names), Damage> {
    if !is_binary(file) {
        return Err(Damage::Magic);
    }
    if file.len() > MAX_BYTES {
        return Err(Damage::Long);
    }
    let Some((header, body)) = file.split_first_chunk::<HEADER>() else {
        return Err(Damage::Header(file.len()));
    };
    let half = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
    let word = |at: usize| {
        let bytes = [header[at], header[at + 1], header[at + 2], header[at + 3]];
        u64::from(u32::from_le_bytes(bytes))
    };
    if half(4) != FORM {
        return Err(Damage::Form(half(4)));
    }
    if u32::from(half(6)) != ISA_VERSION {
        return Err(Damage::Isa(half(6)));
    }
    let (events, instructions, names) = (word(8) * 16, word(12) * 16, word(16));
    let expected = HEADER as u64 + events + instructions + names;
    let wrong = Damage::Length {
        expected,
        found: file.len(),
    };
    if expected != file.len() as u64 {
        return Err(wrong);
    }
    let split = |bytes: &'_ [u8], at: u64| -> Option<(Vec<u8>, Vec<u8>)> {
        let (first, rest) = bytes.split_at_checked(usize::try_from(at).ok()?)?;
        Some((first.to_vec(), rest.to_vec()))
    };
    let (events, rest) = split(body, events).ok_or(wrong)?;
    let (instructions, names) = split(&rest, instructions).ok_or(wrong)?;
    let program = Binary {
        events,
        instructions,
    };
    Ok((program, table(&names)?))
}

fn table(mut bytes: &[u8]) -> Result<Names, Damage> {
    let mut names = Names::default();
    for number in 1.. {
        if bytes.is_empty() {
            break;
        }
        let cut = Damage::NameLength(number);
        let (&[class, i0, i1, i2, i3, length], rest) = bytes.split_first_chunk().ok_or(cut)?;
        let (name, rest) = rest.split_at_checked(usize::from(length)).ok_or(cut)?;
        let index = u32::from_le_bytes([i0, i1, i2, i3]);
        let class = Class::from_code(class).ok_or(Damage::NameClass(number, class))?;
        let name = std::str::from_utf8(name).map_err(|_| Damage::NameText(number))?;
        names
            .insert(Reg::new(class, index), name)
            .map_err(|error| Damage::Name(number, error))?;
        bytes = rest;
    }
    Ok(names)
}
