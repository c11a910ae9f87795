// SPDX-License-Identifier: GPL-2.0

//! A sender and a receiver, with a path between them; deterministic.

use crate::SECOND;
use ccp_core::multfrc::{Ack, Packet, Receiver, Sender, Settings, Verdict, Weight, WireOption};
use std::{cmp::Reverse, collections::BinaryHeap};

const SEQNOS: u64 = 1 << 48;

/// xorshift64*.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// In [0, 1).
    pub(crate) fn real(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// What the application has to send.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Source {
    Greedy,
    /// A packet every so many ns.
    Every(u64),
    Silent,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Send,
    Produce,
    Expire,
    /// A packet without data, from the sender.
    Bare,
    Arrive {
        seqno: u64,
        ndp: u64,
        ccval: u8,
        data: bool,
        offered: bool,
    },
    Report {
        seqno: u64,
        options: [(u8, u8, [u8; 6]); 4],
    },
}

type Fate = Box<dyn FnMut(u64, u64) -> bool>;

pub(crate) struct Network {
    pub(crate) now: u64,
    pub(crate) sender: Sender,
    pub(crate) receiver: Receiver,
    /// Data packets sent.
    pub(crate) packets: u64,
    /// Reports that reached the sender.
    pub(crate) reports: u64,
    /// When packets were sent.
    pub(crate) times: Vec<u64>,
    pub(crate) size: u32,
    /// One way, ns.
    pub(crate) delay: u64,
    /// The time a bottleneck takes for a packet, and packets it can queue.
    pub(crate) bottleneck: Option<(u64, u64)>,
    /// Whether the data packet of this number, sent now, gets lost.
    pub(crate) lose: Fate,
    /// Whether that packet without data does.
    pub(crate) lose_bare: Fate,
    /// Whether a report gets lost.
    pub(crate) lose_report: Fate,
    /// Whether a data packet takes longer, and how much.
    pub(crate) late: Box<dyn FnMut(u64) -> u64>,
    source: Source,
    backlog: u64,
    seqno: u64,
    /// Packets without data since the last with.
    ndp: u64,
    bare_every: u64,
    bares: u64,
    free_at: u64,
    send_at: u64,
    greatest: Option<u64>,
    reports_sent: u64,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    order: u64,
}

impl Network {
    pub(crate) fn new(weight: Weight, rtt: u64) -> Self {
        Self::with(weight, rtt, Settings::default())
    }

    pub(crate) fn with(weight: Weight, rtt: u64, settings: Settings) -> Self {
        let mut new = Self {
            now: 5 * SECOND,
            sender: Sender::new(weight, settings),
            receiver: Receiver::new(),
            packets: 0,
            reports: 0,
            times: Vec::new(),
            size: 1000,
            delay: rtt / 2,
            bottleneck: None,
            lose: Box::new(|_, _| false),
            lose_bare: Box::new(|_, _| false),
            lose_report: Box::new(|_, _| false),
            late: Box::new(|_| 0),
            source: Source::Greedy,
            backlog: 0,
            // They wrap soon.
            seqno: SEQNOS - 50,
            ndp: 0,
            bare_every: 0,
            bares: 0,
            free_at: 0,
            send_at: 0,
            greatest: None,
            reports_sent: 0,
            events: BinaryHeap::new(),
            order: 0,
        };
        new.sender.handshake((rtt / 1000) as u32);
        new.receiver.handshake((rtt / 1000) as u32);
        new.offer(Source::Greedy);
        new
    }

    /// The application changes what it has.
    pub(crate) fn offer(&mut self, source: Source) {
        self.source = source;
        self.backlog = 0;
        match source {
            Source::Greedy => self.schedule_send(self.now),
            Source::Every(_) => self.schedule(self.now, Event::Produce),
            Source::Silent => (),
        }
    }

    /// The sender's host has packets without data to send, too.
    pub(crate) fn bare(&mut self, every: u64) {
        self.bare_every = every;
        self.schedule(self.now, Event::Bare);
    }

    /// Runs for `time` ns.
    pub(crate) fn run(&mut self, time: u64) {
        let end = self.now + time;
        while let Some(Reverse((at, _, _))) = self.events.peek() {
            if *at > end {
                break;
            }
            let Reverse((at, _, event)) = self.events.pop().expect("peeked");
            self.now = at;
            self.handle(event);
        }
        self.now = end;
    }

    /// Payload sent per second while running for `time`.
    pub(crate) fn rate(&mut self, time: u64) -> f64 {
        let before = self.packets;
        self.run(time);
        let sent = (self.packets - before) as f64 * f64::from(self.size);
        sent * 1e9 / time as f64
    }

    /// X, bytes per second.
    pub(crate) fn x(&self) -> f64 {
        self.sender.info().x as f64 / 64.0
    }

    fn schedule(&mut self, at: u64, event: Event) {
        self.order += 1;
        self.events.push(Reverse((at, self.order, event)));
    }

    fn schedule_send(&mut self, at: u64) {
        self.send_at = at;
        self.schedule(at, Event::Send);
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Send if self.send_at == self.now => self.send(),
            Event::Send => (),
            Event::Produce => {
                if let Source::Every(ns) = self.source {
                    self.backlog += 1;
                    self.send();
                    self.schedule(self.now + ns, Event::Produce);
                }
            }
            Event::Expire => {
                if self.sender.expired(self.now) {
                    self.rearm();
                }
            }
            Event::Bare => {
                self.ndp += 1;
                self.transmit(0, false);
                self.schedule(self.now + self.bare_every, Event::Bare);
            }
            Event::Arrive {
                seqno,
                ndp,
                ccval,
                data,
                offered,
            } => self.arrive(seqno, ndp, ccval, data, offered),
            Event::Report { seqno, options } => self.report(seqno, &options),
        }
    }

    fn send(&mut self) {
        while self.source == Source::Greedy || self.backlog > 0 {
            match self.sender.send(self.now, self.size) {
                Verdict::Send { ccval } => {
                    self.backlog = self.backlog.saturating_sub(1);
                    let seqno = self.transmit(ccval, true);
                    let first = self.packets == 0;
                    self.packets += 1;
                    self.times.push(self.now);
                    self.sender.sent(self.now, seqno, self.size);
                    if first {
                        self.schedule(self.sender.timers().expire, Event::Expire);
                    }
                }
                Verdict::Wait { ns } => {
                    assert!(ns > 0);
                    self.schedule_send(self.now + ns);
                    break;
                }
                Verdict::Drop => panic!("a packet with payload"),
            }
        }
    }

    fn rearm(&mut self) {
        let timers = self.sender.timers();
        self.schedule(timers.expire, Event::Expire);
        if self.source == Source::Greedy || self.backlog > 0 {
            self.schedule_send(timers.send.max(self.now));
        }
    }

    fn transmit(&mut self, ccval: u8, data: bool) -> u64 {
        self.seqno = (self.seqno + 1) % SEQNOS;
        let mut leaves = self.now;
        let mut lost = if data {
            (self.lose)(self.packets, self.now)
        } else {
            self.bares += 1;
            (self.lose_bare)(self.bares, self.now)
        };
        if let Some((time, room)) = self.bottleneck {
            let waiting = self.free_at.saturating_sub(self.now);
            lost |= waiting > time * room;
            if !lost {
                self.free_at = self.now + waiting + time;
                leaves = self.free_at;
            }
        }
        let late = if data { (self.late)(self.packets) } else { 0 };
        let offered = data && self.sender.option().is_some();
        let ndp = if data {
            std::mem::take(&mut self.ndp)
        } else {
            self.ndp - 1
        };
        let arrive = Event::Arrive {
            seqno: self.seqno,
            ndp,
            ccval,
            data,
            offered,
        };
        if !lost {
            self.schedule(leaves + self.delay + late, arrive);
        }
        self.seqno
    }

    fn arrive(&mut self, seqno: u64, ndp: u64, ccval: u8, data: bool, offered: bool) {
        let newer = |greatest: u64| (seqno.wrapping_sub(greatest) << 16) as i64 > 0;
        if self.greatest.is_none_or(newer) {
            self.greatest = Some(seqno);
        }
        if let Some(option) = self.sender.option().filter(|_| offered) {
            let taken = self.receiver.parse(option.number, option.value());
            assert_eq!(taken, Ok(true));
        }
        let packet = Packet {
            seqno,
            ndp,
            len: if data { self.size } else { 0 },
            ccval,
            data,
        };
        if !self.receiver.packet(self.now, &packet) {
            return;
        }
        self.reports_sent += 1;
        if (self.lose_report)(self.reports_sent, self.now) {
            return;
        }
        let options = self
            .receiver
            .options()
            .map(|option| (option.number, option.len, option.value));
        let seqno = self.greatest.expect("something arrived");
        self.schedule(self.now + self.delay, Event::Report { seqno, options });
    }

    fn report(&mut self, seqno: u64, options: &[(u8, u8, [u8; 6]); 4]) {
        self.reports += 1;
        for &(number, len, value) in options {
            let option = WireOption { number, len, value };
            assert_eq!(self.sender.parse(number, option.value()), Ok(true));
        }
        let ack = Ack { seqno, elapsed: 0 };
        if self.sender.feedback(self.now, &ack) {
            self.rearm();
        }
    }
}
