// SPDX-License-Identifier: GPL-2.0
//! Copa.

#[cfg(test)]
mod tests;

use crate::{Parameter, Values};
use ccp_agent::{Algorithm, Datapath, Flow, FlowInfo, Program, Report, Result};
use std::collections::VecDeque;

/// What can be set.
pub const PARAMETERS: &[Parameter] = &[
    Parameter {
        name: "delta",
        help: "how much delay counts against throughput; 1/delta packets are queued, 0.004 to 10",
        default: "0.5",
    },
    Parameter {
        name: "competitive",
        help: "hold its own against flows that fill the queue (1) or give way (0)",
        default: "1",
    },
];

/// The base RTT is the least of so long, microseconds.
const BASE_WINDOW: u64 = 10_000_000;
/// What the program reports without an RTT sample.
const NO_SAMPLE: u64 = 0xffff_ffff;
/// Round trips without a nearly empty queue before others must be filling it.
const PATIENCE: u32 = 5;
/// Round trips over which the greatest RTT is taken.
const MOST_WINDOW: usize = 4;
/// A queue is nearly empty below this share of its greatest delay.
const EMPTY: f64 = 0.1;
/// Round trips in one direction before the velocity doubles.
const STEADY: u32 = 3;
/// The velocity doubles no further; the program adds at most what was
/// acknowledged anyway.
const VELOCITY_MAX: u64 = 1 << 16;
/// Of 1/delta.
const PACKETS_MAX: f64 = 1000.0;

/// Copa.
#[derive(Clone, Debug)]
pub struct Copa {
    delta: f64,
    competitive: bool,
}

impl Default for Copa {
    fn default() -> Self {
        Self {
            delta: 0.5,
            competitive: true,
        }
    }
}

impl Copa {
    pub(crate) fn from_values(values: &Values) -> Result<Self, String> {
        let default = Self::default();
        let competitive = values.whole("competitive", 0..=1)?;
        Ok(Self {
            delta: values
                .number("delta", 0.004..=10.0)?
                .unwrap_or(default.delta),
            competitive: competitive.map_or(default.competitive, |on| on == 1),
        })
    }
}

impl Algorithm for Copa {
    fn name(&self) -> &str {
        "copa"
    }

    fn programs(&self) -> Vec<Program> {
        vec![Program::new("copa", include_str!("copa.ccp"))]
    }

    fn new_flow(&self, dp: &mut dyn Datapath, info: &FlowInfo) -> Result<Box<dyn Flow>> {
        let packets = 1.0 / self.delta;
        dp.set_program("copa", &[("packets", thousandths(packets))])?;
        Ok(Box::new(CopaFlow {
            default: packets,
            competitive: self.competitive,
            mss: f64::from(info.mss.max(1)),
            rate: 0.0,
            packets,
            base: BaseRtt::default(),
            velocity: Velocity::default(),
            most: VecDeque::new(),
            busy: 0,
        }))
    }
}

fn thousandths(value: f64) -> u64 {
    (value * 1000.0).round() as u64
}

struct CopaFlow {
    /// 1/delta of the default mode.
    default: f64,
    competitive: bool,
    /// Bytes.
    mss: f64,
    /// The greatest rate seen, bytes per second.
    rate: f64,
    /// 1/delta.
    packets: f64,
    base: BaseRtt,
    velocity: Velocity,
    /// Greatest RTTs of the last round trips.
    most: VecDeque<u64>,
    /// Round trips since the queue was nearly empty.
    busy: u32,
}

impl Flow for CopaFlow {
    fn on_report(&mut self, dp: &mut dyn Datapath, r: &Report) -> Result<()> {
        let least = r.get("least")?;
        if least >= NO_SAMPLE {
            return Ok(());
        }
        let base = self.base.take(r.time_us(), least);
        self.rate = self.rate.max(r.get("rate")? as f64);
        if self.competitive {
            self.choose_mode(base, least, r.get("most")?, r.get("lost")?);
        }
        let slow = r.flag("slow")? || !r.flag("limited")?;
        let speed = self.velocity.take(r.cwnd(), slow);
        dp.update(&[
            ("rttmin", base),
            ("speed", speed),
            ("packets", thousandths(self.packets)),
        ])
    }
}

impl CopaFlow {
    /// Section 2.2: if nobody else fills it, the queue is nearly empty at
    /// least once in five round trips. What this flow itself wants to have in
    /// it counts as nearly empty, as on slow paths a packet is more than a
    /// tenth of the queue's oscillation.
    fn choose_mode(&mut self, base: u64, least: u64, most: u64, lost: u64) {
        self.most.push_back(most);
        if self.most.len() > MOST_WINDOW {
            self.most.pop_front();
        }
        let greatest = self.most.iter().copied().max().unwrap_or(most);
        let range = greatest.saturating_sub(base) as f64;
        let delay = least.saturating_sub(base) as f64;
        let own = self.default * self.mss / self.rate.max(1.0) * 1e6;
        if delay <= own.max(EMPTY * range) {
            self.busy = 0;
        } else {
            self.busy = self.busy.saturating_add(1);
        }
        if self.busy < PATIENCE {
            self.packets = self.default;
        } else if lost > 0 {
            self.packets = (self.packets / 2.0).max(self.default);
        } else {
            self.packets = (self.packets + 1.0).min(PACKETS_MAX.max(self.default));
        }
    }
}

/// The least RTT of the last while: each sample that none after it is below.
#[derive(Default)]
struct BaseRtt {
    samples: VecDeque<(u64, u64)>,
}

impl BaseRtt {
    fn take(&mut self, now: u64, rtt: u64) -> u64 {
        while self.samples.back().is_some_and(|&(_, last)| last >= rtt) {
            self.samples.pop_back();
        }
        self.samples.push_back((now, rtt));
        let old = |&(time, _): &(u64, u64)| now.saturating_sub(time) > BASE_WINDOW;
        while self.samples.front().is_some_and(old) {
            self.samples.pop_front();
        }
        self.samples.front().map_or(rtt, |&(_, rtt)| rtt)
    }
}

/// Section 2.1: doubles each round trip once the window has gone one way for
/// three, and is one again when it turns.
#[derive(Default)]
struct Velocity {
    /// Window at the last report.
    cwnd: u64,
    up: bool,
    same: u32,
    speed: u64,
}

impl Velocity {
    fn take(&mut self, cwnd: u64, reset: bool) -> u64 {
        let up = cwnd > self.cwnd;
        self.cwnd = cwnd;
        if reset || up != self.up {
            self.same = 0;
            self.speed = 1;
        } else {
            self.same = self.same.saturating_add(1);
            if self.same >= STEADY {
                self.speed = (self.speed * 2).min(VELOCITY_MAX);
            }
        }
        self.up = up;
        self.speed
    }
}
