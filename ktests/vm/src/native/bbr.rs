// SPDX-License-Identifier: GPL-2.0
//! The programs of BBR.

use ccp_core::vm::{isa::primitive, Abort, Outcome};

use super::{aborted, overflow, rtt, unchanged, Native, NO_RTT};
use crate::AckSample;

/// What the agent sets of [`ProbeBw`]: a window in bytes, rates in bytes per
/// second.
#[derive(Clone, Copy)]
pub struct Pulse {
    /// The window to end with.
    pub cwnd_cap: u64,
    /// The bottleneck's rate.
    pub bottle_rate: u64,
    /// Three fourths of it.
    pub three_fourths_rate: u64,
    /// Five fourths of it.
    pub five_fourths_rate: u64,
}

/// `bbr_probe_bw.ccp`: pulses the rate.
pub struct ProbeBw {
    loss: u64,
    minrtt: u64,
    reported_state: u64,
    rate: u64,
    state: u64,
    controls: Pulse,
    base_us: u64,
}

impl ProbeBw {
    /// A flow whose agent has set the controls.
    pub fn new(controls: Pulse) -> Self {
        Self {
            loss: 0,
            minrtt: NO_RTT,
            reported_state: 0,
            rate: 0,
            state: 0,
            controls,
            base_us: 0,
        }
    }
}

impl Native for ProbeBw {
    #[inline]
    fn invoke(&mut self, ack: &AckSample) -> Outcome {
        let p = &ack.primitives;
        let Some(loss) = self.loss.checked_add(p[primitive::ACK_LOST_PKTS_SAMPLE]) else {
            return overflow();
        };
        self.loss = loss;
        self.minrtt = self.minrtt.min(rtt(ack));
        self.reported_state = self.state;
        let delivered = p[primitive::FLOW_RATE_OUTGOING].min(p[primitive::FLOW_RATE_INCOMING]);
        self.rate = self.rate.max(delivered);

        let micros = ack.now_us.wrapping_sub(self.base_us);
        let mut outcome = unchanged(ack, false);
        // Once an event has fallen through, the others do so too.
        if micros > self.minrtt && self.state == 0 {
            outcome.rate = self.controls.three_fourths_rate;
            self.state = 1;
            outcome.report = true;
        }
        let Some(two) = self.minrtt.checked_mul(2) else {
            return aborted(Abort::MulOverflow);
        };
        if micros > two && self.state == 1 {
            outcome.rate = self.controls.bottle_rate;
            self.state = 2;
            outcome.report = true;
        }
        let Some(eight) = self.minrtt.checked_mul(8) else {
            return aborted(Abort::MulOverflow);
        };
        if micros > eight && self.state == 2 {
            self.state = 0;
            outcome.cwnd = self.controls.cwnd_cap;
            outcome.rate = self.controls.five_fourths_rate;
            self.base_us = ack.now_us;
            outcome.report = true;
        }
        outcome
    }

    fn report(&self) -> impl ExactSizeIterator<Item = u64> {
        [self.loss, self.minrtt, self.rate, self.reported_state].into_iter()
    }

    fn reset(&mut self) {
        self.loss = 0;
        self.minrtt = NO_RTT;
        self.rate = 0;
    }
}

/// `bbr_probe_rtt.ccp`: drains the queue for a while.
pub struct ProbeRtt {
    minrtt: u64,
    reached: bool,
    base_us: u64,
}

impl Default for ProbeRtt {
    fn default() -> Self {
        Self {
            minrtt: NO_RTT,
            reached: false,
            base_us: 0,
        }
    }
}

impl Native for ProbeRtt {
    #[inline]
    fn invoke(&mut self, ack: &AckSample) -> Outcome {
        let rtt = rtt(ack);
        self.minrtt = self.minrtt.min(rtt);
        let micros = ack.now_us.wrapping_sub(self.base_us);
        let mut report = false;
        if !self.reached {
            if ack.primitives[primitive::FLOW_PACKETS_IN_FLIGHT] <= 4 {
                self.reached = true;
                self.base_us = ack.now_us;
            }
        } else if micros > rtt && micros > 200_000 {
            self.base_us = ack.now_us;
            report = true;
        }
        unchanged(ack, report)
    }

    fn report(&self) -> impl ExactSizeIterator<Item = u64> {
        [self.minrtt].into_iter()
    }

    fn reset(&mut self) {
        self.minrtt = NO_RTT;
        self.reached = false;
    }
}
