// SPDX-License-Identifier: GPL-2.0
//! Addresses of this host.

use std::net::IpAddr;

/// An address that can be used now.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Address {
    /// The address.
    pub ip: IpAddr,
    /// Number of its interface.
    pub ifindex: i32,
    /// Name of its interface.
    pub interface: String,
}

impl Address {
    /// Peers can connect to it.
    pub(crate) fn is_global(&self) -> bool {
        match self.ip {
            IpAddr::V4(ip) => !(ip.is_loopback() || ip.is_link_local() || ip.is_unspecified()),
            IpAddr::V6(ip) => {
                !(ip.is_loopback() || ip.is_unicast_link_local() || ip.is_unspecified())
            }
        }
    }
}
