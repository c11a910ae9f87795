// SPDX-License-Identifier: GPL-2.0
//! Numbers of the two families.

/// Attributes of events, and of the commands of family `mptcp`.
#[allow(
    dead_code,
    reason = "the list is complete even where nothing reads a number"
)]
pub(crate) mod attr {
    pub(crate) const TOKEN: u16 = 1;
    pub(crate) const FAMILY: u16 = 2;
    pub(crate) const LOC_ID: u16 = 3;
    pub(crate) const REM_ID: u16 = 4;
    pub(crate) const SADDR4: u16 = 5;
    pub(crate) const SADDR6: u16 = 6;
    pub(crate) const DADDR4: u16 = 7;
    pub(crate) const DADDR6: u16 = 8;
    pub(crate) const SPORT: u16 = 9;
    pub(crate) const DPORT: u16 = 10;
    pub(crate) const BACKUP: u16 = 11;
    pub(crate) const ERROR: u16 = 12;
    pub(crate) const FLAGS: u16 = 13;
    pub(crate) const IF_IDX: u16 = 15;

    pub(crate) const UPSTREAM_RESET_REASON: u16 = 16;
    pub(crate) const UPSTREAM_RESET_FLAGS: u16 = 17;
    pub(crate) const UPSTREAM_SERVER_SIDE: u16 = 18;

    pub(crate) const SEQ: u16 = 64;
    pub(crate) const DROPS: u16 = 65;
    pub(crate) const SUBFLOW_ID: u16 = 66;
    pub(crate) const SERVER_SIDE: u16 = 67;
    pub(crate) const DENY_JOIN_ID0: u16 = 68;
    pub(crate) const RESET_REASON: u16 = 69;
    pub(crate) const RESET_FLAGS: u16 = 70;
    pub(crate) const STATE: u16 = 71;
    pub(crate) const EXTRA_SUBFLOWS: u16 = 72;
    pub(crate) const LOCAL: u16 = 73;
    pub(crate) const ANNOUNCED: u16 = 74;
    pub(crate) const REFS: u16 = 75;
    pub(crate) const INITIAL_SUBFLOW: u16 = 76;
    pub(crate) const EVENTS: u16 = 77;
    pub(crate) const KIND: u16 = 78;
    pub(crate) const JOIN_LIMIT: u16 = 79;
    pub(crate) const REMOTE: u16 = 80;
    pub(crate) const PENDING: u16 = 81;
}

/// Commands and events of family `mptcp`. Upstream's events have the same
/// numbers up to 14.
pub(crate) mod module {
    use crate::Kind;

    pub(crate) const NAME: &str = "mptcp";
    pub(crate) const EVENTS: &str = "mptcp_events";

    pub(crate) const EVENT_CREATED: u8 = 1;
    pub(crate) const EVENT_ESTABLISHED: u8 = 2;
    pub(crate) const EVENT_CLOSED: u8 = 3;
    pub(crate) const CMD_ANNOUNCE: u8 = 4;
    pub(crate) const CMD_REMOVE: u8 = 5;
    pub(crate) const EVENT_ANNOUNCED: u8 = 6;
    pub(crate) const EVENT_REMOVED: u8 = 7;
    pub(crate) const CMD_SUB_CREATE: u8 = 8;
    pub(crate) const CMD_SUB_DESTROY: u8 = 9;
    pub(crate) const EVENT_SUB_ESTABLISHED: u8 = 10;
    pub(crate) const EVENT_SUB_CLOSED: u8 = 11;
    pub(crate) const CMD_SUB_PRIORITY: u8 = 12;
    pub(crate) const EVENT_SUB_PRIORITY: u8 = 13;
    pub(crate) const CMD_SET_FILTER: u8 = 14;
    pub(crate) const EVENT_SUB_CREATED: u8 = 64;
    pub(crate) const EVENT_FALLBACK: u8 = 65;
    pub(crate) const CMD_GET_CONN: u8 = 66;
    pub(crate) const CMD_GET_SUBFLOW: u8 = 67;
    pub(crate) const CMD_GET_COUNTERS: u8 = 68;

    /// The bit of a filter that asks for an event.
    pub(crate) fn filter(kind: Kind) -> u16 {
        match kind {
            Kind::Created => 1 << 1,
            Kind::Established => 1 << 2,
            Kind::Closed => 1 << 3,
            Kind::Announced => 1 << 4,
            Kind::Removed => 1 << 5,
            Kind::SubflowEstablished => 1 << 6,
            Kind::SubflowClosed => 1 << 7,
            Kind::SubflowPriority => 1 << 8,
            Kind::SubflowCreated => 1 << 9,
            Kind::Fallback => 1 << 10,
            Kind::ListenerCreated | Kind::ListenerClosed | Kind::Lost => 0,
        }
    }
}

/// Family `mptcp_pm`.
pub(crate) mod upstream {
    pub(crate) const NAME: &str = "mptcp_pm";
    pub(crate) const EVENTS: &str = "mptcp_pm_events";

    pub(crate) const EVENT_LISTENER_CREATED: u8 = 15;
    pub(crate) const EVENT_LISTENER_CLOSED: u8 = 16;

    pub(crate) const CMD_GET_ADDR: u8 = 3;
    pub(crate) const CMD_SET_FLAGS: u8 = 7;
    pub(crate) const CMD_ANNOUNCE: u8 = 8;
    pub(crate) const CMD_REMOVE: u8 = 9;
    pub(crate) const CMD_SUBFLOW_CREATE: u8 = 10;
    pub(crate) const CMD_SUBFLOW_DESTROY: u8 = 11;

    pub(crate) const ATTR_ADDR: u16 = 1;
    pub(crate) const ATTR_TOKEN: u16 = 4;
    pub(crate) const ATTR_LOC_ID: u16 = 5;
    pub(crate) const ATTR_ADDR_REMOTE: u16 = 6;

    pub(crate) mod addr {
        pub(crate) const FAMILY: u16 = 1;
        pub(crate) const ID: u16 = 2;
        pub(crate) const ADDR4: u16 = 3;
        pub(crate) const ADDR6: u16 = 4;
        pub(crate) const PORT: u16 = 5;
        pub(crate) const FLAGS: u16 = 6;
        pub(crate) const IF_IDX: u16 = 7;
    }

    pub(crate) const FLAG_SIGNAL: u32 = 1;
    pub(crate) const FLAG_BACKUP: u32 = 4;
}

/// `AF_INET` or `AF_INET6`, as the attributes have it.
pub(crate) fn family(address: std::net::IpAddr) -> u16 {
    let family = if address.is_ipv4() {
        libc::AF_INET
    } else {
        libc::AF_INET6
    };
    u16::try_from(family).unwrap_or_default()
}
