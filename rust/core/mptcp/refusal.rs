// SPDX-License-Identifier: GPL-2.0

//! Why a command is refused: what the kernel says, in the words and the errnos
//! of the uapi, which are those of the out-of-tree kernel as far as it had the
//! case.

use core::fmt;

use super::{
    admission::EXTRA_MAX,
    locals::Conflict,
    request::Attr, //
};

/// Errnos, positive, as the kernel's headers have them.
pub mod errno {
    /// No such file or directory.
    pub const ENOENT: i32 = 2;
    /// No such process.
    pub const ESRCH: i32 = 3;
    /// Try again.
    pub const EAGAIN: i32 = 11;
    /// Out of memory.
    pub const ENOMEM: i32 = 12;
    /// Device or resource busy.
    pub const EBUSY: i32 = 16;
    /// Invalid argument.
    pub const EINVAL: i32 = 22;
    /// No space left on device.
    pub const ENOSPC: i32 = 28;
    /// Invalid request descriptor.
    pub const EBADR: i32 = 53;
    /// Transport endpoint is not connected.
    pub const ENOTCONN: i32 = 107;
    /// Owner died.
    pub const EOWNERDEAD: i32 = 130;
}

/// Commands that can be refused for what they ask.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "docs/netlink/specs/mptcp.yaml says it")]
pub enum Command {
    Announce,
    Remove,
    SubCreate,
    SubDestroy,
    SubPriority,
    Exist,
    Query,
}

/// Why a command is refused; displays as a sentence.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the text of each is its documentation")]
pub enum Refusal {
    Missing(Attr),
    Family(u16),
    UnknownToken(Command, u32),
    Closing,
    NotEstablished,
    NoMoreSubflows,
    CannotAck,
    NoSubflow,
    Unannounced(u8),
    UnknownId(u8),
    IdZero,
    AnyAddress,
    AnyWithId(u8),
    NoPort,
    Kinds,
    OtherId { id: u8, wanted: u8 },
    OtherAddress(u8),
    NoIds,
    NoMemory,
    SlotsBusy,
    TooManySubflows,
    Other(Command, i32),
}

impl Refusal {
    /// What the kernel's error `err` (positive) means for a command.
    pub fn of(command: Command, token: u32, id: u8, err: i32) -> Refusal {
        match (err, command) {
            (errno::ENOENT, _) => Refusal::UnknownToken(command, token),
            (errno::EOWNERDEAD, _) => Refusal::Closing,
            (errno::EAGAIN, _) => Refusal::NotEstablished,
            (errno::ENOTCONN, Command::SubPriority) => Refusal::CannotAck,
            (errno::ENOTCONN, _) => Refusal::NoMoreSubflows,
            (errno::ESRCH, Command::Announce | Command::Remove) => Refusal::Unannounced(id),
            (errno::ESRCH, Command::SubDestroy | Command::SubPriority) => Refusal::NoSubflow,
            (errno::EBUSY, Command::Announce | Command::Remove) => Refusal::SlotsBusy,
            (errno::ENOSPC, _) => Refusal::TooManySubflows,
            (errno::ENOMEM, _) => Refusal::NoMemory,
            (err, _) => Refusal::Other(command, err),
        }
    }

    /// Why `wanted` can't be the id of an address.
    pub fn of_conflict(conflict: Conflict, wanted: u8) -> Refusal {
        match conflict {
            Conflict::OtherId(id) => Refusal::OtherId { id, wanted },
            Conflict::OtherAddress => Refusal::OtherAddress(wanted),
            Conflict::NoIds => Refusal::NoIds,
            Conflict::NoMemory => Refusal::NoMemory,
        }
    }

    /// The errno, positive.
    pub fn errno(self) -> i32 {
        match self {
            Refusal::UnknownToken(Command::SubCreate, _) => errno::EBADR,
            Refusal::UnknownToken(Command::Exist, _) => errno::ENOTCONN,
            Refusal::Closing => errno::EOWNERDEAD,
            Refusal::NotEstablished => errno::EAGAIN,
            Refusal::NoMoreSubflows | Refusal::CannotAck => errno::ENOTCONN,
            Refusal::SlotsBusy => errno::EBUSY,
            Refusal::NoIds | Refusal::TooManySubflows => errno::ENOSPC,
            Refusal::NoMemory => errno::ENOMEM,
            Refusal::Other(_, err) => err,
            _ => errno::EINVAL,
        }
    }

    /// The attribute at fault, or 0.
    pub fn attr(self) -> u32 {
        match self {
            Refusal::Missing(attr) => attr as u32,
            Refusal::Family(_) => Attr::Family as u32,
            Refusal::UnknownToken(..) => Attr::Token as u32,
            Refusal::Unannounced(_)
            | Refusal::UnknownId(_)
            | Refusal::IdZero
            | Refusal::AnyWithId(_)
            | Refusal::OtherId { .. }
            | Refusal::OtherAddress(_) => Attr::LocId as u32,
            Refusal::NoPort => Attr::Dport as u32,
            _ => 0,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Refusal::Missing(attr) => write!(f, "attribute '{}' is missing", attr.name()),
            Refusal::Family(family) => {
                write!(
                    f,
                    "address family {family}; 2 (IPv4) and 10 (IPv6) are known"
                )
            }
            Refusal::UnknownToken(_, token) => write!(
                f,
                "no connection of this path manager has token {token:#010x} in this namespace"
            ),
            Refusal::Closing => f.write_str("the connection is being closed"),
            Refusal::NotEstablished => f.write_str(
                "not fully established or not accepted yet; wait for the event or try again",
            ),
            Refusal::NoMoreSubflows => {
                f.write_str("the connection is plain TCP by now, or one side has closed it")
            }
            Refusal::CannotAck => f.write_str("the subflow can't send an ACK now"),
            Refusal::NoSubflow => f.write_str("no subflow has these addresses and ports"),
            Refusal::Unannounced(id) => {
                write!(f, "address {id} is neither announced nor used by a subflow")
            }
            Refusal::UnknownId(id) => write!(f, "no local address has id {id}"),
            Refusal::IdZero => {
                f.write_str("id 0 is the first subflow's address; announce with 1 to 255")
            }
            Refusal::AnyAddress => f.write_str("an address is needed, not the any-address"),
            Refusal::AnyWithId(id) => {
                write!(
                    f,
                    "the any-address can't have id {id}; with 0 routing decides"
                )
            }
            Refusal::NoPort => f.write_str("the destination port is 0"),
            Refusal::Kinds => f.write_str("one address is IPv4 and the other is IPv6"),
            Refusal::OtherId { id, wanted } => {
                write!(f, "the address has id {id} already, not {wanted}")
            }
            Refusal::OtherAddress(id) => write!(f, "id {id} stands for another address"),
            Refusal::NoIds => f.write_str("all 255 ids stand for addresses in use"),
            Refusal::NoMemory => f.write_str("no memory"),
            Refusal::SlotsBusy => {
                f.write_str("an announcement or withdrawal still waits to be sent; try again")
            }
            Refusal::TooManySubflows => {
                write!(
                    f,
                    "the connection has {EXTRA_MAX} subflows beside its first"
                )
            }
            Refusal::Other(Command::SubCreate, _) => {
                f.write_str("the subflow's socket can't be bound or connected")
            }
            Refusal::Other(..) => f.write_str("the kernel refuses"),
        }
    }
}
