// SPDX-License-Identifier: GPL-2.0
//! Programs that only measure.

use ccp_core::vm::{isa::primitive, Outcome};

use super::{overflow, rtt, unchanged, Native};
use crate::AckSample;

/// `nimbus.ccp`: rates in and out at a fixed interval, and at once on loss.
#[derive(Default)]
pub struct Nimbus {
    acked: u64,
    loss: u64,
    rin: u64,
    rout: u64,
    rtt: u64,
    timeout: u64,
    report_time: u64,
    base_us: u64,
}

impl Nimbus {
    /// A flow whose agent has set the microseconds between reports.
    pub fn new(report_time: u64) -> Self {
        Self {
            report_time,
            ..Self::default()
        }
    }
}

impl Native for Nimbus {
    #[inline]
    fn invoke(&mut self, ack: &AckSample) -> Outcome {
        let p = &ack.primitives;
        let Some(acked) = self.acked.checked_add(p[primitive::ACK_BYTES_ACKED]) else {
            return overflow();
        };
        self.acked = acked;
        self.rtt = rtt(ack);
        self.rin = p[primitive::FLOW_RATE_OUTGOING];
        self.rout = p[primitive::FLOW_RATE_INCOMING];
        self.loss = p[primitive::ACK_LOST_PKTS_SAMPLE];
        self.timeout = p[primitive::FLOW_WAS_TIMEOUT];

        let micros = ack.now_us.wrapping_sub(self.base_us);
        let due = self.timeout != 0 || self.loss > 0 || micros > self.report_time;
        if due {
            self.base_us = ack.now_us;
        }
        unchanged(ack, due)
    }

    fn report(&self) -> impl ExactSizeIterator<Item = u64> {
        [
            self.acked,
            self.rtt,
            self.loss,
            self.rin,
            self.rout,
            self.timeout,
        ]
        .into_iter()
    }

    fn reset(&mut self) {
        let base_us = self.base_us;
        *self = Self {
            base_us,
            ..Self::new(self.report_time)
        };
    }
}

/// `const.ccp`: measures once per RTT.
#[derive(Default)]
pub struct Const {
    loss: u64,
    rin: u64,
    rout: u64,
    rtt: u64,
    base_us: u64,
}

impl Native for Const {
    #[inline]
    fn invoke(&mut self, ack: &AckSample) -> Outcome {
        let p = &ack.primitives;
        self.rtt = rtt(ack);
        self.rin = p[primitive::FLOW_RATE_OUTGOING];
        self.rout = p[primitive::FLOW_RATE_INCOMING];
        let Some(loss) = self.loss.checked_add(p[primitive::ACK_LOST_PKTS_SAMPLE]) else {
            return overflow();
        };
        self.loss = loss;
        let due = ack.now_us.wrapping_sub(self.base_us) > self.rtt;
        if due {
            self.base_us = ack.now_us;
        }
        unchanged(ack, due)
    }

    fn report(&self) -> impl ExactSizeIterator<Item = u64> {
        [self.rtt, self.rin, self.rout, self.loss].into_iter()
    }

    fn reset(&mut self) {
        let base_us = self.base_us;
        *self = Self {
            base_us,
            ..Self::default()
        };
    }
}
