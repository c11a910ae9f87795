// SPDX-License-Identifier: GPL-2.0

//! A bound on the N of all connections together (draft, section 4).

use super::equation::MAX_FLOWS;

/// The sum of all N, and what it may be.
#[derive(Clone, Copy, Debug)]
pub struct Admission {
    used: u64,
    limit: u32,
}

/// The sum of all N and that of one user's, in 2^-16: neither may exceed its
/// bound, so that a user can't take what is there for all.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Of all.
    pub all: u64,
    /// Of the user.
    pub user: u64,
    /// What all may add up to.
    pub all_most: u32,
    /// What the user's may.
    pub user_most: u32,
}

impl Sums {
    /// A connection's N, admitted before or 0, becomes another in both sums, or
    /// in none.
    pub fn replace(&mut self, old: u32, new: u32) -> Result<(), Refusal> {
        let mut all = Admission::resume(self.all, self.all_most);
        let mut user = Admission::resume(self.user, self.user_most);
        all.replace(old, new)?;
        user.replace(old, new)?;
        self.all = all.used();
        self.user = user.used();
        Ok(())
    }

    /// Takes back what was admitted.
    pub fn release(&mut self, flows: u32) {
        self.all = self.all.saturating_sub(flows.into());
        self.user = self.user.saturating_sub(flows.into());
    }
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
