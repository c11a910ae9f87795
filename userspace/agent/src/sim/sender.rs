// SPDX-License-Identifier: GPL-2.0
//! The sending end: scoreboard, loss detection, timer, as Linux has them in
//! outline. The window is the program's business.

use super::{receiver::Echo, Time, INIT_CWND, MSS};
use std::collections::{BTreeSet, VecDeque};

/// `TCP_INFINITE_SSTHRESH`.
pub(super) const INFINITE: u32 = 0x7fff_ffff;
/// A packet is lost when this many sent after it have arrived.
const REORDERING: u64 = 3;
/// `TCP_RTO_MIN`.
const RTO_MIN: Time = 200_000_000;
/// `TCP_TIMEOUT_INIT`.
const RTO_FIRST: Time = 1_000_000_000;
const RTO_MAX: Time = 120_000_000_000;

/// A packet on its way.
#[derive(Copy, Clone, Debug)]
pub(super) struct Packet {
    pub(super) sequence: u64,
    /// Which transmission of the flow this is.
    order: u64,
    sent: Time,
    retransmitted: bool,
    /// For the rate sample: how things stood when it was sent.
    delivered: u32,
    delivered_at: Time,
    first_sent: Time,
    app_limited: bool,
    /// Congestion experienced.
    pub(super) marked: bool,
    /// CWR: the sender has reacted.
    pub(super) answered: bool,
}

#[derive(Copy, Clone, Debug, Eq, PartialEq)]
enum Segment {
    /// In flight, by its last transmission.
    Sent(u64),
    Arrived,
    Lost,
}

/// `enum tcp_ca_state`, with its numbers.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) enum State {
    Open = 0,
    Cwr = 2,
    Recovery = 3,
    Loss = 4,
}

/// The kernel's `struct rate_sample`.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct RateSample {
    pub(super) delivered: i32,
    pub(super) interval_us: i64,
    pub(super) rtt_us: i64,
    pub(super) send_us: u32,
    pub(super) receive_us: u32,
    pub(super) app_limited: bool,
}

pub(super) struct Sender {
    pub(super) cwnd: u32,
    /// Pacing rate, bytes per second; all ones is unlimited.
    pub(super) rate: u64,
    pub(super) ssthresh: u32,
    pub(super) delivered: u32,
    pub(super) delivered_marked: u32,
    pub(super) lost: u32,
    pub(super) state: State,
    /// ECE on the last acknowledgement.
    pub(super) congestion: bool,
    pub(super) sample: RateSample,
    /// Sequence of the first packet not acknowledged.
    first: u64,
    segments: VecDeque<Segment>,
    in_flight: u32,
    arrived: u32,
    /// Lost and not sent again yet.
    waiting: BTreeSet<u64>,
    /// Transmissions not known to have arrived, oldest first, with their
    /// sequences. Those that have are left until they come to the front.
    sent: VecDeque<(u64, u64)>,
    order: u64,
    newest: u64,
    /// Recovery ends when everything below is acknowledged.
    high: u64,
    answer: bool,
    srtt: Time,
    variation: Time,
    pub(super) min_rtt: Time,
    backoff: u32,
    timer: Option<Time>,
    version: u64,
    delivered_at: Time,
    first_sent: Time,
    next_send: Time,
    /// Bytes per second the application writes.
    source: Option<u64>,
    start: Time,
    limited: bool,
    woken: Time,
}

impl Sender {
    pub(super) fn new(now: Time, source: Option<u64>) -> Self {
        Self {
            cwnd: INIT_CWND,
            rate: u64::MAX,
            ssthresh: INFINITE,
            delivered: 0,
            delivered_marked: 0,
            lost: 0,
            state: State::Open,
            congestion: false,
            sample: RateSample::default(),
            first: 0,
            segments: VecDeque::new(),
            in_flight: 0,
            arrived: 0,
            waiting: BTreeSet::new(),
            sent: VecDeque::new(),
            order: 0,
            newest: 0,
            high: 0,
            answer: false,
            srtt: 0,
            variation: 0,
            min_rtt: Time::MAX,
            backoff: 0,
            timer: None,
            version: 0,
            delivered_at: now,
            first_sent: now,
            next_send: now,
            source: source.map(|bits| bits / 8),
            start: now,
            limited: false,
            woken: 0,
        }
    }

    pub(super) fn in_flight(&self) -> u32 {
        self.in_flight
    }

    pub(super) fn sacked(&self) -> u32 {
        self.arrived
    }

    /// Bytes acknowledged.
    pub(super) fn acked(&self) -> u64 {
        self.first * u64::from(MSS)
    }

    pub(super) fn in_recovery(&self) -> bool {
        matches!(self.state, State::Recovery | State::Loss)
    }

    pub(super) fn srtt_us(&self) -> u32 {
        u32::try_from(self.srtt / 1000).unwrap_or(u32::MAX)
    }

    pub(super) fn app_limited(&self) -> bool {
        self.source.is_some() && !self.limited
    }

    /// `tcp_is_cwnd_limited()`.
    pub(super) fn cwnd_limited(&self) -> bool {
        let most = u32::try_from(self.segments.len()).unwrap_or(u32::MAX / 2);
        self.limited || (self.cwnd < self.ssthresh && self.cwnd < 2 * most)
    }

    /// Packets the application has written.
    fn written(&self, now: Time) -> u64 {
        match self.source {
            None => u64::MAX,
            Some(rate) => {
                let bytes = u128::from(now - self.start) * u128::from(rate) / 1_000_000_000;
                u64::try_from(bytes / u128::from(MSS)).unwrap_or(u64::MAX)
            }
        }
    }

    /// The next packet to send, if window, pacing and application allow one.
    pub(super) fn next_packet(&mut self, now: Time) -> Option<Packet> {
        self.limited = self.in_flight >= self.cwnd;
        if self.limited || now < self.next_send {
            return None;
        }
        let lost = self.waiting.first().copied();
        let sequence = lost.unwrap_or(self.first + self.segments.len() as u64);
        if lost.is_none() && sequence >= self.written(now) {
            return None;
        }
        if self.in_flight == 0 {
            self.first_sent = now;
            self.delivered_at = now;
        }
        self.order += 1;
        let state = Segment::Sent(self.order);
        match self.index(sequence) {
            Some(index) => {
                self.segments[index] = state;
                self.waiting.remove(&sequence);
            }
            None => self.segments.push_back(state),
        }
        self.sent.push_back((self.order, sequence));
        self.in_flight += 1;
        if self.rate != u64::MAX {
            let gap = u64::from(MSS) * 1_000_000_000 / self.rate.max(1);
            self.next_send = now.max(self.next_send) + gap;
        }
        Some(Packet {
            sequence,
            order: self.order,
            sent: now,
            retransmitted: lost.is_some(),
            delivered: self.delivered,
            delivered_at: self.delivered_at,
            first_sent: self.first_sent,
            app_limited: self.source.is_some(),
            marked: false,
            answered: std::mem::take(&mut self.answer),
        })
    }

    /// When to try again to send, though no acknowledgement may come.
    pub(super) fn wake_at(&mut self, now: Time) -> Option<Time> {
        if self.in_flight >= self.cwnd {
            return None;
        }
        let written = match self.source {
            Some(rate) => {
                let next = self.first + self.segments.len() as u64 + 1;
                let wait =
                    u128::from(next) * u128::from(MSS) * 1_000_000_000 / u128::from(rate.max(1));
                self.start + u64::try_from(wait).unwrap_or(u64::MAX) + 1
            }
            None => now,
        };
        let wake = written.max(self.next_send);
        (wake > now && wake != self.woken).then(|| {
            self.woken = wake;
            wake
        })
    }

    /// Takes an acknowledgement in. False when it says nothing new.
    pub(super) fn acknowledge(&mut self, echo: &Echo, now: Time) -> bool {
        let packet = &echo.packet;
        self.congestion = echo.congestion;
        let index = self.index(packet.sequence);
        let old = index.map(|index| std::mem::replace(&mut self.segments[index], Segment::Arrived));
        let news = match old {
            Some(Segment::Sent(_)) => {
                self.in_flight -= 1;
                true
            }
            Some(Segment::Lost) => self.waiting.remove(&packet.sequence),
            Some(Segment::Arrived) | None => false,
        };
        self.arrived += u32::from(news);
        if news {
            self.delivered += 1;
            self.delivered_marked += u32::from(packet.marked);
            self.newest = self.newest.max(packet.order);
            self.take_sample(packet, now);
        } else {
            self.sample = RateSample::default();
        }
        let before = self.first;
        while self.first < echo.next && self.segments.front() == Some(&Segment::Arrived) {
            self.segments.pop_front();
            self.arrived -= 1;
            self.first += 1;
        }
        if self.first > before {
            self.backoff = 0;
            self.timer = None;
        }
        self.detect();
        news || self.first > before
    }

    fn take_sample(&mut self, packet: &Packet, now: Time) {
        let us = |time: Time| time / 1000;
        let send = packet.sent.saturating_sub(packet.first_sent);
        let receive = now.saturating_sub(packet.delivered_at);
        let delivered = self.delivered.wrapping_sub(packet.delivered);
        self.first_sent = packet.sent;
        self.delivered_at = now;
        let mut rtt_us = -1;
        if !packet.retransmitted {
            let rtt = now - packet.sent;
            rtt_us = i64::try_from(us(rtt)).unwrap_or(i64::MAX);
            self.min_rtt = self.min_rtt.min(rtt);
            if self.srtt == 0 {
                self.srtt = rtt;
                self.variation = rtt / 2;
            } else {
                self.variation = (3 * self.variation + self.srtt.abs_diff(rtt)) / 4;
                self.srtt = (7 * self.srtt + rtt) / 8;
            }
        }
        self.sample = RateSample {
            delivered: i32::try_from(delivered).unwrap_or(i32::MAX),
            interval_us: i64::try_from(us(send.max(receive))).unwrap_or(i64::MAX),
            rtt_us,
            send_us: u32::try_from(us(send)).unwrap_or(u32::MAX),
            receive_us: u32::try_from(us(receive)).unwrap_or(u32::MAX),
            app_limited: packet.app_limited,
        };
    }

    /// Where a sequence is on the scoreboard, if it is.
    fn index(&self, sequence: u64) -> Option<usize> {
        let index = usize::try_from(sequence.checked_sub(self.first)?).ok()?;
        (index < self.segments.len()).then_some(index)
    }

    fn lose(&mut self, sequence: u64) {
        if let Some(index) = self.index(sequence) {
            self.segments[index] = Segment::Lost;
            self.waiting.insert(sequence);
            self.in_flight -= 1;
            self.lost += 1;
        }
    }

    /// Finds losses, and enters and leaves the states of recovery.
    fn detect(&mut self) {
        let mut found = false;
        while let Some(&(order, sequence)) = self.sent.front() {
            let index = self.index(sequence);
            let current = index.is_some_and(|index| self.segments[index] == Segment::Sent(order));
            if current && order + REORDERING > self.newest {
                break;
            }
            self.sent.pop_front();
            if current {
                self.lose(sequence);
                found = true;
            }
        }
        // CWR is held until a packet after it is acknowledged, which tells
        // the receiver.
        let held = u64::from(self.state == State::Cwr);
        if self.state != State::Open && self.first >= self.high + held {
            self.state = State::Open;
        }
        let end = self.first + self.segments.len() as u64;
        if found && !self.in_recovery() {
            if self.state == State::Open {
                self.ssthresh = (self.cwnd / 2).max(2);
            }
            self.state = State::Recovery;
            self.high = end;
        } else if self.congestion && self.state == State::Open {
            self.ssthresh = (self.cwnd / 2).max(2);
            self.state = State::Cwr;
            self.high = end;
            self.answer = true;
        }
    }

    /// The retransmission timer: when it fires and which one it is, if it has
    /// to be set.
    pub(super) fn arm(&mut self, now: Time) -> Option<(Time, u64)> {
        if self.segments.is_empty() {
            self.timer = None;
            self.version += 1;
            return None;
        }
        if self.timer.is_some() {
            return None;
        }
        let rto = match self.srtt {
            0 => RTO_FIRST,
            srtt => srtt + (4 * self.variation).max(RTO_MIN),
        };
        let time = now + (rto << self.backoff.min(10)).min(RTO_MAX);
        self.timer = Some(time);
        self.version += 1;
        Some((time, self.version))
    }

    /// The timer fires: everything in flight is lost. False when it was reset.
    pub(super) fn expire(&mut self, version: u64) -> bool {
        if version != self.version || self.timer.is_none() {
            return false;
        }
        for index in 0..self.segments.len() {
            if matches!(self.segments[index], Segment::Sent(_)) {
                self.lose(self.first + index as u64);
            }
        }
        self.sent.clear();
        if matches!(self.state, State::Open) {
            self.ssthresh = (self.cwnd / 2).max(2);
        }
        self.state = State::Loss;
        self.high = self.first + self.segments.len() as u64;
        self.cwnd = self.in_flight + 1;
        self.sample = RateSample::default();
        self.backoff += 1;
        self.timer = None;
        true
    }
}
