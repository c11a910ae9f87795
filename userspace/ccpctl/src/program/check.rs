// SPDX-License-Identifier: GPL-2.0
//! `ccpctl program check`: whether a program installs, what it keeps, and what
//! it costs.

use super::load::{warn, Loaded};
use crate::{
    cli::{CheckArgs, Form},
    format::{json, table},
    Failure,
};
use ccp_asm::{Survey, Variable};
use ccp_core::vm::{self, isa::Class, Layout};
use serde_json::{json as value, Value};
use std::io::Write;

pub(super) fn check(form: Form, args: &CheckArgs) -> Result<(), Failure> {
    let loaded = Loaded::read(form, &args.program)?;
    let layout = loaded.verify(form)?;
    let checked = Checked {
        survey: Survey::new(&loaded.program, &loaded.names),
        loaded,
        layout,
    };
    if form.json {
        return json(&checked.record());
    }
    if let Some(warnings) = &checked.loaded.warnings {
        warn(warnings);
    }
    let mut out = std::io::stdout().lock();
    checked.show(&mut out, form.details)?;
    Ok(out.flush()?)
}

struct Checked {
    loaded: Loaded,
    survey: Survey,
    layout: Layout,
}

/// What people call the class of a variable.
pub(super) fn class(class: Class) -> &'static str {
    match class {
        Class::VolatileReport | Class::NonvolatileReport => "report",
        Class::VolatileControl | Class::NonvolatileControl => "control",
        Class::Local => "local",
        Class::Primitive => "primitive",
        Class::Implicit => "implicit",
        Class::Tmp => "tmp",
        Class::Immediate => "immediate",
    }
}

impl Checked {
    fn instructions(&self) -> usize {
        self.loaded.program.instructions.len() / vm::isa::INSTRUCTION_BYTES
    }

    fn wire_bytes(&self) -> usize {
        self.loaded.program.events.len() + self.loaded.program.instructions.len()
    }

    /// Bytes the kernel keeps of the program, and for each flow.
    fn memory(&self) -> (usize, usize) {
        let program = self.layout.ops * size_of::<vm::Op>();
        (program, self.layout.registers * size_of::<u64>())
    }

    fn fields(&self) -> Vec<String> {
        let count = u32::try_from(self.layout.report_fields).unwrap_or(u32::MAX);
        self.loaded.names.fields(count)
    }

    /// Names an agent may set.
    fn settable(&self) -> Vec<&str> {
        let variables = self.survey.variables.iter();
        let controls = variables.filter(|v| class(v.reg.class) == "control");
        let mut names: Vec<&str> = controls.map(|v| v.name.as_str()).collect();
        names.extend(["Cwnd", "Rate"]);
        names.sort_unstable();
        names
    }

    fn record(&self) -> Value {
        let (program, flow) = self.memory();
        let variable = |v: &Variable| {
            value!({
                "name": v.name, "class": class(v.reg.class), "index": v.reg.index,
                "volatile": v.volatile, "initial": v.initial,
            })
        };
        let events = self.survey.events.iter();
        let events = events
            .map(|event| value!({"condition": event.cond_count, "body": event.body_count}))
            .collect::<Vec<_>>();
        value!({
            "ok": true,
            "diagnostics": self.loaded.warnings.as_ref().map_or(value!([]), |d| value!(d)),
            "events": events,
            "instructions": self.instructions(),
            "wire_bytes": self.wire_bytes(),
            "cost": self.layout.cost,
            "registers": self.layout.registers,
            "tmps": self.survey.tmps,
            "constants": self.survey.constants,
            "program_bytes": program,
            "flow_bytes": flow,
            "report_fields": self.fields(),
            "settable": self.settable(),
            "variables": self.survey.variables.iter().map(variable).collect::<Vec<_>>(),
        })
    }

    fn show(&self, out: &mut dyn Write, details: bool) -> Result<(), Failure> {
        let (program, flow) = self.memory();
        writeln!(
            out,
            "{}: ok\n\
             events        {}\n\
             instructions  {}, {} bytes on the wire\n\
             cost          {} instructions at most per ACK\n\
             memory        {program} bytes for the program, {flow} for each flow's registers\n\
             registers     {} slots; {} tmp, {} constants\n\
             report        {}\n\
             settable      {}",
            self.loaded.file,
            self.survey.events.len(),
            self.instructions(),
            self.wire_bytes(),
            self.layout.cost,
            self.layout.registers,
            self.survey.tmps,
            self.survey.constants,
            self.fields().join(" "),
            self.settable().join(" "),
        )?;
        if !self.survey.variables.is_empty() {
            writeln!(out)?;
            let rows: Vec<Vec<String>> = self.survey.variables.iter().map(row).collect();
            let head = ["NAME", "CLASS", "INDEX", "VOLATILE", "INITIAL"];
            table(out, &head, &rows)?;
        }
        if details {
            writeln!(out)?;
            let events = (0..)
                .zip(&self.survey.events)
                .map(|(number, event): (u32, _)| {
                    let parts = [number, event.cond_count, event.body_count];
                    parts.map(|part| part.to_string()).to_vec()
                });
            let rows: Vec<Vec<String>> = events.collect();
            table(out, &["EVENT", "CONDITION", "BODY"], &rows)?;
        }
        Ok(())
    }
}

fn row(variable: &Variable) -> Vec<String> {
    vec![
        variable.name.clone(),
        class(variable.reg.class).into(),
        variable.reg.index.to_string(),
        if variable.volatile { "yes" } else { "no" }.into(),
        variable
            .initial
            .map_or_else(|| "-".into(), |initial| initial.to_string()),
    ]
}
