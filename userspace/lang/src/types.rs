// SPDX-License-Identifier: GPL-2.0
//! Types of values.

use std::fmt;

/// Type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    /// Unsigned 64-bit number.
    Num,
    /// 0 or 1.
    Bool,
    /// Of something already reported as wrong; fits everywhere.
    Unknown,
}

impl Type {
    /// Whether a value of this type may stand where `wanted` is needed.
    pub(crate) fn fits(self, wanted: Self) -> bool {
        self == wanted || self == Self::Unknown || wanted == Self::Unknown
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Num => "a number",
            Self::Bool => "a truth value",
            Self::Unknown => "unknown",
        })
    }
}
