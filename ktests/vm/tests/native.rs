// SPDX-License-Identifier: GPL-2.0
//! The programs written by hand, which the benchmark compares with, do what the
//! compiled ones do.

use ccp_core::vm::{isa::primitive::*, PRIMITIVES};
use ccp_vm_tests::{
    native::{Const, Copa, Native, Nimbus, PerAck, PerRtt, ProbeBw, ProbeRtt, Pulse},
    AckSample, Code, Datapath, Ours, Portus, Update,
};

const ACKS: u32 = 20_000;

macro_rules! source {
    ($name:literal) => {
        include_str!(concat!(
            "../../../userspace/lang/tests/programs/",
            $name,
            ".ccp"
        ))
    };
}

fn ack(rng: &mut fastrand::Rng, clock: &mut u64) -> AckSample {
    *clock += rng.u64(1..40_000);
    let mut primitives = [0; PRIMITIVES];
    for value in &mut primitives {
        let bits = rng.u32(1..40);
        *value = rng.u64(..1 << bits);
    }
    // Sums overflow now and then, loss is rare.
    if rng.u8(..) == 0 {
        primitives[ACK_BYTES_ACKED] = u64::MAX;
    }
    let rare = |rng: &mut fastrand::Rng| u64::from(rng.u8(..) == 0);
    primitives[ACK_LOST_PKTS_SAMPLE] = rare(rng);
    primitives[FLOW_WAS_TIMEOUT] = rare(rng);
    primitives[FLOW_PACKETS_IN_FLIGHT] = rng.u64(..9);
    if rng.bool() {
        primitives[FLOW_RTT_SAMPLE_US] = rng.u64(..60_000);
    }
    primitives[ACK_NOW] = *clock;
    AckSample {
        primitives,
        now_us: *clock,
        cwnd: rng.u64(1..1 << 24),
        rate: rng.u64(1..1 << 32),
    }
}

fn same(source: &str, controls: &[(&str, u64)], mut native: impl Native) {
    let portus = Portus::compile(source).expect("it compiles");
    let updates: Vec<Update> = controls
        .iter()
        .map(|(name, value)| {
            let (class, index) = portus.updatable(name).expect("a control variable");
            Update {
                class,
                index,
                value: *value,
            }
        })
        .collect();
    let mut ours = Ours::new();
    ours.install(1, &portus.program.events, &portus.program.instructions)
        .expect("it installs");
    ours.change_program(1, &updates).expect("it is there");

    let mut rng = fastrand::Rng::with_seed(7);
    let mut clock = 0;
    let (mut reports, mut aborts) = (0, 0);
    for index in 0..ACKS {
        let mut ack = ack(&mut rng, &mut clock);
        if index == 0 {
            // The program starts its clock with the first ACK.
            ack.now_us = 0;
        }
        let outcome = native.invoke(&ack);
        match ours.invoke(&ack) {
            Ok(effects) => {
                assert_eq!(outcome.abort, None, "ACK {index}: {ack:?}");
                let set = |value: u64| (value != 0).then_some(value);
                assert_eq!(effects.cwnd, set(outcome.cwnd), "ACK {index}: {ack:?}");
                assert_eq!(effects.rate, set(outcome.rate), "ACK {index}: {ack:?}");
                let report: Option<Vec<u64>> = outcome.report.then(|| native.report().collect());
                assert_eq!(effects.report(), report.as_deref(), "ACK {index}: {ack:?}");
                reports += u32::from(report.is_some());
            }
            Err(code) => {
                assert_eq!(
                    outcome.abort.map(Code::from),
                    Some(code),
                    "ACK {index}: {ack:?}"
                );
                aborts += 1;
            }
        }
        if outcome.report {
            native.reset();
        }
    }
    assert!(reports > 20, "{reports} reports say little");
    assert!(aborts < ACKS / 2, "{aborts} aborts leave little");
}

#[test]
fn per_rtt() {
    same(source!("gca_interval_rtt"), &[], PerRtt::default());
}

#[test]
fn per_ack() {
    same(source!("gca_ack_update"), &[], PerAck::default());
}

#[test]
fn probe_bw() {
    let controls = [
        ("cwndCap", 3),
        ("bottleRate", 4),
        ("threeFourthsRate", 5),
        ("fiveFourthsRate", 6),
    ];
    let native = ProbeBw::new(Pulse {
        cwnd_cap: 3,
        bottle_rate: 4,
        three_fourths_rate: 5,
        five_fourths_rate: 6,
    });
    same(source!("bbr_probe_bw"), &controls, native);
}

#[test]
fn probe_rtt() {
    same(source!("bbr_probe_rtt"), &[], ProbeRtt::default());
}

#[test]
fn copa() {
    same(source!("copa"), &[], Copa::default());
}

#[test]
fn nimbus() {
    let native = Nimbus::new(100_000);
    same(source!("nimbus"), &[("report_time", 100_000)], native);
}

#[test]
fn constant() {
    same(source!("const"), &[], Const::default());
}
