// SPDX-License-Identifier: GPL-2.0
//! NewReno.

#[cfg(test)]
mod tests;

use crate::{Parameter, Values};
use ccp_agent::{Algorithm, Datapath, Flow, FlowInfo, Program, Report, Result};

/// What can be set.
pub const PARAMETERS: &[Parameter] = &[
    Parameter {
        name: "beta",
        help: "share of the window that is kept on loss, 0.1 to 0.95",
        default: "0.5",
    },
    Parameter {
        name: "limit",
        help: "most packets one ACK counts for (L of RFC 3465); 0: no limit",
        default: "0",
    },
];

/// Smallest slow start threshold, packets (RFC 5681, equation 4).
const FLOOR: u64 = 2;
/// `TCP_INFINITE_SSTHRESH`, packets.
const INFINITE: u32 = 0x7fff_ffff;

/// NewReno.
#[derive(Clone, Debug)]
pub struct Reno {
    beta: f64,
    limit: u64,
}

impl Default for Reno {
    fn default() -> Self {
        Self {
            beta: 0.5,
            limit: 0,
        }
    }
}

impl Reno {
    pub(crate) fn from_values(values: &Values) -> Result<Self, String> {
        let default = Self::default();
        Ok(Self {
            beta: values.number("beta", 0.1..=0.95)?.unwrap_or(default.beta),
            limit: values
                .whole("limit", 0..=1_000_000)?
                .unwrap_or(default.limit),
        })
    }
}

impl Algorithm for Reno {
    fn name(&self) -> &str {
        "reno"
    }

    fn programs(&self) -> Vec<Program> {
        vec![Program::new("reno", include_str!("reno.ccp"))]
    }

    fn new_flow(&self, dp: &mut dyn Datapath, info: &FlowInfo) -> Result<Box<dyn Flow>> {
        Ok(Box::new(self.take_on(dp, info)?))
    }
}

impl Reno {
    pub(crate) fn take_on(&self, dp: &mut dyn Datapath, info: &FlowInfo) -> Result<RenoFlow> {
        let mss = u64::from(info.mss.max(1));
        let mut values = Vec::new();
        if self.limit > 0 {
            values.push(("limit", self.limit * mss));
        }
        // A flow under way goes on where it is.
        if (1..INFINITE).contains(&info.ssthresh) {
            values.push(("ssthresh", u64::from(info.ssthresh) * mss));
        }
        dp.set_program("reno", &values)?;
        Ok(RenoFlow {
            beta: self.beta,
            mss,
            handled: 0,
        })
    }
}

pub(crate) struct RenoFlow {
    beta: f64,
    mss: u64,
    /// Events answered.
    handled: u64,
}

impl Flow for RenoFlow {
    fn on_report(&mut self, dp: &mut dyn Datapath, r: &Report) -> Result<()> {
        let events = r.get("events")?;
        if events == self.handled {
            return Ok(());
        }
        let ssthresh = (r.get("window")? as f64 * self.beta) as u64;
        self.handled = events;
        dp.update(&[
            ("ssthresh", ssthresh.max(FLOOR * self.mss)),
            ("handled", events),
        ])
    }
}
