// SPDX-License-Identifier: GPL-2.0
//! What failed, and what follows from it.

use super::{
    backoff::Backoff,
    ids::FIRST,
    state::{key, plain, Attempt, Live, State, Want},
};
use crate::{config::Retry, event::Reset, Command};
use fastrand::Rng;
use nix::errno::Errno;
use std::{net::SocketAddr, time::Duration};

/// A subflow that lived this long was no failure of the attempt.
const LIVED: Duration = Duration::from_secs(30);
/// One that was closed earlier was refused: the kernel tells that a subflow
/// works before the peer has had its say, and the peer's reset as no error.
const SETTLED: Duration = Duration::from_secs(5);
/// Attempts with other source ports, or other numbers, before waiting.
const AT_ONCE: u32 = 8;

/// Reset reasons (RFC 8684, 3.6).
const RESET_MPTCP: u32 = 1;
const RESET_PROHIBITED: u32 = 3;
const RESET_MIDDLEBOX: u32 = 6;

/// What follows for the connection.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    /// It goes on.
    Stays,
    /// There is no such connection.
    Ended,
    /// What we know is wrong.
    Resync,
}

/// How a failed attempt goes on.
enum Next {
    AtOnce,
    Later,
    Never,
}

fn is_final(reset: Option<Reset>) -> bool {
    let never = [RESET_MPTCP, RESET_PROHIBITED, RESET_MIDDLEBOX];
    reset.is_some_and(|reset| !reset.transient && never.contains(&reset.reason))
}

fn later(failures: u32, now: Duration, retry: &Retry, rng: &mut Rng) -> Attempt {
    let mut backoff = Backoff {
        attempts: failures,
        until: None,
    };
    backoff.failed(now, retry, rng);
    Attempt::Waiting(backoff)
}

impl State {
    /// A subflow is gone, or never came to be.
    pub(crate) fn is_closed(
        &mut self,
        now: Duration,
        ends: (SocketAddr, SocketAddr),
        error: u32,
        reset: Option<Reset>,
        retry: &Retry,
        rng: &mut Rng,
    ) {
        let key = key(ends.0, ends.1);
        let want = self.want_of(&key);
        let live = self.lives.remove(&key);
        if live.as_ref().is_some_and(|live| live.doomed) {
            return;
        }
        let failures = match (&live, self.attempts.get(&want)) {
            (Some(live), _) if now.saturating_sub(live.since) >= LIVED => 0,
            (Some(live), _) => live.failures,
            (None, Some(Attempt::Pending { failures, .. })) => *failures,
            // Another one of these ends is being waited for already.
            (None, _) => return,
        };
        // Nothing failed: someone closed it, here or there, and meant it.
        let settled = |live: Live| now.saturating_sub(live.since) >= SETTLED;
        let meant = error == 0 && reset.is_none() && live.is_some_and(settled);
        let attempt = if meant || is_final(reset) {
            Attempt::Refused
        } else {
            later(failures, now, retry, rng)
        };
        self.attempts.insert(want, attempt);
    }

    /// A dump does not have it.
    pub(crate) fn is_missing(&mut self, now: Duration, want: Want, retry: &Retry, rng: &mut Rng) {
        let failures = match self.attempts.get(&want) {
            Some(Attempt::Pending { failures, .. }) => *failures,
            Some(_) => return,
            None => 0,
        };
        let attempt = later(failures, now, retry, rng);
        self.attempts.insert(want, attempt);
    }

    /// The kernel refused a command.
    pub(crate) fn is_refused(
        &mut self,
        now: Duration,
        command: &Command,
        errno: Errno,
        retry: &Retry,
        rng: &mut Rng,
    ) -> Verdict {
        if matches!(errno, Errno::EOWNERDEAD | Errno::EBADR | Errno::ENOENT) {
            return Verdict::Ended;
        }
        match command {
            Command::Connect { local, remote, .. } => {
                self.connect_refused(now, *local, *remote, errno, retry, rng)
            }
            Command::Close { local, remote, .. } => {
                let key = key(*local, *remote);
                if matches!(errno, Errno::ESRCH | Errno::EINVAL) {
                    // Its end was quicker than we.
                    self.lives.remove(&key);
                } else {
                    self.hold(now, key, retry, rng);
                }
                Verdict::Stays
            }
            Command::Priority {
                local,
                remote,
                backup,
                ..
            } => {
                let key = key(*local, *remote);
                if matches!(errno, Errno::ESRCH | Errno::EINVAL) {
                    return Verdict::Resync;
                }
                if let Some(live) = self.lives.get_mut(&key) {
                    live.backup = !backup;
                }
                self.hold(now, key, retry, rng);
                Verdict::Stays
            }
            Command::Announce { address, id, .. } => {
                self.announce_refused(now, *address, *id, errno, retry, rng)
            }
            Command::Withdraw { id, .. } => {
                let full = [Errno::EBUSY, Errno::EAGAIN, Errno::ENOBUFS, Errno::ENOMEM];
                if full.contains(&errno) {
                    self.withdrawals
                        .entry(*id)
                        .or_default()
                        .failed(now, retry, rng);
                } else {
                    // It is unknown there: nothing is left to take back.
                    self.withdrawals.remove(id);
                }
                Verdict::Stays
            }
        }
    }

    /// The kernel carried a command out.
    pub(crate) fn is_done(&mut self, command: &Command) {
        if let Command::Withdraw { id, .. } = command {
            self.withdrawals.remove(id);
        }
    }

    fn hold(&mut self, now: Duration, key: super::state::Key, retry: &Retry, rng: &mut Rng) {
        if let Some(live) = self.lives.get_mut(&key) {
            live.hold.failed(now, retry, rng);
        }
    }

    fn connect_refused(
        &mut self,
        now: Duration,
        local: SocketAddr,
        remote: SocketAddr,
        errno: Errno,
        retry: &Retry,
        rng: &mut Rng,
    ) -> Verdict {
        let want = Want {
            local: local.ip(),
            remote: plain(remote),
            lane: self.lane(local),
        };
        let failures = match self.attempts.get(&want) {
            Some(Attempt::Pending { failures, .. }) => *failures,
            _ => return Verdict::Stays,
        };
        let in_use = matches!(errno, Errno::EADDRINUSE | Errno::EADDRNOTAVAIL);
        // A number that no subflow confirms may be another address's.
        let confirmed = self.ids.known(want.local) == Some(FIRST)
            || self.lives.keys().any(|key| key.0.ip() == want.local);
        let next = match errno {
            _ if in_use && local.port() != 0 && failures < AT_ONCE => Next::AtOnce,
            Errno::EINVAL if !confirmed && failures < AT_ONCE => {
                self.ids.refused(want.local);
                Next::AtOnce
            }
            Errno::EINVAL
            | Errno::ENOSPC
            | Errno::EAFNOSUPPORT
            | Errno::EPERM
            | Errno::EACCES
            | Errno::EOPNOTSUPP => Next::Never,
            _ => Next::Later,
        };
        let attempt = match next {
            Next::AtOnce => Attempt::Waiting(Backoff {
                attempts: failures + 1,
                until: Some(now),
            }),
            Next::Later => later(failures, now, retry, rng),
            Next::Never => Attempt::Refused,
        };
        self.attempts.insert(want, attempt);
        match errno {
            Errno::EINVAL | Errno::ENOTCONN => Verdict::Resync,
            _ => Verdict::Stays,
        }
    }

    fn announce_refused(
        &mut self,
        now: Duration,
        address: std::net::IpAddr,
        id: u8,
        errno: Errno,
        retry: &Retry,
        rng: &mut Rng,
    ) -> Verdict {
        let Some(told) = self
            .announced
            .get_mut(&address)
            .filter(|told| told.id == id)
        else {
            return Verdict::Stays;
        };
        told.told = false;
        let again = &mut told.again;
        match errno {
            Errno::EINVAL => {
                // Known under another number, perhaps: the next one is tried.
                let attempts = again.attempts + 1;
                if attempts >= AT_ONCE {
                    again.until = None;
                    return Verdict::Resync;
                }
                self.ids.refused(address);
                let Some(id) = self.ids.of(address) else {
                    again.until = None;
                    return Verdict::Stays;
                };
                told.id = id;
                *again = Backoff {
                    attempts,
                    until: Some(now),
                };
                Verdict::Stays
            }
            Errno::EPERM | Errno::EAFNOSUPPORT | Errno::EOPNOTSUPP => {
                again.until = None;
                Verdict::Stays
            }
            _ => {
                again.failed(now, retry, rng);
                Verdict::Stays
            }
        }
    }
}
