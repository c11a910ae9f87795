// SPDX-License-Identifier: GPL-2.0
//! A stream of ACKs and timeouts.

use ccp_core::vm::{isa::primitive as p, PRIMITIVES};
use fastrand::Rng;

use super::{one_in, wild};
use crate::{AckSample, Effects};

/// The ACKs of one flow.
pub struct Acks {
    /// One value in so many is wild.
    wild_in: u32,
    /// Whether the window and the rate follow what the program sets.
    follows: bool,
    ack: AckSample,
}

impl Acks {
    /// A flow of some temper.
    pub fn new(rng: &mut Rng) -> Self {
        Self {
            wild_in: [8, 64, 512, 4096][rng.usize(..4)],
            follows: rng.u32(..4) != 0,
            ack: AckSample {
                primitives: [0; PRIMITIVES],
                now_us: 1 + rng.u64(..1 << 40),
                cwnd: 14_480,
                rate: 1_000_000,
            },
        }
    }

    /// Moves on to the next ACK, after the one that had these effects.
    pub fn next(&mut self, rng: &mut Rng, effects: &Effects) -> &AckSample {
        // Two bits for each primitive: one in four stays as it was.
        let stays = rng.u64(..);
        let ack = &mut self.ack;
        for index in 0..=p::FLOW_WAS_TIMEOUT {
            if (stays >> (2 * index)) & 3 != 0 {
                ack.primitives[index] = if one_in(rng, self.wild_in) {
                    fit(index, wild(rng))
                } else {
                    usual(rng, index)
                };
            }
        }
        ack.now_us += match rng.u32(..64) {
            0 => 0,
            1..16 => rng.u64(..50),
            16..60 => rng.u64(..20_000),
            60..63 => rng.u64(..2_000_000),
            _ => rng.u64(..1 << 34),
        };
        // libccp computes it, from the time its datapath began: 0.
        ack.primitives[p::ACK_NOW] = ack.now_us;
        if self.follows {
            ack.cwnd = effects.cwnd.unwrap_or(ack.cwnd);
            ack.rate = effects.rate.unwrap_or(ack.rate);
        }
        if !self.follows || one_in(rng, 256) {
            ack.cwnd = u64::from(rng.u32(..1 << 22));
            ack.rate = rng.u64(..1 << 28);
        }
        if one_in(rng, 16 * self.wild_in) {
            ack.cwnd = wild(rng);
            ack.rate = wild(rng);
        }
        ack.cwnd &= u64::from(u32::MAX);
        ack
    }
}

/// Cuts a value to the width libccp has for it.
fn fit(index: usize, value: u64) -> u64 {
    match index {
        p::FLOW_RATE_INCOMING | p::FLOW_RATE_OUTGOING | p::FLOW_RTT_SAMPLE_US => value,
        p::FLOW_WAS_TIMEOUT => value & 1,
        _ => value & u64::from(u32::MAX),
    }
}

/// A value as a flow has it.
fn usual(rng: &mut Rng, index: usize) -> u64 {
    let rare = |rng: &mut Rng, times, value| if one_in(rng, times) { value } else { 0 };
    match index {
        p::ACK_BYTES_ACKED => 1448 * rng.u64(..4),
        p::ACK_PACKETS_ACKED => rng.u64(..4),
        p::ACK_BYTES_MISORDERED => rare(rng, 8, 1448),
        p::ACK_PACKETS_MISORDERED | p::ACK_ECN_PACKETS => rare(rng, 8, 1),
        p::ACK_ECN_BYTES => rare(rng, 8, 1400),
        p::ACK_LOST_PKTS_SAMPLE => rare(rng, 32, 2),
        p::FLOW_BYTES_IN_FLIGHT => rng.u64(..200_000),
        p::FLOW_BYTES_PENDING => rng.u64(..1 << 20),
        p::FLOW_PACKETS_IN_FLIGHT => rng.u64(..140),
        p::FLOW_RATE_INCOMING | p::FLOW_RATE_OUTGOING => rng.u64(..125_000_000),
        p::FLOW_RTT_SAMPLE_US if one_in(rng, 8) => 0,
        p::FLOW_RTT_SAMPLE_US => 50 + rng.u64(..100_000),
        p::FLOW_WAS_TIMEOUT => rare(rng, 64, 1),
        _ => 0,
    }
}
