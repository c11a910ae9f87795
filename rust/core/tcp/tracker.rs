// SPDX-License-Identifier: GPL-2.0

//! Measurements of a flow from raw facts, and decisions back.

use crate::vm::{
    isa::primitive,
    Input,
    Outcome,
    Start,
    PRIMITIVES, //
};

use super::ack::{
    Ack,
    Decision,
    CA_LOSS,
    CA_RECOVERY,
    INFINITE_SSTHRESH, //
};

/// Microseconds in a second.
const US: u64 = 1_000_000;

/// Fewest packets a program may set the window to, in and out of `CA_Loss`.
const MIN_CWND_LOSS: u64 = 1;
const MIN_CWND: u64 = 2;

/// What has to be remembered of a flow from one invocation to the next.
///
/// Every change is the difference of a total since the last invocation, so
/// what happens on an ACK with no valid rate sample, or on one the hook never
/// sees, is not lost, and nothing is counted twice.
#[derive(Copy, Clone, Debug)]
pub struct Tracker {
    bytes_acked: u64,
    /// Rates of the last valid sample, bytes per second.
    rate_outgoing: u64,
    rate_incoming: u64,
    /// The window in bytes as last applied.
    cwnd: u64,
    sacked_out: u32,
    delivered: u32,
    delivered_ce: u32,
    lost: u32,
}

impl Tracker {
    /// Begins with the facts at the start of the flow, whose totals need not
    /// be 0: a socket can switch to ccp at any time.
    pub fn new(ack: &Ack) -> Tracker {
        Tracker {
            bytes_acked: ack.bytes_acked,
            rate_outgoing: 0,
            rate_incoming: 0,
            cwnd: bytes(ack.snd_cwnd, ack),
            sacked_out: ack.sacked_out,
            delivered: ack.delivered,
            delivered_ce: ack.delivered_ce,
            lost: ack.lost,
        }
    }

    /// Writes what a program sees to `primitives`, the part of its register
    /// file that [`crate::vm::measurements`] gives, and says what else it
    /// starts from.
    pub fn measure(&mut self, ack: &Ack, primitives: &mut [u64; PRIMITIVES]) -> Start {
        let bytes_acked = ack.bytes_acked.wrapping_sub(self.bytes_acked);
        let delivered = ack.delivered.wrapping_sub(self.delivered);
        let lost = ack.lost.wrapping_sub(self.lost);
        let delivered_ce = ack.delivered_ce.wrapping_sub(self.delivered_ce);
        // SACKed packets leave the scoreboard when they are acknowledged.
        let misordered = ack.sacked_out.saturating_sub(self.sacked_out);
        self.bytes_acked = ack.bytes_acked;
        self.delivered = ack.delivered;
        self.lost = ack.lost;
        self.delivered_ce = ack.delivered_ce;
        self.sacked_out = ack.sacked_out;
        self.rates(ack);

        let ecn = ack.ecn_ok != 0;
        let ecn_bytes = if ecn && ack.ece != 0 { bytes_acked } else { 0 };
        // The state is set after the shim is told of the timeout.
        let timeout = ack.timeout != 0;
        let recovering = timeout || matches!(ack.ca_state, CA_RECOVERY | CA_LOSS);
        let rtt = u64::try_from(ack.rs_rtt_us).unwrap_or(0);
        let ssthresh = match ack.ssthresh {
            INFINITE_SSTHRESH.. => u64::MAX,
            packets => bytes(packets, ack),
        };

        primitives[primitive::ACK_BYTES_ACKED] = bytes_acked;
        primitives[primitive::ACK_BYTES_MISORDERED] = bytes(misordered, ack);
        primitives[primitive::ACK_ECN_BYTES] = ecn_bytes;
        primitives[primitive::ACK_ECN_PACKETS] = packets(ecn_bytes, ack);
        primitives[primitive::ACK_LOST_PKTS_SAMPLE] = u64::from(lost);
        primitives[primitive::ACK_NOW] = ack.now_us;
        primitives[primitive::ACK_PACKETS_ACKED] = u64::from(delivered.saturating_sub(misordered));
        primitives[primitive::ACK_PACKETS_MISORDERED] = u64::from(misordered);
        primitives[primitive::FLOW_BYTES_IN_FLIGHT] = bytes(ack.in_flight, ack);
        primitives[primitive::FLOW_BYTES_PENDING] =
            u64::from(ack.write_seq.wrapping_sub(ack.snd_nxt));
        primitives[primitive::FLOW_PACKETS_IN_FLIGHT] = u64::from(ack.in_flight);
        primitives[primitive::FLOW_RATE_INCOMING] = self.rate_incoming;
        primitives[primitive::FLOW_RATE_OUTGOING] = self.rate_outgoing;
        primitives[primitive::FLOW_RTT_SAMPLE_US] = rtt;
        primitives[primitive::FLOW_WAS_TIMEOUT] = u64::from(timeout);
        primitives[primitive::FLOW_SRTT_US] = u64::from(ack.srtt_us);
        primitives[primitive::FLOW_MIN_RTT_US] = u64::from(ack.min_rtt_us);
        primitives[primitive::FLOW_MSS] = mss(ack);
        primitives[primitive::FLOW_SSTHRESH] = ssthresh;
        primitives[primitive::FLOW_IN_RECOVERY] = u64::from(recovering);
        primitives[primitive::FLOW_CWND_LIMITED] = u64::from(ack.cwnd_limited != 0);
        primitives[primitive::FLOW_APP_LIMITED] = u64::from(ack.app_limited != 0);
        primitives[primitive::FLOW_DELIVERED] = u64::from(ack.delivered);
        primitives[primitive::FLOW_LOST] = u64::from(ack.lost);
        primitives[primitive::ACK_CE_PACKETS] = if ecn { u64::from(delivered_ce) } else { 0 };
        Start {
            now_us: ack.now_us,
            cwnd: self.window(ack),
            rate: ack.pacing_rate,
        }
    }

    /// The same as a value of its own.
    pub fn input(&mut self, ack: &Ack) -> Input {
        let mut primitives = [0; PRIMITIVES];
        let Start { now_us, cwnd, rate } = self.measure(ack, &mut primitives);
        Input {
            primitives,
            now_us,
            cwnd,
            rate,
        }
    }

    /// Takes the rates of a valid sample; keeps the old ones otherwise.
    fn rates(&mut self, ack: &Ack) {
        let Ok(packets @ 1..) = u32::try_from(ack.rs_delivered) else {
            return;
        };
        if ack.rs_interval_us <= 0 {
            return;
        }
        let amount = bytes(packets, ack).saturating_mul(US);
        let rate = |interval: u32| amount.checked_div(u64::from(interval));
        if let Some(rate) = rate(ack.rs_snd_interval_us) {
            self.rate_outgoing = rate;
        }
        if let Some(rate) = rate(ack.rs_rcv_interval_us) {
            self.rate_incoming = rate;
        }
    }

    /// The window in bytes: to the byte while the kernel's still is the one
    /// applied last, so that growth by less than a segment adds up.
    fn window(&self, ack: &Ack) -> u64 {
        let whole = bytes(ack.snd_cwnd, ack);
        match self.cwnd.checked_sub(whole) {
            Some(rest) if rest < mss(ack) => self.cwnd,
            _ => whole,
        }
    }

    /// Turns the answer of a program into what the shim has to set.
    ///
    /// The window is at least 2 packets, or 1 in `CA_Loss`, and at most
    /// `snd_cwnd_clamp`; the rate is at most `sk_max_pacing_rate`.
    pub fn apply(&mut self, ack: &Ack, outcome: &Outcome) -> Decision {
        let mut decision = Decision::default();
        if outcome.abort.is_some() {
            return decision;
        }
        if outcome.cwnd != 0 {
            let floor = if ack.ca_state == CA_LOSS || ack.timeout != 0 {
                MIN_CWND_LOSS
            } else {
                MIN_CWND
            };
            let wanted = outcome.cwnd.checked_div(mss(ack)).unwrap_or(0);
            let clamp = u64::from(ack.snd_cwnd_clamp.max(1));
            let packets = wanted.max(floor).min(clamp);
            self.cwnd = if packets == wanted {
                outcome.cwnd
            } else {
                packets.saturating_mul(mss(ack))
            };
            // At most the clamp, which is a u32.
            let packets = packets as u32;
            if packets != ack.snd_cwnd {
                decision.cwnd = packets;
            }
        }
        if outcome.rate != 0 {
            let rate = outcome.rate.min(ack.max_pacing_rate.max(1));
            if rate != ack.pacing_rate {
                decision.rate = rate;
            }
        }
        decision
    }
}

/// Segment size, never 0.
fn mss(ack: &Ack) -> u64 {
    u64::from(ack.mss.max(1))
}

/// The packets so many bytes make, the last perhaps not full.
fn packets(bytes: u64, ack: &Ack) -> u64 {
    let mss = mss(ack);
    bytes
        .saturating_add(mss.wrapping_sub(1))
        .checked_div(mss)
        .unwrap_or(0)
}

/// The bytes of so many full segments; fits, as both factors have 32 bits.
fn bytes(packets: u32, ack: &Ack) -> u64 {
    u64::from(packets).wrapping_mul(mss(ack))
}
