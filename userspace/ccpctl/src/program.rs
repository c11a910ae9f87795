// SPDX-License-Identifier: GPL-2.0
//! `ccpctl program`: what a program is before a kernel sees it.

mod acks;
mod check;
mod convert;
mod load;
mod record;
mod run;

use crate::{
    cli::{Form, ProgramAction},
    Failure,
};

pub(crate) fn run(form: Form, action: &ProgramAction) -> Result<(), Failure> {
    match action {
        ProgramAction::Check(args) => check::check(form, args),
        ProgramAction::Run(args) => run::run(form, args),
        ProgramAction::Record(args) => record::record(args),
        ProgramAction::Trace(args) => record::simulate(args),
        ProgramAction::Asm(args) => convert::asm(form, args),
        ProgramAction::Disasm(args) => convert::disasm(form, args),
    }
}
