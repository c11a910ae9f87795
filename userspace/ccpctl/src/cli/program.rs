// SPDX-License-Identifier: GPL-2.0
//! The command line of `ccpctl program`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Subcommand)]
pub(crate) enum ProgramAction {
    /// Verify a program, and show its variables and what it costs
    Check(CheckArgs),
    /// Assemble a program from its text form
    Asm(AsmArgs),
    /// Write a program's instructions down
    Disasm(DisasmArgs),
}

#[derive(Args)]
pub(crate) struct ProgramFile {
    /// Program: source, assembler text, or what `asm` wrote; `-` reads standard input
    pub(crate) file: PathBuf,
    /// Compile source with the optimiser (1) or without (0)
    #[arg(short = 'O', value_name = "LEVEL", default_value_t = 1, value_parser = clap::value_parser!(u8).range(0..=1))]
    pub(crate) optimise: u8,
}

#[derive(Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) program: ProgramFile,
}

#[derive(Args)]
pub(crate) struct AsmArgs {
    /// Assembler text; `-` reads standard input
    pub(crate) file: PathBuf,
    /// File to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Write also what the verifier refuses
    #[arg(long)]
    pub(crate) no_verify: bool,
}

#[derive(Args)]
pub(crate) struct DisasmArgs {
    #[command(flatten)]
    pub(crate) program: ProgramFile,
}
