// SPDX-License-Identifier: GPL-2.0

//! From the first packet to the first loss.

use crate::{
    near,
    network::{Network, Source},
    weight, MILLISECOND, SECOND,
};
use ccp_core::multfrc::{Sender, Settings, Started, Verdict};

#[test]
fn a_flow_starts_with_the_window_of_rfc_3390() {
    for (size, window) in [
        (100, 400),
        (1000, 4000),
        (1460, 4380),
        (2000, 4380),
        (9000, 18_000),
    ] {
        let mut sender = Sender::new(weight(6.0), Settings::default());
        sender.handshake(100_000);
        assert_eq!(sender.send(SECOND, size), Verdict::Send { ccval: 0 });
        let info = sender.info();
        assert_eq!((info.x / 64, info.state), (window * 10, 1));
        sender.sent(SECOND, 1, size);
        // The window is spread over the round trip.
        let Verdict::Wait { ns } = sender.send(SECOND, size) else {
            panic!("no room for a second packet");
        };
        near(ns as f64, 1e8 * f64::from(size) / window as f64, 1e-6);
    }
}

/// Without a round-trip time it is a packet per second, until the first report.
#[test]
fn a_flow_without_a_handshake_starts_with_a_packet() {
    let mut network = Network::new(weight(1.0), 50 * MILLISECOND);
    network.sender.handshake(0);
    network.run(49 * MILLISECOND);
    assert_eq!((network.packets, network.x() as u64), (1, 1000));
    network.run(2 * MILLISECOND);
    let info = network.sender.info();
    assert_eq!((info.rtt, info.state), (50 * MILLISECOND, 2));
    near(network.x(), 4000.0 / 0.05, 1e-6);
}

/// No loss: the rate doubles per round trip at most, and is twice what was
/// received at most. A report is on packets sent before the last change, so that
/// the rate doubles every second round trip. N plays no part.
#[test]
fn slow_start_doubles() {
    for n in [0.5, 6.0] {
        let mut network = Network::new(weight(n), 100 * MILLISECOND);
        network.run(0);
        let mut before = network.x();
        for _ in 0..14 {
            network.run(100 * MILLISECOND);
            let now = network.x();
            assert!(now <= before * 2.1, "{now} after {before}");
            before = now;
        }
        let times = before / 40_000.0;
        assert!((100.0..=260.0).contains(&times), "{times}");
        let received = network.sender.info().x_recv as f64 / 64.0;
        assert!(before <= 2.1 * received, "{before} of {received}");
    }
}

/// A bottleneck of 1000 packets per second without a loss.
#[test]
fn slow_start_is_bound_to_twice_what_arrives() {
    let mut network = Network::new(weight(4.0), 100 * MILLISECOND);
    network.bottleneck = Some((MILLISECOND, u64::MAX >> 32));
    network.run(2 * SECOND);
    near(network.sender.info().x_recv as f64 / 64.0, 1e6, 0.05);
    assert!(network.x() <= 2.1e6, "{}", network.x());
}

#[test]
fn n_is_told_until_it_arrived_and_never_changes() {
    let mut network = Network::new(weight(2.5), 50 * MILLISECOND);
    assert_eq!(network.sender.set_weight(weight(3.0)), Ok(()));
    let option = network.sender.option().expect("nothing sent");
    assert_eq!((option.number, option.value()), (184, &[0, 3, 0, 0][..]));
    network.run(10 * MILLISECOND);
    assert_eq!(network.sender.set_weight(weight(2.0)), Err(Started));
    assert_eq!(network.sender.info().flows, 3 << 16);
    assert!(network.sender.option().is_some());
    network.run(50 * MILLISECOND);
    assert_eq!(network.sender.option(), None);
    assert_eq!(network.receiver.info().flows, 3 << 16);
}

/// An application with less to send than the rate allows: its rate isn't held
/// against it, and it can't pile up what it doesn't use.
#[test]
fn a_limited_application() {
    let mut network = Network::new(weight(1.0), 50 * MILLISECOND);
    network.offer(Source::Every(10 * MILLISECOND));
    network.run(10 * SECOND);
    near(network.rate(10 * SECOND), 100_000.0, 0.01);
    let x = network.x();
    assert!((150_000.0..=1_000_000.0).contains(&x), "{x}");
    let before = network.packets;
    network.offer(Source::Greedy);
    network.run(50 * MILLISECOND);
    let burst = (network.packets - before) as f64;
    // X for a round trip, and 2 ms.
    assert!(burst <= x * 0.052 / 1000.0 + 2.0, "{burst} at {x}");
    // A pause of 10 s neither.
    network.run(SECOND);
    network.offer(Source::Silent);
    network.run(10 * SECOND);
    let (before, x) = (network.packets, network.x());
    network.offer(Source::Greedy);
    network.run(20 * MILLISECOND);
    let burst = (network.packets - before) as f64;
    assert!(burst <= x * 0.022 / 1000.0 + 2.0, "{burst} at {x}");
}

#[test]
fn packets_without_payload_are_dropped() {
    let mut sender = Sender::new(weight(1.0), Settings::default());
    assert_eq!(sender.send(5, 0), Verdict::Drop);
    assert_eq!(sender.info().state, 0);
    assert_eq!(sender.timers().expire, u64::MAX);
}

/// A huge packet and tiny ones: time goes on between them.
#[test]
fn packets_of_all_sizes() {
    let mut sender = Sender::new(weight(64.0), Settings::default());
    sender.handshake(1);
    let mut now = SECOND;
    for (seqno, len) in [(1, 0xffc3), (2, 1), (3, 1), (4, u32::MAX), (5, 1)] {
        match sender.send(now, len) {
            Verdict::Wait { ns } => now += ns,
            verdict => assert_eq!(seqno, 1, "{verdict:?}"),
        }
        assert!(matches!(sender.send(now, len), Verdict::Send { .. }));
        sender.sent(now, seqno, len);
        assert!(sender.info().ipi >= 1);
        assert!(sender.timers().send > now - 2 * MILLISECOND);
    }
}
