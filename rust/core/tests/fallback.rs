// SPDX-License-Identifier: GPL-2.0

//! The fallback program against the RFCs, over the tracker, in packets.

mod common;

use ccp_core::{
    fallback,
    tcp::{
        Ack,
        Tracker, //
    },
    vm::MIN_FILE, //
};
use common::Machine;

const MSS: u32 = 1448;
const RTT_US: u64 = 40_000;
const OPEN: u8 = 0;
const CWR: u8 = 2;
const RECOVERY: u8 = 3;
const LOSS: u8 = 4;

/// A connection as the kernel sees it, with the window the program sets.
struct Connection {
    machine: Machine,
    tracker: Tracker,
    ack: Ack,
}

impl Connection {
    fn new() -> Connection {
        let ack = Ack {
            snd_cwnd: 10,
            snd_cwnd_clamp: u32::MAX,
            ssthresh: 0x7fff_ffff,
            mss: MSS,
            srtt_us: RTT_US as u32,
            min_rtt_us: RTT_US as u32,
            pacing_rate: u64::MAX,
            max_pacing_rate: u64::MAX,
            cwnd_limited: 1,
            in_flight: 10,
            ecn_ok: 1,
            ..Ack::default()
        };
        Connection {
            machine: Machine::load(fallback::EVENTS, fallback::INSTRUCTIONS).unwrap(),
            tracker: Tracker::new(&ack),
            ack,
        }
    }

    /// One invocation with the facts as they are.
    fn invoke(&mut self) {
        let input = self.tracker.input(&self.ack);
        let outcome = self.machine.run(&input);
        assert_eq!(outcome.abort, None);
        assert!(!outcome.report);
        let decision = self.tracker.apply(&self.ack, &outcome);
        if decision.cwnd != 0 {
            self.ack.snd_cwnd = decision.cwnd;
        }
        if decision.rate != 0 {
            self.ack.pacing_rate = decision.rate;
        }
    }

    /// One ACK of so many packets.
    fn acked(&mut self, packets: u32) {
        self.ack.now_us += 100;
        self.ack.delivered = self.ack.delivered.wrapping_add(packets);
        self.ack.bytes_acked += u64::from(packets * MSS);
        self.ack.in_flight = self.ack.snd_cwnd;
        self.invoke();
    }

    /// A round trip: ACKs of 2 packets for the window it began with.
    fn round(&mut self) -> u32 {
        let mut left = self.ack.snd_cwnd;
        while left > 0 {
            let packets = left.min(2);
            self.acked(packets);
            left -= packets;
        }
        self.ack.now_us += RTT_US;
        self.ack.snd_cwnd
    }

    /// What the kernel does when it sees congestion.
    fn enter(&mut self, state: u8) {
        self.ack.ca_state = state;
        self.ack.ssthresh = (self.ack.snd_cwnd / 2).max(2);
    }
}

#[test]
fn fits_the_smallest_file() {
    let layout = Connection::new().machine.layout;
    assert_eq!(layout.registers, MIN_FILE);
    assert_eq!(layout.report_fields, 0);
}

#[test]
fn slow_start_doubles() {
    let mut flow = Connection::new();
    for window in [20, 40, 80, 160, 320] {
        assert_eq!(flow.round(), window);
    }
}

#[test]
fn slow_start_ends_at_ssthresh() {
    let mut flow = Connection::new();
    flow.ack.ssthresh = 30;
    assert_eq!(flow.round(), 20);
    assert_eq!(flow.round(), 30);
    assert_eq!(flow.round(), 31);
}

#[test]
fn avoidance_adds_a_packet_per_round() {
    for window in [3, 10, 100, 5000] {
        let mut flow = Connection::new();
        flow.ack.snd_cwnd = window;
        flow.ack.ssthresh = window;
        for round in 1..=20 {
            let got = flow.round();
            assert!(got.abs_diff(window + round) <= 1, "{window} {round} {got}");
        }
    }
}

#[test]
fn no_growth_when_the_application_limits() {
    let mut flow = Connection::new();
    flow.ack.cwnd_limited = 0;
    assert_eq!(flow.round(), 10);
    flow.ack.ssthresh = 5;
    assert_eq!(flow.round(), 10);
}

#[test]
fn halves_once_per_loss_event() {
    let mut flow = Connection::new();
    flow.ack.snd_cwnd = 100;
    flow.ack.ssthresh = 50;
    flow.acked(2);
    flow.enter(RECOVERY);
    flow.ack.sacked_out = 3;
    flow.ack.delivered += 3;
    flow.ack.lost += 1;
    flow.ack.in_flight = 96;
    flow.invoke();
    // Just enough for the first retransmission.
    assert_eq!(flow.ack.snd_cwnd, 97);
    for _ in 0..45 {
        flow.ack.sacked_out += 2;
        flow.acked(2);
        assert_eq!(flow.ack.snd_cwnd, 50);
    }
    // Losses in the same recovery change nothing.
    flow.ack.lost += 5;
    flow.acked(0);
    assert_eq!(flow.ack.snd_cwnd, 50);
    flow.ack.ca_state = OPEN;
    flow.ack.sacked_out = 0;
    flow.acked(1);
    assert_eq!(flow.ack.snd_cwnd, 50);
    assert_eq!(flow.round(), 51);
    // The next one halves again.
    flow.enter(RECOVERY);
    flow.ack.in_flight = 20;
    flow.invoke();
    assert_eq!(flow.ack.snd_cwnd, 25);
}

#[test]
fn timeout_starts_from_the_loss_window() {
    let mut flow = Connection::new();
    flow.ack.snd_cwnd = 64;
    flow.ack.ssthresh = 40;
    flow.acked(2);
    // The shim is called before the state is set.
    flow.ack.ssthresh = 32;
    flow.ack.snd_cwnd = 1;
    flow.ack.timeout = 1;
    flow.ack.in_flight = 0;
    flow.invoke();
    assert_eq!(flow.ack.snd_cwnd, 1);
    flow.ack.timeout = 0;
    flow.ack.ca_state = LOSS;
    let windows: Vec<u32> = (0..6).map(|_| flow.round()).collect();
    assert_eq!(windows, [2, 4, 8, 16, 32, 33]);
    flow.ack.ca_state = OPEN;
    assert_eq!(flow.round(), 34);
    flow.enter(RECOVERY);
    flow.ack.in_flight = 10;
    flow.invoke();
    assert_eq!(flow.ack.snd_cwnd, 17);
}

#[test]
fn repeated_timeouts_stay_at_the_loss_window() {
    let mut flow = Connection::new();
    for _ in 0..5 {
        flow.ack.ssthresh = 5;
        flow.ack.snd_cwnd = 1;
        flow.ack.timeout = 1;
        flow.ack.in_flight = 0;
        flow.ack.now_us += 1_000_000;
        flow.invoke();
        assert_eq!(flow.ack.snd_cwnd, 1);
        flow.ack.timeout = 0;
        flow.ack.ca_state = LOSS;
    }
}

#[test]
fn marks_count_once_per_round_trip() {
    let mut flow = Connection::new();
    flow.ack.snd_cwnd = 100;
    flow.ack.ssthresh = 90;
    flow.ack.now_us = 10 * RTT_US;
    flow.enter(CWR);
    flow.ack.ece = 1;
    flow.acked(2);
    assert_eq!(flow.ack.snd_cwnd, 50);
    for _ in 0..20 {
        flow.acked(2);
    }
    assert_eq!(flow.ack.snd_cwnd, 50);
    flow.ack.now_us += RTT_US + 1;
    flow.enter(CWR);
    flow.acked(2);
    assert_eq!(flow.ack.snd_cwnd, 25);
    flow.ack.ece = 0;
    flow.ack.ca_state = OPEN;
    assert_eq!(flow.round(), 26);
}

#[test]
fn paces_as_the_kernel() {
    let mut flow = Connection::new();
    flow.acked(2);
    assert_eq!(flow.ack.pacing_rate, u64::from(12 * MSS) * 50);
    flow.ack.ssthresh = 20;
    flow.acked(0);
    assert_eq!(flow.ack.pacing_rate, u64::from(12 * MSS) * 30);
    flow.ack.max_pacing_rate = 10_000;
    flow.acked(0);
    assert_eq!(flow.ack.pacing_rate, 10_000);
    // No RTT known: fast, and no division by zero.
    flow.ack.srtt_us = 0;
    flow.ack.max_pacing_rate = u64::MAX;
    flow.acked(0);
    assert!(flow.ack.pacing_rate > 1_000_000_000);
}

#[test]
fn an_old_low_rate_does_not_last() {
    let mut flow = Connection::new();
    flow.ack.pacing_rate = 1;
    flow.acked(1);
    assert!(flow.ack.pacing_rate > 100_000);
}
