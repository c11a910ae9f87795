// SPDX-License-Identifier: GPL-2.0
//! Additive increase, multiplicative decrease.

#[cfg(test)]
mod tests;

use crate::{Parameter, Values};
use ccp_agent::{Algorithm, Datapath, Flow, FlowInfo, Program, Report, Result};

/// What can be set.
pub const PARAMETERS: &[Parameter] = &[
    Parameter {
        name: "a",
        help: "packets the window grows by in a round trip, 0.01 to 100",
        default: "1",
    },
    Parameter {
        name: "b",
        help: "share of the window that is given up on loss, 0.05 to 0.9",
        default: "0.5",
    },
];

/// Smallest window after a reduction, packets.
const FLOOR: u64 = 2;

/// AIMD(a, b).
#[derive(Clone, Debug)]
pub struct Aimd {
    a: f64,
    b: f64,
}

impl Default for Aimd {
    fn default() -> Self {
        Self { a: 1.0, b: 0.5 }
    }
}

impl Aimd {
    pub(crate) fn from_values(values: &Values) -> Result<Self, String> {
        let default = Self::default();
        Ok(Self {
            a: values.number("a", 0.01..=100.0)?.unwrap_or(default.a),
            b: values.number("b", 0.05..=0.9)?.unwrap_or(default.b),
        })
    }
}

impl Algorithm for Aimd {
    fn name(&self) -> &str {
        "aimd"
    }

    fn programs(&self) -> Vec<Program> {
        vec![Program::new("aimd", include_str!("aimd.ccp"))]
    }

    fn new_flow(&self, dp: &mut dyn Datapath, info: &FlowInfo) -> Result<Box<dyn Flow>> {
        let increase = (self.a * 1000.0).round() as u64;
        dp.set_program("aimd", &[("increase", increase)])?;
        Ok(Box::new(AimdFlow {
            kept: 1.0 - self.b,
            floor: FLOOR * u64::from(info.mss.max(1)),
            handled: 0,
        }))
    }
}

struct AimdFlow {
    /// Share of the window that stays.
    kept: f64,
    /// Bytes.
    floor: u64,
    /// Events answered.
    handled: u64,
}

impl Flow for AimdFlow {
    fn on_report(&mut self, dp: &mut dyn Datapath, r: &Report) -> Result<()> {
        let events = r.get("events")?;
        if events == self.handled {
            return Ok(());
        }
        let target = (r.get("window")? as f64 * self.kept) as u64;
        self.handled = events;
        dp.update(&[("target", target.max(self.floor)), ("handled", events)])
    }
}
