// SPDX-License-Identifier: GPL-2.0
//! Programs as portus compiles them.

use std::{error::Error, fmt::Write as _};

use ccp_core::vm::isa::{Class, Opcode, EVENT_BYTES, INSTRUCTION_BYTES};
use ccp_lang::Binary;
use portus::lang::{self, Reg, Scope, Type};

const ADD: u8 = Opcode::Add as u8;
const MUL: u8 = Opcode::Mul as u8;

/// A program compiled by portus.
#[derive(Clone, Debug)]
pub struct Portus {
    /// Its wire form.
    pub program: Binary,
    /// Which of its instructions are an `&&` or `||`: portus makes them a
    /// multiplication or an addition.
    pub logical: Vec<bool>,
    scope: Scope,
}

impl Portus {
    /// Compiles `source`, from which comments are taken out: portus allows them
    /// in few places.
    ///
    /// # Panics
    ///
    /// When portus does; it has sources it panics on.
    pub fn compile(source: &str) -> Result<Self, Box<dyn Error>> {
        let (bin, scope) = lang::compile(without_comments(source).as_bytes(), &[])?;
        let truth = |reg: &Reg| matches!(reg, Reg::Tmp(_, Type::Bool(_)) | Reg::Implicit(0, _));
        let truths: Vec<bool> = bin.instrs.iter().map(|i| truth(&i.res)).collect();
        let mut events = bin.serialize()?;
        let instructions = events.split_off(bin.events.len() * EVENT_BYTES);
        let arithmetic = |code: &[u8]| matches!(code[0], ADD | MUL);
        let logical = truths.iter().zip(instructions.chunks(INSTRUCTION_BYTES));
        Ok(Self {
            logical: logical.map(|(t, code)| *t && arithmetic(code)).collect(),
            program: Binary {
                events,
                instructions,
            },
            scope,
        })
    }

    /// Class and index of the control variable `name`, of `Cwnd` and `Rate`.
    pub fn updatable(&self, name: &str) -> Option<(u8, u32)> {
        let (class, index) = match self.scope.get(name)? {
            Reg::Control(index, _, true) => (Class::VolatileControl, index),
            Reg::Control(index, _, false) => (Class::NonvolatileControl, index),
            Reg::Implicit(index @ (4 | 5), _) => (Class::Implicit, index),
            _ => return None,
        };
        Some((class as u8, u32::from(*index)))
    }
}

fn without_comments(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    for line in source.lines() {
        let code = line.split('#').next().unwrap_or_default();
        let _: Result<(), _> = writeln!(out, "{code}");
    }
    out.trim().to_owned()
}
