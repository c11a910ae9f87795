// SPDX-License-Identifier: GPL-2.0

use super::{needed, Lia, Member};
use crate::{reno::Reno, testing::path};
use ccp_agent::{
    mock::{Command, Mock},
    sim::{Drops, FlowId, Path, Sim},
    Algorithm, FlowInfo,
};
use std::time::Duration;

const TOKEN: u32 = 0x1234_5678;

/// Losses fall on packets at random, as RFC 6356 assumes; a drop-tail queue
/// in lock-step with few flows hits those that grow faster.
fn lossy(seed: u64) -> Path {
    Path {
        rate: 400_000_000,
        queue: 5000,
        drops: Drops::Random {
            probability: 0.002,
            seed,
        },
        ..path()
    }
}

/// Packets that flows deliver in five minutes, after half a minute to settle.
fn delivered(sim: &mut Sim, flows: &[FlowId]) -> Vec<f64> {
    sim.run_for(Duration::from_secs(30));
    let before: Vec<u32> = flows.iter().map(|&flow| sim.delivered(flow)).collect();
    sim.run_for(Duration::from_secs(300));
    assert!(sim.errors().is_empty(), "{:?}", sim.errors());
    flows
        .iter()
        .zip(before)
        .map(|(&flow, before)| f64::from(sim.delivered(flow) - before))
        .collect()
}

/// What two subflows under `algorithm` take for each packet of a Reno flow,
/// on average over four runs.
fn share(algorithm: &dyn Algorithm) -> f64 {
    let shares = [1, 2, 3, 4].map(|seed| {
        let mut sim = Sim::new(lossy(seed));
        let flows = [
            sim.add_subflow(algorithm, TOKEN).unwrap(),
            sim.add_subflow(algorithm, TOKEN).unwrap(),
            sim.add_flow(&Reno::default()).unwrap(),
        ];
        let packets = delivered(&mut sim, &flows);
        (packets[0] + packets[1]) / packets[2]
    });
    shares.iter().sum::<f64>() / 4.0
}

#[test]
fn two_subflows_take_one_share() {
    // Some 1700 losses of each kind: a standard error of 3 %.
    let share = share(&Lia::default());
    assert!((0.9..1.1).contains(&share), "{share}");
}

/// What the test above would see without the coupling.
#[test]
fn two_subflows_under_reno_take_two_shares() {
    let share = share(&Reno::default());
    assert!((1.8..2.2).contains(&share), "{share}");
}

#[test]
fn connections_do_not_couple_with_each_other() {
    let lia = Lia::default();
    let mut sim = Sim::new(lossy(5));
    let flows = [
        sim.add_subflow(&lia, TOKEN).unwrap(),
        sim.add_subflow(&lia, TOKEN + 1).unwrap(),
    ];
    let packets = delivered(&mut sim, &flows);
    let ratio = packets[0] / packets[1];
    assert!((0.85..1.18).contains(&ratio), "{packets:?}");
    assert_eq!(lia.connections.borrow().len(), 2);
    drop(sim);
    assert!(lia.connections.borrow().is_empty());
}

#[test]
fn a_free_path_is_used_fully_beside_a_busy_one() {
    let lia = Lia::default();
    let mut busy = Sim::new(path());
    let mut free = Sim::new(path());
    let rival = busy.add_flow(&Reno::default()).unwrap();
    let shared = busy.add_subflow(&lia, TOKEN).unwrap();
    free.add_subflow(&lia, TOKEN).unwrap();
    let mut settled = (0, 0);
    for step in 0..150_000 {
        busy.run_for(Duration::from_millis(1));
        free.run_for(Duration::from_millis(1));
        if step == 30_000 {
            settled = (busy.delivered(shared), busy.delivered(rival));
        }
    }
    assert!(free.utilisation(Duration::from_secs(30)) > 0.9);
    let ours = f64::from(busy.delivered(shared) - settled.0);
    let rivals = f64::from(busy.delivered(rival) - settled.1);
    assert!(ours < rivals, "{ours} and {rivals}");
}

#[test]
fn the_increase_is_that_of_the_rfc() {
    let member = |cwnd, rtt| Member { cwnd, rtt };
    // Alone, or without an RTT yet: not coupled.
    assert_eq!(needed([member(14_480, 40_000)].iter()), 0);
    let waiting = [member(14_480, 40_000), member(14_480, 0)];
    assert_eq!(needed(waiting.iter()), 0);
    // Two alike: alpha is 1/2, so a packet takes four windows of one subflow.
    let alike = [member(10_000, 40_000), member(10_000, 40_000)];
    assert_eq!(needed(alike.iter()), 40_000);
    // 20000/10ms and 10000/50ms: (2 + 0.2)^2 / 0.0002 bytes.
    let unlike = [member(20_000, 10_000), member(10_000, 50_000)];
    assert_eq!(needed(unlike.iter()), 24_200);
}

#[test]
fn the_program_is_told_once_a_change() {
    let lia = Lia::default();
    let info = FlowInfo {
        mss: 1000,
        mptcp_token: Some(TOKEN),
        ..FlowInfo::default()
    };
    let (mut first_dp, mut first) = Mock::new(&lia, &info).unwrap();
    let (mut second_dp, mut second) = Mock::new(&lia, &info).unwrap();
    first_dp.take();
    second_dp.take();
    let fields = [("rtt", 40_000)];
    let report = first_dp.report(10_000, &fields);
    first.on_report(&mut first_dp, &report).unwrap();
    assert_eq!(first_dp.take(), []);
    for answers in [1, 0] {
        let report = second_dp.report(10_000, &fields);
        second.on_report(&mut second_dp, &report).unwrap();
        let commands = second_dp.take();
        assert_eq!(commands.len(), answers);
        for command in commands {
            assert_eq!(command, Command::Update(vec![("coupled".into(), 40_000)]));
        }
    }
    drop(first);
    let report = second_dp.report(10_000, &fields);
    second.on_report(&mut second_dp, &report).unwrap();
    assert_eq!(
        second_dp.take(),
        [Command::Update(vec![("coupled".into(), 0)])]
    );
}
