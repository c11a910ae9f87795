// SPDX-License-Identifier: GPL-2.0
//! The kernel's interfaces for path managers in userspace.

mod choice;
mod diag;
mod merge;
mod module;
mod sequence;
pub(crate) mod uapi;
mod upstream;

pub use choice::{open, open_to_watch, Choice};
pub use module::Module;
pub use sequence::Counters;
pub use upstream::Upstream;

use crate::{Command, Connection, Event, Kind, Result};
use serde::{Deserialize, Serialize};
use std::{fmt, os::fd::BorrowedFd, time::Duration};

/// One of the two interfaces.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Backend {
    /// Family `mptcp` of ccp_rs, path manager "netlink".
    Netlink,
    /// Upstream's family `mptcp_pm`, path manager "userspace".
    Userspace,
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Netlink => "netlink (family mptcp)",
            Self::Userspace => "userspace (family mptcp_pm)",
        })
    }
}

/// A path manager of the kernel, driven from here.
pub trait PathManager {
    /// Which it is.
    fn backend(&self) -> Backend;

    /// Asks for events, before [`PathManager::event`] is used: those of these
    /// kinds at least. `deferred` ones may stay in the kernel until
    /// [`PathManager::take_deferred`].
    fn subscribe(&mut self, kinds: &[Kind], deferred: &[Kind]) -> Result<()>;

    /// The next event: `None` when the time is up, or early when a signal
    /// came.
    fn event(&mut self, timeout: Option<Duration>) -> Result<Option<Event>>;

    /// Brings the deferred events from the kernel, for [`PathManager::event`]:
    /// each after all others that are older. False when there may be more.
    fn take_deferred(&mut self) -> Result<bool>;

    /// Carries out a command.
    fn execute(&mut self, command: &Command) -> Result<()>;

    /// Every connection of the namespace, with its subflows.
    fn connections(&mut self) -> Result<Vec<Connection>>;

    /// How many events of each kind there were; `None` when the kernel does
    /// not count them.
    fn counters(&mut self) -> Result<Option<Counters>>;

    /// Compares with `counters`: were events missed that no later one showed?
    fn audit(&mut self) -> Result<bool>;

    /// There may be events without waiting for [`PathManager::as_fd`].
    fn has_more(&self) -> bool;

    /// Events wait in the client: the next one costs no system call.
    fn has_queued(&self) -> bool;

    /// For poll(2), while there is no more.
    fn as_fd(&self) -> BorrowedFd<'_>;

    /// Likewise: readable when there are deferred events. `None` when none are
    /// deferred.
    fn deferred_fd(&self) -> Option<BorrowedFd<'_>>;
}
