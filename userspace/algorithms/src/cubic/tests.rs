// SPDX-License-Identifier: GPL-2.0

use super::Cubic;
use crate::{
    reno::Reno,
    testing::{cwnd_at, outage, path, recovered, window},
};
use ccp_agent::{
    mock::{Command, Mock},
    sim::{Drops, Path, Sim, MSS},
    Algorithm, FlowInfo,
};
use std::time::Duration;

/// 200 Mbit/s, 80 ms, a queue that never overflows: windows that Reno would
/// take long to reach.
fn long_path(drops: Drops) -> Path {
    Path {
        rate: 200_000_000,
        rtt: Duration::from_millis(80),
        queue: 100_000,
        drops,
        ..Path::default()
    }
}

#[test]
fn a_loss_keeps_seven_tenths() {
    let mut sim = Sim::new(Path {
        drops: Drops::Packets(vec![100, 104]),
        ..path()
    });
    let flow = sim.add_flow(&Cubic::default()).unwrap();
    sim.run_for(Duration::from_secs(1));
    let samples = sim.samples(flow);
    let (before, _) = window(samples);
    let after = samples[recovered(samples) - 1].cwnd;
    assert_eq!(after, (before as f64 * 0.7) as u64);
}

#[test]
fn the_window_follows_the_curve() {
    let mut sim = Sim::new(long_path(Drops::Packets(vec![1000])));
    let flow = sim.add_flow(&Cubic::default()).unwrap();
    sim.run_for(Duration::from_secs(20));
    let samples = sim.samples(flow);
    let (before, _) = window(samples);
    let after = samples[recovered(samples) - 1].cwnd;
    let (w_max, low) = (
        before as f64 / f64::from(MSS),
        after as f64 / f64::from(MSS),
    );
    let k = ((w_max - low) / 0.4).cbrt();
    // Congestion avoidance begins with the first ACK after recovery.
    let start = samples[recovered(samples)].time;
    for tenths in 5..60_u32 {
        let t = f64::from(tenths) / 10.0;
        let expected = w_max + 0.4 * (t - k).powi(3);
        if expected < low {
            continue;
        }
        let got = cwnd_at(samples, start + Duration::from_secs_f64(t)) as f64 / f64::from(MSS);
        let error = (got - expected).abs() / expected;
        assert!(error < 0.02, "{got:.1} for {expected:.1} at {t} s");
    }
    // The plateau: flat around K, steep after it.
    let rise = |from: f64, to: f64| {
        let at = |t: f64| cwnd_at(samples, start + Duration::from_secs_f64(t)) as f64;
        at(to) - at(from)
    };
    assert!(rise(k - 1.0, k) * 3.0 < rise(k + 1.0, k + 2.0));
}

#[test]
fn short_paths_get_what_reno_gets() {
    // Where W_est is ahead of the curve, the mean window is Reno's.
    let short = Path {
        rate: 10_000_000,
        rtt: Duration::from_millis(10),
        queue: 30,
        ..Path::default()
    };
    let mean = |algorithm: &dyn Algorithm| {
        let drops = Drops::Random {
            probability: 0.005,
            seed: 1,
        };
        let rate = 200_000_000;
        let mut sim = Sim::new(Path {
            drops,
            rate,
            ..short.clone()
        });
        let flow = sim.add_flow(algorithm).unwrap();
        sim.run_for(Duration::from_secs(60));
        let samples = sim.samples(flow);
        samples.iter().map(|s| s.cwnd as f64).sum::<f64>() / samples.len() as f64
    };
    let (cubic, reno) = (mean(&Cubic::default()), mean(&Reno::default()));
    assert!((0.9..1.3).contains(&(cubic / reno)), "{cubic} and {reno}");

    let mut sim = Sim::new(short);
    sim.add_flow(&Cubic::default()).unwrap();
    sim.run_for(Duration::from_secs(30));
    assert!(sim.utilisation(Duration::from_secs(1)) > 0.95);
}

#[test]
fn a_timeout_starts_over() {
    let mut sim = Sim::new(outage());
    let flow = sim.add_flow(&Cubic::default()).unwrap();
    sim.run_for(Duration::from_secs(30));
    let samples = sim.samples(flow);
    let index = samples.iter().position(|s| s.timeout).expect("a timeout");
    assert_eq!(samples[index].cwnd, MSS.into());
    let before = samples[..index]
        .iter()
        .rev()
        .find(|s| !s.recovery)
        .unwrap()
        .cwnd;
    assert!(samples[index..].iter().any(|s| s.cwnd >= before * 7 / 10));
    assert!(sim.errors().is_empty(), "{:?}", sim.errors());
}

#[test]
fn an_idle_application_does_not_move_the_curve() {
    let mut sim = Sim::new(path());
    let flow = sim.add_limited_flow(&Cubic::default(), 2_000_000).unwrap();
    sim.run_for(Duration::from_secs(60));
    assert!(sim.cwnd(flow) <= 20, "{}", sim.cwnd(flow));
}

#[test]
fn the_link_is_used() {
    for (path, least) in [
        (path(), 0.9),
        (
            Path {
                rate: 100_000_000,
                queue: 850,
                ..long_path(Drops::None)
            },
            0.9,
        ),
    ] {
        let mut sim = Sim::new(path);
        sim.add_flow(&Cubic::default()).unwrap();
        sim.run_for(Duration::from_secs(60));
        let used = sim.utilisation(Duration::ZERO);
        assert!(used >= least, "{used}");
        assert!(sim.errors().is_empty(), "{:?}", sim.errors());
    }
}

#[test]
fn two_flows_share() {
    let mut sim = Sim::new(path());
    let first = sim.add_flow(&Cubic::default()).unwrap();
    sim.run_for(Duration::from_secs(10));
    let second = sim.add_flow(&Cubic::default()).unwrap();
    sim.run_for(Duration::from_secs(30));
    let before = (sim.delivered(first), sim.delivered(second));
    sim.run_for(Duration::from_secs(120));
    let a = f64::from(sim.delivered(first) - before.0);
    let b = f64::from(sim.delivered(second) - before.1);
    let jain = (a + b).powi(2) / (2.0 * (a * a + b * b));
    assert!(jain > 0.95, "{a} and {b}");
}

#[test]
fn the_agent_computes_the_curve() {
    let info = FlowInfo {
        mss: 1000,
        ..FlowInfo::default()
    };
    let (mut mock, mut flow) = Mock::new(&Cubic::default(), &info).unwrap();
    mock.take();
    let mut answer = |events, window, timeout| {
        let fields = [("events", events), ("window", window), ("timeout", timeout)];
        let report = mock.report(window, &fields);
        flow.on_report(&mut mock, &report).unwrap();
        match &mock.take()[..] {
            [Command::Update(values)] => values.iter().map(|v| v.1).collect::<Vec<u64>>(),
            other => panic!("{other:?}"),
        }
    };
    // K = cbrt(30 / 0.4) = 4.217 s.
    assert_eq!(
        answer(1, 100_000, 0),
        [70_000, 100_000, 4217, 529, 100_000, 1]
    );
    // Below W_max, so it makes room: 0.85 * 80. K = cbrt(12 / 0.4) = 3.107 s.
    assert_eq!(answer(2, 80_000, 0), [56_000, 68_000, 3107, 529, 80_000, 2]);
    assert_eq!(answer(3, 40_000, 1), [28_000, 0, 0, 529, 40_000, 3]);
}
