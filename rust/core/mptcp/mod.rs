// SPDX-License-Identifier: GPL-2.0

//! The MPTCP hook without the kernel: what a connection remembers, which events
//! it sends when, which local address has which id, and why a command is
//! refused.
//!
//! Based on `docs/netlink/specs/mptcp.yaml`.

mod admission;
mod connection;
mod counters;
mod end;
mod event;
mod locals;
mod plan;
mod refusal;
mod remotes;
mod request;
mod room;
mod tracks;

pub use self::{
    admission::{
        admits,
        confirms,
        EXTRA_MAX, //
    },
    connection::{
        Connection,
        State,
        What, //
    },
    counters::Counters,
    end::{
        End,
        Host,
        Subflow,
        AF_INET,
        AF_INET6, //
    },
    event::{
        has,
        wanted,
        Event,
        Kind,
        FILTER_DEFAULT,
        KINDS, //
    },
    locals::{
        Conflict,
        Local,
        Locals,
        IDLE_MOST,
        IDS, //
    },
    plan::{
        Announcement,
        Join,
        Pair, //
    },
    refusal::{
        errno,
        Command,
        Refusal, //
    },
    remotes::REMOTES_MOST,
    request::{
        Attr,
        Request, //
    },
    room::Room,
    tracks::{
        Track,
        Tracks, //
    },
};

/// Bits of [`Subflow::flags`].
pub mod flag {
    /// We are the side that accepted the connection.
    pub const SERVER_SIDE: u16 = 1 << 0;
    /// The peer asked for no joins to its first address.
    pub const DENY_JOIN_ID0: u16 = 1 << 1;
    /// We asked for backup.
    pub const BACKUP_LOCAL: u16 = 1 << 2;
    /// The peer asked for backup.
    pub const BACKUP_REMOTE: u16 = 1 << 3;
    /// The subflow was reset with a reason.
    pub const RESET: u16 = 1 << 4;
    /// The reason may pass.
    pub const RESET_TRANSIENT: u16 = 1 << 5;
    /// It is the connection's first.
    pub const INITIAL: u16 = 1 << 6;
    /// We opened it.
    pub const ACTIVE: u16 = 1 << 7;
}
