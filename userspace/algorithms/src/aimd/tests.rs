// SPDX-License-Identifier: GPL-2.0

use super::Aimd;
use crate::{
    reno::Reno,
    testing::{cwnd_at, outage, path, recovered, window},
};
use ccp_agent::sim::{Drops, Path, Sim, INIT_CWND, MSS};
use std::time::Duration;

/// A path without queueing, so that all round trips take 40 ms.
fn wide(drops: Drops) -> Path {
    Path {
        rate: 1_000_000_000,
        queue: 10_000,
        drops,
        ..path()
    }
}

#[test]
fn the_window_grows_by_a_packets_a_round_trip() {
    for a in [0.5, 1.0, 4.0] {
        let mut sim = Sim::new(wide(Drops::None));
        let flow = sim.add_flow(&Aimd { a, b: 0.5 }).unwrap();
        sim.run_for(Duration::from_secs(4));
        let samples = sim.samples(flow);
        let at = |ms| cwnd_at(samples, Duration::from_millis(ms)) / u64::from(MSS);
        // No slow start: from the initial window on.
        assert!(at(100) <= u64::from(INIT_CWND) + 3 * a.ceil() as u64);
        let grown = (at(3600) - at(400)) as f64;
        // 80 round trips.
        assert!((grown / (80.0 * a) - 1.0).abs() < 0.05, "{a}: {grown}");
    }
}

#[test]
fn a_loss_takes_b_of_the_window() {
    for b in [0.125, 0.5, 0.8] {
        let mut sim = Sim::new(wide(Drops::Packets(vec![600, 603])));
        let flow = sim.add_flow(&Aimd { a: 2.0, b }).unwrap();
        sim.run_for(Duration::from_secs(2));
        let samples = sim.samples(flow);
        let (before, _) = window(samples);
        let after = samples[recovered(samples) - 1].cwnd;
        assert_eq!(after, (before as f64 * (1.0 - b)) as u64);
    }
}

/// Packets a second through random losses, over five minutes.
fn rate(aimd: &Aimd, probability: f64) -> f64 {
    let mut sim = Sim::new(wide(Drops::Random {
        probability,
        seed: 11,
    }));
    let flow = sim.add_flow(aimd).unwrap();
    sim.run_for(Duration::from_secs(20));
    let before = sim.delivered(flow);
    sim.run_for(Duration::from_secs(300));
    assert!(sim.errors().is_empty(), "{:?}", sim.errors());
    f64::from(sim.delivered(flow) - before) / 300.0
}

#[test]
fn the_rate_under_loss_is_that_of_the_formula() {
    // Floyd, Handley and Padhye: sqrt(a (2 - b) / (2 b)) / (RTT sqrt(p)), for
    // losses at regular distances. Where they fall at random, the window is
    // somewhat lower at the time of a loss on average.
    let p: f64 = 0.001;
    for (a, b) in [(1.0, 0.5), (4.0, 0.5), (0.2, 0.125)] {
        let expected = (a * (2.0 - b) / (2.0 * b) / p).sqrt() / 0.04;
        let ratio = rate(&Aimd { a, b }, p) / expected;
        assert!((0.85..1.15).contains(&ratio), "a {a}, b {b}: {ratio}");
    }
}

#[test]
fn gentle_and_tcp_friendly_takes_the_share_of_reno() {
    // a = 3 b / (2 - b) is fair to Reno.
    let gentle = Aimd { a: 0.2, b: 0.125 };
    let mut sim = Sim::new(wide(Drops::Random {
        probability: 0.001,
        seed: 5,
    }));
    let ours = sim.add_flow(&gentle).unwrap();
    let reno = sim.add_flow(&Reno::default()).unwrap();
    sim.run_for(Duration::from_secs(300));
    let share = f64::from(sim.delivered(ours)) / f64::from(sim.delivered(reno));
    assert!((0.8..1.25).contains(&share), "{share}");
}

#[test]
fn after_a_timeout_it_returns_to_where_it_was() {
    let mut sim = Sim::new(Path { ..outage() });
    let flow = sim.add_flow(&Aimd::default()).unwrap();
    sim.run_for(Duration::from_secs(4));
    let samples = sim.samples(flow);
    let timeout = samples.iter().position(|sample| sample.timeout).unwrap();
    assert_eq!(samples[timeout].cwnd, u64::from(MSS));
    let before = samples[timeout - 1].cwnd;
    let later = cwnd_at(samples, Duration::from_secs(3));
    assert!(
        later >= before / 2 && later < 2 * before,
        "{before} {later}"
    );
    assert!(sim.errors().is_empty(), "{:?}", sim.errors());
}
