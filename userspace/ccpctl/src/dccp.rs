// SPDX-License-Identifier: GPL-2.0
//! `ccpctl dccp`: what CCID 5 does, and its equation.

mod calc;
mod half;
mod show;

use crate::{
    cli::{DccpAction, Form},
    Failure,
};

pub(crate) fn run(form: Form, action: &DccpAction) -> Result<(), Failure> {
    match action {
        DccpAction::Show => show::show(form),
        DccpAction::Monitor(args) => show::monitor(form, args),
        &DccpAction::Set { id, n } => half::set(id, n),
        DccpAction::Calc(args) => calc::calc(form, args),
    }
}
