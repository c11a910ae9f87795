// SPDX-License-Identifier: GPL-2.0

//! Paths that do other things than lose data packets.

use crate::{
    near,
    network::{Network, Source},
    weight, MILLISECOND, SECOND,
};

/// X of a flow of which every hundredth packet gets lost, 50 ms.
fn want(n: f64) -> f64 {
    let rate = weight(n).rate(&ccp_core::multfrc::Conditions {
        size: 1000,
        rtt: 50_000,
        interval: 100 << 16,
        lost: 1 << 16,
    });
    rate as f64 / 64.0
}

fn losing(n: f64) -> Network {
    let mut network = Network::new(weight(n), 50 * MILLISECOND);
    network.lose = Box::new(|packet, _| packet % 100 == 99);
    network
}

/// A packet that two others overtake isn't lost, one that ten overtake is.
#[test]
fn overtaken_packets() {
    for (late, events) in [(2, false), (10, true)] {
        let mut network = Network::new(weight(1.0), 50 * MILLISECOND);
        network.bottleneck = Some((MILLISECOND, u64::MAX >> 32));
        network.late = Box::new(move |packet| {
            let overtaken = packet > 500 && packet % 50 == 0;
            u64::from(overtaken) * (late * MILLISECOND + MILLISECOND / 2)
        });
        network.run(3 * SECOND);
        assert!(network.packets > 1500);
        assert_eq!(network.receiver.info().events > 0, events);
    }
}

#[test]
fn reordering_changes_no_rate() {
    let mut network = losing(4.0);
    // 1000 packets per second: two overtake it.
    network.late = Box::new(|packet| u64::from(packet % 7 == 0) * MILLISECOND);
    network.run(30 * SECOND);
    assert_eq!(network.sender.info().interval, 100 << 16);
    assert_eq!(network.sender.info().lost, 1 << 16);
    near(network.rate(10 * SECOND), want(4.0), 0.02);
}

#[test]
fn losses_of_reports() {
    for keep in [2, 3] {
        let mut network = losing(2.0);
        network.lose_report = Box::new(move |report, _| report % keep != 0);
        network.run(30 * SECOND);
        near(network.x(), want(2.0), 0.02);
        near(network.rate(20 * SECOND), want(2.0), 0.02);
    }
}

/// The sender's host reports on data of the other direction: its packets
/// without data use up sequence numbers, and are acknowledged.
#[test]
fn two_ways() {
    for every in [1, 3, 25, 60] {
        let mut network = losing(2.0);
        network.bare(every * MILLISECOND);
        network.run(30 * SECOND);
        let info = network.sender.info();
        assert_eq!((info.interval, info.lost), (100 << 16, 1 << 16));
        near(info.rtt as f64, 50e6, 0.001);
        near(network.rate(10 * SECOND), want(2.0), 0.02);
    }
}

/// Only losses of data count: NDP Count tells of the others.
#[test]
fn losses_of_packets_without_data() {
    let mut network = Network::new(weight(2.0), 50 * MILLISECOND);
    network.offer(Source::Every(4 * MILLISECOND));
    network.bare(3 * MILLISECOND);
    network.lose_bare = Box::new(|bare, _| bare % 3 == 0);
    network.run(10 * SECOND);
    assert_eq!(network.receiver.info().events, 0);
    let lost = network.packets + 10;
    network.lose = Box::new(move |packet, _| (lost..lost + 4).contains(&packet));
    network.run(SECOND);
    let info = network.receiver.info();
    // NDP Count doesn't tell of a packet before lost data.
    assert!((4..=6).contains(&info.lost_total), "{}", info.lost_total);
    assert_eq!(info.events, 1);
}

/// Half a second without a packet: a few loss events of many packets each.
#[test]
fn an_outage() {
    let mut network = losing(4.0);
    network.run(20 * SECOND);
    let (start, before) = (network.now, network.receiver.info());
    network.lose = Box::new(move |packet, now| {
        packet % 100 == 99 || (start..start + SECOND / 2).contains(&now)
    });
    network.run(3 * SECOND);
    let after = network.receiver.info();
    let lost = after.lost_total - before.lost_total;
    assert!(lost > 100, "{lost}");
    // No more than one in a round trip, and the regular ones of after.
    let events = after.events - before.events;
    assert!((3..=40).contains(&events), "{events}");
    network.run(30 * SECOND);
    near(network.x(), want(4.0), 0.02);
}

/// A report comes once per round trip, and at once when the loss rate rises.
#[test]
fn reports_are_few() {
    let mut network = losing(6.0);
    network.run(20 * SECOND);
    let before = network.reports;
    network.run(10 * SECOND);
    let reports = network.reports - before;
    assert!((180..=260).contains(&reports), "{reports}");
    // A loss one round trip after the start of the last event. Regular ones
    // are 1.4 round trips apart.
    let events = network.receiver.info().events;
    while network.receiver.info().events == events {
        network.run(MILLISECOND / 4);
    }
    network.run(25 * MILLISECOND);
    let start = network.now;
    network.lose = Box::new(move |packet, now| packet % 100 == 99 || now < start + 2 * MILLISECOND);
    let before = network.sender.info().interval;
    // One way, three more packets, and the other way.
    network.run(56 * MILLISECOND);
    assert!(network.sender.info().interval < before);
}

/// Packets slower than the round trip are reported one by one.
#[test]
fn a_report_for_each_rare_packet() {
    let mut network = Network::new(weight(1.0), 50 * MILLISECOND);
    network.offer(Source::Every(200 * MILLISECOND));
    network.run(20 * SECOND);
    assert!(network.reports >= network.packets - 1);
    // Also while it isn't decided whether one was lost.
    let lost = network.packets + 5;
    network.lose = Box::new(move |packet, _| packet == lost);
    let before = network.sender.info();
    network.run(2 * SECOND);
    let after = network.sender.info();
    assert!(network.reports >= network.packets - 2);
    assert!(after.interval > 0 && before.interval == 0);
}
