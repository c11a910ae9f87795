// SPDX-License-Identifier: GPL-2.0

//! The nofeedback timer, and times that nobody expects.

use crate::{
    near,
    network::{Network, Source},
    weight, MILLISECOND, SECOND,
};
use ccp_core::multfrc::{Ack, Packet, Receiver, Report, Sender, Settings, Verdict};

/// A flow in its steady state, whose reports stop.
fn deaf(every: u64) -> Network {
    let mut network = Network::new(weight(2.0), 50 * MILLISECOND);
    network.lose = Box::new(move |packet, _| every > 0 && packet % every == 0);
    if every == 0 {
        network.offer(Source::Every(MILLISECOND));
    }
    network.run(20 * SECOND);
    let end = network.now;
    network.lose_report = Box::new(move |_, now| now > end);
    network
}

#[test]
fn without_reports_the_rate_halves() {
    for every in [0, 100] {
        let mut network = deaf(every);
        network.run(60 * MILLISECOND);
        let before = network.x();
        let info = network.sender.info();
        assert!(info.rto >= 4 * info.rtt);
        // Reports on their way are in; the timer runs from the last.
        let mut changes = Vec::new();
        let mut x = before;
        for _ in 0..20_000 {
            network.run(MILLISECOND);
            if network.x() < x {
                changes.push(network.now);
                near(network.x(), x / 2.0, 0.02);
                x = network.x();
            }
        }
        assert!(changes.len() >= 6, "{changes:?}");
        let rto = network.sender.info().rto;
        for pair in changes.windows(2) {
            let apart = pair[1] - pair[0];
            assert!(
                apart >= 4 * info.rtt - MILLISECOND && apart <= rto + MILLISECOND,
                "{apart} of {rto}"
            );
        }
        // Down to a packet per 64 s, and no more.
        network.run(3000 * SECOND);
        near(network.x(), 1000.0 / 64.0, 1e-6);
        assert_eq!(network.sender.info().ipi, 64 * SECOND);
    }
}

#[test]
fn it_goes_on_when_reports_come_again() {
    let mut network = deaf(100);
    let before = network.x();
    network.run(SECOND);
    assert!(network.x() < before / 4.0);
    network.lose_report = Box::new(|_, _| false);
    network.run(5 * SECOND);
    near(network.x(), before, 0.01);
}

/// 1 ms, and reports that stay away for 60 ms.
#[test]
fn the_timer_has_a_floor() {
    for (rto_min, halves) in [(0, true), (100 * MILLISECOND, false)] {
        let settings = Settings {
            rto_min,
            damping: false,
        };
        let mut network = Network::with(weight(1.0), MILLISECOND, settings);
        network.lose = Box::new(move |packet, _| packet % 100 == 0);
        network.run(2 * SECOND);
        let (before, start) = (network.x(), network.now);
        assert!(network.sender.info().rto >= rto_min);
        network.lose_report = Box::new(move |_, now| now < start + 60 * MILLISECOND);
        network.run(60 * MILLISECOND);
        assert_eq!(network.x() < 0.6 * before, halves, "{}", network.x());
    }
}

/// A flow with nothing to send falls to the rate of a new flow, not below.
#[test]
fn a_pause_leaves_the_rate_of_a_new_flow() {
    for every in [0, 1000] {
        let mut network = Network::new(weight(2.0), 50 * MILLISECOND);
        network.lose = Box::new(move |packet, _| every > 0 && packet % every == 0);
        if every == 0 {
            network.bottleneck = Some((MILLISECOND, u64::MAX >> 32));
        }
        network.run(if every == 0 { SECOND } else { 10 * SECOND });
        let initial = 4.0 * 1000.0 * 1e9 / network.sender.info().rtt as f64;
        assert!(network.x() > 4.0 * initial, "{}", network.x());
        network.offer(Source::Silent);
        network.run(100 * SECOND);
        let initial = 4.0 * 1000.0 * 1e9 / network.sender.info().rtt as f64;
        let x = network.x();
        assert!(
            (0.9 * initial..2.1 * initial).contains(&x),
            "{x} of {initial}"
        );
    }
}

#[test]
fn a_timer_that_fires_early_changes_nothing() {
    let mut sender = Sender::new(weight(1.0), Settings::default());
    assert!(!sender.expired(u64::MAX));
    sender.handshake(100_000);
    assert!(matches!(sender.send(SECOND, 1000), Verdict::Send { .. }));
    sender.sent(SECOND, 1, 1000);
    let timers = sender.timers();
    assert_eq!(timers.expire, 3 * SECOND);
    let x = sender.info().x;
    assert!(!sender.expired(timers.expire - 1));
    assert_eq!((sender.info().x, sender.timers()), (x, timers));
    assert!(sender.expired(timers.expire));
    assert_eq!(sender.info().x, x / 2);
}

fn report(sender: &mut Sender, now: u64, seqno: u64, elapsed: u64, report: Report) -> bool {
    for option in report.options() {
        assert_eq!(sender.parse(option.number, option.value()), Ok(true));
    }
    sender.feedback(now, &Ack { seqno, elapsed })
}

/// Packets 1 to 10, a millisecond apart from second 1 on.
fn sending(settings: Settings) -> Sender {
    let mut sender = Sender::new(weight(1.0), settings);
    for seqno in 1..=10 {
        let now = SECOND + seqno * MILLISECOND;
        sender.send(now, 1000);
        sender.sent(now, seqno, 1000);
    }
    sender
}

#[test]
fn what_the_receiver_waited_is_no_round_trip() {
    let lossless = Report::default();
    for (elapsed, rtt) in [(0, 50), (30, 20), (50, 50), (51, 50), (u64::MAX >> 20, 50)] {
        let mut sender = sending(Settings::default());
        let now = SECOND + 51 * MILLISECOND;
        let elapsed = elapsed * MILLISECOND;
        assert!(report(&mut sender, now, 1, elapsed, lossless));
        assert_eq!(sender.info().rtt, rtt * MILLISECOND);
    }
}

#[test]
fn only_reports_on_packets_sent_count() {
    let mut sender = Sender::new(weight(1.0), Settings::default());
    let lossless = Report::default();
    assert!(!report(&mut sender, SECOND, 1, 0, lossless));
    let mut sender = sending(Settings::default());
    let now = SECOND + 60 * MILLISECOND;
    let ack = Ack {
        seqno: 5,
        elapsed: 0,
    };
    // No options, or those of a packet that acknowledged nothing.
    assert!(!sender.feedback(now, &ack));
    for option in lossless.options() {
        assert_eq!(sender.parse(option.number, option.value()), Ok(true));
    }
    sender.discard();
    assert!(!sender.feedback(now, &ack));
    assert!(!report(&mut sender, now, 0, 0, lossless));
    assert_eq!(sender.info().state, 1);
    assert!(report(&mut sender, now, 5, 0, lossless));
    assert!(!report(&mut sender, now, 4, 0, lossless));
    assert_eq!(sender.info().state, 2);
}

/// Reports on times with little to send: the largest receive rate counts until
/// the loss rate rises.
#[test]
fn little_to_send() {
    let mut sender = Sender::new(weight(1.0), Settings::default());
    sender.handshake(100_000);
    let mut x = |seqno: u64, rate: u64, packets: u64| {
        let now = seqno * SECOND;
        assert!(matches!(sender.send(now, 1000), Verdict::Send { .. }));
        sender.sent(now, seqno, 1000);
        let some = Report {
            interval: packets << 16,
            rate: rate * 64,
            lost: 1 << 16,
        };
        let later = now + 100 * MILLISECOND;
        assert!(report(&mut sender, later, seqno, 0, some));
        sender.info().x as f64 / 64.0
    };
    // The first packet uses up all there is; nothing limits the rate yet.
    assert!(x(1, 100_000, 1_000_000) > 1e7);
    near(x(2, 100, 1_000_000), 200_000.0, 1e-6);
    near(x(3, 100, 1_000_000), 200_000.0, 1e-6);
    near(x(4, 50_000, 900_000), 50_000.0, 1e-6);
    near(x(5, 200_000, 800_000), 170_000.0, 1e-6);
    near(x(6, 100, 800_000), 340_000.0, 1e-6);
}

/// Without a loss event between losses the rate is a packet per 64 s.
#[test]
fn nothing_but_losses() {
    let mut sender = sending(Settings::default());
    let all = Report {
        interval: 1 << 16,
        rate: 1 << 20,
        lost: 9 << 16,
    };
    assert!(report(&mut sender, SECOND + 60 * MILLISECOND, 10, 0, all));
    let info = sender.info();
    assert_eq!((info.x, info.p), (1000, 1_000_000_000));
    assert_eq!(info.ipi, 64 * SECOND);
    assert_eq!(info.rto, 128 * SECOND);
}

/// With damping the rate falls when the round trip gets longer.
#[test]
fn damping() {
    for damping in [false, true] {
        let mut sender = sending(Settings {
            rto_min: 0,
            damping,
        });
        let some = Report {
            interval: 100 << 16,
            rate: 1 << 30,
            lost: 1 << 16,
        };
        assert!(report(&mut sender, SECOND + 21 * MILLISECOND, 1, 0, some));
        let info = sender.info();
        assert_eq!(info.x, info.x_inst);
        assert!(report(&mut sender, SECOND + 84 * MILLISECOND, 4, 0, some));
        let info = sender.info();
        // 0.9 of the root of 20 and 0.1 of the root of 80, over the latter.
        let want = if damping { 0.55 } else { 1.0 };
        near(info.x_inst as f64 / info.x as f64, want, 1e-3);
    }
}

#[test]
fn clocks_at_their_ends() {
    for now in [0, 1, u64::MAX - 1, u64::MAX] {
        let mut sender = Sender::new(weight(1.0), Settings::default());
        let mut receiver = Receiver::new();
        sender.handshake(u32::MAX);
        for seqno in 0..20 {
            sender.send(now, 1000);
            sender.sent(now, seqno, 1000);
            let packet = Packet {
                seqno: seqno * 2,
                ndp: 0,
                len: 1000,
                ccval: (seqno & 15) as u8,
                data: true,
            };
            receiver.packet(now, &packet);
            let made = receiver.report();
            report(&mut sender, now, seqno, 0, made);
            // And back.
            receiver.packet(0, &packet);
            sender.send(0, 1000);
            sender.expired(now);
        }
        assert!(sender.info().x > 0);
    }
}
