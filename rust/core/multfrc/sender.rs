// SPDX-License-Identifier: GPL-2.0

//! The sender of a half-connection (RFC 5348, section 4).

use super::{
    data_limited::DataLimited,
    equation::{Conditions, Weight, MAX_BACKOFF},
    info::{per_billion, SenderInfo},
    real::Real,
    receive_rates::ReceiveRates,
    sent::{History, Sent},
    window_counter::WindowCounter,
    wire::{Feedback, Malformed, Report, WireOption},
};

const SECOND: u64 = 1_000_000_000;
/// For want of a round-trip time (RFC 4340, section 3.4).
const DEFAULT_RTT: u64 = SECOND / 5;
/// The nofeedback timer without a round-trip time (RFC 5348, section 4.2).
const FIRST_TIMEOUT: u64 = 2 * SECOND;
/// A packet that is later than this isn't made up for.
const LATENESS: u64 = 2_000_000;
/// What RFC 3390 lets a flow begin with, bytes.
const WINDOW: u64 = 4380;
/// Payload of a packet at most, bytes.
const LARGEST: u32 = 1 << 16;
/// Bits behind the point of the average size.
const SIZE: u32 = 8;

const TENTH: Real = Real::ONE.div(Real::new(10, 0));
const NINE_TENTHS: Real = Real::ONE.sub(TENTH);
/// Of a receive rate that came with more loss and little to send.
const REDUCED: Real = Real::new(85, 0).div(Real::new(100, 0));

/// What an administrator chooses.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings {
    /// The nofeedback timer runs that long at least, ns.
    pub rto_min: u64,
    /// Whether the rate answers to changes of the round-trip time (RFC 5348,
    /// section 4.5).
    pub damping: bool,
}

/// What to do with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes now.
    Send {
        /// CCVal.
        ccval: u8,
    },
    /// Ask again later.
    Wait {
        /// In that many ns; at least 1.
        ns: u64,
    },
    /// It has no payload: nothing that a rate applies to.
    Drop,
}

/// N can't change once packets were sent (draft, section 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Started;

/// What an acknowledgment says.
#[derive(Clone, Copy, Debug)]
pub struct Ack {
    /// The sequence number it acknowledges.
    pub seqno: u64,
    /// How long the receiver waited with it, ns.
    pub elapsed: u64,
}

/// When the timers are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timers {
    /// The next packet may go.
    pub send: u64,
    /// The nofeedback timer; `u64::MAX` before the first packet.
    pub expire: u64,
}

/// How far a half-connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing sent.
    Idle = 0,
    /// No report came.
    Unconfirmed = 1,
    Confirmed = 2,
}

/// The sender. Times are ns of one clock that doesn't go back.
#[derive(Clone, Debug)]
pub struct Sender {
    weight: Weight,
    settings: Settings,
    state: State,
    /// s, in 2^-8 bytes.
    size: u32,
    /// X.
    x: u64,
    /// `X_Bps`.
    x_calc: u64,
    /// The last report.
    report: Report,
    /// R; 0 if unknown.
    rtt: u64,
    /// `R_sqmean` over the square root of the last sample.
    damping: Real,
    /// `R_sqmean`.
    mean_root: Real,
    /// `tld`: when slow start doubled the rate.
    doubled: Option<u64>,
    rates: ReceiveRates,
    limited: DataLimited,
    history: History,
    counter: WindowCounter,
    /// When the last packet should have been sent.
    nominal: u64,
    /// When the nofeedback timer is due.
    expire: u64,
    /// Whether there was a packet to send since that timer was set.
    busy: bool,
    options: Feedback,
}

impl Sender {
    /// A sender of N flows that has sent nothing.
    pub const fn new(weight: Weight, settings: Settings) -> Self {
        Self {
            weight,
            settings,
            state: State::Idle,
            size: 0,
            x: 0,
            x_calc: 0,
            report: Report {
                interval: 0,
                rate: 0,
                lost: 0,
            },
            rtt: 0,
            damping: Real::ONE,
            mean_root: Real::ZERO,
            doubled: None,
            rates: ReceiveRates::new(0),
            limited: DataLimited::new(),
            history: History::new(),
            counter: WindowCounter::new(0),
            nominal: 0,
            expire: u64::MAX,
            busy: false,
            options: Feedback::NONE,
        }
    }

    /// Another N, for the same equation.
    pub fn set_weight(&mut self, weight: Weight) -> Result<(), Started> {
        if self.state != State::Idle {
            return Err(Started);
        }
        self.weight = weight.with_tfrc(self.weight.is_tfrc());
        Ok(())
    }

    /// The round-trip time of the handshake, microseconds; 0 if unknown.
    pub fn handshake(&mut self, rtt: u32) {
        if self.state == State::Idle {
            self.rtt = u64::from(rtt).saturating_mul(1000);
        }
    }

    /// Whether a data packet with `len` bytes of payload may go now.
    pub fn send(&mut self, now: u64, len: u32) -> Verdict {
        if len == 0 {
            return Verdict::Drop;
        }
        self.start(now, len);
        self.busy = true;
        match self.due().checked_sub(now) {
            None | Some(0) => Verdict::Send {
                ccval: (self.counter.advance(now, self.rtt_or_default()) & 15) as u8,
            },
            Some(ns) => {
                self.limited.used_up(now);
                Verdict::Wait { ns }
            }
        }
    }

    /// A data packet was sent.
    pub fn sent(&mut self, now: u64, seqno: u64, len: u32) {
        self.start(now, len);
        self.nominal = self.due().max(now.saturating_sub(LATENESS)).min(now);
        let len = len.min(LARGEST) << SIZE;
        let sum = self.size.saturating_mul(9).saturating_add(len);
        self.size = (sum / 10).max(1 << SIZE);
        self.history.add(Sent {
            seqno,
            at: now,
            counter: self.counter.value(),
        });
    }

    /// N, to go with each data packet until a report shows that one arrived.
    pub fn option(&self) -> Option<WireOption> {
        (self.state != State::Confirmed).then(|| WireOption::flows(&self.weight))
    }

    /// Takes an option of a packet that the receiver sent; false if it isn't
    /// one of ours.
    pub fn parse(&mut self, number: u8, value: &[u8]) -> Result<bool, Malformed> {
        self.options.parse(number, value)
    }

    /// Forgets the options of a packet that acknowledges nothing.
    pub fn discard(&mut self) {
        self.options = Feedback::NONE;
    }

    /// The packet whose options were taken acknowledges another. True if it is
    /// a report, upon which the timers are others.
    pub fn feedback(&mut self, now: u64, ack: &Ack) -> bool {
        let report = self.options.report();
        self.discard();
        let Some(report) = report else {
            return false;
        };
        let Some(acknowledged) = self.history.acknowledge(ack.seqno) else {
            return false;
        };
        if acknowledged.sample {
            self.sample(now.saturating_sub(acknowledged.at), ack.elapsed);
        }
        if self.rtt == 0 {
            return false;
        }
        self.state = State::Confirmed;
        self.counter.acknowledged(now, acknowledged.counter);
        let limited = self.limited.report(now, acknowledged.at);
        let more_loss = report.interval > 0
            && (self.report.interval == 0 || report.interval < self.report.interval);
        self.report = report;
        let limit = self.limit(now, limited, more_loss);
        self.allow(now, limit);
        self.restart(now);
        true
    }

    /// The nofeedback timer fired; false if that was too early.
    pub fn expired(&mut self, now: u64) -> bool {
        if self.state == State::Idle || now < self.expire {
            return false;
        }
        let received = self.rates.max();
        let recover = self.initial_rate();
        let lossless = self.report.interval == 0;
        let slow = if lossless {
            self.x < recover.saturating_mul(2)
        } else {
            received < recover
        };
        if !self.busy && slow {
            // After a pause the flow may start as a new one does.
        } else if lossless {
            self.x = (self.x / 2).max(self.least());
        } else if self.x_calc > received.saturating_mul(2) {
            self.restrict(now, received);
        } else {
            self.restrict(now, self.x_calc / 2);
        }
        self.restart(now);
        true
    }

    /// When the timers are due.
    pub fn timers(&self) -> Timers {
        Timers {
            send: self.due(),
            expire: self.expire,
        }
    }

    /// For those who look.
    pub fn info(&self) -> SenderInfo {
        let started = self.state != State::Idle;
        SenderInfo {
            x: self.x,
            x_recv: self.report.rate,
            x_calc: self.x_calc,
            x_inst: self.x_inst(),
            rtt: self.rtt,
            rto: if started { self.timeout() } else { 0 },
            ipi: if started { self.ipi() } else { 0 },
            interval: self.report.interval,
            p: per_billion(self.report.interval),
            size: self.size(),
            flows: self.weight.flows(),
            lost: self.report.lost,
            state: self.state as u32,
            pad: 0,
        }
    }

    /// The first packet (RFC 5348, section 4.2).
    fn start(&mut self, now: u64, len: u32) {
        if self.state != State::Idle {
            return;
        }
        self.state = State::Unconfirmed;
        self.size = len.clamp(1, LARGEST) << SIZE;
        if self.rtt == 0 {
            self.x = u64::from(self.size()).saturating_mul(64);
        } else {
            self.x = self.initial_rate().max(self.least());
            self.doubled = Some(now);
        }
        self.rates = ReceiveRates::new(now);
        self.limited.used_up(now);
        self.counter = WindowCounter::new(now);
        self.nominal = now.saturating_sub(self.ipi());
        self.expire = now.saturating_add(FIRST_TIMEOUT);
    }

    /// A round-trip time (RFC 5348, section 4.3, steps 1 and 2).
    fn sample(&mut self, passed: u64, elapsed: u64) {
        // More than has passed can't have elapsed.
        let sample = passed.checked_sub(elapsed).filter(|&rest| rest > 0);
        let longest = SECOND.saturating_mul(MAX_BACKOFF.into());
        let sample = sample.unwrap_or(passed).clamp(1000, longest);
        let root = Real::new(sample, 0).sqrt();
        if self.mean_root.is_zero() {
            self.rtt = sample;
            self.mean_root = root;
        } else {
            self.rtt = self.rtt.saturating_mul(9).saturating_add(sample) / 10;
            self.mean_root = NINE_TENTHS.mul(self.mean_root).add(TENTH.mul(root));
        }
        self.damping = self.mean_root.div(root);
    }

    /// `recv_limit`, and what of the receive rates counts from now on.
    fn limit(&mut self, now: u64, limited: bool, more_loss: bool) -> u64 {
        let rate = self.report.rate;
        if limited && more_loss {
            self.rates.halve();
            let reduced = Real::new(rate, 0).mul(REDUCED);
            self.rates.maximize(now, reduced.floor(0));
            return self.rates.max();
        }
        if limited {
            self.rates.maximize(now, rate);
        } else {
            self.rates.update(now, rate, self.rtt);
        }
        self.rates.max().saturating_mul(2)
    }

    /// Sets X (RFC 5348, section 4.3, step 4).
    fn allow(&mut self, now: u64, limit: u64) {
        if self.report.interval > 0 {
            self.x_calc = self.weight.rate(&Conditions {
                size: self.size(),
                rtt: u32::try_from((self.rtt.saturating_add(500)) / 1000).unwrap_or(u32::MAX),
                interval: self.report.interval,
                lost: self.report.lost,
            });
            self.x = self.x_calc.min(limit).max(self.least());
            return;
        }
        self.x_calc = 0;
        // Never is long ago.
        let since = self.doubled.map_or(u64::MAX, |at| now.saturating_sub(at));
        if since >= self.rtt {
            let doubled = self.x.saturating_mul(2).min(limit);
            self.x = doubled.max(self.initial_rate()).max(self.least());
            self.doubled = Some(now);
        }
    }

    /// `Update_Limits` of RFC 5348, section 4.4.
    fn restrict(&mut self, now: u64, limit: u64) {
        let limit = limit.max(self.least());
        self.rates.replace(now, limit / 2);
        self.allow(now, limit);
    }

    /// Sets the nofeedback timer.
    fn restart(&mut self, now: u64) {
        self.expire = now.saturating_add(self.timeout());
        self.busy = false;
    }

    /// How long the nofeedback timer runs.
    fn timeout(&self) -> u64 {
        let by_rtt = match self.rtt {
            0 => FIRST_TIMEOUT,
            rtt => rtt.saturating_mul(4),
        };
        by_rtt
            .max(self.settings.rto_min)
            .max(self.ipi().saturating_mul(2))
    }

    /// s, bytes.
    fn size(&self) -> u32 {
        self.size.saturating_add(1 << (SIZE - 1)) >> SIZE
    }

    /// `s/t_mbi`: the slowest rate. t_mbi is 64 s, and rates are in 64ths.
    fn least(&self) -> u64 {
        self.size().max(1).into()
    }

    /// `W_init/R`; 0 if R is unknown.
    fn initial_rate(&self) -> u64 {
        let size = u64::from(self.size());
        let least = size.saturating_mul(2);
        let window = size.saturating_mul(4).min(WINDOW.max(least));
        window
            .saturating_mul(64 * SECOND)
            .checked_div(self.rtt)
            .unwrap_or(0)
    }

    fn x_inst(&self) -> u64 {
        let rate = if self.settings.damping {
            Real::new(self.x, 0).mul(self.damping).floor(0)
        } else {
            self.x
        };
        // Also when packets got larger since X was set.
        rate.max(self.least())
    }

    /// `t_ipi`: time from packet to packet.
    fn ipi(&self) -> u64 {
        let bytes = u64::from(self.size);
        bytes
            .saturating_mul((64 * SECOND) >> SIZE)
            .checked_div(self.x_inst())
            .unwrap_or(u64::MAX)
            .max(1)
    }

    /// When the next packet may go.
    fn due(&self) -> u64 {
        match self.state {
            State::Idle => 0,
            _ => self.nominal.saturating_add(self.ipi()),
        }
    }

    fn rtt_or_default(&self) -> u64 {
        match self.rtt {
            0 => DEFAULT_RTT,
            rtt => rtt,
        }
    }
}
