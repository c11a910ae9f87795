// SPDX-License-Identifier: GPL-2.0
//! Errors, worded so that they tell what to do next.

use std::{fmt, io};

// The kernel's numbers, whatever system this is built for.
const EPERM: i32 = 1;
const ENOENT: i32 = 2;
const EBUSY: i32 = 16;

/// What can go wrong between us and the module.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no such kernel here.
    #[error("this is not Linux: algorithms can only be simulated here")]
    NotLinux,
    /// The kernel does not know the family.
    #[error("the kernel module is not loaded: run 'insmod ccp_rs.ko' (or 'modprobe ccp_rs')")]
    NotLoaded,
    /// The kernel does not know another family.
    #[error("the kernel has no generic netlink family '{0}'")]
    NoFamily(&'static str),
    /// The kernel refused a command.
    #[error("{0}")]
    Kernel(Refusal),
    /// A system call on the netlink socket failed.
    #[error("netlink socket: {action}: {source}")]
    Socket {
        /// What we tried to do.
        action: &'static str,
        /// The system's answer.
        source: io::Error,
    },
    /// The kernel sent something that does not parse.
    #[error(
        "the kernel sent {0} this program cannot read; module and tools must be of one version"
    )]
    Malformed(&'static str),
    /// The answer found no room in the receive buffer. The command may have
    /// been carried out.
    #[error("{0}: the kernel's answer was lost in a full receive buffer")]
    AnswerLost(&'static str),
    /// The kernel did not answer.
    #[error("{0}: the kernel did not answer")]
    NoAnswer(&'static str),
}

/// A command the kernel refused.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal {
    /// The command, as the specification names it.
    pub command: &'static str,
    /// Positive errno.
    pub errno: i32,
    /// The kernel's own words (extended ACK), if it gave any.
    pub message: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = described(self.errno);
        match &self.message {
            Some(message) => write!(f, "{}: {message} ({reason})", self.command)?,
            None => write!(f, "{}: {reason}", self.command)?,
        }
        // Without words of the module's own, the refusal is generic netlink's
        // capability check.
        if self.errno == EPERM && self.message.is_none() {
            f.write_str("; it needs CAP_NET_ADMIN in this network namespace: run it as root")?;
        }
        Ok(())
    }
}

#[cfg(target_os = "linux")]
fn described(errno: i32) -> &'static str {
    nix::errno::Errno::from_raw(errno).desc()
}

#[cfg(not(target_os = "linux"))]
fn described(errno: i32) -> String {
    format!("error {errno}")
}

impl Error {
    /// The kernel's errno, if the kernel refused a command.
    pub fn errno(&self) -> Option<i32> {
        match self {
            Self::Kernel(refusal) => Some(refusal.errno),
            _ => None,
        }
    }

    /// The object the command named does not exist (any more).
    pub fn is_not_found(&self) -> bool {
        self.errno() == Some(ENOENT)
    }

    /// The object is in a state that does not allow the command now.
    pub fn is_busy(&self) -> bool {
        self.errno() == Some(EBUSY)
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn socket(action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Socket { action, source }
    }
}

/// Result of talking to the module.
pub type Result<T, E = Error> = std::result::Result<T, E>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_tell_what_to_do() {
        let mut refusal = Refusal {
            command: "agent-attach",
            errno: 1,
            message: None,
        };
        assert_eq!(
            refusal.to_string(),
            "agent-attach: Operation not permitted; it needs CAP_NET_ADMIN in this \
             network namespace: run it as root"
        );
        refusal.message = Some("flow 7 belongs to agent 3".into());
        assert_eq!(
            refusal.to_string(),
            "agent-attach: flow 7 belongs to agent 3 (Operation not permitted)"
        );
    }
}
