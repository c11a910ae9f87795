// SPDX-License-Identifier: GPL-2.0
//! Vegas.

#[cfg(test)]
mod tests;

use crate::{Parameter, Values};
use ccp_agent::{Algorithm, Datapath, Flow, FlowInfo, Program, Report, Result};

/// What can be set.
pub const PARAMETERS: &[Parameter] = &[
    Parameter {
        name: "alpha",
        help: "fewer packets of its own in the queue let the window grow, 0.1 to 1000",
        default: "2",
    },
    Parameter {
        name: "beta",
        help: "more let it shrink, alpha to 1000",
        default: "4",
    },
    Parameter {
        name: "gamma",
        help: "more end slow start, 0.1 to 1000",
        default: "1",
    },
];

/// Smallest slow start threshold, packets.
const FLOOR: f64 = 2.0;
/// The share of the window that stays after a loss.
const KEPT: f64 = 0.5;
/// `TCP_INFINITE_SSTHRESH`, packets.
const INFINITE: u32 = 0x7fff_ffff;
/// `turn` in the program.
const MORE: u64 = 1;
const LESS: u64 = 2;

/// Vegas.
#[derive(Clone, Debug)]
pub struct Vegas {
    alpha: f64,
    beta: f64,
    gamma: f64,
}

impl Default for Vegas {
    fn default() -> Self {
        Self {
            alpha: 2.0,
            beta: 4.0,
            gamma: 1.0,
        }
    }
}

impl Vegas {
    pub(crate) fn from_values(values: &Values) -> Result<Self, String> {
        let default = Self::default();
        let number = |name| values.number(name, 0.1..=1000.0);
        let vegas = Self {
            alpha: number("alpha")?.unwrap_or(default.alpha),
            beta: number("beta")?.unwrap_or(default.beta),
            gamma: number("gamma")?.unwrap_or(default.gamma),
        };
        if vegas.beta < vegas.alpha {
            return Err(format!(
                "beta={} is less than alpha={}",
                vegas.beta, vegas.alpha
            ));
        }
        Ok(vegas)
    }
}

impl Algorithm for Vegas {
    fn name(&self) -> &str {
        "vegas"
    }

    fn programs(&self) -> Vec<Program> {
        vec![Program::new("vegas", include_str!("vegas.ccp"))]
    }

    fn new_flow(&self, dp: &mut dyn Datapath, info: &FlowInfo) -> Result<Box<dyn Flow>> {
        let mss = f64::from(info.mss.max(1));
        // A flow under way goes on where it is.
        let ssthresh = (1..INFINITE)
            .contains(&info.ssthresh)
            .then(|| (f64::from(info.ssthresh) * mss) as u64);
        let values: Vec<_> = ssthresh
            .map(|bytes| ("ssthresh", bytes))
            .into_iter()
            .collect();
        dp.set_program("vegas", &values)?;
        Ok(Box::new(VegasFlow {
            vegas: self.clone(),
            mss,
            handled: 0,
            ssthresh: ssthresh.unwrap_or(u64::MAX),
            hold: false,
        }))
    }
}

struct VegasFlow {
    vegas: Vegas,
    mss: f64,
    /// Events answered.
    handled: u64,
    /// What the program has.
    ssthresh: u64,
    hold: bool,
}

impl Flow for VegasFlow {
    fn on_report(&mut self, dp: &mut dyn Datapath, r: &Report) -> Result<()> {
        let events = r.get("events")?;
        if events != self.handled {
            return self.reduce(dp, events, r.get("window")?);
        }
        let samples = r.get("samples")?;
        if samples == 0 || r.flag("busy")? || !r.flag("limited")? {
            return Ok(());
        }
        let rtt = r.get("rtts")? as f64 / samples as f64;
        self.compare(dp, rtt, r.get("base")? as f64, r.get("cwnd")?)
    }
}

impl VegasFlow {
    fn reduce(&mut self, dp: &mut dyn Datapath, events: u64, window: u64) -> Result<()> {
        self.handled = events;
        self.ssthresh = (window as f64 * KEPT).max(FLOOR * self.mss) as u64;
        self.hold = false;
        dp.update(&[
            ("ssthresh", self.ssthresh),
            ("handled", events),
            ("hold", 0),
        ])
    }

    /// Once a round trip: how many packets of the window are in the queue?
    fn compare(&mut self, dp: &mut dyn Datapath, rtt: f64, base: f64, cwnd: u64) -> Result<()> {
        let queued = cwnd as f64 * (rtt - base) / rtt / self.mss;
        let Vegas { alpha, beta, gamma } = self.vegas;
        if cwnd < self.ssthresh {
            if queued > gamma {
                self.ssthresh = cwnd;
                return dp.update(&[("ssthresh", cwnd), ("hold", 0)]);
            }
            self.hold = !self.hold;
            return dp.update(&[("hold", self.hold.into())]);
        }
        if queued < alpha {
            dp.update(&[("turn", MORE)])
        } else if queued > beta {
            // Below the threshold it would grow back at once.
            self.ssthresh = self.ssthresh.min(cwnd.saturating_sub(self.mss as u64));
            dp.update(&[("turn", LESS), ("ssthresh", self.ssthresh)])
        } else {
            Ok(())
        }
    }
}
