// SPDX-License-Identifier: GPL-2.0

//! The receive rates that limit a sender: `X_recv_set` of RFC 5348, section 4.3.

/// Two round trips of reports, with some early ones among them.
const KEPT: usize = 4;
/// Before the first report.
const UNLIMITED: u64 = u64::MAX;

#[derive(Clone, Copy, Debug)]
struct Reported {
    rate: u64,
    at: u64,
}

/// Rates of recent reports, newest first.
#[derive(Clone, Copy, Debug)]
pub struct ReceiveRates {
    rates: [Reported; KEPT],
    len: usize,
}

impl ReceiveRates {
    /// No report limits the sender, who starts at `now`.
    pub const fn new(now: u64) -> Self {
        let mut new = Self {
            rates: [Reported { rate: 0, at: 0 }; KEPT],
            len: 0,
        };
        new.replace(now, UNLIMITED);
        new
    }

    /// The largest rate.
    pub fn max(&self) -> u64 {
        let rates = self.kept().iter();
        rates.map(|reported| reported.rate).max().unwrap_or(0)
    }

    /// Adds a rate, and drops those older than two round trips.
    pub fn update(&mut self, now: u64, rate: u64, rtt: u64) {
        let oldest = now.saturating_sub(rtt.saturating_mul(2));
        let kept = self.kept();
        let fresh = kept.iter().position(|reported| reported.at < oldest);
        self.len = fresh.unwrap_or(self.len).saturating_add(1).min(KEPT);
        self.rates.rotate_right(1);
        if let Some(first) = self.rates.first_mut() {
            *first = Reported { rate, at: now };
        }
    }

    /// Keeps the largest only, as if it were of now: it came while the sender
    /// had little to send, and doesn't tell what the path could carry.
    pub fn maximize(&mut self, now: u64, rate: u64) {
        let kept = self.kept().iter().map(|kept| kept.rate);
        let largest = kept.filter(|&kept| kept != UNLIMITED).max().unwrap_or(0);
        self.replace(now, largest.max(rate));
    }

    fn kept(&self) -> &[Reported] {
        self.rates.get(..self.len).unwrap_or(&self.rates)
    }

    /// Halves all rates.
    pub fn halve(&mut self) {
        for reported in &mut self.rates {
            if reported.rate != UNLIMITED {
                reported.rate /= 2;
            }
        }
    }

    /// This rate only.
    pub const fn replace(&mut self, now: u64, rate: u64) {
        self.rates = [Reported { rate, at: now }; KEPT];
        self.len = 1;
    }
}
