// SPDX-License-Identifier: GPL-2.0
//! `ccpctl program`: what a program is before a kernel sees it.

mod check;
mod convert;
mod load;

use crate::{
    cli::{Form, ProgramAction},
    Failure,
};

pub(crate) fn run(form: Form, action: &ProgramAction) -> Result<(), Failure> {
    match action {
        ProgramAction::Check(args) => check::check(form, args),
        ProgramAction::Asm(args) => convert::asm(form, args),
        ProgramAction::Disasm(args) => convert::disasm(form, args),
    }
}
