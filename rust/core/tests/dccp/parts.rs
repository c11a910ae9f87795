// SPDX-License-Identifier: GPL-2.0

//! What the two sides are made of.

use crate::{MILLISECOND, SECOND};
use ccp_core::multfrc::{
    data_limited::DataLimited,
    losses::{Hole, Losses},
    receive_rates::ReceiveRates,
    reordering::{Arrival, Place, Reordering},
    sent::{History, Sent},
    seqno::distance,
    window_counter::WindowCounter,
};

const TOP: u64 = (1 << 48) - 1;

#[test]
fn sequence_numbers_go_round() {
    assert_eq!(distance(5, 7), 2);
    assert_eq!(distance(7, 5), -2);
    assert_eq!(distance(TOP, 0), 1);
    assert_eq!(distance(0, TOP), -1);
    assert_eq!(distance(TOP - 3, 4), 8);
    assert_eq!(distance(0, 1 << 47), -(1 << 47));
}

#[test]
fn the_window_counter_counts_quarters() {
    let mut counter = WindowCounter::new(SECOND);
    let rtt = 100 * MILLISECOND;
    assert_eq!(counter.advance(SECOND + 24 * MILLISECOND, rtt), 0);
    // What is over is not lost: 4 per round trip, however they are sent.
    let mut now = SECOND;
    for _ in 0..1000 {
        now += 7 * MILLISECOND;
        counter.advance(now, rtt);
    }
    assert_eq!(counter.value(), 280);
    // A pause is 5, also one at which 32 bits overflow.
    now += 3_000_000 * SECOND;
    assert_eq!(counter.advance(now, rtt), 285);
    assert_eq!(counter.advance(now + 25 * MILLISECOND, rtt), 286);
    // No round-trip time, and a clock that doesn't go on.
    assert_eq!(counter.advance(now, 0), 286);
    assert_eq!(counter.advance(0, rtt), 286);
}

#[test]
fn an_acknowledged_packet_was_four_quarters_ago() {
    let mut counter = WindowCounter::new(0);
    let rtt = 1000 * MILLISECOND;
    assert_eq!(counter.advance(500 * MILLISECOND, rtt), 2);
    counter.acknowledged(600 * MILLISECOND, 1);
    assert_eq!(counter.value(), 5);
    counter.acknowledged(700 * MILLISECOND, 1);
    counter.acknowledged(700 * MILLISECOND, 0);
    assert_eq!(counter.value(), 5);
}

fn history(packets: u64) -> History {
    let mut history = History::new();
    for packet in 0..packets {
        history.add(Sent {
            seqno: (TOP - 100 + packet) & TOP,
            at: (packet + 1) * MILLISECOND,
            counter: packet / 10,
        });
    }
    history
}

#[test]
fn a_packet_is_acknowledged_once() {
    let mut sent = history(20);
    let found = sent.acknowledge(TOP - 90).unwrap();
    assert_eq!((found.at, found.counter), (11 * MILLISECOND, 1));
    assert!(found.sample);
    // Again, and an older one that was overtaken.
    assert!(!sent.acknowledge(TOP - 90).unwrap().sample);
    assert_eq!(sent.acknowledge(TOP - 91), None);
    assert!(sent.acknowledge(TOP - 81).unwrap().sample);
    // Not sent, or without data: the last one with data before it.
    let found = sent.acknowledge(TOP - 70).unwrap();
    assert_eq!((found.at, found.sample), (20 * MILLISECOND, false));
    assert_eq!(History::new().acknowledge(5), None);
}

#[test]
fn packets_without_data_have_no_time() {
    let mut sent = History::new();
    for (seqno, at) in [(10, 1), (11, 2), (15, 3)] {
        sent.add(Sent {
            seqno,
            at,
            counter: at,
        });
    }
    let found = sent.acknowledge(13).unwrap();
    assert_eq!((found.at, found.counter, found.sample), (2, 2, false));
    assert_eq!(sent.acknowledge(9), None);
    assert!(sent.acknowledge(15).unwrap().sample);
}

/// Of 5000 packets every 128th is kept; the others' times are interpolated.
#[test]
fn long_flights_are_thinned() {
    for packet in [0, 1, 101, 102, 127, 1000, 2345, 4998, 4999] {
        let mut sent = history(5000);
        let found = sent.acknowledge((TOP - 100 + packet) & TOP).unwrap();
        assert_eq!(found.at, (packet + 1) * MILLISECOND, "{packet}");
        assert!(found.sample);
    }
    let mut sent = history(5000);
    for packet in 0..5000 {
        assert!(sent.acknowledge((TOP - 100 + packet) & TOP).unwrap().sample);
    }
    // Once it was all acknowledged, all are kept again.
    for seqno in 5000..5600 {
        sent.add(Sent {
            seqno,
            at: seqno,
            counter: 0,
        });
        let found = sent.acknowledge(seqno).unwrap();
        assert_eq!((found.at, found.sample), (seqno, true));
    }
    sent.add(Sent {
        seqno: 6000,
        at: 6000,
        counter: 0,
    });
    assert!(!sent.acknowledge(5800).unwrap().sample);
}

/// Each packet's place, and the holes in `(before, after)`.
fn arrive(seqnos: &[u64]) -> (Vec<Place>, Vec<(u64, u64)>) {
    let mut order = Reordering::new();
    let mut holes = Vec::new();
    let places = seqnos.iter().map(|&seqno| {
        let place = order.place(seqno);
        if place != Place::Known {
            order.insert(Arrival {
                seqno,
                ..Arrival::default()
            });
            while let Some((before, after)) = order.decided() {
                if distance(before.seqno, after.seqno) > 1 {
                    holes.push((before.seqno, after.seqno));
                }
            }
        }
        place
    });
    (places.collect(), holes)
}

#[test]
fn three_later_packets_make_a_loss() {
    assert_eq!(arrive(&[1, 2, 4, 5]).1, []);
    assert_eq!(arrive(&[1, 2, 4, 5, 6]).1, [(2, 4)]);
    assert_eq!(arrive(&[1, 2, 4, 6, 8]).1, [(2, 4)]);
    assert_eq!(arrive(&[1, 2, 4, 6, 8, 9, 10]).1, [(2, 4), (4, 6), (6, 8)]);
    assert_eq!(arrive(&[TOP, 2, 3, 4]).1, [(TOP, 2)]);
}

#[test]
fn overtaken_packets_are_no_loss() {
    use Place::{Known, Newest, Overtaken};
    let (places, holes) = arrive(&[1, 3, 4, 2, 5, 7, 6, 6, 3]);
    assert_eq!(
        places,
        [Newest, Newest, Newest, Overtaken, Newest, Newest, Overtaken, Known, Known]
    );
    assert_eq!(holes, []);
    let (places, holes) = arrive(&[1, 3, 4, 5, 2]);
    assert_eq!(places[4], Known);
    assert_eq!(holes, [(1, 3)]);
    assert_eq!(
        arrive(&[0, TOP, 1, TOP - 1]).0,
        [Newest, Known, Newest, Known]
    );
}

fn hole(before: u64, lost: u64, from: u64, to: u64) -> Hole {
    Hole {
        before,
        lost,
        from,
        to,
    }
}

#[test]
fn losses_within_a_round_trip_are_one_event() {
    let mut losses = Losses::new();
    assert!(losses.add(&hole(100, 2, 5000, 5010), 77));
    // A round trip is 1024.
    assert!(!losses.add(&hole(150, 3, 5990, 6000), 77));
    assert_eq!((losses.events(), losses.lost()), (1, 5));
    losses.extend(200);
    let mean = losses.mean().unwrap();
    assert_eq!((mean.interval, mean.lost), (100 << 16, 5 << 16));
    assert!(losses.add(&hole(250, 1, 6026, 6030), 77));
    losses.extend(252);
    // Two closed: 150 packets with 5 losses, and what was made up.
    let mean = losses.mean().unwrap();
    assert_eq!((mean.interval, mean.lost), ((227 << 16) / 2, 3 << 16));
}

/// An outage of several round trips is that many events.
#[test]
fn a_long_hole_is_split() {
    let mut losses = Losses::new();
    losses.add(&hole(10, 1, 1000, 1001), 50);
    assert!(losses.add(&hole(500, 399, 3000, 3000 + 4 * 1024), 50));
    assert_eq!((losses.events(), losses.lost()), (5, 400));
    losses.extend(900);
    let mean = losses.mean().unwrap();
    // 100, 100, 100, 490, and 50 with a weight of 0.8; of these
    // 100, 100, 100, 1 and 1 lost.
    assert!(
        mean.interval.abs_diff((8300 << 16) / 48) < 1 << 16,
        "{mean:?}"
    );
    assert!(mean.lost.abs_diff((3018 << 16) / 48) < 1 << 16, "{mean:?}");
}

#[test]
fn a_hole_of_any_size_is_counted() {
    let mut losses = Losses::new();
    assert!(losses.add(&hole(0, u64::MAX, 0, u64::MAX), u64::MAX));
    assert!(!losses.add(&hole(u64::MAX, 1 << 47, 9, 8), 0));
    assert_eq!(losses.lost(), 1 << 48);
    losses.extend(u64::MAX);
    assert!(losses.mean().is_some());
}

#[test]
fn old_receive_rates_are_dropped() {
    let mut rates = ReceiveRates::new(0);
    assert_eq!(rates.max(), u64::MAX);
    rates.update(90, 700, 100);
    assert_eq!(rates.max(), u64::MAX);
    rates.update(210, 500, 100);
    assert_eq!(rates.max(), 700);
    rates.update(295, 300, 100);
    assert_eq!(rates.max(), 500);
    for at in 300..310 {
        rates.update(at, 1, 100);
    }
    assert_eq!(rates.max(), 1);
}

#[test]
fn a_limited_sender_keeps_its_largest() {
    let mut rates = ReceiveRates::new(0);
    rates.maximize(10, 400);
    assert_eq!(rates.max(), 400);
    rates.maximize(10_000, 300);
    assert_eq!(rates.max(), 400);
    rates.halve();
    rates.maximize(10_000, 100);
    assert_eq!(rates.max(), 200);
    let mut rates = ReceiveRates::new(0);
    rates.halve();
    rates.maximize(10, 3);
    assert_eq!(rates.max(), 3);
}

#[test]
fn an_interval_is_limited_unless_the_rate_was_used_up_in_it() {
    let mut limited = DataLimited::new();
    limited.used_up(10);
    assert!(!limited.report(20, 10));
    assert!(limited.report(30, 19));
    limited.used_up(31);
    // It acknowledges what was sent before.
    assert!(limited.report(40, 30));
    limited.used_up(45);
    assert!(!limited.report(50, 44));
    assert!(!limited.report(60, 46));
    assert!(limited.report(70, 60));
}
