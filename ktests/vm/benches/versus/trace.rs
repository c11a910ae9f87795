// SPDX-License-Identifier: GPL-2.0
//! The ACKs that all three are given.

use ccp_core::vm::{
    isa::primitive::{
        ACK_BYTES_ACKED, ACK_LOST_PKTS_SAMPLE, ACK_NOW, ACK_PACKETS_ACKED, ACK_PACKETS_MISORDERED,
        FLOW_BYTES_IN_FLIGHT, FLOW_PACKETS_IN_FLIGHT, FLOW_RATE_INCOMING, FLOW_RATE_OUTGOING,
        FLOW_RTT_SAMPLE_US,
    },
    PRIMITIVES,
};
use ccp_vm_tests::AckSample;

const ACKS: usize = 512;
/// 100 Mbit/s and an ACK for every other segment.
pub(crate) const SPACING_US: u64 = 232;
const MSS: u64 = 1448;

/// A bulk transfer over 20 ms with a little noise and a loss now and then.
pub(crate) fn trace() -> Vec<AckSample> {
    let mut rng = fastrand::Rng::with_seed(1);
    (0..ACKS)
        .map(|index| {
            let mut primitives = [0; PRIMITIVES];
            let lost = index % 211 == 210;
            let acked = if rng.u8(..) < 20 { 4 } else { 2 };
            primitives[ACK_BYTES_ACKED] = acked * MSS;
            primitives[ACK_PACKETS_ACKED] = acked;
            primitives[ACK_PACKETS_MISORDERED] = u64::from(lost);
            primitives[ACK_LOST_PKTS_SAMPLE] = u64::from(lost);
            primitives[FLOW_PACKETS_IN_FLIGHT] = 170 + rng.u64(..6);
            primitives[FLOW_BYTES_IN_FLIGHT] = 172 * MSS;
            primitives[FLOW_RATE_OUTGOING] = 12_000_000 + rng.u64(..1_000_000);
            primitives[FLOW_RATE_INCOMING] = 12_000_000 + rng.u64(..800_000);
            primitives[FLOW_RTT_SAMPLE_US] = 20_000 + rng.u64(..500);
            AckSample {
                primitives,
                now_us: 0,
                cwnd: 180 * MSS,
                rate: 12_500_000,
            }
        })
        .collect()
}

/// Gives the ACKs their times, from `clock` on; returns the last.
pub(crate) fn advance(acks: &mut [AckSample], mut clock: u64) -> u64 {
    for ack in acks {
        clock += SPACING_US;
        ack.now_us = clock;
        ack.primitives[ACK_NOW] = clock;
    }
    clock
}
