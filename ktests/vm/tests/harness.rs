// SPDX-License-Identifier: GPL-2.0
//! The two machines run a program alike.

use ccp_core::vm::{
    isa::primitive::{ACK_BYTES_ACKED, ACK_NOW, FLOW_PACKETS_IN_FLIGHT, FLOW_RTT_SAMPLE_US},
    PRIMITIVES,
};
use ccp_vm_tests::{AckSample, Code, Datapath, Libccp, Ours, Portus, Update};

/// The fold of a Reno agent: reports on loss, and once per `reportTime`.
const INTERVAL: &str = include_str!("../../../userspace/lang/tests/programs/gca_interval.ccp");

fn both() -> [Box<dyn Datapath>; 2] {
    [Box::new(Libccp::new()), Box::new(Ours::new())]
}

fn ack(now_us: u64) -> AckSample {
    let mut primitives = [0; PRIMITIVES];
    primitives[ACK_NOW] = now_us;
    primitives[ACK_BYTES_ACKED] = 1448;
    primitives[FLOW_PACKETS_IN_FLIGHT] = 9;
    primitives[FLOW_RTT_SAMPLE_US] = 20_000;
    AckSample {
        primitives,
        now_us,
        cwnd: 14_480,
        rate: 1_000_000,
    }
}

#[test]
fn interval_reports_every_ten_milliseconds() {
    let portus = Portus::compile(INTERVAL).unwrap();
    let (class, index) = portus.updatable("reportTime").unwrap();
    let preset = Update {
        class,
        index,
        value: 10_000,
    };
    for mut datapath in both() {
        let program = &portus.program;
        datapath
            .install(1, &program.events, &program.instructions)
            .unwrap();
        datapath.change_program(1, &[preset]).unwrap();
        let mut reports = Vec::new();
        for step in 0..33 {
            let effects = datapath.invoke(&ack(1_000_000 + step * 1000)).unwrap();
            assert_eq!(effects.cwnd, Some(14_480));
            assert_eq!(effects.rate, Some(1_000_000));
            if let Some(report) = effects.report() {
                reports.push((step, report.to_vec()));
            }
        }
        // The timer starts at the first ACK, and ends after more than 10 ms.
        let report = |acks: u64| vec![acks * 1448, 0, 0, 0, 20_000, 9];
        assert_eq!(reports, [(11, report(12)), (22, report(11))]);
    }
}

#[test]
fn a_flow_without_program_does_nothing() {
    for mut datapath in both() {
        assert_eq!(datapath.invoke(&ack(1)), Err(Code::NO_PROGRAM));
        assert_eq!(datapath.effects().cwnd, None);
    }
}

#[test]
fn restart_forgets_the_flow_and_keeps_programs() {
    let source = "(def (Report (n 0)) (c 7))
        (when true (:= l (+ Report.n 1)) (:= Report.n (+ l c)) (report))";
    // `l` is written to after it was added to `Report.n`: only registers count.
    let portus = Portus::compile(source).unwrap();
    let program = &portus.program;
    for mut datapath in both() {
        datapath
            .install(1, &program.events, &program.instructions)
            .unwrap();
        for _ in 0..2 {
            datapath.change_program(1, &[]).unwrap();
            for n in 1..4 {
                let effects = datapath.invoke(&ack(n)).unwrap();
                assert_eq!(effects.report(), Some(&[8 * n][..]));
            }
            datapath.restart();
            assert_eq!(datapath.invoke(&ack(9)), Err(Code::NO_PROGRAM));
        }
    }
}
