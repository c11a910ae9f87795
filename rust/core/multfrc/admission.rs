// SPDX-License-Identifier: GPL-2.0

//! A bound on the N of all connections together (draft, section 4).

use super::equation::MAX_FLOWS;

/// The sum of all N, and what it may be.
#[derive(Clone, Copy, Debug)]
pub struct Admission {
    used: u64,
    limit: u32,
}

/// Why an N is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It isn't above 0 and at most 64.
    Range,
    /// With it the sum would exceed the limit.
    Full {
        /// The N, in 2^-16, that would still fit.
        left: u32,
    },
}

impl Admission {
    /// No connection so far; the sum may reach `limit`, in 2^-16.
    pub const fn new(limit: u32) -> Self {
        Self::resume(0, limit)
    }

    /// The connections that are there add up to `used`.
    pub const fn resume(used: u64, limit: u32) -> Self {
        Self { used, limit }
    }

    /// Adds a connection of N, in 2^-16.
    pub fn admit(&mut self, flows: u32) -> Result<(), Refusal> {
        self.replace(0, flows)
    }

    /// A connection's N, admitted before, becomes another. An N that doesn't
    /// grow is never too much, also after the limit was lowered.
    pub fn replace(&mut self, old: u32, new: u32) -> Result<(), Refusal> {
        if new == 0 || new > MAX_FLOWS {
            return Err(Refusal::Range);
        }
        let others = self.used.saturating_sub(old.into());
        let used = others.saturating_add(new.into());
        if new > old && used > self.limit.into() {
            let left = u64::from(self.limit).saturating_sub(others);
            return Err(Refusal::Full {
                left: u32::try_from(left).unwrap_or(u32::MAX),
            });
        }
        self.used = used;
        Ok(())
    }

    /// Takes back what was admitted.
    pub fn release(&mut self, flows: u32) {
        self.used = self.used.saturating_sub(flows.into());
    }

    /// The sum, in 2^-16.
    pub const fn used(&self) -> u64 {
        self.used
    }

    /// What the sum may be, in 2^-16.
    pub const fn limit(&self) -> u32 {
        self.limit
    }

    /// Connections that are there stay, also above the new limit.
    pub fn set_limit(&mut self, limit: u32) {
        self.limit = limit;
    }
}
