// SPDX-License-Identifier: GPL-2.0
//! Addresses of this host, by rtnetlink(7). A change of any kind is only a
//! reason to list them again: nothing is missed that way.

use crate::{policy::Address, Error, Result};
use ccp_netlink::{
    wire::{malformed, Message, Value},
    Socket,
};
use netlink_packet_core::{NetlinkHeader, NetlinkMessage, NlasIterator, Parseable, NLM_F_REQUEST};
use netlink_packet_route::{
    address::{AddressAttribute, AddressFlags, AddressMessage, AddressScope},
    link::{LinkFlags, LinkHeader, LinkMessage},
    RouteNetlinkMessage,
};
use netlink_sys::protocols::NETLINK_ROUTE;
use nix::errno::Errno;
use std::{
    collections::BTreeMap,
    net::IpAddr,
    os::fd::{AsFd, BorrowedFd},
};

/// Length of struct ifinfomsg.
const LINK_HEADER: usize = 16;
const IFLA_IFNAME: u16 = 3;
/// Multicast groups: links, IPv4 and IPv6 addresses.
const GROUPS: [u32; 3] = [1, 5, 9];

/// A link that carries packets.
struct Link {
    index: u32,
    name: String,
}

/// Lists addresses, and tells when to list them again.
pub struct Interfaces {
    dump: Socket<()>,
    changes: netlink_sys::Socket,
}

impl Interfaces {
    /// Opens the sockets.
    pub fn open() -> Result<Self> {
        let system = |what| move |source| Error::System { what, source };
        let mut changes =
            netlink_sys::Socket::new(NETLINK_ROUTE).map_err(system("open rtnetlink"))?;
        changes.bind_auto().map_err(system("bind rtnetlink"))?;
        for group in GROUPS {
            changes
                .add_membership(group)
                .map_err(system("watch addresses"))?;
        }
        changes
            .set_non_blocking(true)
            .map_err(system("watch addresses"))?;
        let dump = Socket::open(NETLINK_ROUTE, Box::new(|_| Ok(None)))?;
        Ok(Self { dump, changes })
    }

    /// Has anything changed since the last call?
    pub fn changed(&mut self) -> Result<bool> {
        let mut changed = false;
        let mut buffer = Vec::with_capacity(1 << 16);
        loop {
            buffer.clear();
            match self.changes.recv(&mut buffer, 0) {
                Ok(_) => changed = true,
                Err(source) => match source.raw_os_error().map(Errno::from_raw) {
                    Some(Errno::EAGAIN) => return Ok(changed),
                    // Lost notifications are a change like any other.
                    Some(Errno::ENOBUFS) => changed = true,
                    Some(Errno::EINTR) => {}
                    _ => {
                        return Err(Error::System {
                            what: "watch addresses",
                            source,
                        })
                    }
                },
            }
        }
    }

    /// The addresses that can be used, those of loopback included.
    pub fn addresses(&mut self) -> Result<Vec<Address>> {
        let request = RouteNetlinkMessage::GetLink(LinkMessage::default());
        let links = self.list("list links", &request, link)?;
        let names: BTreeMap<u32, String> = links
            .into_iter()
            .flatten()
            .map(|link| (link.index, link.name))
            .collect();
        let request = RouteNetlinkMessage::GetAddress(AddressMessage::default());
        let found = self.list("list addresses", &request, address)?;
        let mut addresses: Vec<Address> = found
            .into_iter()
            .flatten()
            .filter_map(|(ip, index)| {
                Some(Address {
                    ip,
                    ifindex: i32::try_from(index).ok()?,
                    interface: names.get(&index)?.clone(),
                })
            })
            .collect();
        addresses.sort();
        Ok(addresses)
    }

    fn list<T>(
        &mut self,
        name: &'static str,
        request: &RouteNetlinkMessage,
        each: impl FnMut(&Message<'_>) -> ccp_netlink::Result<T>,
    ) -> Result<Vec<T>> {
        let bytes = |flags, sequence| {
            let mut message = NetlinkMessage::new(NetlinkHeader::default(), request.clone().into());
            message.header.flags = flags | NLM_F_REQUEST;
            message.header.sequence_number = sequence;
            message.finalize();
            let mut bytes = vec![0; message.buffer_len()];
            message.serialize(&mut bytes);
            bytes
        };
        Ok(self.dump.dump(name, bytes, each)?)
    }
}

impl AsFd for Interfaces {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.changes.as_fd()
    }
}

/// `None`: a link that carries nothing now.
fn link(message: &Message<'_>) -> ccp_netlink::Result<Option<Link>> {
    let payload = message.payload();
    let header = LinkHeader::parse(payload).map_err(malformed("a link"))?;
    let wanted = LinkFlags::Up | LinkFlags::Running;
    if !header.flags.contains(wanted) {
        return Ok(None);
    }
    // Attribute by attribute: the crate refuses those newer than itself.
    for attribute in NlasIterator::new(payload.get(LINK_HEADER..).unwrap_or_default()) {
        let attribute = attribute.map_err(malformed("an attribute"))?;
        if attribute.kind() == IFLA_IFNAME {
            return Ok(Some(Link {
                index: header.index,
                name: attribute.string(),
            }));
        }
    }
    Ok(None)
}

/// Address and interface index; `None` for one that nobody can connect to or
/// that is not, or no longer, to be used.
fn address(message: &Message<'_>) -> ccp_netlink::Result<Option<(IpAddr, u32)>> {
    let payload = message.payload();
    let message = AddressMessage::parse(payload).map_err(malformed("an address"))?;
    let mut flags = AddressFlags::from_bits_retain(u32::from(message.header.flags.bits()));
    let (mut local, mut prefix) = (None, None);
    for attribute in &message.attributes {
        match attribute {
            AddressAttribute::Flags(all) => flags = *all,
            AddressAttribute::Local(ip) => local = Some(*ip),
            AddressAttribute::Address(ip) => prefix = Some(*ip),
            _ => {}
        }
    }
    let unusable = AddressFlags::Tentative | AddressFlags::Dadfailed | AddressFlags::Deprecated;
    // On a point-to-point link the other one is the peer's.
    let ip = local.or(prefix);
    let scoped = matches!(
        message.header.scope,
        AddressScope::Link | AddressScope::Nowhere
    );
    Ok(ip
        .filter(|_| !scoped && !flags.intersects(unusable))
        .map(|ip| (ip, message.header.index)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::message;
    use netlink_packet_core::NetlinkBuffer;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn hostile_links_are_read_or_refused(data in prop::collection::vec(any::<u8>(), 0..200)) {
            let message = message(&data);
            let message = NetlinkBuffer::new_checked(&message[..]).unwrap();
            let _ = link(&message);
            let _ = address(&message);
        }
    }

    #[test]
    fn loopback_is_found() {
        let mut interfaces = Interfaces::open().unwrap();
        let addresses = interfaces.addresses().unwrap();
        // In a namespace of its own it may be down.
        for address in &addresses {
            assert!(
                address.ifindex > 0 && !address.interface.is_empty(),
                "{address:?}"
            );
        }
        assert!(!interfaces.changed().unwrap());
    }
}
