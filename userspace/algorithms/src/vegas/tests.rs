// SPDX-License-Identifier: GPL-2.0

use super::Vegas;
use crate::{
    make,
    testing::{cwnd_at, outage, path, recovered, standing_queue, window},
};
use ccp_agent::sim::{Drops, Path, Sim, MSS};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn alpha_to_beta_packets_stay_in_the_queue() {
    for (alpha, beta) in [(2.0, 4.0), (8.0, 12.0), (1.0, 3.0)] {
        let vegas = Vegas {
            alpha,
            beta,
            ..Vegas::default()
        };
        let mut sim = Sim::new(path());
        let flow = sim.add_flow(&vegas).unwrap();
        sim.run_for(SECOND * 10);
        let (low, mean, high) = standing_queue(&mut sim, SECOND * 10);
        // The packet on the wire is none of the queue's, but of sim.queue().
        assert!(
            mean >= alpha && mean <= beta + 1.0,
            "{alpha} {beta}: {low} {mean} {high}"
        );
        assert!(high as f64 <= beta + 2.0, "{high}");
        assert!(sim.utilisation(SECOND * 10) > 0.99);
        assert_eq!(sim.lost(flow), 0);
        assert!(sim.errors().is_empty(), "{:?}", sim.errors());
    }
}

#[test]
fn it_stays_between_alpha_and_beta_without_moving() {
    let mut sim = Sim::new(path());
    let flow = sim.add_flow(&Vegas::default()).unwrap();
    sim.run_for(SECOND * 20);
    let settled = cwnd_at(sim.samples(flow), SECOND * 10);
    let later = sim.samples(flow).iter().filter(|s| s.time > SECOND * 10);
    assert!(later.clone().all(|sample| sample.cwnd == settled));
}

#[test]
fn the_window_moves_by_a_packet_a_round_trip() {
    // Slow start ends at once: the base RTT is known, gamma is small.
    let mut sim = Sim::new(Path {
        rate: 200_000_000,
        queue: 2000,
        drops: Drops::Packets(vec![40]),
        ..path()
    });
    let flow = sim.add_flow(&Vegas::default()).unwrap();
    sim.run_for(SECOND * 6);
    let samples = sim.samples(flow);
    let at = |s: u32| cwnd_at(samples, SECOND * s) / u64::from(MSS);
    let grown = at(5) - at(2);
    // 75 round trips; a report comes with the first ACK after each.
    assert!((60..=76).contains(&grown), "{grown}");
}

#[test]
fn slow_start_doubles_every_other_round_trip_and_loses_nothing() {
    let mut sim = Sim::new(Path {
        rate: 200_000_000,
        queue: 1000,
        ..path()
    });
    let flow = sim.add_flow(&Vegas::default()).unwrap();
    sim.run_for(SECOND * 20);
    assert_eq!(sim.lost(flow), 0);
    let samples = sim.samples(flow);
    let packets = |ms| cwnd_at(samples, Duration::from_millis(ms)) / u64::from(MSS);
    // Ten packets at first; Reno would have 160 after four round trips.
    let four = packets(4 * 42);
    assert!((30..=85).contains(&four), "{four}");
}

#[test]
fn a_loss_halves_the_window() {
    let mut sim = Sim::new(Path {
        drops: Drops::Packets(vec![100, 103]),
        ..path()
    });
    let flow = sim.add_flow(&Vegas::default()).unwrap();
    sim.run_for(SECOND * 3);
    let samples = sim.samples(flow);
    let (before, _) = window(samples);
    let after = samples[recovered(samples) - 1].cwnd;
    assert_eq!(after, before / 2);
}

#[test]
fn two_flows_keep_theirs_each() {
    let mut sim = Sim::new(path());
    let flows = [(); 2].map(|()| sim.add_flow(&Vegas::default()).unwrap());
    sim.run_for(SECOND * 30);
    let before = flows.map(|flow| sim.delivered(flow));
    let (_, mean, _) = standing_queue(&mut sim, SECOND * 30);
    // Both began on an empty path and know the base RTT.
    assert!((4.0..=9.0).contains(&mean), "{mean}");
    let got = [0, 1].map(|i| f64::from(sim.delivered(flows[i]) - before[i]));
    let ratio = got[0].max(got[1]) / got[0].min(got[1]);
    // Anything with alpha to beta packets each is a resting point.
    assert!(ratio <= 2.0, "{got:?}");
}

#[test]
fn after_a_timeout_it_fills_the_path_again() {
    let mut sim = Sim::new(outage());
    let flow = sim.add_flow(&Vegas::default()).unwrap();
    sim.run_for(SECOND * 20);
    let samples = sim.samples(flow);
    let timeout = samples.iter().position(|sample| sample.timeout).unwrap();
    assert_eq!(samples[timeout].cwnd, u64::from(MSS));
    assert!(sim.utilisation(SECOND * 10) > 0.99);
    assert!(sim.errors().is_empty(), "{:?}", sim.errors());
}

#[test]
fn beta_is_no_less_than_alpha() {
    let parameters = ["alpha=5".to_owned()];
    let error = make("vegas", &parameters).err().unwrap();
    assert_eq!(error, "vegas: beta=4 is less than alpha=5");
}
