// SPDX-License-Identifier: GPL-2.0
//! TCP_INFO of a connection.

use serde::Serialize;
use std::{io, mem, net::TcpStream, os::fd::AsRawFd};

/// What we read of TCP_INFO.
#[derive(Copy, Clone, Debug, Default, Serialize)]
pub(super) struct Info {
    /// Smoothed RTT, microseconds.
    pub(super) rtt_us: u32,
    /// Minimum RTT of the kernel's window, microseconds.
    pub(super) min_rtt_us: u32,
    /// Congestion window, packets.
    pub(super) cwnd: u32,
    /// Packets retransmitted so far.
    pub(super) retransmits: u32,
    /// Bytes acknowledged so far.
    pub(super) bytes_acked: u64,
    /// Maximum segment size, bytes.
    pub(super) mss: u32,
}

impl Info {
    pub(super) fn of(stream: &TcpStream) -> io::Result<Self> {
        // SAFETY: `tcp_info` is made of integers, for which zero is a value.
        let mut raw: libc::tcp_info = unsafe { mem::zeroed() };
        let mut length = libc::socklen_t::try_from(size_of_val(&raw)).unwrap_or(0);
        // SAFETY: the descriptor is open as long as `stream` lives; `raw` has
        // room for `length` bytes, and the kernel writes no more than that.
        // A shorter answer of an older kernel leaves zeros.
        let status = unsafe {
            libc::getsockopt(
                stream.as_raw_fd(),
                libc::IPPROTO_TCP,
                libc::TCP_INFO,
                (&raw mut raw).cast(),
                &raw mut length,
            )
        };
        if status != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Self {
            rtt_us: raw.tcpi_rtt,
            min_rtt_us: raw.tcpi_min_rtt,
            cwnd: raw.tcpi_snd_cwnd,
            retransmits: raw.tcpi_total_retrans,
            bytes_acked: raw.tcpi_bytes_acked,
            mss: raw.tcpi_snd_mss,
        })
    }
}
