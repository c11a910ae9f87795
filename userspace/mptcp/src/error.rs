// SPDX-License-Identifier: GPL-2.0
//! Errors, worded so that they tell what to do next.

use std::{io, path::PathBuf};

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The kernel refused a command, or netlink failed.
    #[error(transparent)]
    Netlink(#[from] ccp_netlink::Error),
    /// No path manager of this namespace can be driven from userspace.
    #[error("{0}")]
    NoPathManager(String),
    /// The path manager cannot do this.
    #[error("{0}")]
    Unsupported(&'static str),
    /// A configuration that cannot be right.
    #[error("{path}: {text}")]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong and where.
        text: String,
    },
    /// A system call failed.
    #[error("{what}: {source}")]
    System {
        /// What we tried to do.
        what: &'static str,
        /// The system's answer.
        source: io::Error,
    },
}

impl Error {
    /// The kernel's errno, if the kernel refused a command.
    pub fn errno(&self) -> Option<i32> {
        match self {
            Self::Netlink(error) => error.errno(),
            _ => None,
        }
    }
}

/// Result of path management.
pub type Result<T, E = Error> = std::result::Result<T, E>;
