// SPDX-License-Identifier: GPL-2.0
//! The programs of generic-cong-avoid.

use ccp_core::vm::{isa::primitive, Outcome};

use super::{overflow, rtt, unchanged, Native};
use crate::AckSample;

#[derive(Default)]
struct Report {
    acked: u64,
    inflight: u64,
    loss: u64,
    rtt: u64,
    sacked: u64,
    timeout: u64,
}

impl Report {
    /// `None` when a sum overflows.
    #[inline]
    fn add(&mut self, ack: &AckSample) -> Option<()> {
        let p = &ack.primitives;
        self.inflight = p[primitive::FLOW_PACKETS_IN_FLIGHT];
        self.rtt = rtt(ack);
        self.acked = self.acked.checked_add(p[primitive::ACK_BYTES_ACKED])?;
        self.sacked = self
            .sacked
            .checked_add(p[primitive::ACK_PACKETS_MISORDERED])?;
        self.loss = p[primitive::ACK_LOST_PKTS_SAMPLE];
        self.timeout = p[primitive::FLOW_WAS_TIMEOUT];
        Some(())
    }

    fn fields(&self) -> [u64; 6] {
        [
            self.acked,
            self.sacked,
            self.loss,
            self.timeout,
            self.rtt,
            self.inflight,
        ]
    }
}

/// `gca_interval_rtt.ccp`: reports once per RTT, and at once on loss.
#[derive(Default)]
pub struct PerRtt {
    report: Report,
    base_us: u64,
}

impl Native for PerRtt {
    #[inline]
    fn invoke(&mut self, ack: &AckSample) -> Outcome {
        if self.report.add(ack).is_none() {
            return overflow();
        }
        let micros = ack.now_us.wrapping_sub(self.base_us);
        let lost = self.report.timeout != 0 || self.report.loss > 0;
        let due = lost || micros > rtt(ack);
        if due {
            self.base_us = ack.now_us;
        }
        unchanged(ack, due)
    }

    fn report(&self) -> impl ExactSizeIterator<Item = u64> {
        self.report.fields().into_iter()
    }

    fn reset(&mut self) {
        self.report = Report::default();
    }
}

/// `gca_ack_update.ccp`: reports every ACK.
#[derive(Default)]
pub struct PerAck {
    report: Report,
}

impl Native for PerAck {
    #[inline]
    fn invoke(&mut self, ack: &AckSample) -> Outcome {
        match self.report.add(ack) {
            Some(()) => unchanged(ack, true),
            None => overflow(),
        }
    }

    fn report(&self) -> impl ExactSizeIterator<Item = u64> {
        self.report.fields().into_iter()
    }

    fn reset(&mut self) {
        self.report = Report::default();
    }
}
