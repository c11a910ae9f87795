// SPDX-License-Identifier: GPL-2.0

//! What the half-connections show of themselves. Rates are 64ths of a byte per
//! second, times ns.

use super::equation::FRACTION;

/// Of a sender.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct SenderInfo {
    /// X: the allowed rate.
    pub x: u64,
    /// The receive rate last reported.
    pub x_recv: u64,
    /// What the equation gives; 0 while nothing was lost.
    pub x_calc: u64,
    /// The rate packets are sent at: X but for damping.
    pub x_inst: u64,
    /// Round-trip time; 0 if unknown.
    pub rtt: u64,
    /// The nofeedback timer's length; 0 before the first packet.
    pub rto: u64,
    /// Time from packet to packet; 0 before the first packet.
    pub ipi: u64,
    /// 1/p, in 2^-16; 0 while nothing was lost.
    pub interval: u64,
    /// p, in 10^-9.
    pub p: u32,
    /// Average payload of a packet, bytes.
    pub size: u32,
    /// N, in 2^-16.
    pub flows: u32,
    /// j, in 2^-16; 0 while nothing was lost.
    pub lost: u32,
    /// 0 nothing sent, 1 no report came, 2 reports come.
    pub state: u32,
    /// Fills the struct to a multiple of its alignment; 0.
    pub pad: u32,
}

/// Of a receiver.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct ReceiverInfo {
    /// The receive rate last reported.
    pub x_recv: u64,
    /// Its estimate of the round-trip time; 0 if unknown.
    pub rtt: u64,
    /// 1/p as last reported, in 2^-16; 0 while nothing was lost.
    pub interval: u64,
    /// Loss events.
    pub events: u64,
    /// Data packets lost.
    pub lost_total: u64,
    /// p as last reported, in 10^-9.
    pub p: u32,
    /// Average payload of a packet, bytes.
    pub size: u32,
    /// N as the sender tells, in 2^-16.
    pub flows: u32,
    /// j as last reported, in 2^-16; 0 while nothing was lost.
    pub lost: u32,
    /// 0 nothing received, 1 nothing lost, 2 losses.
    pub state: u32,
    /// Fills the struct to a multiple of its alignment; 0.
    pub pad: u32,
}

/// p in 10^-9 for 1/p in 2^-16; 0 for 0.
pub(super) fn per_billion(interval: u64) -> u32 {
    let p = (1_000_000_000u64 << FRACTION).checked_div(interval);
    p.map_or(0, |p| p.min(1_000_000_000) as u32)
}
