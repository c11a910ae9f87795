// SPDX-License-Identifier: GPL-2.0
//! The program of Copa.

use ccp_core::vm::{isa::primitive, Outcome};

use super::{overflow, rtt, unchanged, Native, NO_RTT};
use crate::AckSample;

/// `copa.ccp`: reports twice per base RTT, and at once on loss.
pub struct Copa {
    acked: u64,
    inflight: u64,
    loss: u64,
    minrtt: u64,
    now: u64,
    rtt: u64,
    sacked: u64,
    timeout: u64,
    basertt: u64,
    base_us: u64,
}

impl Default for Copa {
    fn default() -> Self {
        Self {
            acked: 0,
            inflight: 0,
            loss: 0,
            minrtt: NO_RTT,
            now: 0,
            rtt: 0,
            sacked: 0,
            timeout: 0,
            basertt: NO_RTT,
            base_us: 0,
        }
    }
}

impl Native for Copa {
    #[inline]
    fn invoke(&mut self, ack: &AckSample) -> Outcome {
        let p = &ack.primitives;
        let Some(acked) = self.acked.checked_add(p[primitive::ACK_BYTES_ACKED]) else {
            return overflow();
        };
        self.acked = acked;
        let misordered = p[primitive::ACK_PACKETS_MISORDERED];
        let Some(sacked) = self.sacked.checked_add(misordered) else {
            return overflow();
        };
        self.sacked = sacked;
        self.loss = p[primitive::ACK_LOST_PKTS_SAMPLE];
        self.inflight = p[primitive::FLOW_PACKETS_IN_FLIGHT];
        self.timeout = p[primitive::FLOW_WAS_TIMEOUT];
        self.rtt = rtt(ack);
        self.minrtt = self.minrtt.min(self.rtt);
        self.basertt = self.basertt.min(self.rtt);
        self.now = p[primitive::ACK_NOW];

        let micros = ack.now_us.wrapping_sub(self.base_us);
        let due = self.timeout != 0 || self.loss > 0 || micros > self.basertt / 2;
        if due {
            self.base_us = ack.now_us;
        }
        unchanged(ack, due)
    }

    fn report(&self) -> impl ExactSizeIterator<Item = u64> {
        [
            self.acked,
            self.sacked,
            self.loss,
            self.inflight,
            self.timeout,
            self.rtt,
            self.now,
            self.minrtt,
        ]
        .into_iter()
    }

    fn reset(&mut self) {
        let (basertt, base_us) = (self.basertt, self.base_us);
        *self = Self {
            basertt,
            base_us,
            ..Self::default()
        };
    }
}
