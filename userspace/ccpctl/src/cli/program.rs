// SPDX-License-Identifier: GPL-2.0
//! The command line of `ccpctl program`.

use crate::{
    program::number,
    units::{bits_per_second, bytes, duration},
};
use clap::{Args, Subcommand};
use std::{path::PathBuf, time::Duration};

#[derive(Subcommand)]
pub(crate) enum ProgramAction {
    /// Verify a program, and show its variables and what it costs
    Check(CheckArgs),
    /// Run a program over a trace of ACKs
    Run(RunArgs),
    /// Record the ACKs of a real flow, as a trace for `run`
    Record(RecordArgs),
    /// Simulate a flow over a bottleneck and write its ACKs, as a trace for `run`
    Trace(TraceArgs),
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
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) program: ProgramFile,
    /// CSV with a row for each ACK; `-` reads standard input
    #[arg(long, value_name = "TRACE")]
    pub(crate) acks: PathBuf,
    /// Set a control variable, `Cwnd` or `Rate` when the program starts, as NAME=VALUE;
    /// numbers may have the units of programs, as 10ms, 12Mbps or 64KB
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub(crate) values: Vec<String>,
    /// Congestion window at the start, in bytes, or as 64KB
    #[arg(long, value_name = "BYTES", default_value_t = 14_480, value_parser = number)]
    pub(crate) cwnd: u64,
    /// Pacing rate at the start, in bytes per second, or as 12Mbps or 12Mbit, which are the
    /// same [default: unlimited]
    #[arg(long, value_name = "BYTES/S", default_value_t = u64::MAX, hide_default_value = true, value_parser = bytes_per_second)]
    pub(crate) rate: u64,
    /// Don't use the window and rate the trace has: the program sees its own last answer
    #[arg(long)]
    pub(crate) feedback: bool,
}

#[derive(Args)]
pub(crate) struct RecordArgs {
    /// File to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Stop after this many seconds [default: when the flow ends]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) seconds: Option<f64>,
}

#[derive(Args)]
pub(crate) struct TraceArgs {
    /// Rate of the bottleneck, as 500kbit, 20Mbit or 1Gbit; Mbps is Mbit, as in programs
    #[arg(long, default_value = "20Mbit", value_parser = bit_rate)]
    pub(crate) rate: u64,
    /// Round-trip time without queueing, as 500us, 40ms or 1s
    #[arg(long, default_value = "40ms", value_parser = duration)]
    pub(crate) rtt: Duration,
    /// Length of the queue, as 1500B, 100KB or 1MB [default: what RATE moves in RTT]
    #[arg(long, value_parser = bytes)]
    pub(crate) queue: Option<u64>,
    /// Time to simulate, at most a day
    #[arg(long, default_value = "10s", value_parser = duration)]
    pub(crate) time: Duration,
    /// File to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// Bits per second, as tc(8) or as programs write it: `Mbps` is `Mbit`.
fn bit_rate(text: &str) -> Result<u64, String> {
    if text.ends_with("bps") {
        let rate = number(text)?.checked_mul(8).filter(|rate| *rate > 0);
        return rate.ok_or_else(|| "no such rate".into());
    }
    bits_per_second(text)
}

/// The same in bytes per second, which need no unit.
fn bytes_per_second(text: &str) -> Result<u64, String> {
    if text.ends_with("bit") {
        return bits_per_second(text).map(|rate| rate / 8);
    }
    number(text)
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
