// SPDX-License-Identifier: GPL-2.0
//! A kernel small enough to be right: connections, subflows, and the events
//! and errors of path management. It panics when a subflow is asked for that
//! it already has.

use ccp_mptcp::{
    policy::Address, Command, Connection, Event, Kind, LocalAddress, Phase, Record, Reset, Subflow,
};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::{IpAddr, SocketAddr},
};

pub(crate) const EAGAIN: i32 = 11;
pub(crate) const EINVAL: i32 = 22;
pub(crate) const ESRCH: i32 = 3;
pub(crate) const EBADR: i32 = 53;
pub(crate) const EADDRINUSE: i32 = 98;
pub(crate) const EADDRNOTAVAIL: i32 = 99;
pub(crate) const ECONNREFUSED: u32 = 111;

/// What happens to the next connects.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub(crate) enum Fate {
    #[default]
    Works,
    /// The peer answers with RST.
    Refused,
    /// The kernel has no room for the command now.
    Again,
    /// Nothing answers.
    Silence,
}

#[derive(Clone, Debug)]
pub(crate) struct Sub {
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
    pub(crate) local_id: u8,
    pub(crate) remote_id: u8,
    pub(crate) backup: bool,
    pub(crate) initial: bool,
    pub(crate) up: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Conn {
    pub(crate) server: bool,
    pub(crate) deny: bool,
    pub(crate) lanes: u16,
    pub(crate) subs: Vec<Sub>,
    pub(crate) locals: BTreeMap<u8, IpAddr>,
    pub(crate) remotes: BTreeMap<u8, SocketAddr>,
    pub(crate) announced: BTreeSet<u8>,
}

#[derive(Default)]
pub(crate) struct Kernel {
    pub(crate) conns: BTreeMap<u32, Conn>,
    pub(crate) addresses: Vec<Address>,
    pub(crate) events: VecDeque<Event>,
    pub(crate) fate: Fate,
    pub(crate) connects: usize,
    next_port: u16,
    next_token: u32,
}

fn event(kind: Kind, token: u32) -> Event {
    let record = Record {
        token: Some(token),
        ..Record::default()
    };
    Event { kind, record }
}

impl Sub {
    fn event(&self, kind: Kind, token: u32) -> Event {
        let mut event = event(kind, token);
        event.record.local = Some(self.local.ip());
        event.record.local_port = Some(self.local.port());
        event.record.remote = Some(self.remote.ip());
        event.record.remote_port = Some(self.remote.port());
        event.record.local_id = Some(self.local_id);
        event.record.remote_id = Some(self.remote_id);
        event.record.backup = Some(self.backup);
        event
    }
}

impl Kernel {
    pub(crate) fn has(&self, ip: IpAddr) -> bool {
        self.addresses.iter().any(|address| address.ip == ip)
    }

    pub(crate) fn open(
        &mut self,
        local: IpAddr,
        remote: SocketAddr,
        server: bool,
        deny: bool,
    ) -> u32 {
        self.next_token += 1;
        let token = self.next_token;
        let sub = Sub {
            local: SocketAddr::new(local, self.port(0)),
            remote,
            local_id: 0,
            remote_id: 0,
            backup: false,
            initial: true,
            up: true,
        };
        for kind in [Kind::Created, Kind::Established] {
            let mut event = sub.event(kind, token);
            event.record.server_side = Some(server);
            event.record.deny_join_id0 = Some(deny);
            self.events.push_back(event);
        }
        let conn = Conn {
            server,
            deny,
            lanes: 1,
            subs: vec![sub],
            locals: BTreeMap::from([(0, local)]),
            remotes: BTreeMap::from([(0, remote)]),
            announced: BTreeSet::new(),
        };
        self.conns.insert(token, conn);
        token
    }

    fn port(&mut self, wanted: u16) -> u16 {
        if wanted != 0 {
            return wanted;
        }
        self.next_port = (self.next_port + 1) % 20_000;
        40_000 + self.next_port
    }

    pub(crate) fn close(&mut self, token: u32) {
        if self.conns.remove(&token).is_some() {
            self.events.push_back(event(Kind::Closed, token));
        }
    }

    /// The `nth` subflow of a connection ends.
    pub(crate) fn fail(&mut self, token: u32, nth: usize, error: u32, reset: Option<Reset>) {
        let Some(conn) = self.conns.get_mut(&token) else {
            return;
        };
        if nth < conn.subs.len() {
            let sub = conn.subs.remove(nth);
            let mut event = sub.event(Kind::SubflowClosed, token);
            event.record.error = Some(error);
            event.record.reset = reset;
            self.events.push_back(event);
        }
    }

    pub(crate) fn announce(&mut self, token: u32, id: u8, remote: SocketAddr) {
        if let Some(conn) = self.conns.get_mut(&token) {
            conn.remotes.insert(id, remote);
            let mut event = event(Kind::Announced, token);
            event.record.remote_id = Some(id);
            event.record.remote = Some(remote.ip());
            event.record.remote_port = Some(remote.port());
            self.events.push_back(event);
        }
    }

    pub(crate) fn remove(&mut self, token: u32, id: u8) {
        let Some(conn) = self.conns.get_mut(&token) else {
            return;
        };
        if conn.remotes.remove(&id).is_none() {
            return;
        }
        let mut removed = event(Kind::Removed, token);
        removed.record.remote_id = Some(id);
        self.events.push_back(removed);
        while let Some(nth) = self.conns[&token]
            .subs
            .iter()
            .position(|sub| sub.remote_id == id)
        {
            self.fail(token, nth, 0, None);
        }
    }

    pub(crate) fn execute(&mut self, command: &Command) -> Result<(), i32> {
        let token = command.token();
        if !self.conns.contains_key(&token) {
            return Err(EBADR);
        }
        match command {
            Command::Connect {
                local_id,
                local,
                remote_id,
                remote,
                backup,
                ..
            } => self.connect(token, *local_id, *local, *remote_id, *remote, *backup),
            Command::Close { local, remote, .. } => {
                let nth = self.find(token, *local, *remote).ok_or(ESRCH)?;
                self.fail(token, nth, 0, None);
                Ok(())
            }
            Command::Priority {
                local,
                remote,
                backup,
                ..
            } => {
                let nth = self.find(token, *local, *remote).ok_or(ESRCH)?;
                let conn = self.conns.get_mut(&token).unwrap();
                conn.subs[nth].backup = *backup;
                Ok(())
            }
            Command::Announce { id, address, .. } => {
                let conn = self.conns.get_mut(&token).unwrap();
                conn.number(*id, *address)?;
                conn.announced.insert(*id);
                Ok(())
            }
            Command::Withdraw { id, .. } => {
                let conn = self.conns.get_mut(&token).unwrap();
                conn.announced.remove(id);
                let used = conn.subs.iter().any(|sub| sub.local_id == *id);
                if !used {
                    conn.locals.remove(id).ok_or(EINVAL)?;
                }
                Ok(())
            }
        }
    }

    fn find(&self, token: u32, local: SocketAddr, remote: SocketAddr) -> Option<usize> {
        let mut subs = self.conns[&token].subs.iter();
        subs.position(|sub| sub.local == local && sub.remote == remote)
    }

    fn connect(
        &mut self,
        token: u32,
        local_id: u8,
        local: SocketAddr,
        remote_id: u8,
        remote: SocketAddr,
        backup: bool,
    ) -> Result<(), i32> {
        self.connects += 1;
        if self.fate == Fate::Again {
            return Err(EAGAIN);
        }
        if !self.has(local.ip()) {
            return Err(EADDRNOTAVAIL);
        }
        let sub = Sub {
            local: SocketAddr::new(local.ip(), self.port(local.port())),
            remote,
            local_id,
            remote_id,
            backup,
            initial: false,
            up: self.fate == Fate::Works,
        };
        let conn = self.conns.get_mut(&token).unwrap();
        assert!(
            !(conn.deny && remote_id == 0),
            "{sub:?} was asked not to be"
        );
        conn.number(local_id, local.ip())?;
        let lanes = conn.lanes;
        for other in &conn.subs {
            let same = other.local.ip() == sub.local.ip() && other.remote == sub.remote;
            if same && other.local.port() == sub.local.port() {
                return Err(EADDRINUSE);
            }
            let lane = other.local.port() % lanes == sub.local.port() % lanes;
            assert!(!(same && lane), "{sub:?} is there already: {other:?}");
        }
        match self.fate {
            Fate::Works => self
                .events
                .push_back(sub.event(Kind::SubflowEstablished, token)),
            Fate::Refused => {
                let mut event = sub.event(Kind::SubflowClosed, token);
                event.record.error = Some(ECONNREFUSED);
                self.events.push_back(event);
                return Ok(());
            }
            Fate::Silence | Fate::Again => {}
        }
        conn.subs.push(sub);
        Ok(())
    }

    /// Subflows nothing answered are given up.
    pub(crate) fn time_out(&mut self) {
        let tokens: Vec<u32> = self.conns.keys().copied().collect();
        for token in tokens {
            while let Some(nth) = self.conns[&token].subs.iter().position(|sub| !sub.up) {
                self.fail(token, nth, 110, None);
            }
        }
    }

    pub(crate) fn dump(&self) -> Vec<Connection> {
        let connection = |(&token, conn): (&u32, &Conn)| Connection {
            token,
            phase: Phase::Established,
            server_side: Some(conn.server),
            deny_join_id0: conn.deny,
            locals: conn
                .locals
                .iter()
                .map(|(&id, &address)| LocalAddress {
                    id,
                    address,
                    port: 0,
                    announced: conn.announced.contains(&id),
                    backup: false,
                    ifindex: 0,
                })
                .collect(),
            subflows: conn.subs.iter().filter(|it| it.up).map(Sub::dump).collect(),
            pending: conn
                .subs
                .iter()
                .filter(|it| !it.up)
                .map(Sub::dump)
                .collect(),
            ..Connection::default()
        };
        self.conns.iter().map(connection).collect()
    }
}

impl Sub {
    fn dump(&self) -> Subflow {
        Subflow {
            local: self.local,
            remote: self.remote,
            local_id: self.local_id,
            remote_id: self.remote_id,
            backup: self.backup,
            ifindex: 0,
            id: None,
            initial: self.initial,
        }
    }
}

impl Conn {
    /// An address has one number, and a number one address.
    fn number(&mut self, id: u8, address: IpAddr) -> Result<(), i32> {
        let known = self.locals.get(&id).is_some_and(|known| *known != address);
        // The first one's may be announced under another, once 0 is withdrawn.
        let first = self.locals.get(&0) == Some(&address);
        let mut others = self.locals.iter();
        let twice = others.any(|(other, known)| *other != id && *known == address) && !first;
        if known || twice {
            return Err(EINVAL);
        }
        self.locals.insert(id, address);
        Ok(())
    }
}
