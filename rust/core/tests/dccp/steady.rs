// SPDX-License-Identifier: GPL-2.0

//! The rate in the long run is that of the equation.

use crate::{
    near,
    network::{Network, Random},
    weight, MILLISECOND, SECOND,
};
use ccp_core::multfrc::{Conditions, Receiver};

const FLOWS: [f64; 5] = [0.5, 1.0, 2.0, 4.0, 6.0];

/// Rates in Mbit/s by N when `lost` of `every` data packets get lost, one
/// after another; packets of 1000 bytes, 50 ms.
const RATES: [(u64, u64, [f64; 5]); 7] = [
    (1000, 1, [3.03199, 6.13877, 12.3513, 24.7753, 37.199]),
    (1000, 4, [2.98822, 5.99111, 8.80155, 14.6737, 20.7352]),
    (200, 1, [1.31247, 2.69212, 5.44837, 10.9581, 16.4669]),
    (200, 3, [1.25461, 2.49485, 3.85875, 6.82263, 9.86195]),
    (100, 1, [0.902_228, 1.86513, 3.78579, 7.62247, 11.4578]),
    (100, 3, [0.824_617, 1.59078, 2.52642, 4.50837, 6.53402]),
    (50, 2, [0.562_015, 1.10147, 1.88087, 3.54721, 5.23052]),
];

#[test]
fn losses_at_regular_distances() {
    for (every, lost, rates) in RATES {
        for (n, want) in FLOWS.into_iter().zip(rates) {
            let mut network = Network::new(weight(n), 50 * MILLISECOND);
            network.lose = Box::new(move |packet, _| packet % every >= every - lost);
            // As many loss events as have weight, and a few.
            let event = (every * 8000) as f64 / (want * 1e6);
            network.run(20 * SECOND + (12.0 * event * 1e9) as u64);
            let info = network.sender.info();
            assert_eq!(info.interval, every << 16, "N = {n}");
            assert_eq!(u64::from(info.lost), lost << 16, "N = {n}");
            near(network.x() * 8e-6, want, 0.01);
            near(network.rate(10 * SECOND) * 8e-6, want, 0.01);
        }
    }
}

/// Against the equation, with the loss events that there were.
#[test]
fn random_losses() {
    for p in [0.001, 0.01, 0.03] {
        for n in FLOWS {
            let mut network = Network::new(weight(n), 50 * MILLISECOND);
            let mut random = Random(0x1234_5678_9abc_def1);
            network.lose = Box::new(move |_, _| random.real() < p);
            network.run(40 * SECOND);
            let (packets, before) = (network.packets, network.receiver.info());
            let got = network.rate(((60_000.0 / p.sqrt() / n.max(1.0)) as u64) * MILLISECOND);
            let after = network.receiver.info();
            let events = (after.events - before.events) as f64;
            let interval = (network.packets - packets) as f64 / events;
            let lost = (after.lost_total - before.lost_total) as f64 / events;
            let want = weight(n).rate(&Conditions {
                size: 1000,
                rtt: 50_000,
                interval: (interval * 65536.0) as u64,
                lost: (lost * 65536.0) as u32,
            });
            println!(
                "p {p} N {n} events {events}: {}",
                got / (want as f64 / 64.0)
            );
            near(got, want as f64 / 64.0, 0.05);
        }
    }
}

/// Little is kept of a flight of thousands of packets; it is enough.
#[test]
fn long_flights() {
    let mut network = Network::new(weight(6.0), 300 * MILLISECOND);
    network.lose = Box::new(|packet, _| packet % 20_000 == 0);
    network.run(120 * SECOND);
    let info = network.sender.info();
    assert_eq!(info.interval, 20_000 << 16);
    near(info.rtt as f64, 300e6, 0.001);
    let want = weight(6.0).rate(&Conditions {
        size: 1000,
        rtt: 300_000,
        interval: 20_000 << 16,
        lost: 1 << 16,
    });
    near(network.rate(10 * SECOND), want as f64 / 64.0, 0.01);
}

/// Slow start ends at a full queue. The first interval is the one at which N
/// flows have the rate that the path carried, whatever N is.
#[test]
fn the_first_interval_is_of_n_flows() {
    for n in FLOWS {
        let mut network = Network::new(weight(n), 50 * MILLISECOND);
        network.bottleneck = Some((MILLISECOND, 50));
        while network.sender.info().interval == 0 {
            network.run(MILLISECOND);
        }
        assert_eq!(network.receiver.info().flows, weight(n).flows());
        near(network.sender.info().x_calc as f64 / 64.0, 1e6, 0.2);
    }
}

/// A flow fills its bottleneck, without many losses.
#[test]
fn a_bottleneck_is_used() {
    for n in [1.0, 4.0] {
        let mut network = Network::new(weight(n), 40 * MILLISECOND);
        network.bottleneck = Some((MILLISECOND, 40));
        network.run(30 * SECOND);
        let before = network.receiver.info().lost_total;
        let rate = network.rate(60 * SECOND);
        let lost = (network.receiver.info().lost_total - before) as f64 / 60.0;
        let delivered = rate / 1000.0 - lost;
        assert!(
            (850.0..=1001.0).contains(&delivered),
            "N = {n}: {delivered}"
        );
    }
}

/// What j is for: N times the rate of TFRC doesn't tell 3 packets lost at once
/// from 1. With N = 1 it is CCID 3's rate.
#[test]
fn n_times_tfrc_is_blind_to_lost_packets() {
    for lost in [1, 3] {
        for (n, want) in [(1.0, 1.797_32), (6.0, 6.0 * 1.797_32)] {
            let mut network = Network::new(weight(n).with_tfrc(true), 50 * MILLISECOND);
            network.receiver = Receiver::new().with_tfrc(true);
            network.receiver.handshake(50_000);
            network.lose = Box::new(move |packet, _| packet % 100 >= 100 - lost);
            network.run(40 * SECOND);
            near(network.rate(10 * SECOND) * 8e-6, want, 0.01);
        }
    }
}
