// SPDX-License-Identifier: GPL-2.0
//! Runs cases and explains to people what went wrong.

use std::fmt::{self, Write as _};

use ccp_core::vm::isa::primitive;

use crate::{
    case::{Case, Program},
    driver::{Difference, Runner, Step, Totals},
    shrink,
};

/// Runs the case generated from `seed`, each program for `acks` ACKs. The
/// error has all that is needed to see the difference.
pub fn check(runner: &mut Runner, seed: u64, acks: u32, totals: &mut Totals) -> Result<(), String> {
    let _seed = Seed(seed);
    check_case(runner, Case::generate(seed)?, acks, totals)
}

/// [`check`] of a case from elsewhere.
pub fn check_case(
    runner: &mut Runner,
    case: Case,
    acks: u32,
    totals: &mut Totals,
) -> Result<(), String> {
    let Err(found) = runner.run(&case, acks, totals) else {
        return Ok(());
    };
    let steps = found.steps.len();
    let (programs, smallest) = shrink(case.programs, found);
    let mut out = format!("seed {}: the machines differ at ACK {steps}", case.seed);
    let written = write(&mut out, &programs, &smallest);
    written.expect("a string takes all");
    Err(out)
}

fn write(out: &mut String, programs: &[Program], difference: &Difference) -> fmt::Result {
    writeln!(out, "; this is what it takes:")?;
    for (number, program) in programs.iter().enumerate() {
        writeln!(out, "program {number}:\n{program}")?;
    }
    for step in &difference.steps {
        write_step(out, step)?;
    }
    for (name, (result, effects)) in &difference.done {
        writeln!(out, "{name}: {result:?} {effects:?}")?;
    }
    Ok(())
}

fn write_step(out: &mut String, step: &Step) -> fmt::Result {
    if let Some(program) = step.change {
        writeln!(out, "change to program {program}")?;
    }
    for setting in &step.settings {
        writeln!(out, "set {:?} to {}", setting.what, setting.value)?;
    }
    let ack = &step.ack;
    write!(
        out,
        "ack at {} us: Cwnd {} Rate {}",
        ack.now_us, ack.cwnd, ack.rate
    )?;
    let named = primitive::NAMES.iter().zip(&ack.primitives);
    for (name, value) in named.filter(|(_, value)| **value != 0) {
        write!(out, " {name} {value}")?;
    }
    writeln!(out)
}

/// Says which seed it was when something panics.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("this was seed {}", self.0);
        }
    }
}
