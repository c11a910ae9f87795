// SPDX-License-Identifier: GPL-2.0
//! Comparisons as sets of the three ways two numbers can relate.

use std::cmp::Ordering;

use ccp_core::vm::isa::Opcode;

/// A set of orderings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Relation(u8);

impl Relation {
    pub(super) const NONE: Self = Self(0);
    pub(super) const LESS: Self = Self(1);
    pub(super) const EQUAL: Self = Self(2);
    pub(super) const GREATER: Self = Self(4);
    pub(super) const ANY: Self = Self(7);

    /// What a comparison asks for; nothing for other operators.
    pub(super) fn of(opcode: Opcode) -> Option<Self> {
        Some(match opcode {
            Opcode::Lt => Self::LESS,
            Opcode::Equiv => Self::EQUAL,
            Opcode::Gt => Self::GREATER,
            Opcode::Le => Self::LESS.or(Self::EQUAL),
            Opcode::Ge => Self::GREATER.or(Self::EQUAL),
            Opcode::Ne => Self::LESS.or(Self::GREATER),
            _ => return None,
        })
    }

    /// The comparison that asks for it, unless it is all or nothing.
    pub(super) fn opcode(self) -> Option<Opcode> {
        [
            Opcode::Lt,
            Opcode::Equiv,
            Opcode::Gt,
            Opcode::Le,
            Opcode::Ge,
            Opcode::Ne,
        ]
        .into_iter()
        .find(|opcode| Self::of(*opcode) == Some(self))
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) const fn not(self) -> Self {
        Self(!self.0 & Self::ANY.0)
    }

    /// The same of the operands swapped.
    pub(super) fn swapped(self) -> Self {
        let less = self.and(Self::GREATER).0 >> 2;
        let greater = self.and(Self::LESS).0 << 2;
        Self(less | self.and(Self::EQUAL).0 | greater)
    }

    /// Whether two numbers relate so.
    pub(super) fn holds(self, left: u64, right: u64) -> bool {
        let found = match left.cmp(&right) {
            Ordering::Less => Self::LESS,
            Ordering::Equal => Self::EQUAL,
            Ordering::Greater => Self::GREATER,
        };
        self.and(found) != Self::NONE
    }
}
