// SPDX-License-Identifier: GPL-2.0
//! What the network tells of a flow: no facts break the arithmetic, and no
//! decision leaves its limits.

use ccp_core::{
    tcp::{Ack, Tracker},
    vm::{isa::primitive, Outcome},
};

use crate::bytes::Bytes;

/// Most ACKs of one input.
const ACKS: usize = 32;

/// Returns whether a decision changed something.
pub(crate) fn acks(bytes: &mut Bytes<'_>) -> bool {
    let mut ack = Ack::default();
    change(bytes, &mut ack);
    let mut tracker = Tracker::new(&ack);
    let mut decided = false;
    for _ in 0..ACKS {
        change(bytes, &mut ack);
        let input = tracker.input(&ack);
        let of = |index: usize| input.primitives[index];
        assert_eq!(of(primitive::ACK_NOW), input.now_us);
        assert!(of(primitive::ACK_ECN_BYTES) <= of(primitive::ACK_BYTES_ACKED));
        assert!(of(primitive::FLOW_MSS) >= 1);
        assert!(input.primitives[25..].iter().all(|reserved| *reserved == 0));
        let outcome = Outcome {
            cwnd: bytes.value(),
            rate: bytes.value(),
            ..Outcome::default()
        };
        let decision = tracker.apply(&ack, &outcome);
        assert!(decision.cwnd <= ack.snd_cwnd_clamp.max(1));
        assert!(decision.rate <= ack.max_pacing_rate.max(1));
        assert!(outcome.cwnd != 0 || decision.cwnd == 0);
        assert!(outcome.rate != 0 || decision.rate == 0);
        if decision.cwnd != 0 {
            ack.snd_cwnd = decision.cwnd;
            // To the byte, unless a limit cut it or the kernel may have.
            let again = tracker.input(&ack);
            let whole = u64::from(decision.cwnd) * of(primitive::FLOW_MSS);
            assert!(again.cwnd.wrapping_sub(whole) < of(primitive::FLOW_MSS));
            assert_eq!(again.primitives[primitive::ACK_BYTES_ACKED], 0);
        }
        decided |= decision.cwnd != 0 || decision.rate != 0;
        if bytes.is_empty() {
            break;
        }
    }
    decided
}

/// Changes some of the facts: a count, then which and to what.
fn change(bytes: &mut Bytes<'_>, ack: &mut Ack) {
    for _ in 0..bytes.byte() % 32 {
        let (field, value) = (bytes.byte(), bytes.value());
        let (word, flag) = (value as u32, value as u8);
        match field % 28 {
            0 => ack.now_us = value,
            1 => ack.bytes_acked = value,
            2 => ack.pacing_rate = value,
            3 => ack.max_pacing_rate = value,
            4 => ack.rs_interval_us = signed(value),
            5 => ack.rs_rtt_us = signed(value),
            6 => ack.rs_delivered = i32::from_le_bytes(word.to_le_bytes()),
            7 => ack.rs_snd_interval_us = word,
            8 => ack.rs_rcv_interval_us = word,
            9 => ack.snd_cwnd = word,
            10 => ack.snd_cwnd_clamp = word,
            11 => ack.ssthresh = word,
            12 => ack.mss = word,
            13 => ack.srtt_us = word,
            14 => ack.min_rtt_us = word,
            15 => ack.in_flight = word,
            16 => ack.sacked_out = word,
            17 => ack.delivered = word,
            18 => ack.delivered_ce = word,
            19 => ack.lost = word,
            20 => ack.write_seq = word,
            21 => ack.snd_nxt = word,
            22 => ack.ca_state = flag,
            23 => ack.ece = flag,
            24 => ack.ecn_ok = flag,
            25 => ack.cwnd_limited = flag,
            26 => ack.app_limited = flag,
            _ => ack.timeout = flag,
        }
    }
}

fn signed(value: u64) -> i64 {
    i64::from_le_bytes(value.to_le_bytes())
}
