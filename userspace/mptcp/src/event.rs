// SPDX-License-Identifier: GPL-2.0
//! What the kernel tells of connections.

use crate::backend::uapi::attr;
use ccp_netlink::{
    wire::{malformed, Attributes, Value},
    Notification,
};
use serde::{Serialize, Serializer};
use std::net::{IpAddr, SocketAddr};

/// Tokens are written as everywhere: eight hexadecimal digits.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
pub(crate) fn hex<S: Serializer>(token: &u32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{token:08x}"))
}

#[allow(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it so"
)]
fn hex_if<S: Serializer>(token: &Option<u32>, serializer: S) -> Result<S::Ok, S::Error> {
    match token {
        Some(token) => hex(token, serializer),
        None => serializer.serialize_none(),
    }
}

/// What an event is about.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Kind {
    /// A connection began.
    Created,
    /// Its handshake is over: subflows can be added.
    Established,
    /// It is gone.
    Closed,
    /// The peer told of an address of its own.
    Announced,
    /// The peer took an address back.
    Removed,
    /// A subflow was asked for.
    SubflowCreated,
    /// A subflow works.
    SubflowEstablished,
    /// A subflow is gone, or never came to work.
    SubflowClosed,
    /// The peer made a subflow a backup, or an ordinary one.
    SubflowPriority,
    /// The connection is plain TCP from now on.
    Fallback,
    /// A socket listens.
    ListenerCreated,
    /// A socket listens no more.
    ListenerClosed,
    /// Events were lost: only a dump tells what is.
    Lost,
}

impl Kind {
    /// What a connection can tell.
    pub const ALL: [Self; 10] = [
        Self::Created,
        Self::Established,
        Self::Closed,
        Self::Announced,
        Self::Removed,
        Self::SubflowCreated,
        Self::SubflowEstablished,
        Self::SubflowClosed,
        Self::SubflowPriority,
        Self::Fallback,
    ];
}

/// The attributes of an event. What was not told is `None`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Record {
    /// The connection.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "hex_if")]
    pub token: Option<u32>,
    /// Number of the remote address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_id: Option<u8>,
    /// Number of the local address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local_id: Option<u8>,
    /// Our address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local: Option<IpAddr>,
    /// The peer's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote: Option<IpAddr>,
    /// Our port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local_port: Option<u16>,
    /// The peer's port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_port: Option<u16>,
    /// A backup.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup: Option<bool>,
    /// Errno of a subflow that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<u32>,
    /// Flags of upstream's family.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flags: Option<u32>,
    /// The interface the subflow is bound to; 0 is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ifindex: Option<i32>,
    /// Why the peer reset the subflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reset: Option<Reset>,
    /// We accepted the connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_side: Option<bool>,
    /// The peer asked not to connect to the address of its first subflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deny_join_id0: Option<bool>,
    /// Number of the subflow in its connection; 1 is the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subflow: Option<u32>,
    /// It is the one the connection began with.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub initial: bool,
    /// It waits for the answer to its SYN.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub pending: bool,
    /// Number of the event among those of its kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// Events the kernel could not make or queue so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drops: Option<u64>,
}

/// A reset option (RFC 8684, 3.6).
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Reset {
    /// Reason code.
    pub reason: u32,
    /// It may be tried again.
    pub transient: bool,
}

/// An event.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Event {
    /// What it is about.
    #[serde(rename = "event")]
    pub kind: Kind,
    /// What it says.
    #[serde(flatten)]
    pub record: Record,
}

/// A subflow.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Subflow {
    /// Our end, in the form the kernel uses.
    pub local: SocketAddr,
    /// The other end.
    pub remote: SocketAddr,
    /// Number of the local address.
    pub local_id: u8,
    /// Number of the remote address.
    pub remote_id: u8,
    /// A backup.
    pub backup: bool,
    /// The interface it is bound to; 0 is none.
    pub ifindex: i32,
    /// Its number in the connection; 1 is the first.
    pub id: Option<u32>,
    /// It is the one the connection began with.
    pub initial: bool,
}

/// How a family writes what differs between the two.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(crate) enum Dialect {
    /// Family `mptcp`: ports in host order, own attributes from 64.
    Module,
    /// Family `mptcp_pm`: ports in network order, 16 to 18.
    Upstream,
}

/// Bits of upstream's FLAGS.
const FLAG_DENY_JOIN_ID0: u32 = 1;
const FLAG_SERVER_SIDE: u32 = 2;
/// Bit of RESET_FLAGS.
const RESET_TRANSIENT: u32 = 1;

impl Record {
    /// Reads attributes of an event or of a dumped subflow.
    pub(crate) fn read(attributes: Attributes<'_>, dialect: Dialect) -> ccp_netlink::Result<Self> {
        let mut record = Self::default();
        for attribute in attributes {
            let attribute = attribute.map_err(malformed("an attribute"))?;
            record.set(&attribute, dialect)?;
        }
        // Upstream tells these two as flags, and the server side in 7.x only so.
        if let (Dialect::Upstream, Some(flags)) = (dialect, record.flags) {
            record.deny_join_id0 = Some(flags & FLAG_DENY_JOIN_ID0 != 0);
            if flags & FLAG_SERVER_SIDE != 0 {
                record.server_side = Some(true);
            }
        }
        Ok(record)
    }

    fn set(
        &mut self,
        attribute: &ccp_netlink::wire::Attribute<'_>,
        dialect: Dialect,
    ) -> ccp_netlink::Result<()> {
        let port = |port: u16| match dialect {
            Dialect::Module => port,
            Dialect::Upstream => u16::from_be(port),
        };
        let upstream = dialect == Dialect::Upstream;
        match attribute.kind() {
            attr::TOKEN => self.token = Some(attribute.u32()?),
            attr::LOC_ID => self.local_id = Some(attribute.u8()?),
            attr::REM_ID => self.remote_id = Some(attribute.u8()?),
            attr::SADDR4 | attr::SADDR6 => self.local = Some(attribute.ip()?),
            attr::DADDR4 | attr::DADDR6 => self.remote = Some(attribute.ip()?),
            attr::SPORT => self.local_port = Some(port(attribute.u16()?)),
            attr::DPORT => self.remote_port = Some(port(attribute.u16()?)),
            attr::BACKUP => self.backup = Some(attribute.u8()? != 0),
            attr::ERROR => self.error = Some(u32::from(attribute.u8()?)),
            attr::FLAGS => self.flags = Some(u32::from(attribute.u16()?)),
            attr::IF_IDX => self.ifindex = Some(attribute.i32()?),
            attr::UPSTREAM_RESET_REASON if upstream => self.reset().reason = attribute.u32()?,
            attr::UPSTREAM_RESET_FLAGS if upstream => {
                self.reset().transient = attribute.u32()? & RESET_TRANSIENT != 0;
            }
            attr::UPSTREAM_SERVER_SIDE if upstream => {
                self.server_side = Some(attribute.u8()? != 0);
            }
            _ if upstream => {}
            attr::SEQ => self.seq = Some(attribute.uint()?),
            attr::DROPS => self.drops = Some(attribute.uint()?),
            attr::SUBFLOW_ID => self.subflow = Some(attribute.u32()?),
            attr::SERVER_SIDE => self.server_side = Some(attribute.u8()? != 0),
            attr::DENY_JOIN_ID0 => self.deny_join_id0 = Some(attribute.u8()? != 0),
            attr::RESET_REASON => self.reset().reason = attribute.u32()?,
            attr::RESET_FLAGS => {
                self.reset().transient = attribute.u32()? & RESET_TRANSIENT != 0;
            }
            attr::INITIAL_SUBFLOW => self.initial = attribute.u8()? != 0,
            attr::PENDING => self.pending = attribute.u8()? != 0,
            _ => {}
        }
        Ok(())
    }

    fn reset(&mut self) -> &mut Reset {
        self.reset.get_or_insert_default()
    }

    /// Both ends, if told.
    pub fn ends(&self) -> Option<(SocketAddr, SocketAddr)> {
        Some((
            SocketAddr::new(self.local?, self.local_port?),
            SocketAddr::new(self.remote?, self.remote_port?),
        ))
    }

    /// The subflow it tells of, if it does.
    pub fn subflow(&self) -> Option<Subflow> {
        let (local, remote) = self.ends()?;
        Some(Subflow {
            local,
            remote,
            local_id: self.local_id.unwrap_or(0),
            remote_id: self.remote_id.unwrap_or(0),
            backup: self.backup.unwrap_or(false),
            ifindex: self.ifindex.unwrap_or(0),
            id: self.subflow,
            initial: self.initial || self.subflow == Some(1),
        })
    }
}

impl Notification for Event {
    fn overrun() -> Self {
        Self {
            kind: Kind::Lost,
            record: Record::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{attributes, bytes};
    use ccp_netlink::wire::Request;
    use proptest::prelude::*;

    fn read(request: &Request, dialect: Dialect) -> Record {
        Record::read(attributes(&bytes(request)), dialect).unwrap()
    }

    fn common(sport: u16) -> Request {
        Request::new(1)
            .u32(attr::TOKEN, 0xabcd)
            .u16(attr::FAMILY, 2)
            .u8(attr::LOC_ID, 1)
            .u8(attr::REM_ID, 2)
            .ip(attr::SADDR4, [10, 0, 1, 1].into())
            .ip(attr::DADDR4, [10, 0, 2, 2].into())
            .u16(attr::SPORT, sport)
            .u16(attr::DPORT, 80_u16.to_be())
            .u8(attr::BACKUP, 1)
            .u8(attr::ERROR, 111)
    }

    #[test]
    fn the_module_speaks_host_order_and_numbers_from_64() {
        let request = common(4000)
            .i32(attr::IF_IDX, 3)
            .bytes(attr::SEQ, 7_u64.to_ne_bytes().to_vec())
            .bytes(attr::DROPS, 1_u64.to_ne_bytes().to_vec())
            .u32(attr::SUBFLOW_ID, 2)
            .u8(attr::SERVER_SIDE, 1)
            .u8(attr::DENY_JOIN_ID0, 1)
            .u32(attr::RESET_REASON, 3)
            .u32(attr::RESET_FLAGS, 1)
            // Upstream's SERVER_SIDE is nothing here.
            .u8(attr::UPSTREAM_SERVER_SIDE, 0);
        let record = read(&request, Dialect::Module);
        assert_eq!(record.local_port, Some(4000));
        assert_eq!((record.seq, record.drops), (Some(7), Some(1)));
        assert_eq!(record.server_side, Some(true));
        assert_eq!(record.deny_join_id0, Some(true));
        let reset = Reset {
            reason: 3,
            transient: true,
        };
        assert_eq!(record.reset, Some(reset));
        let subflow = record.subflow().unwrap();
        assert_eq!(subflow.local, "10.0.1.1:4000".parse().unwrap());
        assert_eq!((subflow.local_id, subflow.remote_id), (1, 2));
        assert!(subflow.backup && !subflow.initial);
    }

    #[test]
    fn upstream_speaks_network_order_and_flags() {
        let request = common(4000_u16.to_be())
            .u16(attr::FLAGS, 3)
            .u32(attr::UPSTREAM_RESET_REASON, 2)
            .u32(attr::UPSTREAM_RESET_FLAGS, 0);
        let record = read(&request, Dialect::Upstream);
        let ends = record.ends().unwrap();
        assert_eq!(ends.0, "10.0.1.1:4000".parse().unwrap());
        assert_eq!(ends.1, "10.0.2.2:80".parse().unwrap());
        assert_eq!(record.server_side, Some(true));
        assert_eq!(record.deny_join_id0, Some(true));
        assert_eq!(record.reset.map(|reset| reset.reason), Some(2));
        let old = read(
            &common(0).u8(attr::UPSTREAM_SERVER_SIDE, 0),
            Dialect::Upstream,
        );
        assert_eq!((old.server_side, old.deny_join_id0), (Some(false), None));
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_read_or_refused(data in prop::collection::vec(any::<u8>(), 0..200)) {
            for dialect in [Dialect::Module, Dialect::Upstream] {
                if let Ok(record) = Record::read(attributes(&data), dialect) {
                    let _ = record.subflow();
                }
            }
        }

        #[test]
        fn wrong_lengths_are_refused(kind in 1..80_u16, data in prop::collection::vec(any::<u8>(), 0..20)) {
            let message = bytes(&Request::new(1).bytes(kind, data));
            for dialect in [Dialect::Module, Dialect::Upstream] {
                let _ = Record::read(attributes(&message), dialect);
            }
        }
    }
}
