// SPDX-License-Identifier: GPL-2.0
//! `ccpctl program run`: a program over a trace, by the kernel's interpreter.

mod machine;
mod output;
mod place;

use super::{
    acks::{absent, Ack, Acks},
    literal::number,
    load::{warn, Loaded},
};
use crate::{
    cli::{Form, ProgramRunArgs},
    Failure,
};
use ccp_asm::{Names, Survey};
use ccp_core::vm::{
    self,
    isa::{implicit, primitive, Class, Reg},
};
use machine::{Machine, Ran};
use output::{Moment, Output, Totals};
use place::Plain;

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
            .map_err(|why| Failure::Input(format!("--set {text}: {}", refused(why, text))))?;
    }
    let mut acks = Acks::open(&args.acks)?;
    if let (Some(warnings), false) = (&loaded.warnings, form.json) {
        warn(warnings);
    }
    let survey = Survey::new(&loaded.program, &loaded.names);
    for text in missing(&acks, &survey) {
        eprintln!("ccpctl: {}: {text}", args.acks.display());
    }
    let trace = args.acks.display().to_string();
    let mut output = Output::new(form, &loaded, trace, layout.report_fields);
    let (program, source) = loaded.plain();
    let plain = Plain::new(program, loaded.names.clone(), source);
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
        let ran = row(&mut machine, &ack, args.feedback, &mut totals);
        told(&ran, &ack, (&machine, &plain), &mut output, &mut totals)?;
    }
    if totals.rows == 0 {
        let trace = args.acks.display();
        return Err(Failure::Input(format!(
            "{trace}: the trace has no ACK, only its first line"
        )));
    }
    output.end(&totals, &machine, &survey)
}

/// An ACK.
fn row(machine: &mut Machine, ack: &Ack, feedback: bool, totals: &mut Totals) -> Ran {
    if !feedback {
        machine.cwnd = ack.cwnd.unwrap_or(machine.cwnd);
        machine.rate = ack.rate.unwrap_or(machine.rate);
    }
    let ran = machine.invoke(ack);
    totals.rows += 1;
    totals.steps += u64::from(ran.steps);
    totals.most = totals.most.max(ran.steps);
    ran
}

/// Says what an invocation did.
fn told(
    ran: &Ran,
    ack: &Ack,
    (machine, plain): (&Machine, &Plain),
    output: &mut Output<'_>,
    totals: &mut Totals,
) -> Result<(), Failure> {
    let moment = Moment {
        line: ack.line,
        time: ack.time(),
    };
    let after = (machine.cwnd, machine.rate);
    if let Some(abort) = ran.abort {
        totals.aborts += 1;
        let place = plain.find(abort, &|reg| machine.before(reg));
        output.abort(moment, abort, place.as_ref())?;
    }
    if ran.before != after {
        output.change(moment, ran.before, after)?;
    }
    if let Some(fields) = &ran.report {
        totals.reports += 1;
        output.report(moment, totals.reports, fields, after)?;
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
        "true" => Ok(1),
        "false" => Ok(0),
        value => number(value),
    };
    match value {
        Ok(value) => Ok((text, reg, value)),
        Err(why) => Err(format!("--set {text}: {why}, or 'true' or 'false'")),
    }
}

/// Why a register cannot be set, by its name.
fn refused(why: vm::Kind, text: &str) -> String {
    let name = text.split('=').next().unwrap_or(text);
    match why {
        vm::Kind::UpdateClass { .. } | vm::Kind::UpdateImplicit { .. } => format!(
            "'{name}' can't be set; the program's control variables, 'Cwnd' and 'Rate' can: \
             'ccpctl program check' shows them"
        ),
        other => other.to_string(),
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
            let value = usize::try_from(*index).map_or(0, absent);
            format!("no column {name}, which the program reads: it is {value}")
        })
        .collect();
    if survey.implicits.contains(&implicit::MICROS) && !acks.tells(now) {
        missing.push("no column Ack.now: time stands still, and Micros with it".into());
    }
    missing
}
