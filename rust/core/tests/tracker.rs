// SPDX-License-Identifier: GPL-2.0

//! Measurements from raw facts, and decisions back.

mod common;

use ccp_core::{
    tcp::{
        Ack,
        Decision,
        Tracker, //
    },
    vm::{
        isa::primitive::*,
        Outcome,
        PRIMITIVES, //
    },
};

/// A quiet connection, with totals that are not 0.
fn facts() -> Ack {
    Ack {
        now_us: 5_000_000,
        bytes_acked: 1 << 40,
        pacing_rate: u64::MAX,
        max_pacing_rate: u64::MAX,
        rs_interval_us: -1,
        rs_rtt_us: -1,
        rs_delivered: -1,
        snd_cwnd: 10,
        snd_cwnd_clamp: u32::MAX,
        ssthresh: 0x7fff_ffff,
        mss: 1000,
        srtt_us: 40_000,
        min_rtt_us: 39_000,
        in_flight: 7,
        delivered: u32::MAX - 1,
        delivered_ce: u32::MAX,
        lost: u32::MAX,
        write_seq: 3,
        snd_nxt: u32::MAX - 6,
        ..Ack::default()
    }
}

fn cwnd(cwnd: u64) -> Outcome {
    Outcome {
        cwnd,
        ..Outcome::default()
    }
}

fn rate(rate: u64) -> Outcome {
    Outcome {
        rate,
        ..Outcome::default()
    }
}

#[test]
fn nothing_new() {
    let ack = facts();
    let input = Tracker::new(&ack).input(&ack);
    let mut expected = [0; PRIMITIVES];
    expected[ACK_NOW] = 5_000_000;
    expected[FLOW_BYTES_IN_FLIGHT] = 7000;
    expected[FLOW_PACKETS_IN_FLIGHT] = 7;
    // Over the wrap of the sequence number.
    expected[FLOW_BYTES_PENDING] = 10;
    expected[FLOW_SRTT_US] = 40_000;
    expected[FLOW_MIN_RTT_US] = 39_000;
    expected[FLOW_MSS] = 1000;
    expected[FLOW_SSTHRESH] = u64::MAX;
    expected[FLOW_DELIVERED] = u64::from(u32::MAX - 1);
    expected[FLOW_LOST] = u64::from(u32::MAX);
    assert_eq!(input.primitives, expected);
    assert_eq!(input.now_us, 5_000_000);
    assert_eq!(input.cwnd, 10_000);
    assert_eq!(input.rate, u64::MAX);
}

#[test]
fn changes_are_seen_once_and_survive_invalid_samples() {
    let mut ack = facts();
    let mut tracker = Tracker::new(&ack);
    // No valid rate sample, and yet nothing is lost; the counters wrap.
    ack.bytes_acked += 3000;
    ack.delivered = ack.delivered.wrapping_add(5);
    ack.sacked_out = 2;
    ack.lost = ack.lost.wrapping_add(4);
    let seen = tracker.input(&ack).primitives;
    assert_eq!(seen[ACK_BYTES_ACKED], 3000);
    assert_eq!(seen[ACK_PACKETS_ACKED], 3);
    assert_eq!(seen[ACK_PACKETS_MISORDERED], 2);
    assert_eq!(seen[ACK_BYTES_MISORDERED], 2000);
    assert_eq!(seen[ACK_LOST_PKTS_SAMPLE], 4);
    let seen = tracker.input(&ack).primitives;
    assert_eq!(seen[ACK_BYTES_ACKED], 0);
    assert_eq!(seen[ACK_PACKETS_ACKED], 0);
    assert_eq!(seen[ACK_PACKETS_MISORDERED], 0);
    assert_eq!(seen[ACK_BYTES_MISORDERED], 0);
    assert_eq!(seen[ACK_LOST_PKTS_SAMPLE], 0);
    // SACKed packets are acknowledged: none is misordered.
    ack.sacked_out = 0;
    ack.delivered = ack.delivered.wrapping_add(1);
    let seen = tracker.input(&ack).primitives;
    assert_eq!(seen[ACK_PACKETS_ACKED], 1);
    assert_eq!(seen[ACK_PACKETS_MISORDERED], 0);
    // More SACKed than delivered, as after reneging: no underflow.
    ack.sacked_out = 9;
    let seen = tracker.input(&ack).primitives;
    assert_eq!(seen[ACK_PACKETS_ACKED], 0);
    assert_eq!(seen[ACK_PACKETS_MISORDERED], 9);
}

#[test]
fn rates_use_the_segment_size_and_stay() {
    let mut ack = facts();
    let mut tracker = Tracker::new(&ack);
    ack.rs_delivered = 8;
    ack.rs_interval_us = 4000;
    ack.rs_snd_interval_us = 2000;
    ack.rs_rcv_interval_us = 4000;
    let rates = |tracker: &mut Tracker, ack: &Ack| {
        let seen = tracker.input(ack).primitives;
        (seen[FLOW_RATE_OUTGOING], seen[FLOW_RATE_INCOMING])
    };
    assert_eq!(rates(&mut tracker, &ack), (4_000_000, 2_000_000));
    // Invalid samples keep the last rates.
    for (delivered, interval) in [(-1, 4000), (0, 4000), (8, -1), (8, 0)] {
        let mut bad = ack;
        bad.rs_delivered = delivered;
        bad.rs_interval_us = interval;
        bad.rs_snd_interval_us = 1;
        bad.rs_rcv_interval_us = 1;
        assert_eq!(rates(&mut tracker, &bad), (4_000_000, 2_000_000));
    }
    // An interval of 0 keeps its own rate only.
    ack.rs_snd_interval_us = 0;
    ack.rs_rcv_interval_us = 8000;
    assert_eq!(rates(&mut tracker, &ack), (4_000_000, 1_000_000));
    // As big as it gets.
    ack.mss = u32::MAX;
    ack.rs_delivered = i32::MAX;
    ack.rs_snd_interval_us = 1;
    assert_eq!(rates(&mut tracker, &ack).0, u64::MAX);
}

#[test]
fn rtt_sample() {
    let mut ack = facts();
    let mut tracker = Tracker::new(&ack);
    for (sample, seen) in [(-1, 0), (0, 0), (1, 1), (70_000, 70_000)] {
        ack.rs_rtt_us = sample;
        assert_eq!(tracker.input(&ack).primitives[FLOW_RTT_SAMPLE_US], seen);
    }
}

#[test]
fn ecn() {
    let mut ack = facts();
    let mut tracker = Tracker::new(&ack);
    let mut next = |ecn_ok, ece, bytes, ce| {
        ack.ecn_ok = ecn_ok;
        ack.ece = ece;
        ack.bytes_acked += bytes;
        ack.delivered_ce = ack.delivered_ce.wrapping_add(ce);
        let seen = tracker.input(&ack).primitives;
        [ACK_ECN_BYTES, ACK_ECN_PACKETS, ACK_CE_PACKETS].map(|index| seen[index])
    };
    assert_eq!(next(1, 1, 3000, 2), [3000, 3, 2]);
    // A duplicate ACK: nothing stale.
    assert_eq!(next(1, 1, 0, 0), [0, 0, 0]);
    assert_eq!(next(1, 0, 5000, 0), [0, 0, 0]);
    // Part of a segment counts as one.
    assert_eq!(next(1, 1, 1001, 1), [1001, 2, 1]);
    // Not negotiated: what the bits say means nothing.
    assert_eq!(next(0, 1, 3000, 2), [0, 0, 0]);
}

#[test]
fn recovery_and_ssthresh() {
    let mut ack = facts();
    let mut tracker = Tracker::new(&ack);
    for (state, expected) in [(0, 0), (1, 0), (2, 0), (3, 1), (4, 1)] {
        ack.ca_state = state;
        assert_eq!(tracker.input(&ack).primitives[FLOW_IN_RECOVERY], expected);
    }
    for (packets, bytes) in [(5, 5000), (0x7fff_fffe, 0x7fff_fffe * 1000)] {
        ack.ssthresh = packets;
        assert_eq!(tracker.input(&ack).primitives[FLOW_SSTHRESH], bytes);
    }
    for packets in [0x7fff_ffff, u32::MAX] {
        ack.ssthresh = packets;
        assert_eq!(tracker.input(&ack).primitives[FLOW_SSTHRESH], u64::MAX);
    }
}

#[test]
fn timeout_is_seen_once_with_the_loss_window() {
    let mut ack = facts();
    let mut tracker = Tracker::new(&ack);
    ack.bytes_acked += 1000;
    tracker.input(&ack);
    let decision = tracker.apply(&ack, &cwnd(25_500));
    assert_eq!(decision.cwnd, 25);
    ack.snd_cwnd = 1;
    ack.timeout = 1;
    ack.lost = ack.lost.wrapping_add(20);
    let input = tracker.input(&ack);
    assert_eq!(input.cwnd, 1000);
    assert_eq!(input.primitives[FLOW_WAS_TIMEOUT], 1);
    assert_eq!(input.primitives[FLOW_IN_RECOVERY], 1);
    assert_eq!(input.primitives[ACK_BYTES_ACKED], 0);
    assert_eq!(input.primitives[ACK_LOST_PKTS_SAMPLE], 20);
    // The loss window may be a single packet.
    assert_eq!(tracker.apply(&ack, &cwnd(1000)), Decision::default());
    ack.timeout = 0;
    let input = tracker.input(&ack);
    assert_eq!(input.primitives[FLOW_WAS_TIMEOUT], 0);
    assert_eq!(input.primitives[ACK_LOST_PKTS_SAMPLE], 0);
}

#[test]
fn growth_by_bytes_adds_up() {
    let mut ack = facts();
    let mut tracker = Tracker::new(&ack);
    let mut packets = Vec::new();
    for _ in 0..10 {
        let input = tracker.input(&ack);
        let decision = tracker.apply(&ack, &cwnd(input.cwnd + 250));
        if decision.cwnd != 0 {
            ack.snd_cwnd = decision.cwnd;
        }
        packets.push(ack.snd_cwnd);
    }
    assert_eq!(packets, [10, 10, 10, 11, 11, 11, 11, 12, 12, 12]);
    // The kernel's own change wins over what was remembered.
    ack.snd_cwnd = 30;
    assert_eq!(tracker.input(&ack).cwnd, 30_000);
}

#[test]
fn another_segment_size_forgets_the_rest() {
    let mut ack = facts();
    let mut tracker = Tracker::new(&ack);
    tracker.apply(&ack, &cwnd(10_900));
    assert_eq!(tracker.input(&ack).cwnd, 10_900);
    ack.mss = 500;
    assert_eq!(tracker.input(&ack).cwnd, 5000);
}

#[test]
fn window_limits() {
    let mut ack = facts();
    let apply = |ack: &Ack, bytes| {
        let mut tracker = Tracker::new(ack);
        let decision = tracker.apply(ack, &cwnd(bytes));
        let mut after = *ack;
        after.snd_cwnd = decision.cwnd;
        (decision.cwnd, tracker.input(&after).cwnd)
    };
    assert_eq!(apply(&ack, 1), (2, 2000));
    assert_eq!(apply(&ack, 2999), (2, 2999));
    assert_eq!(apply(&ack, u64::MAX), (u32::MAX, 4_294_967_295_000));
    ack.ca_state = 4;
    assert_eq!(apply(&ack, 1), (1, 1000));
    ack.ca_state = 3;
    assert_eq!(apply(&ack, 1), (2, 2000));
    ack.snd_cwnd_clamp = 20;
    assert_eq!(apply(&ack, 20_900), (20, 20_900));
    assert_eq!(apply(&ack, 21_000), (20, 20_000));
    // The clamp wins over the floor, but never stops the flow.
    ack.snd_cwnd_clamp = 1;
    assert_eq!(apply(&ack, 21_000), (1, 1000));
    ack.snd_cwnd_clamp = 0;
    assert_eq!(apply(&ack, 21_000), (1, 1000));
}

#[test]
fn zero_and_unchanged_leave_things_alone() {
    let mut ack = facts();
    ack.pacing_rate = 77;
    let mut tracker = Tracker::new(&ack);
    assert_eq!(tracker.apply(&ack, &cwnd(0)), Decision::default());
    assert_eq!(tracker.apply(&ack, &cwnd(10_000)), Decision::default());
    assert_eq!(tracker.apply(&ack, &rate(77)), Decision::default());
    let aborted = Outcome {
        cwnd: 5000,
        rate: 5,
        report: false,
        abort: Some(ccp_core::vm::Abort::DivideByZero),
    };
    assert_eq!(tracker.apply(&ack, &aborted), Decision::default());
    assert_eq!(tracker.input(&ack).cwnd, 10_000);
}

#[test]
fn rate_is_64_bit_and_capped() {
    let mut ack = facts();
    let mut tracker = Tracker::new(&ack);
    assert_eq!(tracker.apply(&ack, &rate(1 << 40)).rate, 1 << 40);
    ack.max_pacing_rate = 1_000_000;
    assert_eq!(tracker.apply(&ack, &rate(1 << 40)).rate, 1_000_000);
    assert_eq!(tracker.apply(&ack, &rate(5)).rate, 5);
    ack.pacing_rate = 1_000_000;
    assert_eq!(tracker.apply(&ack, &rate(1 << 40)), Decision::default());
}

#[test]
fn no_segment_size_divides_by_nothing() {
    let mut ack = facts();
    ack.mss = 0;
    ack.ecn_ok = 1;
    ack.ece = 1;
    let mut tracker = Tracker::new(&ack);
    ack.bytes_acked += 10;
    tracker.input(&ack);
    tracker.apply(&ack, &cwnd(u64::MAX));
}
