// SPDX-License-Identifier: GPL-2.0

use super::{BaseRtt, Copa, Velocity};
use crate::{
    reno::Reno,
    testing::{cwnd_at, outage, path, standing_queue},
};
use ccp_agent::sim::{Drops, Path, Sim, MSS};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn copa(delta: f64) -> Copa {
    Copa {
        delta,
        ..Copa::default()
    }
}

/// Deep enough that nothing is lost.
fn deep() -> Path {
    Path {
        queue: 1000,
        ..path()
    }
}

/// Runs flows for a minute; the queue from then on, without the packet on the
/// wire, over periods of five round trips: the mean, and the greatest of the
/// least.
fn queue(copa: &Copa, flows: usize) -> (f64, usize) {
    let mut sim = Sim::new(deep());
    let ids: Vec<_> = (0..flows).map(|_| sim.add_flow(copa).unwrap()).collect();
    sim.run_for(SECOND * 60);
    let periods: Vec<_> = (0..100)
        .map(|_| standing_queue(&mut sim, Duration::from_millis(5 * 46)))
        .collect();
    assert!(sim.utilisation(SECOND * 60) > 0.99);
    assert!(ids.iter().all(|&id| sim.lost(id) == 0));
    assert!(sim.errors().is_empty(), "{:?}", sim.errors());
    let mean = periods.iter().map(|period| period.1 - 1.0).sum::<f64>() / 100.0;
    let least = periods
        .iter()
        .map(|period| period.0.saturating_sub(1))
        .max();
    (mean, least.unwrap())
}

#[test]
fn the_queue_is_that_of_the_rules() {
    // For each flow it swings between 0 and 2.5/delta packets in five round
    // trips (README.md derives that): 1.25/delta on average.
    for flows in [1, 2, 4] {
        let (mean, least) = queue(&Copa::default(), flows);
        let expected = 1.25 * flows as f64 / 0.5;
        let ratio = mean / expected;
        assert!((0.75..1.25).contains(&ratio), "{flows}: {mean}");
        assert!(least <= 2, "{flows}: {least}");
    }
}

#[test]
fn the_queue_follows_delta() {
    for delta in [0.25, 0.1] {
        let (mean, _) = queue(&copa(delta), 1);
        let ratio = mean * delta;
        assert!((1.0..2.0).contains(&ratio), "{delta}: {mean}");
    }
}

#[test]
fn slow_start_doubles_and_ends_before_anything_is_lost() {
    let mut sim = Sim::new(path());
    let flow = sim.add_flow(&Copa::default()).unwrap();
    sim.run_for(SECOND * 10);
    assert_eq!(sim.lost(flow), 0);
    // 66 packets are the path's: three doublings of ten.
    let packets = cwnd_at(sim.samples(flow), Duration::from_millis(200)) / u64::from(MSS);
    assert!((50..=140).contains(&packets), "{packets}");
    assert!(sim.utilisation(Duration::from_millis(500)) > 0.95);
}

#[test]
fn flows_share_alike_and_soon() {
    let mut sim = Sim::new(deep());
    let first = sim.add_flow(&Copa::default()).unwrap();
    sim.run_for(SECOND * 10);
    let second = sim.add_flow(&Copa::default()).unwrap();
    sim.run_for(SECOND * 10);
    let before = (sim.delivered(first), sim.delivered(second));
    sim.run_for(SECOND * 20);
    let a = f64::from(sim.delivered(first) - before.0);
    let b = f64::from(sim.delivered(second) - before.1);
    let jain = (a + b).powi(2) / (2.0 * (a * a + b * b));
    assert!(jain > 0.95, "{a} and {b}");
}

/// Share of the link beside a Reno flow.
fn beside_reno(copa: &Copa) -> f64 {
    let mut sim = Sim::new(path());
    let ours = sim.add_flow(copa).unwrap();
    let reno = sim.add_flow(&Reno::default()).unwrap();
    sim.run_for(SECOND * 120);
    assert!(sim.errors().is_empty(), "{:?}", sim.errors());
    let (ours, reno) = (sim.delivered(ours), sim.delivered(reno));
    f64::from(ours) / f64::from(ours + reno)
}

#[test]
fn the_competitive_mode_holds_its_own_against_reno() {
    let share = beside_reno(&Copa::default());
    assert!((0.3..0.7).contains(&share), "{share}");
    let meek = Copa {
        competitive: false,
        ..Copa::default()
    };
    let share = beside_reno(&meek);
    assert!(share < 0.2, "{share}");
}

#[test]
fn random_losses_do_not_slow_it() {
    let mut sim = Sim::new(Path {
        drops: Drops::Random {
            probability: 0.02,
            seed: 3,
        },
        ..deep()
    });
    sim.add_flow(&Copa::default()).unwrap();
    sim.run_for(SECOND * 60);
    let used = sim.utilisation(SECOND * 10);
    assert!(used > 0.9, "{used}");
}

#[test]
fn after_a_timeout_it_fills_the_path_again() {
    let mut sim = Sim::new(outage());
    let flow = sim.add_flow(&Copa::default()).unwrap();
    sim.run_for(SECOND * 10);
    let samples = sim.samples(flow);
    assert!(samples.iter().any(|sample| sample.timeout));
    assert!(sim.utilisation(SECOND * 5) > 0.95);
    assert!(sim.errors().is_empty(), "{:?}", sim.errors());
}

#[test]
fn the_base_rtt_is_the_least_of_ten_seconds() {
    let mut base = BaseRtt::default();
    let seconds = |s: u64| s * 1_000_000;
    assert_eq!(base.take(seconds(1), 40), 40);
    assert_eq!(base.take(seconds(2), 50), 40);
    assert_eq!(base.take(seconds(8), 45), 40);
    assert_eq!(base.take(seconds(11), 60), 40);
    assert_eq!(base.take(seconds(12), 60), 45);
    assert_eq!(base.take(seconds(19), 60), 60);
    assert_eq!(base.take(seconds(20), 30), 30);
}

#[test]
fn the_velocity_doubles_after_three_round_trips_one_way() {
    let mut velocity = Velocity::default();
    let speeds: Vec<u64> = [10, 11, 12, 13, 14, 15, 14, 13, 14]
        .iter()
        .map(|&cwnd| velocity.take(cwnd, false))
        .collect();
    assert_eq!(speeds, [1, 1, 1, 2, 4, 8, 1, 1, 1]);
    assert_eq!(velocity.take(15, true), 1);
}
