// SPDX-License-Identifier: GPL-2.0

//! What a receiver measures.

use crate::{near, network::Network, network::Source, weight, MILLISECOND, SECOND};
use ccp_core::multfrc::arrivals::{Arrivals, RTT_PHASE};

/// Packets every `every` ns for `count`, with the counter of a path of `rtt`.
fn steady(arrivals: &mut Arrivals, from: u64, every: u64, count: u64, rtt: u64) -> u64 {
    let mut now = from;
    for _ in 0..count {
        let counter = (now - from) * 4 / rtt;
        arrivals.newest(now, (counter & 15) as u8, 1000);
        now += every;
    }
    now
}

#[test]
fn the_counter_tells_the_round_trip_time() {
    for every in [MILLISECOND, 7 * MILLISECOND, 60 * MILLISECOND] {
        let mut arrivals = Arrivals::new();
        assert_eq!(arrivals.rtt(), 0);
        steady(&mut arrivals, SECOND, every, 500, 80 * MILLISECOND);
        near(arrivals.rtt() as f64, 80e6, 0.04);
    }
}

/// Before a second of silence, and after it.
#[test]
fn a_pause_is_no_round_trip() {
    let mut arrivals = Arrivals::new();
    let rtt = 80 * MILLISECOND;
    steady(&mut arrivals, SECOND, MILLISECOND, 400, rtt);
    let mut now = 2 * SECOND;
    let mut ccval = 3;
    // The sender's counter grows by 5 at most.
    for pause in 1..100 {
        now += pause * 400 * MILLISECOND;
        ccval = (ccval + 5) & 15;
        arrivals.newest(now, ccval, 1000);
    }
    near(arrivals.rtt() as f64, 80e6, 0.04);
}

#[test]
fn a_handshake_counts_until_something_is_measured() {
    let mut arrivals = Arrivals::new();
    arrivals.handshake(30 * MILLISECOND);
    assert_eq!(arrivals.rtt(), 30 * MILLISECOND);
    steady(&mut arrivals, SECOND, MILLISECOND, 400, 80 * MILLISECOND);
    arrivals.handshake(30 * MILLISECOND);
    near(arrivals.rtt() as f64, 80e6, 0.04);
}

#[test]
fn phases_grow_by_a_round_trip_in_a_round_trip() {
    let mut arrivals = Arrivals::new();
    let rtt = 80 * MILLISECOND;
    let now = steady(&mut arrivals, SECOND, MILLISECOND, 400, rtt);
    let before = arrivals.phase(now - MILLISECOND);
    let now = steady(&mut arrivals, now, MILLISECOND, 1, rtt);
    // CCVal 0 follows CCVal 3.
    assert!(arrivals.phase(now) > before);
    assert!(arrivals.phase(now + SECOND) < arrivals.phase(now) + RTT_PHASE);
    let overtaken = arrivals.overtaken(15, 1000);
    assert!(overtaken < arrivals.phase(now));
    assert!(arrivals.phase(now) - overtaken <= RTT_PHASE / 2);
}

#[test]
fn rates_are_of_a_round_trip_at_least() {
    let mut arrivals = Arrivals::new();
    let rtt = 80 * MILLISECOND;
    assert_eq!(arrivals.rate(SECOND), 0);
    let now = steady(&mut arrivals, SECOND, 2 * MILLISECOND, 400, rtt) - 2 * MILLISECOND;
    arrivals.report(now - MILLISECOND);
    near(arrivals.rate(now) as f64 / 64.0, 500_000.0, 0.02);
    // Twice as much for 10 ms is not twice the rate.
    arrivals.newest(now + 2 * MILLISECOND, 0, 5000);
    let rate = arrivals.rate(now + 2 * MILLISECOND) as f64 / 64.0;
    assert!((500_000.0..600_000.0).contains(&rate), "{rate}");
    // A packet after a pause is of all the pause.
    arrivals.report(now + 2 * MILLISECOND);
    arrivals.newest(now + 2002 * MILLISECOND, 5, 1000);
    let rate = arrivals.rate(now + 2002 * MILLISECOND);
    near(rate as f64 / 64.0, 500.0, 0.01);
}

/// Slow flows, fast ones, losses, reports for the other direction.
#[test]
fn round_trip_times_of_both_ends_agree() {
    for (n, every, bare, rtt) in [(1.0, 20, 0, 50), (6.0, 1000, 3, 50), (2.0, 100, 40, 200)] {
        let mut network = Network::new(weight(n), rtt * MILLISECOND);
        network.sender.handshake(0);
        network.lose = Box::new(move |packet, _| packet % every == 0);
        if bare > 0 {
            network.bare(bare * MILLISECOND);
        }
        network.run(30 * SECOND);
        near(
            network.sender.info().rtt as f64,
            (rtt * MILLISECOND) as f64,
            0.001,
        );
        near(
            network.receiver.info().rtt as f64,
            (rtt * MILLISECOND) as f64,
            0.06,
        );
    }
}

/// The application sends at a tenth of a packet per round trip.
#[test]
fn a_trickle_does_not_spoil_the_estimate() {
    let mut network = Network::new(weight(1.0), 50 * MILLISECOND);
    network.run(SECOND);
    network.offer(Source::Every(500 * MILLISECOND));
    network.run(60 * SECOND);
    near(network.sender.info().rtt as f64, 50e6, 0.001);
    near(network.receiver.info().rtt as f64, 50e6, 0.05);
}
