// SPDX-License-Identifier: GPL-2.0
//! Connections found by sock_diag(7), as `ss -ti` does: every TCP socket that
//! is a subflow tells the token of its connection.

use crate::{Connection, Phase, Subflow};
use ccp_netlink::{
    wire::{malformed, Attribute, Attributes, Message, Value},
    Error, Result, Socket,
};
use netlink_packet_core::{
    NetlinkHeader, NetlinkMessage, NetlinkPayload, NetlinkSerializable, NlasIterator, NLM_F_REQUEST,
};
use netlink_sys::protocols::NETLINK_SOCK_DIAG;
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

/// Type of requests and of answers.
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const IPPROTO_TCP: u8 = 6;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
/// TCP_ESTABLISHED and TCP_SYN_SENT.
const STATES: u32 = (1 << 1) | (1 << 2);
/// Asks for INET_DIAG_INFO, without which subflows are not told as such.
const EXTENSIONS: u8 = 1 << 1;
/// Length of struct inet_diag_req_v2.
const REQUEST: usize = 56;
/// Length of struct inet_diag_msg.
const HEADER: usize = 72;

/// Attributes of a socket.
const INET_DIAG_ULP_INFO: u16 = 19;
const ULP_INFO_MPTCP: u16 = 3;
/// Attributes of a subflow.
const TOKEN_LOC: u16 = 2;
const FLAGS: u16 = 8;
const ID_REM: u16 = 9;
const ID_LOC: u16 = 10;
/// Bits of FLAGS.
const CAPABLE_REMOTE: u32 = 1 << 0;
const CAPABLE_LOCAL: u32 = 1 << 1;
const JOIN_LOCAL: u32 = 1 << 3;
const BACKUP: u32 = (1 << 4) | (1 << 5);
const FULLY_ESTABLISHED: u32 = 1 << 6;

/// A socket of that protocol.
pub(super) struct Diag {
    socket: Socket<()>,
}

/// One TCP socket that is a subflow.
struct Found {
    token: u32,
    flags: u32,
    subflow: Subflow,
}

impl Diag {
    pub(super) fn open() -> Result<Self> {
        let socket = Socket::open(NETLINK_SOCK_DIAG, Box::new(|_| Ok(None)))?;
        Ok(Self { socket })
    }

    /// The MPTCP connections of the namespace.
    pub(super) fn connections(&mut self) -> Result<Vec<Connection>> {
        let mut found = Vec::new();
        for family in [AF_INET, AF_INET6] {
            let sockets = self.socket.dump(
                "list TCP sockets",
                |flags, sequence| request(family, flags, sequence),
                read,
            )?;
            found.extend(sockets.into_iter().flatten());
        }
        Ok(connections(found))
    }
}

/// Asks for the TCP sockets of a family.
#[derive(Copy, Clone, Debug)]
struct List {
    family: u8,
}

impl NetlinkSerializable for List {
    fn message_type(&self) -> u16 {
        SOCK_DIAG_BY_FAMILY
    }

    fn buffer_len(&self) -> usize {
        REQUEST
    }

    /// What is zero: any addresses and ports.
    fn serialize(&self, buffer: &mut [u8]) {
        buffer.fill(0);
        let [a, b, c, d] = STATES.to_ne_bytes();
        let start = [self.family, IPPROTO_TCP, EXTENSIONS, 0, a, b, c, d];
        for (to, from) in buffer.iter_mut().zip(start) {
            *to = from;
        }
    }
}

fn request(family: u8, flags: u16, sequence: u32) -> Vec<u8> {
    let payload = NetlinkPayload::InnerMessage(List { family });
    let mut message = NetlinkMessage::new(NetlinkHeader::default(), payload);
    message.header.flags = flags | NLM_F_REQUEST;
    message.header.sequence_number = sequence;
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    bytes
}

/// A field of struct inet_diag_msg.
fn field<const N: usize>(payload: &[u8], at: usize) -> Result<[u8; N]> {
    let bytes = payload.get(at..).and_then(|rest| rest.first_chunk());
    bytes.copied().ok_or(Error::Malformed("a socket"))
}

fn address(payload: &[u8], port: usize, ip: usize) -> Result<SocketAddr> {
    let [family] = field(payload, 0)?;
    let ip = match family {
        AF_INET => IpAddr::from(Ipv4Addr::from(field::<4>(payload, ip)?)),
        AF_INET6 => IpAddr::from(Ipv6Addr::from(field::<16>(payload, ip)?)),
        _ => return Err(Error::Malformed("a socket of another family")),
    };
    Ok(SocketAddr::new(
        ip,
        u16::from_be_bytes(field(payload, port)?),
    ))
}

/// `None`: a TCP socket that is no subflow.
fn read(message: &Message<'_>) -> Result<Option<Found>> {
    let payload = message.payload();
    let mut found = Found {
        token: 0,
        flags: 0,
        subflow: Subflow {
            local: address(payload, 4, 8)?,
            remote: address(payload, 6, 24)?,
            local_id: 0,
            remote_id: 0,
            backup: false,
            ifindex: i32::from_ne_bytes(field(payload, 40)?),
            id: None,
            initial: false,
        },
    };
    let attributes = payload.get(HEADER..).ok_or(Error::Malformed("a socket"))?;
    let Some(info) = find(NlasIterator::new(attributes), INET_DIAG_ULP_INFO)? else {
        return Ok(None);
    };
    let Some(info) = find(info.nest(), ULP_INFO_MPTCP)? else {
        return Ok(None);
    };
    for attribute in info.nest() {
        let attribute = attribute.map_err(malformed("an attribute"))?;
        match attribute.kind() {
            TOKEN_LOC => found.token = attribute.u32()?,
            FLAGS => found.flags = attribute.u32()?,
            ID_REM => found.subflow.remote_id = attribute.u8()?,
            ID_LOC => found.subflow.local_id = attribute.u8()?,
            _ => {}
        }
    }
    found.subflow.backup = found.flags & BACKUP != 0;
    found.subflow.initial = found.flags & (CAPABLE_REMOTE | CAPABLE_LOCAL) != 0;
    Ok((found.token != 0).then_some(found))
}

fn find(attributes: Attributes<'_>, kind: u16) -> Result<Option<Attribute<'_>>> {
    for attribute in attributes {
        let attribute = attribute.map_err(malformed("an attribute"))?;
        if attribute.kind() == kind {
            return Ok(Some(attribute));
        }
    }
    Ok(None)
}

/// Subflows by connection.
fn connections(found: Vec<Found>) -> Vec<Connection> {
    let mut all: BTreeMap<u32, Connection> = BTreeMap::new();
    for Found {
        token,
        flags,
        subflow,
    } in found
    {
        let connection = all.entry(token).or_insert_with(|| Connection {
            token,
            phase: Phase::Created,
            ..Connection::default()
        });
        if flags & FULLY_ESTABLISHED != 0 {
            connection.phase = Phase::Established;
        }
        // Only who connects asks for MP_CAPABLE, and as a rule for joins, itself.
        if subflow.initial {
            connection.server_side = Some(flags & CAPABLE_LOCAL == 0);
        } else if !connection.subflows.iter().any(|other| other.initial) {
            let asked = connection.server_side == Some(false) || flags & JOIN_LOCAL != 0;
            connection.server_side = Some(!asked);
        }
        connection.subflows.push(subflow);
    }
    let mut all: Vec<Connection> = all.into_values().collect();
    for connection in &mut all {
        connection.subflows.sort_by_key(|subflow| !subflow.initial);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{bytes, message};
    use ccp_netlink::wire::Request;
    use netlink_packet_core::NetlinkBuffer;
    use proptest::prelude::*;

    /// A socket between 10.0.1.1 and 10.0.2.2.
    fn socket(port: u16, token: u32, flags: u32) -> Found {
        let mut payload = vec![0; HEADER];
        payload[0] = AF_INET;
        payload[4..6].copy_from_slice(&port.to_be_bytes());
        payload[6..8].copy_from_slice(&80_u16.to_be_bytes());
        payload[8..12].copy_from_slice(&[10, 0, 1, 1]);
        payload[24..28].copy_from_slice(&[10, 0, 2, 2]);
        payload[40..44].copy_from_slice(&3_i32.to_ne_bytes());
        let info = |nest: Request| {
            nest.string(1, "mptcp").nest(ULP_INFO_MPTCP, |nest| {
                nest.u32(TOKEN_LOC, token)
                    .u32(FLAGS, flags)
                    .u8(ID_LOC, 1)
                    .u8(ID_REM, 2)
            })
        };
        payload.extend(bytes(&Request::new(0).nest(INET_DIAG_ULP_INFO, info)));
        let message = message(&payload);
        let message = NetlinkBuffer::new_checked(&message[..]).unwrap();
        read(&message).unwrap().unwrap()
    }

    #[test]
    fn subflows_are_put_together() {
        let join = socket(4001, 7, FULLY_ESTABLISHED | BACKUP);
        let first = socket(4000, 7, FULLY_ESTABLISHED | CAPABLE_LOCAL | CAPABLE_REMOTE);
        let served = socket(80, 8, CAPABLE_REMOTE);
        let all = connections(vec![join, first, served]);
        let [client, server] = &all[..] else {
            panic!("{all:?}");
        };
        assert_eq!((client.token, client.server_side), (7, Some(false)));
        assert_eq!(client.phase, Phase::Established);
        let ports: Vec<u16> = client.subflows.iter().map(|it| it.local.port()).collect();
        assert_eq!(ports, [4000, 4001]);
        assert!(client.subflows[1].backup && !client.subflows[0].backup);
        assert_eq!(client.subflows[1].remote, "10.0.2.2:80".parse().unwrap());
        assert_eq!(client.subflows[1].ifindex, 3);
        assert_eq!(
            (client.subflows[1].local_id, client.subflows[1].remote_id),
            (1, 2)
        );
        assert_eq!(server.server_side, Some(true));
        // What is left when the first subflow is gone.
        for (asked, server) in [(JOIN_LOCAL, false), (0, true)] {
            let all = connections(vec![socket(4001, 7, 1 << 2), socket(4002, 7, asked)]);
            assert_eq!(all[0].server_side, Some(server));
        }
        assert_eq!(server.phase, Phase::Created);
    }

    proptest! {
        #[test]
        fn hostile_sockets_are_read_or_refused(data in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut data = data;
            for family in [AF_INET, AF_INET6] {
                if let Some(first) = data.first_mut() {
                    *first = family;
                }
                let message = message(&data);
                let _ = read(&NetlinkBuffer::new_checked(&message[..]).unwrap());
            }
        }
    }
}
