// SPDX-License-Identifier: GPL-2.0
//! Serves a Portus client on a unix datagram socket: to the client this is a
//! datapath, to the module an agent of generic netlink.
//!
//! The client is one that is there already, or comes, or comes back; while it is
//! there, this process is an agent. It isn't one without the client: flows are
//! left to others then.

#![forbid(unsafe_code)]

mod bridge;
mod link;
mod session;

pub use bridge::{run, Options, Summary};

/// What ends a bridge.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The module.
    #[error(transparent)]
    Kernel(#[from] ccp_netlink::Error),
    /// Our socket.
    #[error("{what} {path}: {source}")]
    Socket {
        /// What was tried.
        what: &'static str,
        /// With which file.
        path: String,
        /// The system's answer.
        source: std::io::Error,
    },
    /// Somebody else could put sockets of his own there.
    #[error("{0} belongs to user {1}: remove it, or have it belong to root")]
    Directory(String, u32),
}

/// Result of what a bridge does.
pub type Result<T, E = Error> = std::result::Result<T, E>;
