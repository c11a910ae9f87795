// SPDX-License-Identifier: GPL-2.0

//! What crosses between the C shim and Rust on each ACK.

/// `TCP_CA_Recovery` and `TCP_CA_Loss` of the kernel's `enum tcp_ca_state`.
pub(super) const CA_RECOVERY: u8 = 3;
pub(super) const CA_LOSS: u8 = 4;

/// `TCP_INFINITE_SSTHRESH`.
pub(super) const INFINITE_SSTHRESH: u32 = 0x7fff_ffff;

/// Raw facts about a connection at one ACK or retransmission timeout.
///
/// Mirrors `struct ccp_ack` of `c-shim/shim.h`, field by field. The shim
/// copies; what the facts mean is decided by [`super::Tracker`]. Totals may
/// wrap. Packets are segments as the kernel counts them.
#[repr(C)]
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Ack {
    /// `tp->tcp_mstamp`, microseconds.
    pub now_us: u64,
    /// `tp->bytes_acked`, total.
    pub bytes_acked: u64,
    /// `sk->sk_pacing_rate`, bytes per second; all ones is unlimited.
    pub pacing_rate: u64,
    /// `sk->sk_max_pacing_rate`, bytes per second; all ones is unlimited.
    pub max_pacing_rate: u64,
    /// `rs->interval_us`; not positive when the rate sample is invalid. 0 on a
    /// timeout.
    pub rs_interval_us: i64,
    /// `rs->rtt_us`; not positive when there is no RTT sample. 0 on a timeout.
    pub rs_rtt_us: i64,
    /// `rs->delivered`, packets; not positive when invalid. 0 on a timeout.
    pub rs_delivered: i32,
    /// `rs->snd_interval_us`. 0 on a timeout.
    pub rs_snd_interval_us: u32,
    /// `rs->rcv_interval_us`. 0 on a timeout.
    pub rs_rcv_interval_us: u32,
    /// `tcp_snd_cwnd(tp)`, packets. On a timeout the kernel's loss window.
    pub snd_cwnd: u32,
    /// `tp->snd_cwnd_clamp`, packets.
    pub snd_cwnd_clamp: u32,
    /// `tp->snd_ssthresh`, packets.
    pub ssthresh: u32,
    /// `tp->mss_cache`, bytes.
    pub mss: u32,
    /// `tp->srtt_us >> 3`; 0 before the first sample.
    pub srtt_us: u32,
    /// `tcp_min_rtt(tp)`; all ones before the first sample.
    pub min_rtt_us: u32,
    /// `tcp_packets_in_flight(tp)`.
    pub in_flight: u32,
    /// `tp->sacked_out`, packets.
    pub sacked_out: u32,
    /// `tp->delivered`, packets, total.
    pub delivered: u32,
    /// `tp->delivered_ce`, packets, total.
    pub delivered_ce: u32,
    /// `tp->lost`, packets, total.
    pub lost: u32,
    /// `tp->write_seq`.
    pub write_seq: u32,
    /// `tp->snd_nxt`.
    pub snd_nxt: u32,
    /// `icsk->icsk_ca_state`.
    pub ca_state: u8,
    /// 1 when this ACK carried ECE (`CA_ACK_ECE`).
    pub ece: u8,
    /// 1 when ECN was negotiated on the connection.
    pub ecn_ok: u8,
    /// `tcp_is_cwnd_limited(sk)`.
    pub cwnd_limited: u8,
    /// `rs->is_app_limited`.
    pub app_limited: u8,
    /// 1 when this is a retransmission timeout, not an ACK.
    pub timeout: u8,
    /// Fills the struct to a multiple of its alignment; 0.
    pub pad: [u8; 2],
}

/// What the shim has to do after an invocation.
#[repr(C)]
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// New pacing rate, bytes per second; 0 leaves it alone.
    pub rate: u64,
    /// New congestion window, packets; 0 leaves it alone.
    pub cwnd: u32,
    /// Fills the struct to a multiple of its alignment; 0.
    pub pad: u32,
}

// 6 of 8 bytes, 16 of 4, 6 of 1 and the padding; the shim asserts the same.
const _: () = assert!(core::mem::size_of::<Ack>() == 120);
const _: () = assert!(core::mem::size_of::<Decision>() == 16);
