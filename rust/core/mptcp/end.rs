// SPDX-License-Identifier: GPL-2.0

//! Addresses and subflows, as the kernel tells them.

use super::flag;

/// IPv4.
pub const AF_INET: u16 = 2;
/// IPv6.
pub const AF_INET6: u16 = 10;

/// One end of a subflow, or an address of one side; `struct mptcp_pm_end`.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
#[repr(C, align(4))]
pub struct End {
    /// Network order; IPv4 has the first four.
    pub addr: [u8; 16],
    /// Network order; 0 is none.
    pub port_be: u16,
    /// [`AF_INET`] or [`AF_INET6`]; an IPv4-mapped address stays IPv6.
    pub family: u16,
    /// Address id.
    pub id: u8,
    /// 0.
    pub reserved: [u8; 3],
}

/// An address, whichever way it is written.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// IPv4, or IPv4 mapped into IPv6.
    V4([u8; 4]),
    /// Any other IPv6.
    V6([u8; 16]),
}

impl Host {
    /// Whether it stands for any address.
    pub fn is_any(self) -> bool {
        matches!(self, Host::V4([0, 0, 0, 0])) || self == Host::V6([0; 16])
    }

    /// Whether both are IPv4 or both IPv6.
    pub fn same_kind(self, other: Host) -> bool {
        matches!(self, Host::V4(_)) == matches!(other, Host::V4(_))
    }
}

impl End {
    /// An IPv4 address with a port in host order.
    pub fn v4(addr: [u8; 4], port: u16, id: u8) -> End {
        let [a, b, c, d] = addr;
        End {
            addr: [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            port_be: port.to_be(),
            family: AF_INET,
            id,
            reserved: [0; 3],
        }
    }

    /// An IPv6 address with a port in host order.
    pub fn v6(addr: [u8; 16], port: u16, id: u8) -> End {
        End {
            addr,
            port_be: port.to_be(),
            family: AF_INET6,
            id,
            reserved: [0; 3],
        }
    }

    /// The port in host order.
    pub fn port(&self) -> u16 {
        u16::from_be(self.port_be)
    }

    /// The address by itself.
    pub fn host(&self) -> Host {
        match (self.family, self.addr) {
            (AF_INET, [a, b, c, d, ..])
            | (_, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d]) => Host::V4([a, b, c, d]),
            (_, addr) => Host::V6(addr),
        }
    }

    /// The same address with another port (host order).
    pub fn with_port(mut self, port: u16) -> End {
        self.port_be = port.to_be();
        self
    }

    /// The same address with another id.
    pub fn with_id(mut self, id: u8) -> End {
        self.id = id;
        self
    }
}

/// A subflow at one moment; `struct mptcp_pm_subflow`.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Subflow {
    /// Our end.
    pub local: End,
    /// The peer's.
    pub remote: End,
    /// The connection's.
    pub token: u32,
    /// Among the subflows of the connection; the first is 1.
    pub id: u32,
    /// Interface it is bound to, or 0.
    pub ifindex: i32,
    /// Valid with [`flag::RESET`].
    pub reset_reason: u32,
    /// An errno, or 0.
    pub error: u16,
    /// See [`flag`].
    pub flags: u16,
}

impl Subflow {
    /// Whether all of these bits are set.
    pub fn is(&self, flags: u16) -> bool {
        self.flags & flags == flags
    }

    /// Whether either side asked to use it as backup only.
    pub fn is_backup(&self) -> bool {
        self.flags & (flag::BACKUP_LOCAL | flag::BACKUP_REMOTE) != 0
    }
}
