// SPDX-License-Identifier: GPL-2.0

//! No input makes either side panic, or leaves it without a sane state.

use crate::SECOND;
use ccp_core::multfrc::{Ack, Packet, Receiver, Report, Sender, Settings, Verdict, Weight};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Send(u64, u32),
    Sent(u64, u64, u32),
    Parse(u8, Vec<u8>),
    Report(Report),
    Feedback(u64, u64, u64),
    Expired(u64),
}

/// Small numbers, and any.
fn wide() -> impl Strategy<Value = u64> {
    prop_oneof![
        0..1000_u64,
        any::<u64>(),
        (0_u32..64).prop_map(|bit| 1 << bit)
    ]
}

fn time() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 0..SECOND, 1 => any::<u64>()]
}

fn options() -> impl Strategy<Value = (u8, Vec<u8>)> {
    let number = prop_oneof![Just(184_u8), 192..195_u8, 248..250_u8, any::<u8>()];
    (number, prop::collection::vec(any::<u8>(), 0..9))
}

fn reports() -> impl Strategy<Value = Report> {
    (wide(), wide(), wide()).prop_map(|(interval, rate, lost)| Report {
        interval,
        rate,
        lost: lost as u32,
    })
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        (time(), wide()).prop_map(|(time, len)| Step::Send(time, len as u32)),
        (time(), wide(), wide()).prop_map(|(time, seqno, len)| Step::Sent(time, seqno, len as u32)),
        options().prop_map(|(number, value)| Step::Parse(number, value)),
        reports().prop_map(Step::Report),
        (time(), wide(), wide()).prop_map(|(time, seqno, wait)| Step::Feedback(time, seqno, wait)),
        time().prop_map(Step::Expired),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Times are relative to the step before, or any.
    #[test]
    fn a_sender(
        flows in 1_u32..=64 << 16,
        rtt in any::<u32>(),
        rto_min in wide(),
        damping in any::<bool>(),
        steps in prop::collection::vec(steps(), 1..200),
    ) {
        let settings = Settings { rto_min, damping };
        let mut sender = Sender::new(Weight::new(flows).unwrap(), settings);
        sender.handshake(rtt);
        let mut now = 0_u64;
        for step in steps {
            match step {
                Step::Send(time, len) => {
                    now = now.wrapping_add(time);
                    match sender.send(now, len) {
                        Verdict::Send { ccval } => prop_assert!(ccval < 16 && len > 0),
                        Verdict::Wait { ns } => prop_assert!(ns > 0),
                        Verdict::Drop => prop_assert_eq!(len, 0),
                    }
                }
                Step::Sent(time, seqno, len) => {
                    now = now.wrapping_add(time);
                    sender.sent(now, seqno, len);
                }
                Step::Parse(number, value) => {
                    let _ = sender.parse(number, &value);
                }
                Step::Report(report) => {
                    for option in report.options() {
                        prop_assert_eq!(sender.parse(option.number, option.value()), Ok(true));
                    }
                }
                Step::Feedback(time, seqno, elapsed) => {
                    now = now.wrapping_add(time);
                    sender.feedback(now, &Ack { seqno, elapsed });
                }
                Step::Expired(time) => {
                    now = now.wrapping_add(time);
                    sender.expired(now);
                }
            }
            let info = sender.info();
            prop_assert_eq!(info.state == 0, info.ipi == 0);
            if info.state > 0 {
                // A packet per 64 s at least, whatever was said; its size is
                // rounded.
                prop_assert!(info.x_inst >= u64::from(info.size));
                prop_assert!(info.ipi >= 1 && info.ipi <= 100 * SECOND);
                prop_assert!(info.rto >= 2 * info.ipi);
            }
        }
    }

    #[test]
    fn a_receiver(
        rtt in any::<u32>(),
        packets in prop::collection::vec(
            (time(), wide(), any::<bool>(), wide(), wide(), any::<u8>(), any::<bool>()),
            1..300,
        ),
        option in options(),
    ) {
        let mut receiver = Receiver::new();
        receiver.handshake(rtt);
        let _ = receiver.parse(option.0, &option.1);
        let (mut now, mut seqno) = (0_u64, 0_u64);
        for (time, number, relative, ndp, len, ccval, data) in packets {
            now = now.wrapping_add(time);
            seqno = if relative { seqno.wrapping_add(number % 50) } else { number };
            let packet = Packet { seqno, ndp, len: len as u32, ccval, data };
            if receiver.packet(now, &packet) {
                let report = receiver.report();
                prop_assert_eq!(report.interval == 0, report.lost == 0);
                prop_assert!(report.interval == 0 || report.interval >= 1 << 16);
                prop_assert!(report.lost == 0 || report.lost >= 1 << 16);
            }
            let info = receiver.info();
            prop_assert!(info.lost_total >= info.events);
        }
    }
}
