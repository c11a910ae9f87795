// SPDX-License-Identifier: GPL-2.0

//! The receiver of a half-connection (RFC 5348, section 6).

use super::{
    arrivals::Arrivals,
    equation::{Weight, FRACTION},
    info::{per_billion, ReceiverInfo},
    losses::{Hole, Losses},
    reordering::{Arrival, Place, Reordering},
    seqno::distance,
    wire::{parse_flows, Malformed, Report, WireOption},
};

/// For want of a round-trip time (RFC 4340, section 3.4), microseconds.
const DEFAULT_RTT: u32 = 200_000;
/// Payload of a packet at most, bytes.
const LARGEST: u32 = 1 << 16;
/// Bits behind the point of the average size.
const SIZE: u32 = 8;

/// A packet that arrived.
#[derive(Clone, Copy, Debug)]
pub struct Packet {
    /// Sequence number.
    pub seqno: u64,
    /// Its NDP Count option; 0 without.
    pub ndp: u64,
    /// Payload, bytes.
    pub len: u32,
    /// CCVal.
    pub ccval: u8,
    /// Whether it is a Data or `DataAck` packet.
    pub data: bool,
}

/// The receiver. Times are ns of one clock that doesn't go back.
#[derive(Clone, Debug)]
pub struct Receiver {
    /// N, once the sender told it.
    weight: Option<Weight>,
    /// Whether the equation is TFRC's.
    tfrc: bool,
    reordering: Reordering,
    arrivals: Arrivals,
    losses: Losses,
    /// Data packets in order, with those lost.
    packets: u64,
    /// s, in 2^-8 bytes; 0 before the first data packet.
    size: u32,
    /// The largest receive rate that was reported.
    largest: u64,
    report: Report,
}

impl Receiver {
    /// Nothing received.
    pub const fn new() -> Self {
        Self {
            weight: None,
            tfrc: false,
            reordering: Reordering::new(),
            arrivals: Arrivals::new(),
            losses: Losses::new(),
            packets: 0,
            size: 0,
            largest: 0,
            report: Report {
                interval: 0,
                rate: 0,
                lost: 0,
            },
        }
    }

    /// One that reckons with the equation of TFRC, or with that of MulTFRC.
    #[must_use]
    pub const fn with_tfrc(mut self, tfrc: bool) -> Self {
        self.tfrc = tfrc;
        self
    }

    /// The round-trip time of the handshake, microseconds; 0 if unknown.
    pub fn handshake(&mut self, rtt: u32) {
        self.arrivals.handshake(u64::from(rtt).saturating_mul(1000));
    }

    /// Takes an option of a packet that the sender sent; false if it isn't
    /// one of ours. The first N holds.
    pub fn parse(&mut self, number: u8, value: &[u8]) -> Result<bool, Malformed> {
        let weight = parse_flows(number, value)?;
        self.weight = self.weight.or(weight);
        Ok(weight.is_some())
    }

    /// A packet arrived. True if a report is to be sent now.
    pub fn packet(&mut self, now: u64, packet: &Packet) -> bool {
        let phase = match self.reordering.place(packet.seqno) {
            Place::Known => return false,
            _ if !packet.data => self.arrivals.phase(now),
            Place::Newest => self.arrivals.newest(now, packet.ccval, packet.len),
            Place::Overtaken => self.arrivals.overtaken(packet.ccval, packet.len),
        };
        let first = packet.data && self.size == 0;
        if packet.data {
            self.measure(packet.len);
        }
        self.reordering.insert(Arrival {
            seqno: packet.seqno,
            ndp: packet.ndp,
            phase,
            data: packet.data,
        });
        let mut event = false;
        while let Some((before, after)) = self.reordering.decided() {
            event |= self.pass(now, &before, &after);
        }
        self.losses.extend(self.packets);
        let due = packet.data && self.arrivals.due();
        if first || due || (event && self.rose()) {
            self.make_report(now, first);
            return true;
        }
        false
    }

    /// The report last made.
    pub const fn report(&self) -> Report {
        self.report
    }

    /// The report last made, as options.
    pub fn options(&self) -> [WireOption; 4] {
        self.report.options()
    }

    /// What it shows of itself.
    pub fn info(&self) -> ReceiverInfo {
        ReceiverInfo {
            x_recv: self.report.rate,
            rtt: self.arrivals.rtt(),
            interval: self.report.interval,
            events: self.losses.events(),
            lost_total: self.losses.lost(),
            p: per_billion(self.report.interval),
            size: self.size(),
            flows: self.weight.map_or(0, |weight| weight.flows()),
            lost: self.report.lost,
            state: match (self.size, self.losses.events()) {
                (0, _) => 0,
                (_, 0) => 1,
                _ => 2,
            },
            pad: 0,
        }
    }

    /// Counts data packets from one packet in order to the next. True if a
    /// loss event began in between. Of packets lost before other lost ones
    /// nobody tells whether they had data: they count.
    fn pass(&mut self, now: u64, before: &Arrival, after: &Arrival) -> bool {
        let missing = distance(before.seqno, after.seqno)
            .unsigned_abs()
            .saturating_sub(1);
        let lost = missing.saturating_sub(after.ndp);
        let event = lost > 0 && {
            let hole = Hole {
                before: self.packets,
                lost,
                from: before.phase,
                to: after.phase,
            };
            let first = self.first_interval(now);
            self.losses.add(&hole, first)
        };
        self.packets = self
            .packets
            .saturating_add(lost)
            .saturating_add(after.data.into());
        event
    }

    /// The loss interval before the first loss: at the rate that the path
    /// carried so far, the equation says (RFC 5348, section 6.3.1).
    fn first_interval(&self, now: u64) -> u64 {
        if self.losses.events() > 0 {
            return 0;
        }
        let rtt = match self.arrivals.rtt() {
            0 => DEFAULT_RTT,
            rtt => u32::try_from(rtt / 1000).unwrap_or(u32::MAX).max(1),
        };
        let size = self.size().max(1);
        let mut target = self.largest.max(self.arrivals.rate(now));
        if target == 0 {
            // Half a packet per round trip: 32 * 10^6 are 64ths per second.
            let half = u64::from(size).saturating_mul(32_000_000);
            target = half.checked_div(rtt.into()).unwrap_or(0).max(1);
        }
        let weight = self.weight.unwrap_or(Weight::SINGLE).with_tfrc(self.tfrc);
        let interval = weight.interval(target, size, rtt);
        (interval.saturating_add(1 << (FRACTION - 1)) >> FRACTION).max(1)
    }

    /// Whether p is more than what the last report said.
    fn rose(&self) -> bool {
        let interval = self.losses.mean().map_or(0, |mean| mean.interval);
        interval > 0 && (self.report.interval == 0 || interval < self.report.interval)
    }

    fn make_report(&mut self, now: u64, first: bool) {
        let mean = self.losses.mean();
        self.report = Report {
            interval: mean.map_or(0, |mean| mean.interval),
            rate: if first { 0 } else { self.arrivals.rate(now) },
            lost: mean.map_or(0, |mean| mean.lost),
        };
        self.largest = self.largest.max(self.report.rate);
        self.arrivals.report(now);
    }

    /// Averages the size.
    fn measure(&mut self, len: u32) {
        let len = len.clamp(1, LARGEST) << SIZE;
        self.size = match self.size {
            0 => len,
            size => size.saturating_mul(9).saturating_add(len) / 10,
        };
    }

    /// s, bytes.
    const fn size(&self) -> u32 {
        self.size.saturating_add(1 << (SIZE - 1)) >> SIZE
    }
}

impl Default for Receiver {
    fn default() -> Self {
        Self::new()
    }
}
