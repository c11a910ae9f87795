// SPDX-License-Identifier: GPL-2.0
//! What a path manager can have the kernel do.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

/// One command about one connection.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Command {
    /// Open a subflow.
    Connect {
        /// The connection.
        token: u32,
        /// Number of the local address, the same for every subflow of it.
        local_id: u8,
        /// Where it starts; port 0 is any.
        local: SocketAddr,
        /// Number of the remote address.
        remote_id: u8,
        /// Where it goes.
        remote: SocketAddr,
        /// For use only when no other works.
        backup: bool,
        /// The interface to bind to; 0 is none.
        ifindex: i32,
    },
    /// Close a subflow, named by its ends as the kernel tells them.
    Close {
        /// The connection.
        token: u32,
        /// Our end.
        local: SocketAddr,
        /// The other end.
        remote: SocketAddr,
    },
    /// Make a subflow a backup, or an ordinary one.
    Priority {
        /// The connection.
        token: u32,
        /// Our end.
        local: SocketAddr,
        /// The other end.
        remote: SocketAddr,
        /// What it shall be.
        backup: bool,
    },
    /// Tell the peer of an address of ours.
    Announce {
        /// The connection.
        token: u32,
        /// Number of the address.
        id: u8,
        /// The address.
        address: IpAddr,
        /// The port to connect to; 0 is that of the first subflow.
        port: u16,
        /// The interface it is on; 0 is none.
        ifindex: i32,
    },
    /// Tell the peer that an address of ours is gone.
    Withdraw {
        /// The connection.
        token: u32,
        /// Number of the address.
        id: u8,
    },
}

impl Command {
    /// The connection it is about.
    pub fn token(&self) -> u32 {
        match *self {
            Self::Connect { token, .. }
            | Self::Close { token, .. }
            | Self::Priority { token, .. }
            | Self::Announce { token, .. }
            | Self::Withdraw { token, .. } => token,
        }
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect {
                local_id,
                local,
                remote_id,
                remote,
                backup,
                ..
            } => {
                let kind = if *backup { "backup subflow" } else { "subflow" };
                write!(
                    f,
                    "{kind} {local} (id {local_id}) to {remote} (id {remote_id})"
                )
            }
            Self::Close { local, remote, .. } => write!(f, "close {local} to {remote}"),
            Self::Priority {
                local,
                remote,
                backup,
                ..
            } => {
                let role = if *backup {
                    "a backup"
                } else {
                    "an ordinary subflow"
                };
                write!(f, "make {local} to {remote} {role}")
            }
            Self::Announce {
                id, address, port, ..
            } => {
                write!(f, "announce {address} (id {id})")?;
                match port {
                    0 => Ok(()),
                    port => write!(f, " port {port}"),
                }
            }
            Self::Withdraw { id, .. } => write!(f, "withdraw address id {id}"),
        }
    }
}
