// SPDX-License-Identifier: GPL-2.0
//! The differences that are meant to be.

use std::{
    fmt,
    ops::{AddAssign, Index},
};

macro_rules! deviations {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// A row of "Deviations from libccp" in `docs/isa.md`, or from portus in
        /// `docs/language.md`, that a running program can hit.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Deviation {
            $($(#[$doc])* $variant,)*
        }

        impl Deviation {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// What summaries call it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

deviations! {
    /// MUL overflows and libccp doesn't notice.
    Mul = "mul-overflow",
    /// EWMA needs more than 64 bits, or its weight is over 10.
    Ewma = "ewma-wrap",
    /// MAXWRAP of numbers 2^31 apart.
    MaxWrapTie = "maxwrap-tie",
    /// `Micros` is set to something other than 0.
    Micros = "micros-write",
    /// A body sets `__eventFlag` to 0.
    FlagCleared = "flag-cleared",
    /// A tmp register from 8 on is written.
    Tmp = "tmp-8-to-15",
    /// A program finds values of the one before in registers it doesn't define.
    Stale = "undefined-register",
    /// `Cwnd` or `Rate` is updated to 0.
    ZeroUpdate = "update-to-0",
    /// `Cwnd` or `Rate` is set to more than 32 bits.
    Truncated = "cwnd-rate-64-bit",
    /// A report has fields without definition.
    ReportFields = "report-fields",
    /// portus: `&&` and `||` are not 0 or 1.
    Logical = "logical-value",
    /// portus: the initial value 1073741823 is infinity.
    Infinity = "initial-1073741823",
}

/// How often each deviation was hit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts([u64; Deviation::ALL.len()]);

impl Counts {
    /// Counts one.
    pub fn hit(&mut self, deviation: Deviation) {
        self.0[deviation as usize] += 1;
    }

    /// Counts one for each that `other` has.
    pub fn hit_each(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += u64::from(theirs > 0);
        }
    }

    /// Takes back all of one kind.
    pub fn forget(&mut self, deviation: Deviation) {
        self.0[deviation as usize] = 0;
    }

    /// Whether none was hit.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|count| *count == 0)
    }
}

impl Index<Deviation> for Counts {
    type Output = u64;

    fn index(&self, deviation: Deviation) -> &u64 {
        &self.0[deviation as usize]
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += theirs;
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for &deviation in Deviation::ALL {
            write!(f, "{separator}{}={}", deviation.name(), self[deviation])?;
            separator = " ";
        }
        Ok(())
    }
}
