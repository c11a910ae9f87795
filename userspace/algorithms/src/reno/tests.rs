// SPDX-License-Identifier: GPL-2.0

use super::Reno;
use crate::testing::{cwnd_at, outage, path, recovered, window};
use ccp_agent::{
    mock::{Command, Mock},
    sim::{Drops, Path, Sim, INIT_CWND, MSS},
    FlowInfo,
};
use std::time::Duration;

#[test]
fn slow_start_doubles_each_round_trip() {
    let mut sim = Sim::new(Path {
        rate: 10_000_000_000,
        queue: 10_000,
        ..path()
    });
    let flow = sim.add_flow(&Reno::default()).unwrap();
    for round in 0..8_u32 {
        sim.run_for(path().rtt + Duration::from_micros(500));
        assert_eq!(sim.cwnd(flow), INIT_CWND << (round + 1));
    }
    assert!(sim.errors().is_empty());
}

#[test]
fn the_limit_slows_slow_start_only_for_stretched_acks() {
    let mut sim = Sim::new(Path {
        rate: 10_000_000_000,
        queue: 10_000,
        ..path()
    });
    let flow = sim
        .add_flow(&Reno {
            limit: 1,
            ..Reno::default()
        })
        .unwrap();
    sim.run_for(path().rtt + Duration::from_micros(500));
    assert_eq!(sim.cwnd(flow), 2 * INIT_CWND);
}

#[test]
fn avoidance_adds_one_packet_each_window() {
    let mut sim = Sim::new(Path {
        drops: Drops::Packets(vec![100]),
        ..path()
    });
    let flow = sim.add_flow(&Reno::default()).unwrap();
    sim.run_for(Duration::from_secs(3));
    let samples = sim.samples(flow);
    // RFC 5681 with bytes counted: a packet more for every window acknowledged.
    // Begins with the first growth, which leaves less than a packet of credit.
    let mss = u64::from(MSS);
    let end = recovered(samples);
    let growth = samples[end..]
        .windows(2)
        .position(|pair| pair[1].cwnd > pair[0].cwnd);
    let start = end + growth.expect("growth") + 1;
    let before = samples[start - 1].cwnd;
    let (mut cwnd, mut credit) = (samples[start].cwnd, before.div_ceil(mss) * mss - before);
    for pair in samples[start..].windows(2) {
        credit += u64::from(pair[1].delivered - pair[0].delivered) * u64::from(MSS);
        if credit >= cwnd {
            credit -= cwnd;
            cwnd += u64::from(MSS);
        }
        assert_eq!(pair[1].cwnd, cwnd, "at {:?}", pair[1].time);
    }
}

#[test]
fn a_single_loss_halves_once() {
    let mut sim = Sim::new(Path {
        drops: Drops::Packets(vec![100]),
        ..path()
    });
    let flow = sim.add_flow(&Reno::default()).unwrap();
    sim.run_for(Duration::from_secs(1));
    let (before, after) = window(sim.samples(flow));
    assert_eq!(sim.lost(flow), 1);
    assert_eq!(after, before / 2);
}

#[test]
fn several_losses_in_a_window_halve_once() {
    let drops = Drops::Packets(vec![100, 103, 104, 110, 118]);
    let mut sim = Sim::new(Path { drops, ..path() });
    let flow = sim.add_flow(&Reno::default()).unwrap();
    sim.run_for(Duration::from_secs(1));
    let (before, after) = window(sim.samples(flow));
    assert_eq!(sim.lost(flow), 5);
    assert_eq!(after, before / 2);
}

#[test]
fn a_late_agent_still_halves_once() {
    // Answers take three round trips.
    let drops = Drops::Packets(vec![100, 103]);
    let agent = Duration::from_millis(60);
    let mut sim = Sim::new(Path {
        drops,
        agent,
        ..path()
    });
    let flow = sim.add_flow(&Reno::default()).unwrap();
    sim.run_for(Duration::from_secs(1));
    let samples = sim.samples(flow);
    let before = samples.iter().map(|s| s.cwnd).max().unwrap();
    let lowest = samples
        .iter()
        .skip_while(|s| s.cwnd < before)
        .map(|s| s.cwnd)
        .min()
        .unwrap();
    assert_eq!(lowest, before / 2);
}

#[test]
fn a_timeout_starts_over_to_half_the_window() {
    let mut sim = Sim::new(outage());
    let flow = sim.add_flow(&Reno::default()).unwrap();
    sim.run_for(Duration::from_secs(10));
    let samples = sim.samples(flow);
    let index = samples.iter().position(|s| s.timeout).expect("a timeout");
    assert_eq!(samples[index].cwnd, MSS.into());
    let before = samples[..index]
        .iter()
        .rev()
        .find(|s| !s.recovery)
        .unwrap()
        .cwnd;
    let last = samples.iter().rposition(|s| s.timeout).unwrap();
    // Slow start from one packet to half the window before, and no further:
    // the packet there takes a window of ACKs.
    let half = before / 2;
    let reached = samples[last..].iter().position(|s| s.cwnd >= half).unwrap() + last;
    let slow = samples[reached].delivered - samples[last].delivered;
    let packets = u32::try_from(half / u64::from(MSS)).unwrap();
    assert!(slow <= packets + 3, "{slow} packets to reach {packets}");
    let later = cwnd_at(samples, samples[reached].time + path().rtt * 3);
    assert!(later <= half + 4 * u64::from(MSS), "{later} after {half}");
    assert!(sim.errors().is_empty());
}

#[test]
fn marks_halve_once_a_window_and_nothing_is_lost() {
    let mut sim = Sim::new(Path {
        mark: Some(20),
        ..path()
    });
    let flow = sim.add_flow(&Reno::default()).unwrap();
    sim.run_for(Duration::from_secs(20));
    assert_eq!(sim.lost(flow), 0);
    // Marks of packets sent before the reduction may call for another one, as
    // with the kernel's own; never within a round trip.
    assert!(sim.utilisation(Duration::from_secs(2)) > 0.7);
    let samples = sim.samples(flow);
    let reductions: Vec<Duration> = samples
        .windows(2)
        .filter(|pair| pair[1].cwnd < pair[0].cwnd)
        .map(|pair| pair[1].time)
        .collect();
    // One reduction takes a few ACKs, until the agent has answered.
    let reductions: Vec<Duration> = reductions
        .iter()
        .enumerate()
        .filter(|&(i, &time)| i == 0 || time - reductions[i - 1] > path().agent * 4)
        .map(|(_, &time)| time)
        .collect();
    assert!(reductions
        .windows(2)
        .all(|pair| pair[1] - pair[0] >= path().rtt));
    let (before, after) = window(sim.samples(flow));
    assert_eq!(after, before / 2);
}

#[test]
fn an_application_that_sends_little_gets_no_window() {
    let mut sim = Sim::new(path());
    let flow = sim.add_limited_flow(&Reno::default(), 2_000_000).unwrap();
    sim.run_for(Duration::from_secs(20));
    // 2 Mbit/s and 40 ms are 7 packets; the window stays near the initial 10.
    assert!(sim.cwnd(flow) <= 2 * INIT_CWND, "{}", sim.cwnd(flow));
}

#[test]
fn the_link_is_used() {
    let mut sim = Sim::new(path());
    sim.add_flow(&Reno::default()).unwrap();
    sim.run_for(Duration::from_secs(30));
    let used = sim.utilisation(Duration::ZERO);
    assert!(used >= 0.9, "{used}");
    assert!(sim.errors().is_empty());
}

#[test]
fn two_flows_share() {
    let mut sim = Sim::new(path());
    let first = sim.add_flow(&Reno::default()).unwrap();
    sim.run_for(Duration::from_secs(10));
    let second = sim.add_flow(&Reno::default()).unwrap();
    sim.run_for(Duration::from_secs(30));
    let before = (sim.delivered(first), sim.delivered(second));
    sim.run_for(Duration::from_secs(120));
    let a = f64::from(sim.delivered(first) - before.0);
    let b = f64::from(sim.delivered(second) - before.1);
    let jain = (a + b).powi(2) / (2.0 * (a * a + b * b));
    assert!(jain > 0.95, "{a} and {b}");
}

#[test]
fn random_losses_never_stop_it() {
    let drops = Drops::Random {
        probability: 0.02,
        seed: 7,
    };
    let mut sim = Sim::new(Path { drops, ..path() });
    let flow = sim.add_flow(&Reno::default()).unwrap();
    sim.run_for(Duration::from_secs(60));
    // Mathis: about mss/rtt * 1.22/sqrt(p), here 215 packets a second.
    let rate = f64::from(sim.delivered(flow)) / 60.0;
    assert!((130.0..300.0).contains(&rate), "{rate}");
    assert!(sim.errors().is_empty());
}

#[test]
fn the_agent_answers_each_event_once_and_keeps_the_floor() {
    let info = FlowInfo {
        mss: 1000,
        ssthresh: 40,
        ..FlowInfo::default()
    };
    let (mut mock, mut flow) = Mock::new(&Reno::default(), &info).unwrap();
    assert_eq!(
        mock.take(),
        [Command::SetProgram(
            "reno".into(),
            vec![("ssthresh".into(), 40_000)]
        )]
    );
    let event = [("events", 1), ("window", 30_000)];
    for answers in [1, 0] {
        let report = mock.report(30_000, &event);
        flow.on_report(&mut mock, &report).unwrap();
        assert_eq!(mock.take().len(), answers);
    }
    let report = mock.report(3000, &[("events", 3), ("window", 3000)]);
    flow.on_report(&mut mock, &report).unwrap();
    let answer = vec![("ssthresh".into(), 2000), ("handled".into(), 3)];
    assert_eq!(mock.take(), [Command::Update(answer)]);
}
