// SPDX-License-Identifier: GPL-2.0
//! `ccpctl program run`: a program over a trace, by the kernel's interpreter.

mod machine;
mod output;

use super::{
    acks::{Ack, Acks},
    load::{warn, Loaded},
};
use crate::{
    cli::{Form, ProgramRunArgs},
    Failure,
};
use ccp_asm::{Names, Survey};
use ccp_core::vm::isa::{implicit, primitive, Class, Reg};
use machine::Machine;
use output::{Moment, Output, Totals};

pub(super) fn run(form: Form, args: &ProgramRunArgs) -> Result<(), Failure> {
    if args.acks.as_os_str() == "-" && args.program.file.as_os_str() == "-" {
        return Err(Failure::Input(
            "program and trace cannot both be standard input".into(),
        ));
    }
    let loaded = Loaded::read(form, &args.program)?;
    let layout = loaded.verify(form)?;
    let mut machine = Machine::new(&loaded, layout);
    machine.cwnd = args.cwnd;
    machine.rate = args.rate;
    let values: Result<Vec<_>, _> = args
        .values
        .iter()
        .map(|value| setting(value, &loaded.names))
        .collect();
    let values = values.map_err(Failure::Input)?;
    for (text, reg, value) in &values {
        machine
            .set(*reg, *value)
            .map_err(|why| Failure::Input(format!("--set {text}: {why}")))?;
    }
    let mut acks = Acks::open(&args.acks)?;
    if let (Some(warnings), false) = (&loaded.warnings, form.json) {
        warn(warnings);
    }
    let survey = Survey::new(&loaded.program, &loaded.names);
    for text in missing(&acks, &survey) {
        eprintln!("ccpctl: {}: {text}", args.acks.display());
    }
    let mut output = Output::new(form, &loaded.names, layout.report_fields);
    let mut totals = Totals {
        cost: layout.cost,
        ..Totals::default()
    };
    while let Some(ack) = acks.next()? {
        if totals.rows == 0 {
            output.start(ack.time());
            machine.install(ack.time());
            for (_, reg, value) in &values {
                // Checked above.
                let _ = machine.set(*reg, *value);
            }
        }
        row(&mut machine, &ack, args.feedback, &mut totals, &mut output)?;
    }
    output.end(&totals, &machine, &survey)
}

fn row(
    machine: &mut Machine,
    ack: &Ack,
    feedback: bool,
    totals: &mut Totals,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    if !feedback {
        machine.cwnd = ack.cwnd.unwrap_or(machine.cwnd);
        machine.rate = ack.rate.unwrap_or(machine.rate);
    }
    let moment = Moment {
        line: ack.line,
        time: ack.time(),
    };
    let ran = machine.invoke(ack);
    totals.rows += 1;
    totals.steps += u64::from(ran.steps);
    totals.most = totals.most.max(ran.steps);
    if let Some(abort) = ran.abort {
        totals.aborts += 1;
        output.abort(moment, abort)?;
    }
    if ran.before != (machine.cwnd, machine.rate) {
        output.change(moment, ran.before, (machine.cwnd, machine.rate))?;
    }
    if let Some(fields) = &ran.report {
        totals.reports += 1;
        output.report(moment, totals.reports, fields, (machine.cwnd, machine.rate))?;
    }
    Ok(())
}

/// A `NAME=VALUE`: itself, the register and the value.
fn setting<'a>(text: &'a str, names: &Names) -> Result<(&'a str, Reg, u64), String> {
    let Some((name, value)) = text.split_once('=') else {
        return Err(format!("--set {text}: write NAME=VALUE"));
    };
    let Some(reg) = names.find(name) else {
        return Err(format!(
            "--set {text}: the program has no '{name}'; 'ccpctl program check' shows what can be set"
        ));
    };
    let value = match value {
        "true" => Some(1),
        "false" => Some(0),
        digits if digits.starts_with('+') => None,
        digits => digits.parse().ok(),
    };
    match value {
        Some(value) => Ok((text, reg, value)),
        None => Err(format!(
            "--set {text}: write a whole number of 64 bits, 'true' or 'false'"
        )),
    }
}

/// What the program reads and the trace does not tell.
fn missing<R: std::io::Read>(acks: &Acks<R>, survey: &Survey) -> Vec<String> {
    let now = u32::try_from(primitive::ACK_NOW).unwrap_or(u32::MAX);
    let read = survey
        .primitives
        .iter()
        .filter(|index| !acks.tells(**index));
    let mut missing: Vec<String> = read
        .map(|index| {
            let name = ccp_asm::spelling(Reg::new(Class::Primitive, *index));
            format!("no column {name}, which the program reads: it is 0")
        })
        .collect();
    if survey.implicits.contains(&implicit::MICROS) && !acks.tells(now) {
        missing.push("no column Ack.now: time stands still, and Micros with it".into());
    }
    missing
}
