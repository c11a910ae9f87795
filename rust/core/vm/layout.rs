// SPDX-License-Identifier: GPL-2.0

//! Where a program's registers lie in the register file.
//!
//! ```text
//! implicit | local | primitives | 0  | report | control | tmp | constants
//! 0..6     | 6..14 | 14..39     | 39 | 40..
//! ```
//!
//! Locals are at the same place for every program, as they outlive it, and so
//! are primitives, which are measured straight into the file. The rest is
//! packed, so that an ordinary program fits the smallest file.

use super::isa::{
    implicit,
    primitive,
    Class,
    Reg,
    IMPLICITS,
    LOCALS,
    MAX_CONSTANTS,
    PRIMITIVES,
    REPORTS, //
};

/// Slots every flow's file has.
pub const MIN_FILE: usize = 64;

pub(super) const EVENT_FLAG: u8 = implicit::EVENT_FLAG as u8;
pub(super) const SHOULD_CONTINUE: u8 = implicit::SHOULD_CONTINUE as u8;
pub(super) const SHOULD_REPORT: u8 = implicit::SHOULD_REPORT as u8;
pub(super) const MICROS: u8 = implicit::MICROS as u8;
pub(super) const CWND: u8 = implicit::CWND as u8;
pub(super) const RATE: u8 = implicit::RATE as u8;
const LOCAL_BASE: u8 = IMPLICITS as u8;
pub(super) const PRIMITIVE_BASE: u8 = LOCAL_BASE + LOCALS as u8;
/// Stands for the primitives that are reserved: always 0.
pub(super) const RESERVED: u8 = PRIMITIVE_BASE + PRIMITIVES as u8;
/// Where the registers begin that only last as long as the program.
pub(super) const OWN_BASE: u8 = RESERVED + 1;
pub(super) const RTT_SAMPLE: u8 = PRIMITIVE_BASE + primitive::FLOW_RTT_SAMPLE_US as u8;

/// What a program needs and can cost.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Units of [`super::Op`] to allocate for it.
    pub ops: usize,
    /// Slots a flow's register file needs: 64, 128 or 256.
    pub registers: usize,
    /// Values in a report.
    pub report_fields: usize,
    /// Most instructions one invocation executes.
    pub cost: u32,
}

/// What the verifier learns of a program.
pub(super) struct Profile {
    /// Report, control and tmp registers, one more than the highest index.
    pub(super) reports: u32,
    pub(super) controls: u32,
    pub(super) tmps: u32,
    /// Constants it uses as operands, each once.
    pub(super) constants: [u64; MAX_CONSTANTS],
    pub(super) constant_count: usize,
    /// Leading definitions.
    pub(super) defs: u32,
    /// Most instructions one invocation executes.
    pub(super) cost: u32,
    /// Whether an instruction uses the value of the event flag.
    pub(super) reads_flag: bool,
    /// Whether an instruction writes the continue flag.
    pub(super) continues: bool,
    /// Whether one uses its value, or writes anything but a constant to it
    /// that is not 0.
    pub(super) continue_varies: bool,
}

impl Profile {
    pub(super) fn new() -> Profile {
        Profile {
            reports: 0,
            controls: 0,
            tmps: 0,
            constants: [0; MAX_CONSTANTS],
            constant_count: 0,
            defs: 0,
            cost: 0,
            reads_flag: false,
            continues: false,
            continue_varies: false,
        }
    }

    /// Notes that the program names `reg`.
    pub(super) fn mention(&mut self, reg: Reg) {
        let end = reg.index.saturating_add(1);
        match reg.class {
            Class::VolatileReport | Class::NonvolatileReport => {
                self.reports = self.reports.max(end);
            }
            Class::NonvolatileControl | Class::VolatileControl => {
                self.controls = self.controls.max(end);
            }
            Class::Tmp => self.tmps = self.tmps.max(end),
            Class::Immediate | Class::Implicit | Class::Local | Class::Primitive => (),
        }
    }

    /// Notes a constant; `None` when there are too many.
    pub(super) fn constant(&mut self, value: u64) -> Option<()> {
        if self.constants().contains(&value) {
            return Some(());
        }
        *self.constants.get_mut(self.constant_count)? = value;
        self.constant_count = self.constant_count.saturating_add(1);
        Some(())
    }

    pub(super) fn constants(&self) -> &[u64] {
        self.constants.get(..self.constant_count).unwrap_or(&[])
    }

    pub(super) fn slots(&self) -> Slots {
        // At most 40 + 16 + 16 + 16 + 128 slots: every sum fits a byte.
        let reports = OWN_BASE;
        let controls = reports.wrapping_add(self.reports as u8);
        let tmps = controls.wrapping_add(self.controls as u8);
        let constants = tmps.wrapping_add(self.tmps as u8);
        let mut fields = [0u8; REPORTS as usize];
        for (slot, index) in fields.iter_mut().zip(0u8..REPORTS as u8) {
            *slot = reports.wrapping_add(index);
        }
        let used = usize::from(constants).saturating_add(self.constant_count);
        Slots {
            fields,
            controls,
            tmps,
            constants,
            registers: match used {
                0..=64 => 64,
                65..=128 => 128,
                _ => 256,
            },
        }
    }
}

/// The first slot of each packed class.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Slots {
    /// Of each report register: its own, or that of a primitive it always
    /// equals when it is looked at.
    pub(super) fields: [u8; REPORTS as usize],
    pub(super) controls: u8,
    pub(super) tmps: u8,
    pub(super) constants: u8,
    pub(super) registers: u16,
}

impl Slots {
    /// The slot of a report register.
    pub(super) fn field(&self, index: u32) -> u8 {
        self.fields.get(index as usize).copied().unwrap_or(RESERVED)
    }

    /// The slot of a register the program mentions; not of an immediate.
    pub(super) fn register(&self, reg: Reg) -> u8 {
        let index = reg.index as u8;
        match reg.class {
            Class::Implicit | Class::Immediate => index,
            Class::Local => LOCAL_BASE.wrapping_add(index),
            Class::Primitive if reg.index < u32::from(RESERVED - PRIMITIVE_BASE) => {
                PRIMITIVE_BASE.wrapping_add(index)
            }
            Class::Primitive => RESERVED,
            Class::VolatileReport | Class::NonvolatileReport => self.field(reg.index),
            Class::NonvolatileControl | Class::VolatileControl => self.controls.wrapping_add(index),
            Class::Tmp => self.tmps.wrapping_add(index),
        }
    }
}
