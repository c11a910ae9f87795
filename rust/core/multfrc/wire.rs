// SPDX-License-Identifier: GPL-2.0

//! The options of CCID 5.
//!
//! | number | from     | length | value                                      |
//! |--------|----------|--------|--------------------------------------------|
//! | 184    | sender   | 4      | N, in 2^-16                                |
//! | 192    | receiver | 4      | 1/p rounded up; all ones for p = 0         |
//! | 194    | receiver | 4      | receive rate, bytes per second             |
//! | 248    | receiver | 4      | j, in 2^-16                                |
//! | 249    | receiver | 6      | 1/p, in 2^-16; all ones for p = 0          |
//!
//! 192 and 194 are those of CCID 3 (RFC 4342, section 8); a receiver that knows
//! no others gets by with j = 1 and a whole 1/p. The others are of the ranges
//! for experiments.

use super::equation::{Weight, FRACTION};

/// N of the sender.
pub const FLOWS: u8 = 184;
/// Loss Event Rate.
pub const LOSS_EVENT_RATE: u8 = 192;
/// Receive Rate.
pub const RECEIVE_RATE: u8 = 194;
/// Mean number of packets lost in a loss event.
pub const LOST_PACKETS: u8 = 248;
/// Mean loss interval.
pub const LOSS_INTERVAL: u8 = 249;

/// Rates are in 64ths of a byte per second.
const RATE: u32 = 6;
/// 1/p on the wire when p is 0.
const NEVER: u64 = (1 << 48) - 1;

/// An option to put into a packet.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WireOption {
    /// Its type.
    pub number: u8,
    /// Bytes of `value` that are used.
    pub len: u8,
    /// Big-endian.
    pub value: [u8; 6],
}

impl WireOption {
    const fn four(number: u8, value: u32) -> Self {
        let [a, b, c, d] = value.to_be_bytes();
        Self {
            number,
            len: 4,
            value: [a, b, c, d, 0, 0],
        }
    }

    const fn six(number: u8, value: u64) -> Self {
        let [_, _, a, b, c, d, e, f] = value.to_be_bytes();
        Self {
            number,
            len: 6,
            value: [a, b, c, d, e, f],
        }
    }

    /// N, for the receiver.
    pub const fn flows(weight: &Weight) -> Self {
        Self::four(FLOWS, weight.flows())
    }

    /// What follows its type and length.
    pub fn value(&self) -> &[u8] {
        self.value.get(..self.len.into()).unwrap_or(&self.value)
    }
}

/// An option of ours with a length or value that it can't have: the
/// connection is reset with "Option Error".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// What a receiver tells the sender.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// 1/p, in 2^-16 packets; 0 while nothing was lost.
    pub interval: u64,
    /// `X_recv`, 64ths of a byte per second.
    pub rate: u64,
    /// j, in 2^-16 packets; 0 while nothing was lost.
    pub lost: u32,
}

impl Report {
    /// As options.
    pub fn options(&self) -> [WireOption; 4] {
        let (whole, exact) = if self.interval == 0 {
            (u32::MAX, NEVER)
        } else {
            let whole = self.interval.div_ceil(1 << FRACTION);
            (
                u32::try_from(whole).unwrap_or(u32::MAX).min(u32::MAX - 1),
                self.interval.min(NEVER - 1),
            )
        };
        let rate = u32::try_from(self.rate >> RATE).unwrap_or(u32::MAX);
        [
            WireOption::four(LOSS_EVENT_RATE, whole),
            WireOption::four(RECEIVE_RATE, rate),
            WireOption::four(LOST_PACKETS, self.lost),
            WireOption::six(LOSS_INTERVAL, exact),
        ]
    }
}

/// Options of a packet from the receiver, as they are found.
#[derive(Clone, Copy, Debug, Default)]
pub struct Feedback {
    whole: Option<u32>,
    rate: Option<u32>,
    lost: Option<u32>,
    exact: Option<u64>,
}

impl Feedback {
    /// None yet.
    pub const NONE: Self = Self {
        whole: None,
        rate: None,
        lost: None,
        exact: None,
    };

    /// Takes an option; false if it isn't one of a receiver.
    pub fn parse(&mut self, number: u8, value: &[u8]) -> Result<bool, Malformed> {
        match number {
            LOSS_EVENT_RATE => self.whole = Some(four(value)?),
            RECEIVE_RATE => self.rate = Some(four(value)?),
            LOST_PACKETS => self.lost = Some(four(value)?),
            LOSS_INTERVAL => self.exact = Some(six(value)?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// What they say, if both the loss event rate and the receive rate are
    /// there.
    pub fn report(&self) -> Option<Report> {
        let interval = match (self.exact, self.whole) {
            (Some(NEVER), _) | (None, Some(u32::MAX)) => 0,
            (Some(exact), _) => exact.max(1 << FRACTION),
            (None, Some(whole)) => u64::from(whole.max(1)) << FRACTION,
            (None, None) => return None,
        };
        let lost = match self.lost {
            _ if interval == 0 => 0,
            Some(lost) => lost.max(1 << FRACTION),
            None => 1 << FRACTION,
        };
        Some(Report {
            interval,
            rate: u64::from(self.rate?) << RATE,
            lost,
        })
    }
}

/// N of the sender, if the option is that.
pub fn parse_flows(number: u8, value: &[u8]) -> Result<Option<Weight>, Malformed> {
    if number != FLOWS {
        return Ok(None);
    }
    Weight::new(four(value)?).map(Some).ok_or(Malformed)
}

fn four(value: &[u8]) -> Result<u32, Malformed> {
    value
        .try_into()
        .map(u32::from_be_bytes)
        .map_err(|_| Malformed)
}

fn six(value: &[u8]) -> Result<u64, Malformed> {
    let [a, b, c, d, e, f] = value.try_into().map_err(|_| Malformed)?;
    Ok(u64::from_be_bytes([0, 0, a, b, c, d, e, f]))
}
