// SPDX-License-Identifier: GPL-2.0
//! Why a command failed, and the exit status that says so.

use std::{fmt, io, path::Path};

/// A failed command.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The user gave something that cannot be right.
    Input(String),
    /// The kernel or the system refused.
    System(String),
    /// Everything has been said already.
    Quiet(u8),
}

impl Failure {
    pub(crate) fn status(&self) -> u8 {
        match self {
            Self::Input(_) => 1,
            Self::System(_) => 2,
            Self::Quiet(status) => *status,
        }
    }

    /// A file that cannot be read or written.
    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |error| Self::Input(format!("{}: {error}", path.display()))
    }

    /// A system call that failed.
    pub(crate) fn system(what: &str) -> impl FnOnce(io::Error) -> Self + '_ {
        move |error| Self::System(format!("{what}: {error}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(text) | Self::System(text) => f.write_str(text),
            Self::Quiet(_) => Ok(()),
        }
    }
}

impl From<ccp_netlink::Error> for Failure {
    fn from(error: ccp_netlink::Error) -> Self {
        Self::System(error.to_string())
    }
}

impl From<ccp_mptcp::Error> for Failure {
    fn from(error: ccp_mptcp::Error) -> Self {
        match error {
            ccp_mptcp::Error::Config { .. } => Self::Input(error.to_string()),
            other => Self::System(other.to_string()),
        }
    }
}

impl From<ccp_portus::Error> for Failure {
    fn from(error: ccp_portus::Error) -> Self {
        Self::System(error.to_string())
    }
}

impl From<ccp_agent::Error> for Failure {
    fn from(error: ccp_agent::Error) -> Self {
        match error {
            ccp_agent::Error::Netlink(error) => error.into(),
            other => Self::Input(other.to_string()),
        }
    }
}

/// Standard output that has gone away ends the program without complaint, as
/// `ccpctl flows | head -1` expects.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Quiet(0),
            _ => Self::System(format!("standard output: {error}")),
        }
    }
}
