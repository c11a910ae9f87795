// SPDX-License-Identifier: GPL-2.0
//! BBR, version 1.

mod model;
#[cfg(test)]
mod tests;

use crate::{Parameter, Values};
use ccp_agent::{Algorithm, Datapath, Flow, FlowInfo, Program, Report, Result};
use model::{FullPipe, MaxRate, MinRtt};

/// What can be set.
pub const PARAMETERS: &[Parameter] = &[Parameter {
    name: "probe_rtt",
    help: "seconds between looks at the RTT of the empty path, 1 to 1000",
    default: "10",
}];

/// `mode` in the program.
const STARTUP: u64 = 0;
const DRAIN: u64 = 1;
const PROBE_BW: u64 = 2;
const PROBE_RTT: u64 = 3;
/// `TCP_INFINITE_SSTHRESH`, packets.
const INFINITE: u32 = 0x7fff_ffff;
/// What the program reports without an RTT sample.
const NO_SAMPLE: u64 = 0xffff_ffff;
/// Phases of PROBE_BW a flow may begin with: those at gain 1.
const FIRST_PHASE: u64 = 2;
const EVEN_PHASES: u64 = 6;

/// BBR.
#[derive(Clone, Debug)]
pub struct Bbr {
    /// Microseconds.
    probe_rtt: u64,
}

impl Default for Bbr {
    fn default() -> Self {
        Self {
            probe_rtt: 10_000_000,
        }
    }
}

impl Bbr {
    pub(crate) fn from_values(values: &Values) -> Result<Self, String> {
        let default = Self::default();
        let seconds = values.number("probe_rtt", 1.0..=1000.0)?;
        Ok(Self {
            probe_rtt: seconds.map_or(default.probe_rtt, |seconds| (seconds * 1e6) as u64),
        })
    }
}

impl Algorithm for Bbr {
    fn name(&self) -> &str {
        "bbr"
    }

    fn programs(&self) -> Vec<Program> {
        vec![Program::new("bbr", include_str!("bbr.ccp"))]
    }

    fn new_flow(&self, dp: &mut dyn Datapath, info: &FlowInfo) -> Result<Box<dyn Flow>> {
        // Flows that began together need not probe together.
        let phase = FIRST_PHASE + dp.flow_id() % EVEN_PHASES;
        let mut values = vec![("phase", phase)];
        // The queue of a flow under way hides the RTT of the path, and what
        // has filled it before need not begin with STARTUP.
        if info.adopted && info.min_rtt_us > 0 {
            values.push(("minrtt", info.min_rtt_us.into()));
        }
        let fills = info.adopted && (1..INFINITE).contains(&info.ssthresh);
        if fills {
            values.push(("begin", DRAIN));
        }
        dp.set_program("bbr", &values)?;
        Ok(Box::new(BbrFlow {
            rate: MaxRate::default(),
            rtt: MinRtt::new(self.probe_rtt),
            pipe: FullPipe::new(fills),
            probing: false,
        }))
    }
}

struct BbrFlow {
    rate: MaxRate,
    rtt: MinRtt,
    pipe: FullPipe,
    /// PROBE_RTT was asked for and has not ended.
    probing: bool,
}

impl Flow for BbrFlow {
    fn on_report(&mut self, dp: &mut dyn Datapath, r: &Report) -> Result<()> {
        let (mode, sample) = (r.get("mode")?, r.get("rtt")?);
        let round = r.flag("round")?;
        let bw = self.rate.take(r.get("rate")?, round);
        if round && !r.flag("idle")? {
            self.pipe.take(bw);
        }
        let now = r.time_us();
        if sample < NO_SAMPLE {
            self.rtt
                .take(now, sample, self.probing && mode == PROBE_RTT);
        }
        let mut values = vec![("bw", bw)];
        if mode == STARTUP && self.pipe.is_full() {
            values.push(("begin", DRAIN));
        }
        if self.probing {
            if mode == PROBE_RTT {
                self.rtt.begun();
            } else if self.rtt.end(now) {
                self.probing = false;
            }
        } else if self.rtt.is_old(now) {
            self.probing = true;
            let after = if self.pipe.is_full() {
                PROBE_BW
            } else {
                STARTUP
            };
            values.push(("after", after));
            values.push(("begin", PROBE_RTT));
        }
        if let Some(rtt) = self.rtt.get() {
            values.push(("minrtt", rtt));
        }
        dp.update(&values)
    }
}
