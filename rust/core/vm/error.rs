// SPDX-License-Identifier: GPL-2.0

//! Why a program or an update is refused.

use core::fmt;

use super::isa::{
    self,
    Class, //
};

/// Where the mistake is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the program as a whole.
    Program,
    /// In the event with this index.
    Event(u32),
    /// In the instruction with this index.
    Instruction(u32),
    /// In an update of a register.
    Update,
}

/// An operand of an instruction.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Operand {
    /// What is written.
    Result,
    /// The first operand.
    Left,
    /// The second operand.
    Right,
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Operand::Result => "result",
            Operand::Left => "left operand",
            Operand::Right => "right operand",
        })
    }
}

/// The rule that is broken; one variant per rule of `docs/isa.md`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the text of each is its documentation")]
pub enum Kind {
    EventBytes {
        bytes: usize,
    },
    InstructionBytes {
        bytes: usize,
    },
    NoEvents,
    TooManyEvents {
        count: usize,
    },
    TooManyInstructions {
        count: usize,
    },
    TooManyConstants,
    Trailing {
        end: u32,
    },
    Buffer {
        needed: usize,
        given: usize,
    },
    ConditionStart {
        expected: u32,
        found: u32,
    },
    BodyStart {
        expected: u32,
        found: u32,
    },
    PastEnd {
        end: u64,
        count: u32,
    },
    EmptyCondition,
    FlagNotWritten,
    UnknownOpcode {
        code: u8,
    },
    UnknownClass {
        operand: Operand,
        code: u8,
    },
    Index {
        operand: Operand,
        class: Class,
        index: u32,
    },
    ReadOnlyResult {
        class: Class,
    },
    UnwrittenTmp {
        operand: Operand,
        index: u32,
    },
    NotImmediate {
        operand: Operand,
    },
    MisplacedDef,
    DefClass {
        class: Class,
    },
    DefMismatch,
    DuplicateDef {
        class: Class,
        index: u32,
    },
    EmptySkip,
    SkipPastEnd {
        target: u64,
        end: u32,
    },
    TooManySkips,
    UpdateClass {
        code: u8,
    },
    UpdateImplicit {
        index: u32,
    },
    UpdateControl {
        index: u32,
        controls: u32,
    },
}

/// A broken rule and the place of it; displays as a sentence.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Where.
    pub place: Place,
    /// What.
    pub kind: Kind,
}

impl Error {
    pub(super) const fn program(kind: Kind) -> Error {
        Error {
            place: Place::Program,
            kind,
        }
    }

    pub(super) const fn event(index: u32, kind: Kind) -> Error {
        Error {
            place: Place::Event(index),
            kind,
        }
    }

    pub(super) const fn instruction(index: u32, kind: Kind) -> Error {
        Error {
            place: Place::Instruction(index),
            kind,
        }
    }

    pub(super) const fn update(kind: Kind) -> Error {
        Error {
            place: Place::Update,
            kind,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Place::Program => f.write_str("program: ")?,
            Place::Event(index) => write!(f, "event {index}: ")?,
            Place::Instruction(index) => write!(f, "instruction {index}: ")?,
            Place::Update => f.write_str("update: ")?,
        }
        self.kind.fmt(f)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Kind::EventBytes { bytes } => {
                write!(f, "{bytes} bytes of events, not a multiple of 16")
            }
            Kind::InstructionBytes { bytes } => {
                write!(f, "{bytes} bytes of instructions, not a multiple of 16")
            }
            Kind::NoEvents => f.write_str("has no events; at least one is needed"),
            Kind::TooManyEvents { count } => {
                write!(f, "{count} events, at most {}", isa::MAX_EVENTS)
            }
            Kind::TooManyInstructions { count } => {
                write!(f, "{count} instructions, at most {}", isa::MAX_INSTRUCTIONS)
            }
            Kind::TooManyConstants => {
                write!(f, "more than {} different constants", isa::MAX_CONSTANTS)
            }
            Kind::Trailing { end } => write!(
                f,
                "instructions from {end} on belong to no event; the last event must end the program"
            ),
            Kind::Buffer { needed, given } => {
                write!(f, "decoding needs {needed} units, the buffer has {given}")
            }
            Kind::ConditionStart { expected, found } => write!(
                f,
                "condition starts at instruction {found}, must follow what is before it, at {expected}"
            ),
            Kind::BodyStart { expected, found } => write!(
                f,
                "body starts at instruction {found}, must follow the condition, at {expected}"
            ),
            Kind::PastEnd { end, count } => write!(
                f,
                "ends at instruction {end}, past the {count} instructions of the program"
            ),
            Kind::EmptyCondition => f.write_str("empty condition"),
            Kind::FlagNotWritten => f.write_str(
                "the last instruction of a condition must write the event flag, always",
            ),
            Kind::UnknownOpcode { code } => write!(f, "unknown opcode {code}"),
            Kind::UnknownClass { operand, code } => {
                write!(f, "{operand}: unknown register class {code}, at most 8")
            }
            Kind::Index {
                operand,
                class,
                index,
            } => write!(
                f,
                "{operand}: {} {index} out of range (0..{})",
                class.name(),
                class.max_index()
            ),
            Kind::ReadOnlyResult { class } => {
                write!(f, "result: {} can't be written", class.name())
            }
            Kind::UnwrittenTmp { operand, index } => write!(
                f,
                "{operand}: tmp register {index} is read, but not written before on every path"
            ),
            Kind::NotImmediate { operand } => write!(f, "{operand}: must be an immediate"),
            Kind::MisplacedDef => {
                f.write_str("DEF in an event; definitions come before the first event")
            }
            Kind::DefClass { class } => write!(
                f,
                "DEF of {}; only control and report registers have an initial value",
                class.name()
            ),
            Kind::DefMismatch => f.write_str("DEF whose result and left operand differ"),
            Kind::DuplicateDef { class, index } => {
                write!(f, "{} {index} is defined twice", class.name())
            }
            Kind::EmptySkip => f.write_str("skips no instruction; at least one is needed"),
            Kind::SkipPastEnd { target, end } => write!(
                f,
                "skips to instruction {target}, past the end of its condition or body, {end}"
            ),
            Kind::TooManySkips => write!(
                f,
                "more than {} skip targets lie ahead; nest less deeply",
                isa::MAX_PENDING_SKIPS
            ),
            Kind::UpdateClass { code } => write!(
                f,
                "register class {code} can't be updated; control registers (0, 8), Cwnd and Rate can"
            ),
            Kind::UpdateImplicit { index } => write!(
                f,
                "implicit register {index} can't be updated; only Cwnd (4) and Rate (5) can"
            ),
            Kind::UpdateControl { index, controls: 0 } => write!(
                f,
                "control register {index}: the program has no control registers"
            ),
            Kind::UpdateControl { index, controls } => write!(
                f,
                "control register {index}: the program has 0..{}",
                controls.saturating_sub(1)
            ),
        }
    }
}
