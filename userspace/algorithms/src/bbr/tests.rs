// SPDX-License-Identifier: GPL-2.0

use super::{
    model::{FullPipe, MaxRate, MinRtt},
    Bbr,
};
use crate::{
    reno::Reno,
    testing::{cwnd_at, outage, path, standing_queue},
};
use ccp_agent::sim::{Drops, Path, Sample, Sim, INIT_CWND, MSS};
use ccp_agent::{
    mock::{Command, Mock},
    FlowInfo,
};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// 20 Mbit/s, 40 ms, and a queue nobody fills.
fn deep() -> Path {
    Path {
        queue: 2000,
        ..path()
    }
}

/// Times at which the flow went down to four packets in flight, and for how
/// long it stayed.
fn looks(samples: &[Sample]) -> Vec<(Duration, Duration)> {
    let mut found = Vec::new();
    let mut begin = None;
    for sample in samples.iter().filter(|sample| sample.time > SECOND) {
        let low = sample.cwnd <= 4 * u64::from(MSS);
        match begin {
            None if low => begin = Some(sample.time),
            Some(start) if !low => {
                found.push((start, sample.time - start));
                begin = None;
            }
            _ => {}
        }
    }
    found
}

#[test]
fn in_flight_settles_between_one_and_two_bdp() {
    for (rate, rtt) in [(5_000_000, 20), (20_000_000, 40), (100_000_000, 100)] {
        let path = Path {
            rate,
            rtt: Duration::from_millis(rtt),
            ..deep()
        };
        let bdp = path.bdp();
        let mut sim = Sim::new(path);
        let flow = sim.add_flow(&Bbr::default()).unwrap();
        sim.run_for(SECOND * 9);
        let settled = sim.samples(flow).iter().filter(|s| s.time > SECOND * 4);
        let (sum, count) = settled.clone().fold((0.0, 0.0), |(sum, count), sample| {
            (sum + f64::from(sample.in_flight), count + 1.0)
        });
        let mean = sum / count / bdp;
        // Pacing at the bottleneck's rate: the pipe is full, the queue is not.
        assert!((0.9..1.35).contains(&mean), "{rate} {rtt}: {mean} BDP");
        // The window is the cap: twice the BDP, and three bursts.
        let cwnd = f64::from(sim.cwnd(flow));
        assert!(
            cwnd >= 1.9 * bdp && cwnd <= 2.2 * bdp + 8.0,
            "{rate} {rtt}: {cwnd} of {bdp}"
        );
        assert!(sim.utilisation(SECOND * 4) > 0.95);
        assert_eq!(sim.lost(flow), 0);
        assert!(sim.errors().is_empty(), "{:?}", sim.errors());
    }
}

#[test]
fn the_queue_is_empty_most_of_the_time() {
    let mut sim = Sim::new(deep());
    sim.add_flow(&Bbr::default()).unwrap();
    sim.run_for(SECOND * 3);
    let (_, mean, most) = standing_queue(&mut sim, SECOND * 6);
    // A quarter of the BDP for one phase of eight, and its draining.
    assert!(mean < 0.15 * path().bdp(), "{mean}");
    assert!((most as f64) < 0.5 * path().bdp(), "{most}");
}

#[test]
fn startup_doubles_each_round_trip_and_drains_what_it_queued() {
    let mut sim = Sim::new(Path {
        rate: 100_000_000,
        ..deep()
    });
    let flow = sim.add_flow(&Bbr::default()).unwrap();
    let mut peak = 0;
    for _ in 0..1500 {
        sim.run_for(Duration::from_millis(1));
        peak = peak.max(sim.queue());
    }
    let samples = sim.samples(flow);
    let packets = |ms| cwnd_at(samples, Duration::from_millis(ms)) / u64::from(MSS);
    // Ten packets, 333 of BDP: five doublings.
    assert!(packets(130) >= 4 * u64::from(INIT_CWND));
    assert!(packets(300) >= 333);
    // It does overshoot, by at most 2/ln 2 - 1 BDP, and cleans up.
    let bdp = 333.0;
    assert!(
        peak as f64 > 0.5 * bdp && (peak as f64) < 2.2 * bdp,
        "{peak}"
    );
    let (_, mean, _) = standing_queue(&mut sim, SECOND);
    assert!(mean < 0.15 * bdp, "{mean}");
}

#[test]
fn it_looks_at_the_rtt_each_ten_seconds_for_200_ms() {
    // Two flows keep a queue, so that neither sees the path empty in passing.
    let mut sim = Sim::new(deep());
    let flows = [(); 2].map(|()| sim.add_flow(&Bbr::default()).unwrap());
    sim.run_for(SECOND * 65);
    for flow in flows {
        let looks = looks(sim.samples(flow));
        assert!((5..=6).contains(&looks.len()), "{looks:?}");
        for pair in looks.windows(2) {
            let apart = pair[1].0 - pair[0].0;
            assert!(apart >= SECOND * 10, "{looks:?}");
        }
        for (_, length) in looks {
            // Draining, 200 ms and a round trip.
            let ms = length.as_millis();
            assert!((200..=340).contains(&ms), "{ms}");
        }
    }
    assert!(sim.utilisation(SECOND * 5) > 0.95);
}

#[test]
fn it_need_not_look_at_what_it_sees_anyway() {
    let mut sim = Sim::new(deep());
    let flow = sim.add_flow(&Bbr::default()).unwrap();
    sim.run_for(SECOND * 60);
    assert!(looks(sim.samples(flow)).is_empty());
}

#[test]
fn a_longer_path_is_believed_after_the_look() {
    let mut rtt = MinRtt::new(10);
    rtt.take(1, 40, false);
    rtt.take(5, 60, false);
    assert_eq!((rtt.get(), rtt.is_old(11)), (Some(40), false));
    assert!(rtt.is_old(12));
    assert!(!rtt.end(12));
    rtt.begun();
    rtt.take(13, 55, true);
    rtt.take(14, 52, true);
    assert!(rtt.end(15));
    assert_eq!((rtt.get(), rtt.is_old(25)), (Some(52), false));
}

#[test]
fn the_bandwidth_is_the_greatest_of_ten_round_trips() {
    let mut rate = MaxRate::default();
    assert_eq!(rate.take(100, true), 100);
    for _ in 0..9 {
        assert_eq!(rate.take(60, true), 100);
    }
    assert_eq!(rate.take(60, true), 60);
    assert_eq!(rate.take(80, false), 80);
    // Nothing new is no reason to forget all.
    for _ in 0..20 {
        assert_eq!(rate.take(0, true), 80);
    }
}

#[test]
fn three_round_trips_without_growth_fill_the_pipe() {
    let mut pipe = FullPipe::new(false);
    for bw in [100, 200, 400, 490, 495] {
        pipe.take(bw);
        assert!(!pipe.is_full());
    }
    pipe.take(499);
    assert!(pipe.is_full());
    pipe.take(5000);
    assert!(pipe.is_full());
}

#[test]
fn random_losses_do_not_slow_it() {
    let lossy = |algorithm: &dyn ccp_agent::Algorithm| {
        let drops = Drops::Random {
            probability: 0.02,
            seed: 9,
        };
        let mut sim = Sim::new(Path { drops, ..deep() });
        sim.add_flow(algorithm).unwrap();
        sim.run_for(SECOND * 60);
        assert!(sim.errors().is_empty(), "{:?}", sim.errors());
        sim.utilisation(SECOND * 5)
    };
    let (bbr, reno) = (lossy(&Bbr::default()), lossy(&Reno::default()));
    assert!(bbr > 0.9, "{bbr}");
    assert!(reno < 0.3, "{reno}");
}

#[test]
fn two_flows_share() {
    let mut sim = Sim::new(deep());
    let first = sim.add_flow(&Bbr::default()).unwrap();
    sim.run_for(SECOND * 5);
    let second = sim.add_flow(&Bbr::default()).unwrap();
    sim.run_for(SECOND * 40);
    let before = (sim.delivered(first), sim.delivered(second));
    sim.run_for(SECOND * 60);
    let a = f64::from(sim.delivered(first) - before.0);
    let b = f64::from(sim.delivered(second) - before.1);
    let jain = (a + b).powi(2) / (2.0 * (a * a + b * b));
    assert!(jain > 0.9, "{a} and {b}");
    // Each has two BDP of its own at most: the queue is bounded.
    let (_, _, most) = standing_queue(&mut sim, SECOND * 20);
    assert!((most as f64) < 2.0 * path().bdp(), "{most}");
}

#[test]
fn after_a_timeout_it_fills_the_path_again() {
    let mut sim = Sim::new(outage());
    let flow = sim.add_flow(&Bbr::default()).unwrap();
    sim.run_for(SECOND * 8);
    assert!(sim.samples(flow).iter().any(|sample| sample.timeout));
    let used = sim.utilisation(SECOND * 3);
    assert!(used > 0.95, "{used}");
    assert!(sim.errors().is_empty(), "{:?}", sim.errors());
}

#[test]
fn a_flow_under_way_goes_on_from_what_is_known() {
    let info = FlowInfo {
        mss: 1448,
        adopted: true,
        ssthresh: 60,
        min_rtt_us: 40_000,
        ..FlowInfo::default()
    };
    let (mut mock, _) = Mock::new(&Bbr::default(), &info).unwrap();
    let Command::SetProgram(_, values) = &mock.take()[0] else {
        panic!("no program");
    };
    assert!(values.contains(&("minrtt".into(), 40_000)));
    assert!(values.contains(&("begin".into(), 1)));
    // One that lost nothing yet looks for the bandwidth.
    let young = FlowInfo {
        ssthresh: 0x7fff_ffff,
        ..info
    };
    let (mut mock, _) = Mock::new(&Bbr::default(), &young).unwrap();
    let Command::SetProgram(_, values) = &mock.take()[0] else {
        panic!("no program");
    };
    assert!(values.iter().all(|(name, _)| name != "begin"));
}

#[test]
fn an_application_that_sends_little_is_no_slow_path() {
    let mut sim = Sim::new(deep());
    let flow = sim.add_limited_flow(&Bbr::default(), 2_000_000).unwrap();
    sim.run_for(SECOND * 20);
    let rate = f64::from(sim.delivered(flow)) * f64::from(MSS) * 8.0 / 20.0;
    assert!(rate > 1_950_000.0, "{rate}");
    assert!(sim.errors().is_empty(), "{:?}", sim.errors());
}
