// SPDX-License-Identifier: GPL-2.0
//! The text form of datapath programs: an assembler, a disassembler, and the
//! file both forms are kept in. `docs/isa.md` defines them.
//!
//! ```
//! use ccp_asm::{assemble, disassemble, Listing};
//!
//! let source = ".isa 1\nwhen:\n BIND __eventFlag, 1\ndo:\n ADD Cwnd, Cwnd, 1448\n";
//! let assembly = assemble("grow.casm", source).expect("it assembles");
//! let text = disassemble(&assembly.program, &assembly.names, Listing::default());
//! assert_eq!(assemble("again", &text).expect("so does this").program, assembly.program);
//! ```

#![forbid(unsafe_code)]

mod assemble;
mod container;
mod disassemble;
mod line;
mod names;
mod parse;
mod register;
mod survey;
mod wire;

pub use assemble::{assemble, assemble_unverified, Assembly};
pub use container::{is_binary, read, write, Damage, MAX_BYTES};
pub use disassemble::{disassemble, operation, Listing};
pub use names::{BadName, Names};
pub use register::spelling;
pub use survey::{Survey, Variable};
pub use wire::read as units;
