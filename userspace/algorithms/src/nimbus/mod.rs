// SPDX-License-Identifier: GPL-2.0
//! Nimbus.

mod elasticity;
#[cfg(test)]
mod tests;

use crate::{Parameter, Values};
use ccp_agent::{Algorithm, Datapath, Flow, FlowInfo, Program, Report, Result};
use elasticity::{pulse, Cross, LENGTH, STEP};
use std::collections::VecDeque;

/// What can be set.
pub const PARAMETERS: &[Parameter] = &[
    Parameter {
        name: "link",
        help: "rate of the bottleneck, Mbit/s [the greatest rate seen]",
        default: "",
    },
    Parameter {
        name: "delay",
        help: "queueing delay to keep where others do not fill the queue, ms, 1 to 1000",
        default: "12.5",
    },
];

/// Weights of the rule for the delay mode.
const ALPHA: f64 = 0.8;
const BETA: f64 = 0.5;
/// Steps between looks at the spectrum.
const LOOK: u64 = 10;
/// Least base rate, as a share of the link's: pulses need it.
const LEAST: f64 = 0.1;
/// What the program reports without an RTT sample.
const NO_SAMPLE: u64 = 0xffff_ffff;

/// Nimbus.
#[derive(Clone, Debug)]
pub struct Nimbus {
    /// Bytes per second.
    link: Option<f64>,
    /// Seconds.
    delay: f64,
}

impl Default for Nimbus {
    fn default() -> Self {
        Self {
            link: None,
            delay: 0.0125,
        }
    }
}

impl Nimbus {
    pub(crate) fn from_values(values: &Values) -> Result<Self, String> {
        let link = values.number("link", 0.1..=1_000_000.0)?;
        let delay = values.number("delay", 1.0..=1000.0)?;
        Ok(Self {
            link: link.map(|megabits| megabits * 125_000.0),
            delay: delay.map_or(Self::default().delay, |ms| ms / 1000.0),
        })
    }
}

impl Algorithm for Nimbus {
    fn name(&self) -> &str {
        "nimbus"
    }

    fn programs(&self) -> Vec<Program> {
        vec![Program::new("nimbus", include_str!("nimbus.ccp"))]
    }

    fn new_flow(&self, dp: &mut dyn Datapath, info: &FlowInfo) -> Result<Box<dyn Flow>> {
        dp.set_program("nimbus", &[])?;
        Ok(Box::new(NimbusFlow {
            nimbus: self.clone(),
            mss: f64::from(info.mss.max(1)),
            fastest: 0.0,
            cross: Cross::default(),
            past: VecDeque::new(),
            state: None,
            steps: 0,
            clock: 0,
        }))
    }
}

struct NimbusFlow {
    nimbus: Nimbus,
    mss: f64,
    /// The greatest rate at which packets arrived, bytes per second.
    fastest: f64,
    cross: Cross,
    /// Base rates of the last five seconds.
    past: VecDeque<f64>,
    /// None in slow start.
    state: Option<State>,
    /// Since the flow began, of `STEP`.
    steps: u64,
    /// When the last one was, microseconds; 0: not yet.
    clock: u64,
}

struct State {
    /// Without pulses, bytes per second.
    base: f64,
    /// Others answer to the pulses: take a Reno flow's share.
    elastic: bool,
    /// In that mode: bytes.
    window: f64,
    /// No second reduction before this step.
    calm: u64,
    /// Steps since others answered last.
    quiet: u64,
}

/// One report, in seconds and bytes.
struct Measured {
    sent: f64,
    arrived: f64,
    rtt: f64,
    least: f64,
    lost: bool,
    timeout: bool,
}

impl Flow for NimbusFlow {
    fn on_report(&mut self, dp: &mut dyn Datapath, r: &Report) -> Result<()> {
        if r.get("minrtt")? >= NO_SAMPLE || r.get("arrived")? == 0 {
            return Ok(());
        }
        let m = Measured {
            sent: r.get("sent")? as f64,
            arrived: r.get("arrived")? as f64,
            rtt: r.get("rtt")? as f64 / 1e6,
            least: r.get("minrtt")? as f64 / 1e6,
            lost: r.get("lost")? > 0,
            timeout: r.flag("timeout")?,
        };
        self.fastest = self.fastest.max(m.arrived.min(m.sent));
        let link = self.nimbus.link.unwrap_or(self.fastest);
        let steps = self.tick(r.time_us());
        // What of the link is not ours, if its queue is busy: of what is sent
        // in a time, ours arrives in the share that it has of all.
        let cross = (link * m.sent / m.arrived - m.sent).clamp(0.0, link);
        for _ in 0..steps {
            self.cross.push(cross);
        }
        if self.state.is_none() {
            // Slow start ends with a queue or a loss.
            if !(m.lost || m.timeout || m.rtt - m.least > self.nimbus.delay) {
                return Ok(());
            }
            self.state = Some(State {
                base: (link - cross).max(LEAST * link),
                elastic: false,
                window: 0.0,
                calm: 0,
                quiet: 0,
            });
        }
        self.decide(&m, link, cross, steps);
        self.tell(dp, &m, link)
    }
}

impl NimbusFlow {
    /// How many steps have passed since the last report.
    fn tick(&mut self, now: u64) -> u64 {
        let step = (STEP * 1e6) as u64;
        if self.clock == 0 {
            self.clock = now;
        }
        let steps = now.saturating_sub(self.clock) / step;
        self.clock += steps * step;
        self.steps += steps;
        // After a pause there is no use in filling in all of it.
        steps.min(LENGTH as u64)
    }

    fn decide(&mut self, m: &Measured, link: f64, cross: f64, steps: u64) {
        let Some(state) = &mut self.state else { return };
        // Each tenth of a second: whose mode is it?
        if steps > 0 && self.steps % LOOK < steps {
            if let Some(elastic) = self.cross.is_elastic(link) {
                state.quiet = if elastic { 0 } else { state.quiet + LOOK };
                if elastic && !state.elastic {
                    // They have been taking from us all that time.
                    let before = self.past.front().copied().unwrap_or(state.base);
                    state.window = before.max(state.base) * m.rtt;
                }
                // A change of mode, or a reduction, is in the spectrum for as
                // long as that goes back.
                state.elastic = elastic || (state.elastic && state.quiet < LENGTH as u64);
            }
        }
        if state.elastic {
            let round = (m.rtt / STEP).max(1.0);
            state.window += self.mss * steps as f64 / round;
            if (m.lost || m.timeout) && self.steps >= state.calm {
                state.window /= 2.0;
                state.calm = self.steps + round.ceil() as u64;
            }
            state.base = state.window / m.rtt;
        } else if m.timeout {
            state.base /= 2.0;
        } else if steps > 0 {
            let missing = m.least + self.nimbus.delay - m.rtt;
            state.base =
                (1.0 - ALPHA) * state.base + ALPHA * (link - cross) + BETA * link / m.rtt * missing;
        }
        state.base = state.base.clamp(LEAST * link, 1.25 * link);
        for _ in 0..steps {
            if self.past.len() == LENGTH {
                self.past.pop_front();
            }
            self.past.push_back(state.base);
        }
    }

    fn tell(&self, dp: &mut dyn Datapath, m: &Measured, link: f64) -> Result<()> {
        let Some(state) = &self.state else {
            return Ok(());
        };
        let rate = state.base + link * pulse(self.steps as f64 * STEP);
        // The window is there for what goes wrong; the rate is what counts.
        let window = 2.0 * (state.base + link / 4.0) * m.rtt + 4.0 * self.mss;
        dp.update(&[
            ("rate", rate.max(self.mss) as u64),
            ("window", window as u64),
            ("elastic", state.elastic.into()),
        ])
    }
}
