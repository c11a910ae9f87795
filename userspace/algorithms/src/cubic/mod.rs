// SPDX-License-Identifier: GPL-2.0
//! CUBIC.

#[cfg(test)]
mod tests;

use crate::{Parameter, Values};
use ccp_agent::{Algorithm, Datapath, Flow, FlowInfo, Program, Report, Result};

/// What can be set.
pub const PARAMETERS: &[Parameter] = &[
    Parameter {
        name: "beta",
        help: "share of the window that is kept on loss, 0.1 to 0.95",
        default: "0.7",
    },
    Parameter {
        name: "c",
        help: "steepness of the curve, packets per cubic second, 0.001 to 1000",
        default: "0.4",
    },
    Parameter {
        name: "fast_convergence",
        help: "give way to new flows (1) or not (0)",
        default: "1",
    },
];

/// Smallest slow start threshold, packets.
const FLOOR: f64 = 2.0;
/// `TCP_INFINITE_SSTHRESH`, packets.
const INFINITE: u32 = 0x7fff_ffff;

/// CUBIC.
#[derive(Clone, Debug)]
pub struct Cubic {
    beta: f64,
    c: f64,
    fast_convergence: bool,
}

impl Default for Cubic {
    fn default() -> Self {
        Self {
            beta: 0.7,
            c: 0.4,
            fast_convergence: true,
        }
    }
}

impl Cubic {
    pub(crate) fn from_values(values: &Values) -> Result<Self, String> {
        let default = Self::default();
        let fast = values.whole("fast_convergence", 0..=1)?;
        Ok(Self {
            beta: values.number("beta", 0.1..=0.95)?.unwrap_or(default.beta),
            c: values.number("c", 0.001..=1000.0)?.unwrap_or(default.c),
            fast_convergence: fast.map_or(default.fast_convergence, |fast| fast == 1),
        })
    }
}

impl Algorithm for Cubic {
    fn name(&self) -> &str {
        "cubic"
    }

    fn programs(&self) -> Vec<Program> {
        vec![Program::new("cubic", include_str!("cubic.ccp"))]
    }

    fn new_flow(&self, dp: &mut dyn Datapath, info: &FlowInfo) -> Result<Box<dyn Flow>> {
        let mss = f64::from(info.mss.max(1));
        let mut values = vec![("c", thousandths(self.c))];
        // A flow under way goes on where it is.
        if (1..INFINITE).contains(&info.ssthresh) {
            values.push(("ssthresh", (f64::from(info.ssthresh) * mss) as u64));
        }
        dp.set_program("cubic", &values)?;
        Ok(Box::new(CubicFlow {
            cubic: self.clone(),
            mss,
            handled: 0,
            w_max: 0.0,
        }))
    }
}

/// In thousandths, as the program has them.
fn thousandths(value: f64) -> u64 {
    (value * 1000.0).round() as u64
}

struct CubicFlow {
    cubic: Cubic,
    mss: f64,
    /// Events answered.
    handled: u64,
    /// Bytes; 0 when there is none.
    w_max: f64,
}

impl Flow for CubicFlow {
    fn on_report(&mut self, dp: &mut dyn Datapath, r: &Report) -> Result<()> {
        let events = r.get("events")?;
        if events == self.handled {
            return Ok(());
        }
        self.handled = events;
        let Cubic {
            beta,
            c,
            fast_convergence,
        } = self.cubic;
        let window = r.get("window")? as f64;
        let ssthresh = (window * beta).max(FLOOR * self.mss);
        // RFC 9438, 4.7: a flow that lost before it got back to where it was
        // makes room.
        self.w_max = if fast_convergence && window < self.w_max {
            window * f64::midpoint(1.0, beta)
        } else {
            window
        };
        // 4.8: after a timeout the curve starts where congestion avoidance
        // does.
        let (plateau, k) = if r.flag("timeout")? {
            (0.0, 0.0)
        } else {
            let packets = ((self.w_max - ssthresh) / self.mss).max(0.0);
            (self.w_max, (packets / c).cbrt())
        };
        // 4.3: as fast as Reno on average, with reductions as small as these.
        let alpha = 3.0 * (1.0 - beta) / (1.0 + beta);
        dp.update(&[
            ("ssthresh", ssthresh as u64),
            ("plateau", plateau as u64),
            ("k", thousandths(k)),
            ("alpha", thousandths(alpha)),
            ("prior", window as u64),
            ("handled", events),
        ])
    }
}
