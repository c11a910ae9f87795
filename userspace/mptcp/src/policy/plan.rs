// SPDX-License-Identifier: GPL-2.0
//! What a connection shall have: subflows and announced addresses.

use super::{
    ids::FIRST,
    state::{State, Want},
    Address,
};
use crate::config::{Config, Policy};
use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

/// The host, as all connections see it.
pub(crate) struct Host<'a> {
    pub(crate) now: Duration,
    pub(crate) config: &'a Config,
    /// Addresses that can be used now.
    pub(crate) addresses: &'a [Address],
    /// Addresses that could be used and can't now, and since when.
    pub(crate) gone: &'a BTreeMap<IpAddr, Duration>,
    /// Source ports the kernel would choose from, both ends included.
    pub(crate) ports: (u16, u16),
}

/// How to make a subflow.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(crate) struct How {
    pub(crate) remote_id: u8,
    pub(crate) ifindex: i32,
    pub(crate) backup: bool,
}

impl Host<'_> {
    fn usable(&self) -> impl Iterator<Item = &Address> {
        self.addresses
            .iter()
            .filter(|address| address.is_global() && self.config.uses(&address.interface))
    }

    fn find(&self, ip: IpAddr) -> Option<&Address> {
        self.addresses.iter().find(|address| address.ip == ip)
    }

    /// Subflows from this address are backups.
    pub(crate) fn is_backup(&self, state: &State, local: IpAddr) -> bool {
        let named = !self.config.interfaces.backup.is_empty();
        match self.find(local) {
            Some(address) if named => self.config.is_backup(&address.interface),
            _ => !named && state.policy == Policy::Backup && local != state.first.0.ip(),
        }
    }
}

impl State {
    /// Can the connection's sockets use this address?
    fn speaks(&self, ip: IpAddr) -> bool {
        self.dual || ip.is_ipv4()
    }

    fn is_loopback(&self) -> bool {
        self.first.1.ip().is_loopback()
    }

    /// Most subflows it may have.
    pub(crate) fn limit(&self, config: &Config) -> usize {
        usize::from(config.limits.subflows.max(self.lanes))
    }

    /// The subflows it shall have, the most wanted first.
    pub(crate) fn wants(&self, host: &Host<'_>) -> Vec<(Want, How)> {
        if !self.established || !host.config.connects(self.server_side) {
            return Vec::new();
        }
        let mut wants = match self.policy {
            Policy::None => Vec::new(),
            Policy::Ndiffports => self.lanes(host),
            Policy::Fullmesh | Policy::Backup => self.mesh(host),
        };
        wants.truncate(self.limit(host.config));
        wants
    }

    /// The peer's addresses to connect to, each once.
    fn targets(&self, config: &Config) -> Vec<(u8, SocketAddr)> {
        let mut targets: Vec<(u8, SocketAddr)> = Vec::new();
        for (&id, &remote) in &self.remotes {
            let denied = id == FIRST && self.deny_join_id0;
            if !denied && !targets.iter().any(|target| target.1 == remote) {
                targets.push((id, remote));
            }
        }
        targets.truncate(usize::from(config.limits.remote_addresses));
        targets
    }

    fn lanes(&self, host: &Host<'_>) -> Vec<(Want, How)> {
        let local = self.first.0.ip();
        let remote = self.first.1;
        let targets = self.targets(host.config);
        let target = targets.iter().find(|target| target.1 == remote);
        let Some(&(remote_id, _)) = target.filter(|_| !host.gone.contains_key(&local)) else {
            return Vec::new();
        };
        let how = How {
            remote_id,
            // The route of the first one is that of all.
            ifindex: 0,
            backup: host.is_backup(self, local),
        };
        let lanes = (0..self.lanes).map(|lane| {
            let want = Want {
                local,
                remote,
                lane,
            };
            (want, how)
        });
        lanes.collect()
    }

    fn mesh(&self, host: &Host<'_>) -> Vec<(Want, How)> {
        if self.is_loopback() {
            return Vec::new();
        }
        let mut locals: Vec<&Address> = host
            .usable()
            .filter(|address| self.speaks(address.ip))
            .collect();
        locals.sort_by_key(|address| (address.ip != self.first.0.ip(), address.ifindex));
        let targets = self.targets(host.config);
        let mut pairs = Vec::new();
        for (i, local) in (0usize..).zip(locals) {
            for (j, &(remote_id, remote)) in (0usize..).zip(&targets) {
                if local.ip.is_ipv4() != remote.is_ipv4() {
                    continue;
                }
                let want = Want {
                    local: local.ip,
                    remote,
                    lane: 0,
                };
                let how = How {
                    remote_id,
                    ifindex: local.ifindex,
                    backup: host.is_backup(self, local.ip),
                };
                pairs.push((i + j, i, want, how));
            }
        }
        // Where the limit cuts, each address has had a turn.
        pairs.sort_by_key(|&(sum, i, ..)| (sum, i));
        pairs
            .into_iter()
            .map(|(_, _, want, how)| (want, how))
            .collect()
    }

    /// The addresses the peer shall know of.
    pub(crate) fn announcements(&self, host: &Host<'_>) -> Vec<Address> {
        let may = self.established && host.config.announces(self.server_side);
        if !may || self.policy == Policy::None || self.is_loopback() {
            return Vec::new();
        }
        // The peer knows the address of the first subflow, unless told that
        // it is gone.
        let known = |ip| ip == self.first.0.ip() && !self.withdrawn.contains(&FIRST);
        host.usable()
            .filter(|address| self.speaks(address.ip) && !known(address.ip))
            .take(usize::from(host.config.limits.announced))
            .cloned()
            .collect()
    }
}
