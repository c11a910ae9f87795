// SPDX-License-Identifier: GPL-2.0
//! What is known of one connection.

use super::{
    backoff::Backoff,
    ids::{Ids, FIRST},
};
use crate::{
    config::{Config, Policy},
    Connection, Phase, Subflow,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
    time::Duration,
};

/// A subflow by its ends, IPv4 always as such.
pub(crate) type Key = (SocketAddr, SocketAddr);

/// A subflow that shall be.
#[derive(Copy, Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Want {
    pub(crate) local: IpAddr,
    pub(crate) remote: SocketAddr,
    /// Source port modulo the number of lanes.
    pub(crate) lane: u16,
}

/// What became of a subflow that shall be and is not.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Attempt {
    /// The kernel was asked for it.
    Pending {
        backup: bool,
        since: Duration,
        failures: u32,
    },
    /// It failed; there may be another time.
    Waiting(Backoff),
    /// It won't be tried again unless an address changes.
    Refused,
}

/// A subflow that is.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    /// Its ends as the kernel names them.
    pub(crate) ends: Key,
    pub(crate) local_id: u8,
    pub(crate) remote_id: u8,
    /// Its end is under way, because an address goes: that it is closed says
    /// nothing against another one.
    pub(crate) doomed: bool,
    /// We made it a backup.
    pub(crate) backup: bool,
    /// Since when it is.
    pub(crate) since: Duration,
    /// Attempts that failed before it came to be.
    pub(crate) failures: u32,
    /// Commands about it that failed; no further one before its time.
    pub(crate) hold: Backoff,
}

/// An address the peer was told of.
#[derive(Clone, Debug)]
pub(crate) struct Announced {
    pub(crate) id: u8,
    /// It was told, as far as we know.
    pub(crate) told: bool,
    /// When it was not: the next attempt.
    pub(crate) again: Backoff,
}

#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) token: u32,
    pub(crate) server_side: bool,
    pub(crate) deny_join_id0: bool,
    pub(crate) established: bool,
    /// The ends of the first subflow, whether it still is or not.
    pub(crate) first: Key,
    /// Its socket speaks IPv6 too.
    pub(crate) dual: bool,
    pub(crate) policy: Policy,
    /// Subflows that differ by their source port only; 1 without ndiffports.
    pub(crate) lanes: u16,
    pub(crate) lives: BTreeMap<Key, Live>,
    /// Addresses of the peer by their number.
    pub(crate) remotes: BTreeMap<u8, SocketAddr>,
    pub(crate) ids: Ids,
    pub(crate) attempts: BTreeMap<Want, Attempt>,
    /// The ends of those that a dump found under way, as the kernel names them.
    pub(crate) under_way: BTreeMap<Want, Key>,
    pub(crate) announced: BTreeMap<IpAddr, Announced>,
    /// Withdrawals that the kernel had no room for.
    pub(crate) withdrawals: BTreeMap<u8, Backoff>,
    /// Numbers the peer was told are gone.
    pub(crate) withdrawn: BTreeSet<u8>,
    /// The backup that stands in for the others.
    pub(crate) promoted: Option<Key>,
    /// When to look at it again.
    pub(crate) due: Option<Duration>,
}

/// With IPv4 addresses as such.
pub(crate) fn plain(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

pub(crate) fn key(local: SocketAddr, remote: SocketAddr) -> Key {
    (plain(local), plain(remote))
}

/// An IPv6 socket, whose addresses may be IPv4 in IPv6.
fn is_dual(subflow: &Subflow) -> bool {
    subflow.local.is_ipv6()
}

impl State {
    /// A connection that began, or was found, with this subflow.
    pub(crate) fn new(token: u32, subflow: &Subflow, config: &Config) -> Self {
        let first = key(subflow.local, subflow.remote);
        let (policy, count) = config.policy_for(first.1.ip());
        let mut state = Self {
            token,
            server_side: false,
            deny_join_id0: false,
            established: false,
            first,
            dual: is_dual(subflow),
            policy,
            lanes: if policy == Policy::Ndiffports {
                count
            } else {
                1
            },
            lives: BTreeMap::new(),
            remotes: BTreeMap::new(),
            ids: Ids::default(),
            attempts: BTreeMap::new(),
            under_way: BTreeMap::new(),
            announced: BTreeMap::new(),
            withdrawals: BTreeMap::new(),
            withdrawn: BTreeSet::new(),
            promoted: None,
            due: None,
        };
        state.learn(subflow);
        state
    }

    /// Numbers that a subflow tells.
    fn learn(&mut self, subflow: &Subflow) {
        let (local, remote) = key(subflow.local, subflow.remote);
        self.ids.learn(local.ip(), subflow.local_id);
        // An announced address may have a port of its own.
        self.remotes.entry(subflow.remote_id).or_insert(remote);
    }

    pub(crate) fn lane(&self, local: SocketAddr) -> u16 {
        local.port() % self.lanes.max(1)
    }

    /// What a subflow fulfils.
    pub(crate) fn want_of(&self, key: &Key) -> Want {
        Want {
            local: key.0.ip(),
            remote: key.1,
            lane: self.lane(key.0),
        }
    }

    /// A subflow works.
    pub(crate) fn is_up(&mut self, now: Duration, subflow: &Subflow) {
        self.learn(subflow);
        let key = key(subflow.local, subflow.remote);
        let want = self.want_of(&key);
        let (backup, failures) = match self.attempts.remove(&want) {
            Some(Attempt::Pending {
                backup, failures, ..
            }) => (backup, failures),
            Some(Attempt::Waiting(backoff)) => (subflow.backup, backoff.attempts),
            Some(Attempt::Refused) | None => (subflow.backup, 0),
        };
        self.withdrawn.remove(&subflow.local_id);
        self.lives.entry(key).or_insert(Live {
            ends: (subflow.local, subflow.remote),
            local_id: subflow.local_id,
            remote_id: subflow.remote_id,
            doomed: false,
            backup,
            since: now,
            failures,
            hold: Backoff::default(),
        });
    }

    /// The peer told of an address.
    pub(crate) fn remote_announced(&mut self, id: u8, address: IpAddr, port: u16) {
        let port = if port == 0 { self.first.1.port() } else { port };
        let address = SocketAddr::new(address.to_canonical(), port);
        self.remotes.insert(id, address);
        self.forget_failures(|want| want.remote == address);
    }

    /// The peer took an address back. The kernel closes its subflows.
    pub(crate) fn remote_removed(&mut self, id: u8) {
        self.remotes.remove(&id);
        for live in self.lives.values_mut() {
            live.doomed |= live.remote_id == id;
        }
    }

    /// What failed before may work now.
    pub(crate) fn forget_failures(&mut self, concerned: impl Fn(&Want) -> bool) {
        self.attempts
            .retain(|want, attempt| matches!(attempt, Attempt::Pending { .. }) || !concerned(want));
    }

    /// Takes over what a dump says. Returns what was, or was asked for, and is
    /// not there.
    pub(crate) fn resync(&mut self, now: Duration, dump: &Connection) -> Vec<Want> {
        self.established |= dump.phase == Phase::Established;
        self.deny_join_id0 |= dump.deny_join_id0;
        if let Some(server_side) = dump.server_side {
            self.server_side = server_side;
        }
        for local in &dump.locals {
            let address = local.address.to_canonical();
            if self.ids.known(address) != Some(FIRST) {
                self.ids.learn(address, local.id);
            }
            if local.announced {
                let told = Announced {
                    id: local.id,
                    told: true,
                    again: Backoff::default(),
                };
                self.announced.entry(address).or_insert(told);
            }
        }
        for (&id, &address) in &dump.remotes {
            // Announced again, it would forget failures.
            let port = Some(address.port()).filter(|&port| port != 0);
            let port = port.unwrap_or_else(|| self.first.1.port());
            let address = SocketAddr::new(address.ip().to_canonical(), port);
            self.remotes.insert(id, address);
        }
        self.under_way.clear();
        for subflow in &dump.pending {
            let want = self.want_of(&key(subflow.local, subflow.remote));
            self.ids.learn(want.local, subflow.local_id);
            let attempt = Attempt::Pending {
                backup: subflow.backup,
                since: now,
                failures: 0,
            };
            self.attempts.entry(want).or_insert(attempt);
            self.under_way.insert(want, (subflow.local, subflow.remote));
        }
        let before = std::mem::take(&mut self.lives);
        for subflow in &dump.subflows {
            let key = key(subflow.local, subflow.remote);
            if let Some(live) = before.get(&key) {
                self.lives.insert(key, live.clone());
            }
            self.is_up(now, subflow);
        }
        let gone: Vec<Want> = before
            .keys()
            .filter(|key| !self.lives.contains_key(*key))
            .map(|key| self.want_of(key))
            .collect();
        let lost = self.attempts.iter().filter_map(|(want, attempt)| {
            let asked = matches!(attempt, Attempt::Pending { .. });
            (asked && !self.under_way.contains_key(want)).then_some(*want)
        });
        gone.into_iter().chain(lost).collect()
    }
}
