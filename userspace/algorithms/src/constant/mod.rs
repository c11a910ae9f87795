// SPDX-License-Identifier: GPL-2.0
//! A fixed window or rate.

use crate::{Parameter, Values};
use ccp_agent::{Algorithm, Datapath, Flow, FlowInfo, Program, Report, Result};

/// What can be set.
pub const PARAMETERS: &[Parameter] = &[
    Parameter {
        name: "cwnd",
        help: "congestion window, packets; with a rate, its cap [with rate=: 10000]",
        default: "",
    },
    Parameter {
        name: "rate",
        help: "pacing rate, Mbit/s",
        default: "",
    },
];

/// Window when only a rate is given, packets.
const CAP: u64 = 10_000;

/// A fixed window or rate.
#[derive(Clone, Debug)]
pub struct Const {
    /// Packets.
    cwnd: u64,
    /// Bytes per second; 0 is none.
    rate: u64,
}

impl Const {
    pub(crate) fn from_values(values: &Values) -> Result<Self, String> {
        let cwnd = values.whole("cwnd", 2..=1_000_000)?;
        let rate = values.number("rate", 0.01..=1_000_000.0)?;
        if cwnd.is_none() && rate.is_none() {
            return Err("give cwnd=PACKETS or rate=MBIT".into());
        }
        Ok(Self {
            cwnd: cwnd.unwrap_or(CAP),
            rate: (rate.unwrap_or(0.0) * 125_000.0) as u64,
        })
    }
}

#[cfg(test)]
impl Const {
    /// A window only, packets.
    pub(crate) fn from_window(cwnd: u64) -> Self {
        Self { cwnd, rate: 0 }
    }
}

impl Algorithm for Const {
    fn name(&self) -> &str {
        "const"
    }

    fn programs(&self) -> Vec<Program> {
        vec![Program::new("const", include_str!("const.ccp"))]
    }

    fn new_flow(&self, dp: &mut dyn Datapath, info: &FlowInfo) -> Result<Box<dyn Flow>> {
        let window = self.cwnd * u64::from(info.mss);
        dp.set_program(
            "const",
            &[("window", window), ("rate", self.rate), ("Cwnd", window)],
        )?;
        Ok(Box::new(ConstFlow))
    }
}

struct ConstFlow;

impl Flow for ConstFlow {
    fn on_report(&mut self, _: &mut dyn Datapath, _: &Report) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::path;
    use ccp_agent::sim::{Drops, Path, Sim};
    use std::time::Duration;

    #[test]
    fn the_window_stays_whatever_happens() {
        let drops = Drops::Outage(Duration::from_secs(1), Duration::from_secs(2));
        let mut sim = Sim::new(Path { drops, ..path() });
        let flow = sim.add_flow(&Const { cwnd: 30, rate: 0 }).unwrap();
        sim.run_for(Duration::from_secs(10));
        assert_eq!(sim.cwnd(flow), 30);
        assert!(sim.lost(flow) >= 30);
        let loss_window = sim
            .samples(flow)
            .iter()
            .filter(|s| s.timeout)
            .map(|s| s.cwnd / 1448);
        assert_eq!(loss_window.max(), Some(30));
    }

    #[test]
    fn the_rate_is_kept() {
        let mut sim = Sim::new(path());
        let flow = sim
            .add_flow(&Const {
                cwnd: CAP,
                rate: 1_250_000,
            })
            .unwrap();
        sim.run_for(Duration::from_secs(10));
        let rate = f64::from(sim.delivered(flow)) * 1448.0 / 10.0;
        assert!((rate / 1_250_000.0 - 1.0).abs() < 0.02, "{rate}");
        assert!(sim.queue() < 3);
    }
}
