// SPDX-License-Identifier: GPL-2.0
//! What both machines have in common.

use std::fmt;

use ccp_core::vm;

use crate::AckSample;

/// Most fields of a report: libccp's.
pub const MAX_FIELDS: usize = 110;

/// A datapath with one flow.
pub trait Datapath {
    /// Stores a program in wire form. The uid 1 removes all others first, as
    /// in libccp.
    fn install(&mut self, uid: u32, events: &[u8], instructions: &[u8]) -> Result<(), Refusal>;

    /// Makes the flow run another program from its next ACK on, with registers
    /// set. Updates that wait are dropped.
    fn change_program(&mut self, uid: u32, updates: &[Update]) -> Result<(), Refusal>;

    /// Sets registers at the flow's next ACK.
    fn update(&mut self, updates: &[Update]) -> Result<(), Refusal>;

    /// Runs the program once.
    ///
    /// An error says why it ended early; the effects are then those of the
    /// updates before it.
    fn invoke(&mut self, ack: &AckSample) -> Result<&Effects, Code>;

    /// What the last invocation did.
    fn effects(&self) -> &Effects;

    /// Ends the flow and begins a new one without program or history. The
    /// programs stay.
    fn restart(&mut self);
}

/// Sets one register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Update {
    /// Register class.
    pub class: u8,
    /// Index within the class.
    pub index: u32,
    /// Its new value.
    pub value: u64,
}

/// What an invocation did to the flow and sent.
#[derive(Clone)]
pub struct Effects {
    /// The congestion window last set, in bytes.
    pub cwnd: Option<u64>,
    /// The pacing rate last set, in bytes per second.
    pub rate: Option<u64>,
    reported: bool,
    len: usize,
    fields: [u64; MAX_FIELDS],
}

impl Effects {
    /// The fields of the report, if there was one.
    pub fn report(&self) -> Option<&[u64]> {
        self.reported.then(|| &self.fields[..self.len])
    }

    pub(crate) fn clear(&mut self) {
        self.cwnd = None;
        self.rate = None;
        self.reported = false;
    }

    /// Sets the fields of the report.
    pub fn set_report(&mut self, fields: impl ExactSizeIterator<Item = u64>) {
        self.reported = true;
        self.len = fields.len();
        for (to, from) in self.fields.iter_mut().zip(fields) {
            *to = from;
        }
    }
}

impl Default for Effects {
    fn default() -> Self {
        Self {
            cwnd: None,
            rate: None,
            reported: false,
            len: 0,
            fields: [0; MAX_FIELDS],
        }
    }
}

impl PartialEq for Effects {
    fn eq(&self, other: &Self) -> bool {
        self.cwnd == other.cwnd && self.rate == other.rate && self.report() == other.report()
    }
}

impl fmt::Debug for Effects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Effects")
            .field("cwnd", &self.cwnd)
            .field("rate", &self.rate)
            .field("report", &self.report())
            .finish_non_exhaustive()
    }
}

/// Why an invocation ended early, as libccp numbers it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(pub i32);

impl Code {
    /// ADD: the sum needs more than 64 bits.
    pub const ADD_OVERFLOW: Self = Self(-91);
    /// DIV by 0.
    pub const DIVIDE_BY_ZERO: Self = Self(-92);
    /// MUL or EWMA: a product needs more than 64 bits.
    pub const MUL_OVERFLOW: Self = Self(-93);
    /// SUB or EWMA: the difference is negative.
    pub const SUB_UNDERFLOW: Self = Self(-94);
    /// The flow has no program.
    pub const NO_PROGRAM: Self = Self(-96);
}

impl From<vm::Abort> for Code {
    fn from(abort: vm::Abort) -> Self {
        match abort {
            vm::Abort::AddOverflow => Self::ADD_OVERFLOW,
            vm::Abort::SubUnderflow => Self::SUB_UNDERFLOW,
            vm::Abort::MulOverflow => Self::MUL_OVERFLOW,
            vm::Abort::DivideByZero => Self::DIVIDE_BY_ZERO,
        }
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ADD_OVERFLOW => f.write_str("addition overflow"),
            Self::DIVIDE_BY_ZERO => f.write_str("division by zero"),
            Self::MUL_OVERFLOW => f.write_str("multiplication overflow"),
            Self::SUB_UNDERFLOW => f.write_str("subtraction underflow"),
            Self::NO_PROGRAM => f.write_str("no program"),
            Self(code) => write!(f, "error {code}"),
        }
    }
}

/// Why a program, a change of program or an update is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// libccp's answer.
    Code(i32),
    /// Our verifier's answer.
    Verifier(vm::Error),
    /// No program has this uid.
    UnknownProgram(u32),
    /// libccp would take it and then access memory it must not.
    Unsound(&'static str),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "libccp: error {code}"),
            Self::Verifier(error) => error.fmt(f),
            Self::UnknownProgram(uid) => write!(f, "no program has the uid {uid}"),
            Self::Unsound(what) => write!(f, "libccp would not survive this: {what}"),
        }
    }
}

impl std::error::Error for Refusal {}
