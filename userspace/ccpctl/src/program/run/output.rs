// SPDX-License-Identifier: GPL-2.0
//! What a run says: lines for people, or a JSON object on each.

use super::{machine::Machine, place::Place};
use crate::{
    cli::Form,
    format::table,
    program::{check::class, load::Loaded},
    Failure,
};
use ccp_asm::{Names, Survey};
use ccp_core::vm::{
    isa::{implicit, Class, Reg},
    Abort,
};
use serde::{Serialize, Serializer};
use serde_json::json;
use std::io::{BufWriter, StdoutLock, Write};

/// Where in the trace.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    pub(super) line: u64,
    pub(super) time: u64,
}

/// Counts over the whole trace.
#[derive(Default)]
pub(super) struct Totals {
    pub(super) rows: u64,
    pub(super) reports: u64,
    pub(super) aborts: u64,
    pub(super) steps: u64,
    pub(super) most: u32,
    pub(super) cost: u32,
}

pub(super) struct Output<'a> {
    form: Form,
    /// What messages call program and trace.
    program: &'a str,
    trace: String,
    names: &'a Names,
    /// Names of the fields of a report.
    fields: Vec<String>,
    start: u64,
    out: BufWriter<StdoutLock<'static>>,
}

/// Window and rate.
type Window = (u64, u64);

impl<'a> Output<'a> {
    pub(super) fn new(form: Form, loaded: &'a Loaded, trace: String, fields: usize) -> Self {
        let names = &loaded.names;
        let fields = u32::try_from(fields).unwrap_or(u32::MAX);
        Self {
            form,
            program: &loaded.file,
            trace,
            names,
            fields: names.fields(fields),
            start: 0,
            out: BufWriter::new(std::io::stdout().lock()),
        }
    }

    /// The time of the first row: people count from there.
    pub(super) fn start(&mut self, time: u64) {
        self.start = time;
    }

    /// Seconds since the first row.
    fn since(&self, moment: Moment) -> f64 {
        moment.time.saturating_sub(self.start) as f64 / 1e6
    }

    fn line(&mut self, moment: Moment, text: &str) -> Result<(), Failure> {
        let seconds = self.since(moment);
        Ok(writeln!(self.out, "{seconds:10.6} {text}")?)
    }

    pub(super) fn report(
        &mut self,
        moment: Moment,
        seq: u64,
        values: &[u64],
        (cwnd, rate): Window,
    ) -> Result<(), Failure> {
        let Moment { line, time } = moment;
        let t = self.since(moment);
        let pairs = self.fields.iter().zip(values);
        if self.form.json {
            let record = Report {
                event: "report",
                line,
                t,
                time_us: time,
                seq,
                fields: Ordered(pairs.map(|(name, value)| (&**name, *value)).collect()),
                cwnd,
                rate,
            };
            return object(&mut self.out, &record);
        }
        let fields: Vec<String> = pairs
            .map(|(name, value)| format!("{name} {value}"))
            .collect();
        self.line(moment, &format!("report {seq} {}", fields.join(" ")))
    }

    pub(super) fn abort(
        &mut self,
        moment: Moment,
        abort: Abort,
        place: Option<&Place>,
    ) -> Result<(), Failure> {
        let Moment { line, time } = moment;
        let reason = match abort {
            Abort::AddOverflow => "sum above 64 bits",
            Abort::SubUnderflow => "difference below 0",
            Abort::MulOverflow => "product above 64 bits",
            Abort::DivideByZero => "division by 0",
        };
        if self.form.json {
            let record = json!({
                "event": "abort", "line": line, "t": self.since(moment), "time_us": time,
                "reason": reason,
                "program_event": place.map(|place| place.event),
                "program_line": place.and_then(|place| place.line),
                "instruction": place.map(|place| place.instruction),
                "operation": place.map(|place| &place.operation),
            });
            return object(&mut self.out, &record);
        }
        let place = place.map_or(String::new(), |place| {
            let clause = match place.line {
                Some(line) => format!("the clause of {}:{line}", self.program),
                None => format!("event {} of {}", place.event, self.program),
            };
            let (number, operation) = (place.instruction, &place.operation);
            format!(" in {clause}, instruction {number}: {operation}")
        });
        let text = format!("abort at {}:{line}: {reason}{place}", self.trace);
        self.line(moment, &text)
    }

    /// With details, what the program changed.
    pub(super) fn change(
        &mut self,
        moment: Moment,
        before: Window,
        after: Window,
    ) -> Result<(), Failure> {
        if !self.form.details {
            return Ok(());
        }
        let Moment { line, time } = moment;
        if self.form.json {
            let (cwnd, rate) = after;
            let record = json!({
                "event": "change", "line": line, "t": self.since(moment), "time_us": time,
                "cwnd": cwnd, "rate": rate,
            });
            return object(&mut self.out, &record);
        }
        let part = |name, before, after| {
            (before != after).then(|| format!("{name} {} -> {}", rate(before), rate(after)))
        };
        let parts = [
            part("cwnd", before.0, after.0),
            part("rate", before.1, after.1),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        self.line(moment, &parts.join(" "))
    }

    /// Totals and the registers as they are in the end.
    pub(super) fn end(
        mut self,
        totals: &Totals,
        machine: &Machine,
        survey: &Survey,
    ) -> Result<(), Failure> {
        let variables = survey.variables.iter();
        let mut registers: Vec<(String, &str, u64)> = variables
            .filter_map(|v| Some((v.name.clone(), class(v.reg.class), machine.kept(v.reg)?)))
            .collect();
        let micros = Reg::new(Class::Implicit, implicit::MICROS);
        for (reg, value) in [
            (micros, machine.kept(micros).unwrap_or_default()),
            (Reg::new(Class::Implicit, implicit::CWND), machine.cwnd),
            (Reg::new(Class::Implicit, implicit::RATE), machine.rate),
        ] {
            registers.push((self.names.show(reg), "implicit", value));
        }
        if self.form.details {
            for index in &survey.primitives {
                let value = usize::try_from(*index).ok();
                let value = value.and_then(|index| machine.input.primitives.get(index));
                let name = ccp_asm::spelling(Reg::new(Class::Primitive, *index));
                registers.push((name, "primitive", value.copied().unwrap_or_default()));
            }
        }
        let mean = match totals.rows {
            0 => 0.0,
            rows => totals.steps as f64 / rows as f64,
        };
        let Totals {
            rows,
            reports,
            aborts,
            most,
            cost,
            ..
        } = totals;
        if self.form.json {
            let registers = registers.iter().map(|(name, _, value)| (&**name, *value));
            let record = End {
                event: "end",
                invocations: *rows,
                reports: *reports,
                aborts: *aborts,
                steps_mean: (mean * 100.0).round() / 100.0,
                steps_max: *most,
                cost: *cost,
                registers: Ordered(registers.collect()),
            };
            object(&mut self.out, &record)?;
        } else {
            writeln!(
                self.out,
                "invocations {rows}, reports {reports}, aborts {aborts}, \
                 steps {mean:.1} on average, {most} at most\n"
            )?;
            let rows: Vec<Vec<String>> = registers
                .into_iter()
                .map(|(name, class, value)| vec![name, class.into(), value.to_string()])
                .collect();
            table(&mut self.out, &["NAME", "CLASS", "VALUE"], &rows)?;
        }
        Ok(self.out.flush()?)
    }
}

fn rate(value: u64) -> String {
    match value {
        u64::MAX => "unlimited".into(),
        value => value.to_string(),
    }
}

fn object(out: &mut dyn Write, value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string(value).map_err(|error| Failure::System(error.to_string()))?;
    Ok(writeln!(out, "{text}")?)
}

#[derive(Serialize)]
struct Report<'a> {
    event: &'static str,
    line: u64,
    t: f64,
    time_us: u64,
    seq: u64,
    fields: Ordered<'a, u64>,
    cwnd: u64,
    rate: u64,
}

#[derive(Serialize)]
struct End<'a> {
    event: &'static str,
    invocations: u64,
    reports: u64,
    aborts: u64,
    steps_mean: f64,
    steps_max: u32,
    cost: u32,
    registers: Ordered<'a, u64>,
}

/// An object whose members keep their order.
struct Ordered<'a, T>(Vec<(&'a str, T)>);

impl<T: Serialize> Serialize for Ordered<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}
