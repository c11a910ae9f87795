// SPDX-License-Identifier: GPL-2.0
//! What a program uses: its variables, tmp registers and constants.

use crate::{names::Names, wire};
use ccp_core::vm::isa::{Class, Event, Form, Instruction, Reg};
use ccp_lang::Binary;
use std::collections::{BTreeMap, BTreeSet};

/// A register that keeps a value from one invocation to the next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Variable {
    /// Its name, or its spelling.
    pub name: String,
    /// The register, in the class of its definition if it has one.
    pub reg: Reg,
    /// Goes back to its initial value after each report.
    pub volatile: bool,
    /// Its value when the program is installed; `None` for a local register,
    /// which keeps what it had.
    pub initial: Option<u64>,
}

/// What a program uses.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Survey {
    /// Report registers, control registers and locals, by index.
    pub variables: Vec<Variable>,
    /// Tmp registers: the highest and all below it.
    pub tmps: u32,
    /// Different constants that instructions use as operands.
    pub constants: usize,
    /// Primitive registers it reads, by index.
    pub primitives: Vec<u32>,
    /// Implicit registers it reads, by index.
    pub implicits: Vec<u32>,
    /// Events, in order.
    pub events: Vec<Event>,
}

impl Survey {
    /// Looks through a program that the verifier takes.
    pub fn new(program: &Binary, names: &Names) -> Self {
        let (units, _) = wire::units(&program.events);
        let mut survey = Self {
            events: units.into_iter().map(Event::from_bytes).collect(),
            ..Self::default()
        };
        let mut constants = BTreeSet::new();
        let (mut primitives, mut implicits) = (BTreeSet::new(), BTreeSet::new());
        let mut variables = BTreeMap::new();
        for bytes in wire::units(&program.instructions).0 {
            let Some(instruction) = wire::instruction(bytes) else {
                continue;
            };
            for reg in [instruction.result, instruction.left, instruction.right] {
                if reg.class == Class::Tmp {
                    survey.tmps = survey.tmps.max(reg.index.saturating_add(1));
                }
                if let Some(kind) = kind(reg.class) {
                    // The definition comes first, so its class stays.
                    variables.entry((kind, reg.index)).or_insert(Variable {
                        name: names.show(reg),
                        reg,
                        volatile: false,
                        initial: (kind != Kind::Local).then_some(0),
                    });
                }
            }
            if let Some((reg, value)) = definition(instruction) {
                let key = kind(reg.class).map(|kind| (kind, reg.index));
                if let Some(variable) = key.and_then(|key| variables.get_mut(&key)) {
                    variable.initial = Some(value);
                    variable.volatile =
                        matches!(reg.class, Class::VolatileControl | Class::VolatileReport);
                }
            }
            constants.extend(constant(instruction));
            for reg in reads(instruction) {
                match reg.class {
                    Class::Immediate => constants.extend([u64::from(reg.index)]),
                    Class::Primitive => primitives.extend([reg.index]),
                    Class::Implicit => implicits.extend([reg.index]),
                    _ => {}
                }
            }
        }
        survey.variables = variables.into_values().collect();
        survey.constants = constants.len();
        survey.primitives = primitives.into_iter().collect();
        survey.implicits = implicits.into_iter().collect();
        survey
    }
}

#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
enum Kind {
    Report,
    Control,
    Local,
}

fn kind(class: Class) -> Option<Kind> {
    match class {
        Class::VolatileReport | Class::NonvolatileReport => Some(Kind::Report),
        Class::VolatileControl | Class::NonvolatileControl => Some(Kind::Control),
        Class::Local => Some(Kind::Local),
        Class::Immediate | Class::Implicit | Class::Primitive | Class::Tmp => None,
    }
}

/// The operands whose value an instruction uses, the result apart.
fn reads(instruction: Instruction) -> Vec<Reg> {
    let Instruction { left, right, .. } = instruction;
    match instruction.opcode.form() {
        Form::Binary | Form::Update => vec![left, right],
        Form::Unary => vec![right],
        Form::Skip => vec![left],
        Form::Define | Form::Define64 | Form::Wide => vec![],
    }
}

fn constant(instruction: Instruction) -> Option<u64> {
    (instruction.opcode.form() == Form::Wide).then(|| wire::wide(instruction))
}

fn definition(instruction: Instruction) -> Option<(Reg, u64)> {
    match instruction.opcode.form() {
        Form::Define if instruction.right.index == DEF_INFINITY => {
            Some((instruction.result, u32::MAX.into()))
        }
        Form::Define => Some((instruction.result, instruction.right.index.into())),
        Form::Define64 => Some((instruction.result, wire::wide(instruction))),
        _ => None,
    }
}

/// What DEF takes for infinity, as libccp does.
const DEF_INFINITY: u32 = 0x3fff_ffff;
