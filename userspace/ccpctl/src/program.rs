// SPDX-License-Identifier: GPL-2.0
//! `ccpctl program`: what a program is before a kernel sees it.

mod acks;
mod check;
mod convert;
mod literal;
mod load;
mod record;
mod run;
mod sink;
mod trace;

pub(crate) use literal::number;

use crate::{
    cli::{Form, ProgramAction},
    Failure,
};

pub(crate) fn run(form: Form, action: &ProgramAction) -> Result<(), Failure> {
    let only = |what: &str| {
        let message = format!("{what}, and has no other form: leave out -j");
        form.json
            .then_some(Failure::Input(message))
            .map_or(Ok(()), Err)
    };
    match action {
        ProgramAction::Check(args) => check::check(form, args),
        ProgramAction::Run(args) => run::run(form, args),
        ProgramAction::Record(args) => {
            only("'program record' writes CSV")?;
            record::record(args)
        }
        ProgramAction::Trace(args) => {
            only("'program trace' writes CSV")?;
            trace::trace(args)
        }
        ProgramAction::Asm(args) => convert::asm(form, args),
        ProgramAction::Disasm(args) => {
            only("'program disasm' writes the text form")?;
            convert::disasm(form, args)
        }
    }
}
