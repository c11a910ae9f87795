// SPDX-License-Identifier: GPL-2.0
//! The steps from what a connection has to what it shall have.

use super::{
    backoff::Backoff,
    ids::FIRST,
    plan::{Host, How},
    state::{Announced, Attempt, Key, State, Want},
    Step, Why,
};
use crate::Command;
use fastrand::Rng;
use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

/// A command whose effect does not show by then is repeated.
const PATIENCE: Duration = Duration::from_secs(10);
/// Likewise a subflow: the kernel gives up on a SYN after two minutes.
const PATIENCE_CONNECT: Duration = Duration::from_secs(150);

/// Steps, and the time of the next look.
pub(crate) struct Steps {
    pub(crate) all: Vec<Step>,
    due: Option<Duration>,
    /// A dump is needed: the kernel owes an event.
    pub(crate) overdue: bool,
}

impl Steps {
    fn push(&mut self, command: Command, why: Why) {
        self.all.push(Step { command, why });
    }

    /// True when it is time; else it will be looked at then.
    fn is_time(&mut self, now: Duration, time: Option<Duration>) -> bool {
        match time {
            Some(time) if time > now => {
                self.due = Some(self.due.map_or(time, |due| due.min(time)));
                false
            }
            _ => true,
        }
    }

    /// True when the address has been gone for long enough.
    fn has_left(&mut self, host: &Host<'_>, address: IpAddr) -> bool {
        let Some(since) = host.gone.get(&address) else {
            return false;
        };
        self.is_time(host.now, Some(since.saturating_add(host.config.linger())))
    }
}

fn at_once(now: Duration) -> Backoff {
    Backoff {
        attempts: 0,
        until: Some(now),
    }
}

fn pause(hold: &mut Backoff, now: Duration) {
    hold.until = Some(now.saturating_add(PATIENCE));
}

impl State {
    /// What to do now. Sets `due`.
    pub(crate) fn reconcile(&mut self, host: &Host<'_>, rng: &mut Rng) -> Steps {
        let mut steps = Steps {
            all: Vec::new(),
            due: None,
            overdue: false,
        };
        let wants = self.wants(host);
        self.forget_unwanted(&wants);
        self.retract(host, &mut steps);
        self.announce(host, &mut steps);
        self.connect(host, &wants, rng, &mut steps);
        self.prioritise(host, &mut steps);
        self.due = steps.due;
        steps
    }

    fn forget_unwanted(&mut self, wants: &[(Want, How)]) {
        let wanted: BTreeSet<Want> = wants.iter().map(|(want, _)| *want).collect();
        self.attempts.retain(|want, attempt| {
            matches!(attempt, Attempt::Pending { .. }) || wanted.contains(want)
        });
    }

    /// Addresses that are gone: the peer is told, their subflows are closed.
    fn retract(&mut self, host: &Host<'_>, steps: &mut Steps) {
        for address in self.announced.keys().copied().collect::<Vec<IpAddr>>() {
            if steps.has_left(host, address) {
                if let Some(told) = self.announced.remove(&address) {
                    self.withdraw(told.id, address, steps);
                }
            }
        }
        self.give_up_attempts(host, steps);
        // Something must be left that works, also to tell the peer.
        let works = |key: &Key| !host.gone.contains_key(&key.0.ip());
        if self.lives.keys().any(works) {
            for key in self.lives.keys().copied().collect::<Vec<Key>>() {
                let address = key.0.ip();
                if steps.has_left(host, address) {
                    self.close(host, key, address, steps);
                }
            }
        }
        for (id, backoff) in std::mem::take(&mut self.withdrawals) {
            if steps.is_time(host.now, backoff.until) {
                let token = self.token;
                steps.push(
                    Command::Withdraw { token, id },
                    Why::Again(backoff.attempts),
                );
                let mut again = backoff;
                pause(&mut again, host.now);
                self.withdrawals.insert(id, again);
            } else {
                self.withdrawals.insert(id, backoff);
            }
        }
    }

    /// Of what was asked for, only a dump tells the ports to close it by.
    fn give_up_attempts(&mut self, host: &Host<'_>, steps: &mut Steps) {
        let (token, under_way) = (self.token, &mut self.under_way);
        self.attempts.retain(|want, attempt| {
            if !matches!(attempt, Attempt::Pending { .. }) || !steps.has_left(host, want.local) {
                return true;
            }
            let Some((local, remote)) = under_way.remove(want) else {
                steps.overdue = true;
                return true;
            };
            let command = Command::Close {
                token,
                local,
                remote,
            };
            steps.push(command, Why::Gone(want.local));
            false
        });
    }

    fn withdraw(&mut self, id: u8, address: IpAddr, steps: &mut Steps) {
        if self.withdrawn.insert(id) {
            let token = self.token;
            steps.push(Command::Withdraw { token, id }, Why::Gone(address));
        }
    }

    fn close(&mut self, host: &Host<'_>, key: Key, address: IpAddr, steps: &mut Steps) {
        let token = self.token;
        let Some(live) = self.lives.get_mut(&key) else {
            return;
        };
        if !steps.is_time(host.now, live.hold.until) {
            return;
        }
        pause(&mut live.hold, host.now);
        live.doomed = true;
        let (local, remote) = live.ends;
        let id = live.local_id;
        self.withdraw(id, address, steps);
        let command = Command::Close {
            token,
            local,
            remote,
        };
        steps.push(command, Why::Gone(address));
    }

    fn announce(&mut self, host: &Host<'_>, steps: &mut Steps) {
        for address in self.announcements(host) {
            let known = self.announced.get(&address.ip);
            let again = known.map_or_else(|| at_once(host.now), |known| known.again.clone());
            let told = known.is_some_and(|known| known.told);
            if told || again.until.is_none() || !steps.is_time(host.now, again.until) {
                continue;
            }
            let id = known.map(|known| known.id);
            let id = id.or_else(|| match self.ids.of(address.ip) {
                Some(FIRST) => self.ids.another(),
                id => id,
            });
            let Some(id) = id else { continue };
            self.withdrawn.remove(&id);
            let attempts = again.attempts;
            let told = Announced {
                id,
                told: true,
                again,
            };
            self.announced.insert(address.ip, told);
            let command = Command::Announce {
                token: self.token,
                id,
                address: address.ip,
                port: 0,
                ifindex: address.ifindex,
            };
            steps.push(command, self.why(attempts));
        }
    }

    fn why(&self, failures: u32) -> Why {
        match failures {
            0 => Why::Policy(self.policy),
            failures => Why::Again(failures),
        }
    }

    fn connect(
        &mut self,
        host: &Host<'_>,
        wants: &[(Want, How)],
        rng: &mut Rng,
        steps: &mut Steps,
    ) {
        let have: BTreeSet<Want> = self.lives.keys().map(|key| self.want_of(key)).collect();
        let pending = self
            .attempts
            .values()
            .filter(|attempt| matches!(attempt, Attempt::Pending { .. }))
            .count();
        let mut room = self
            .limit(host.config)
            .saturating_sub(self.lives.len())
            .saturating_sub(pending);
        for (want, how) in wants.iter().filter(|(want, _)| !have.contains(want)) {
            let failures = match self.attempts.get(want) {
                None => 0,
                Some(Attempt::Waiting(backoff)) => match backoff.until {
                    Some(_) if steps.is_time(host.now, backoff.until) => backoff.attempts,
                    _ => continue,
                },
                Some(Attempt::Pending { since, .. }) => {
                    let end = since.saturating_add(PATIENCE_CONNECT);
                    steps.overdue |= steps.is_time(host.now, Some(end));
                    continue;
                }
                Some(Attempt::Refused) => continue,
            };
            if room == 0 {
                break;
            }
            let Some(command) = self.command(host, want, *how, rng) else {
                self.attempts.insert(*want, Attempt::Refused);
                continue;
            };
            room -= 1;
            let attempt = Attempt::Pending {
                backup: how.backup,
                since: host.now,
                failures,
            };
            self.attempts.insert(*want, attempt);
            steps.push(command, self.why(failures));
            steps.is_time(host.now, Some(host.now.saturating_add(PATIENCE_CONNECT)));
        }
    }

    /// `None`: no number or no port is left.
    fn command(
        &mut self,
        host: &Host<'_>,
        want: &Want,
        how: How,
        rng: &mut Rng,
    ) -> Option<Command> {
        let port = if self.lanes > 1 {
            self.port(host.ports, want, rng)?
        } else {
            0
        };
        Some(Command::Connect {
            token: self.token,
            local_id: self.ids.of(want.local)?,
            local: SocketAddr::new(want.local, port),
            remote_id: how.remote_id,
            remote: want.remote,
            backup: how.backup,
            ifindex: how.ifindex,
        })
    }

    /// A source port of the lane that no subflow of the connection has.
    fn port(&self, (low, high): (u16, u16), want: &Want, rng: &mut Rng) -> Option<u16> {
        let (low, high, lanes) = (u32::from(low), u32::from(high), u32::from(self.lanes));
        let lane = u32::from(want.lane);
        let first = low + (lanes + lane - low % lanes) % lanes;
        if first > high {
            return None;
        }
        let number = (high - first) / lanes + 1;
        let start = rng.u32(0..number);
        (0..number)
            .map(|i| first + (start + i) % number * lanes)
            .filter_map(|port| u16::try_from(port).ok())
            .find(|&port| !self.lives.keys().any(|key| key.0.port() == port))
    }

    /// Makes backups of what shall be one; while nothing else works, one of
    /// them is used.
    fn prioritise(&mut self, host: &Host<'_>, steps: &mut Steps) {
        if !self.established || !host.config.connects(self.server_side) {
            return;
        }
        let works = |key: &Key| !host.gone.contains_key(&key.0.ip());
        let is_backup = |key: &Key| host.is_backup(self, key.0.ip());
        let primary = self.lives.keys().any(|key| works(key) && !is_backup(key));
        let stays = |key: &Key| !primary && works(key) && self.lives.contains_key(key);
        let promoted = self.promoted.filter(stays).or_else(|| {
            let mut candidates = self.lives.keys().filter(|key| works(key));
            candidates.find(|_| !primary).copied()
        });
        let before = std::mem::replace(&mut self.promoted, promoted);
        let changes: Vec<(Key, bool)> = self
            .lives
            .iter()
            .map(|(key, live)| {
                let backup = host.is_backup(self, key.0.ip()) && promoted != Some(*key);
                (*key, backup, live.backup)
            })
            .filter(|&(_, backup, is)| backup != is)
            .map(|(key, backup, _)| (key, backup))
            .collect();
        for (key, backup) in changes {
            let Some(live) = self.lives.get_mut(&key) else {
                continue;
            };
            if !works(&key) || !steps.is_time(host.now, live.hold.until) {
                continue;
            }
            live.backup = backup;
            let why = if promoted == Some(key) {
                Why::NoPrimary
            } else if before == Some(key) {
                Why::Primary
            } else {
                Why::Policy(self.policy)
            };
            let (local, remote) = live.ends;
            let command = Command::Priority {
                token: self.token,
                local,
                remote,
                backup,
            };
            steps.push(command, why);
        }
    }
}
