// SPDX-License-Identifier: GPL-2.0

//! What listeners are told.

use super::{
    end::{
        End,
        Subflow, //
    },
    flag,
};

/// Kinds of events, in the order of their numbers.
pub const KINDS: [Kind; 10] = [
    Kind::Created,
    Kind::Established,
    Kind::Closed,
    Kind::Announced,
    Kind::Removed,
    Kind::SubEstablished,
    Kind::SubClosed,
    Kind::SubPriority,
    Kind::SubCreated,
    Kind::Fallback,
];

/// An event by its number in the uapi.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[repr(u8)]
#[expect(missing_docs, reason = "docs/netlink/specs/mptcp.yaml says it")]
pub enum Kind {
    Created = 1,
    Established = 2,
    Closed = 3,
    Announced = 6,
    Removed = 7,
    SubEstablished = 10,
    SubClosed = 11,
    SubPriority = 13,
    SubCreated = 64,
    Fallback = 65,
}

impl Kind {
    /// The event with this number.
    pub fn of(cmd: u8) -> Option<Kind> {
        KINDS.into_iter().find(|kind| *kind as u8 == cmd)
    }

    /// Its place in [`KINDS`].
    pub(super) fn index(self) -> usize {
        match self {
            Kind::Created => 0,
            Kind::Established => 1,
            Kind::Closed => 2,
            Kind::Announced => 3,
            Kind::Removed => 4,
            Kind::SubEstablished => 5,
            Kind::SubClosed => 6,
            Kind::SubPriority => 7,
            Kind::SubCreated => 8,
            Kind::Fallback => 9,
        }
    }

    /// The bit of a filter that asks for it.
    pub fn bit(self) -> u16 {
        match self {
            Kind::Created => 1 << 1,
            Kind::Established => 1 << 2,
            Kind::Closed => 1 << 3,
            Kind::Announced => 1 << 4,
            Kind::Removed => 1 << 5,
            Kind::SubEstablished => 1 << 6,
            Kind::SubClosed => 1 << 7,
            Kind::SubPriority => 1 << 8,
            Kind::SubCreated => 1 << 9,
            Kind::Fallback => 1 << 10,
        }
    }
}

/// What a socket gets that never set a filter: the events that daemons of the
/// out-of-tree kernel know.
pub const FILTER_DEFAULT: u16 = 0x1fe;

/// What a socket gets that asked for `flags`. Unknown bits are ignored, as they
/// always were.
pub fn wanted(flags: u16) -> u16 {
    KINDS
        .into_iter()
        .map(|kind| flags & kind.bit())
        .fold(0, |all, bit| all | bit)
}

/// What an [`Event`] carries beside the token.
pub mod has {
    /// The addresses, ids and ports of a subflow, and so on.
    pub const SUBFLOW: u32 = 1 << 0;
    /// An error.
    pub const ERROR: u32 = 1 << 1;
    /// Why the subflow was reset.
    pub const RESET: u32 = 1 << 2;
    /// Which side we are, and whether joins to the first address are unwelcome.
    pub const SIDE: u32 = 1 << 3;
    /// An address of the peer.
    pub const ADDRESS: u32 = 1 << 4;
    /// The id of an address of the peer, alone.
    pub const REMOTE_ID: u32 = 1 << 5;
    /// In the answer to a query: the subflow is the connection's first.
    pub const INITIAL: u32 = 1 << 6;
}

/// An event, or a subflow in an answer, ready to be written out;
/// `struct ccp_mptcp_event`.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Event {
    /// Our end.
    pub local: End,
    /// The peer's end or address.
    pub remote: End,
    /// See [`has`].
    pub has: u32,
    /// The connection.
    pub token: u32,
    /// As in [`Subflow`].
    pub subflow_id: u32,
    /// As in [`Subflow`].
    pub ifindex: i32,
    /// As in [`Subflow`].
    pub reset_reason: u32,
    /// Bit 0: transient.
    pub reset_flags: u32,
    /// Host order.
    pub sport: u16,
    /// Host order.
    pub dport: u16,
    /// The bit of a filter that asks for it.
    pub bit: u16,
    /// The event's number.
    pub cmd: u8,
    /// An errno.
    pub error: u8,
    /// Either side asked for backup.
    pub backup: u8,
    /// We accepted the connection.
    pub server_side: u8,
    /// The peer wants no joins to its first address.
    pub deny_join_id0: u8,
    /// 0.
    pub reserved: u8,
}

impl Event {
    /// An event that names only the connection.
    pub fn bare(kind: Kind, token: u32) -> Event {
        Event {
            token,
            bit: kind.bit(),
            cmd: kind as u8,
            ..Event::default()
        }
    }

    /// A subflow without an event around it, for answers to queries.
    pub fn of_subflow(subflow: &Subflow) -> Event {
        let mut event = Event {
            local: subflow.local,
            remote: subflow.remote,
            has: has::SUBFLOW,
            token: subflow.token,
            subflow_id: subflow.id,
            ifindex: subflow.ifindex,
            sport: subflow.local.port(),
            dport: subflow.remote.port(),
            backup: u8::from(subflow.is_backup()),
            server_side: u8::from(subflow.is(flag::SERVER_SIDE)),
            deny_join_id0: u8::from(subflow.is(flag::DENY_JOIN_ID0)),
            ..Event::default()
        };
        if subflow.error != 0 {
            event.has |= has::ERROR;
            event.error = u8::try_from(subflow.error).unwrap_or(u8::MAX);
        }
        if subflow.is(flag::INITIAL) {
            event.has |= has::INITIAL;
        }
        event
    }

    /// An event about a subflow. The token is the connection's own copy of it.
    pub(super) fn about(kind: Kind, token: u32, subflow: &Subflow) -> Event {
        let mut event = Event {
            token,
            bit: kind.bit(),
            cmd: kind as u8,
            ..Event::of_subflow(subflow)
        };
        event.has &= !has::INITIAL;
        match kind {
            Kind::Created | Kind::Established => event.has |= has::SIDE,
            Kind::SubClosed if subflow.is(flag::RESET) => {
                event.has |= has::RESET;
                event.reset_reason = subflow.reset_reason;
                event.reset_flags = u32::from(subflow.is(flag::RESET_TRANSIENT));
            }
            _ => {}
        }
        event
    }

    /// The peer announced an address.
    pub(super) fn announced(token: u32, addr: &End) -> Event {
        Event {
            remote: *addr,
            has: has::ADDRESS,
            dport: addr.port(),
            ..Event::bare(Kind::Announced, token)
        }
    }

    /// The peer withdrew an address.
    pub(super) fn removed(token: u32, id: u8) -> Event {
        Event {
            remote: End::default().with_id(id),
            has: has::REMOTE_ID,
            ..Event::bare(Kind::Removed, token)
        }
    }
}
