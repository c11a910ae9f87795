// SPDX-License-Identifier: GPL-2.0
//! Family `mptcp`: the old kernel's commands and ours from 64 on. Ports are in
//! host order, in both directions.

use super::{
    merge::{Merge, Source},
    sequence::{self, Counters},
    uapi::{self, attr, module as number},
    Backend, PathManager,
};
use crate::{
    event::{Dialect, Event, Kind, Record},
    Command, Connection, LocalAddress, Phase, Result, Subflow,
};
use ccp_netlink::{
    genl::{Family, Genl},
    wire::{malformed, Attributes, Request, Value},
    Repeat,
};
use nix::errno::Errno;
use std::{
    net::{IpAddr, SocketAddr},
    os::fd::{AsFd, BorrowedFd},
    time::Duration,
};

/// The family.
struct Mptcp;

impl Family for Mptcp {
    const NAME: &'static str = number::NAME;
    const EVENTS: &'static str = number::EVENTS;
    type Event = Event;

    fn event(command: u8, attributes: Attributes<'_>) -> ccp_netlink::Result<Option<Event>> {
        let Some(kind) = sequence::kind(command) else {
            return Ok(None);
        };
        let record = Record::read(attributes, Dialect::Module)?;
        Ok(Some(Event { kind, record }))
    }
}

impl Source for Genl<Mptcp> {
    fn next(&mut self, timeout: Option<Duration>) -> Result<Option<Event>> {
        Ok(self.event(timeout)?)
    }

    fn has_more(&self) -> bool {
        Self::has_more(self)
    }

    fn has_queued(&self) -> bool {
        Self::has_queued(self)
    }
}

/// Joins the events, of these kinds only.
fn listen(genl: &mut Genl<Mptcp>, kinds: &[Kind]) -> ccp_netlink::Result<()> {
    let flags = kinds
        .iter()
        .fold(0, |all, kind| all | number::filter(*kind));
    let filter = || Request::new(number::CMD_SET_FILTER).u16(attr::FLAGS, flags);
    genl.command("set-filter", Repeat::Safe, filter, |_| Ok(()))?;
    genl.subscribe()
}

/// A connection to family `mptcp`.
pub struct Module {
    genl: Genl<Mptcp>,
    /// Hears of what can wait, so that it wakes nobody.
    deferred: Option<Genl<Mptcp>>,
    merge: Merge,
}

impl Module {
    /// Finds the family.
    pub fn connect() -> ccp_netlink::Result<Self> {
        Ok(Self {
            genl: Genl::connect()?,
            deferred: None,
            merge: Merge::default(),
        })
    }

    /// Those that are, and those that wait for the answer to their SYN.
    fn dump_subflows(&mut self, token: u32) -> ccp_netlink::Result<[Vec<Subflow>; 2]> {
        let request = || Request::new(number::CMD_GET_SUBFLOW).u32(attr::TOKEN, token);
        let records = self.genl.dump("get-subflow", request, |attributes| {
            Record::read(attributes, Dialect::Module)
        });
        match records {
            Ok(records) => {
                let (pending, are): (Vec<_>, Vec<_>) = records.iter().partition(|it| it.pending);
                Ok([are, pending]
                    .map(|some| some.into_iter().filter_map(Record::subflow).collect()))
            }
            // It has gone since it was listed.
            Err(error) if is_unknown(error.errno()) => Ok([Vec::new(), Vec::new()]),
            Err(error) => Err(error),
        }
    }
}

/// No such connection.
fn is_unknown(errno: Option<i32>) -> bool {
    let unknown = [Errno::ENOENT, Errno::EBADR, Errno::ENOTCONN, Errno::EINVAL];
    errno.is_some_and(|errno| unknown.contains(&Errno::from_raw(errno)))
}

/// Both ends of a subflow.
fn ends(request: Request, local: SocketAddr, remote: SocketAddr) -> Request {
    let (source, destination) = match local.ip() {
        IpAddr::V4(_) => (attr::SADDR4, attr::DADDR4),
        IpAddr::V6(_) => (attr::SADDR6, attr::DADDR6),
    };
    request
        .u16(attr::FAMILY, uapi::family(local.ip()))
        .ip(source, local.ip())
        .ip(destination, remote.ip())
        .u16(attr::SPORT, local.port())
        .u16(attr::DPORT, remote.port())
}

/// The message of a command.
fn request(command: &Command) -> (&'static str, Request) {
    match *command {
        Command::Connect {
            token,
            local_id,
            local,
            remote_id,
            remote,
            backup,
            ifindex,
        } => {
            let request = Request::new(number::CMD_SUB_CREATE)
                .u32(attr::TOKEN, token)
                .u8(attr::LOC_ID, local_id)
                .u8(attr::REM_ID, remote_id);
            let request = ends(request, local, remote)
                .u8(attr::BACKUP, backup.into())
                .i32(attr::IF_IDX, ifindex);
            ("sub-create", request)
        }
        Command::Close {
            token,
            local,
            remote,
        } => {
            let request = Request::new(number::CMD_SUB_DESTROY).u32(attr::TOKEN, token);
            ("sub-destroy", ends(request, local, remote))
        }
        Command::Priority {
            token,
            local,
            remote,
            backup,
        } => {
            let request = Request::new(number::CMD_SUB_PRIORITY).u32(attr::TOKEN, token);
            let request = ends(request, local, remote).u8(attr::BACKUP, backup.into());
            ("sub-priority", request)
        }
        Command::Announce {
            token,
            id,
            address,
            port,
            ifindex,
        } => {
            let saddr = if address.is_ipv4() {
                attr::SADDR4
            } else {
                attr::SADDR6
            };
            let mut request = Request::new(number::CMD_ANNOUNCE)
                .u32(attr::TOKEN, token)
                .u16(attr::FAMILY, uapi::family(address))
                .u8(attr::LOC_ID, id)
                .ip(saddr, address)
                .i32(attr::IF_IDX, ifindex);
            if port != 0 {
                request = request.u16(attr::SPORT, port);
            }
            ("announce", request)
        }
        Command::Withdraw { token, id } => {
            let request = Request::new(number::CMD_REMOVE)
                .u32(attr::TOKEN, token)
                .u8(attr::LOC_ID, id);
            ("remove", request)
        }
    }
}

/// A connection, with its first subflow if that is told.
fn connection(attributes: Attributes<'_>) -> ccp_netlink::Result<Connection> {
    let record = Record::read(attributes, Dialect::Module)?;
    let mut connection = Connection {
        token: record.token.unwrap_or(0),
        server_side: record.server_side,
        deny_join_id0: record.deny_join_id0.unwrap_or(false),
        ..Connection::default()
    };
    for attribute in attributes {
        let attribute = attribute.map_err(malformed("an attribute"))?;
        match attribute.kind() {
            attr::STATE => {
                connection.phase = match attribute.u8()? {
                    1 => Phase::Created,
                    3 => Phase::FallenBack,
                    _ => Phase::Established,
                }
            }
            attr::LOCAL => connection.locals.extend(local(attribute.nest())?),
            attr::REMOTE => connection.remotes.extend(remote(attribute.nest())?),
            _ => {}
        }
    }
    connection.subflows.extend(record.subflow());
    Ok(connection)
}

/// A connection with many addresses takes several messages.
fn merged(told: Vec<Connection>) -> Vec<Connection> {
    let mut merged: Vec<Connection> = Vec::with_capacity(told.len());
    for mut connection in told {
        match merged.last_mut() {
            Some(last) if last.token == connection.token => {
                last.locals.append(&mut connection.locals);
            }
            _ => merged.push(connection),
        }
    }
    merged
}

fn remote(attributes: Attributes<'_>) -> ccp_netlink::Result<Option<(u8, SocketAddr)>> {
    let record = Record::read(attributes, Dialect::Module)?;
    let port = record.remote_port.unwrap_or(0);
    let end = record.remote.map(|address| SocketAddr::new(address, port));
    Ok(record.remote_id.zip(end))
}

fn local(attributes: Attributes<'_>) -> ccp_netlink::Result<Option<LocalAddress>> {
    let mut announced = false;
    for attribute in attributes {
        let attribute = attribute.map_err(malformed("an attribute"))?;
        if attribute.kind() == attr::ANNOUNCED {
            announced = attribute.u8()? != 0;
        }
    }
    let record = Record::read(attributes, Dialect::Module)?;
    Ok(record.local.map(|address| LocalAddress {
        id: record.local_id.unwrap_or(0),
        address,
        port: record.local_port.unwrap_or(0),
        announced,
        backup: record.backup.unwrap_or(false),
        ifindex: record.ifindex.unwrap_or(0),
    }))
}

impl PathManager for Module {
    fn backend(&self) -> Backend {
        Backend::Netlink
    }

    fn subscribe(&mut self, kinds: &[Kind], deferred: &[Kind]) -> Result<()> {
        listen(&mut self.genl, kinds)?;
        if !deferred.is_empty() {
            let mut genl = Genl::connect()?;
            listen(&mut genl, deferred)?;
            self.deferred = Some(genl);
        }
        let counters = self.counters()?;
        let all = kinds.iter().chain(deferred).copied();
        self.merge.start(all, counters.as_ref());
        Ok(())
    }

    fn event(&mut self, timeout: Option<Duration>) -> Result<Option<Event>> {
        self.merge.event(&mut self.genl, timeout)
    }

    fn take_deferred(&mut self) -> Result<bool> {
        match &mut self.deferred {
            Some(genl) => self.merge.take(genl),
            None => Ok(true),
        }
    }

    fn execute(&mut self, command: &Command) -> Result<()> {
        let (name, request) = request(command);
        Ok(self.genl.tell(name, request)?)
    }

    fn connections(&mut self) -> Result<Vec<Connection>> {
        let request = || Request::new(number::CMD_GET_CONN);
        let told = self.genl.dump("get-conn", request, connection)?;
        let mut connections = merged(told);
        for connection in &mut connections {
            if connection.phase == Phase::FallenBack {
                continue;
            }
            let [subflows, pending] = self.dump_subflows(connection.token)?;
            connection.pending = pending;
            if !subflows.is_empty() {
                connection.subflows = subflows;
            }
            connection.subflows.sort_by_key(|subflow| !subflow.initial);
        }
        Ok(connections)
    }

    fn counters(&mut self) -> Result<Option<Counters>> {
        let request = || Request::new(number::CMD_GET_COUNTERS);
        let mut counters = None;
        let outcome = self
            .genl
            .command("get-counters", Repeat::Safe, request, |attributes| {
                counters = Some(Counters::read(attributes)?);
                Ok(())
            });
        match outcome {
            // The old kernel's family has no counters.
            Err(error) if error.errno() == Some(Errno::EOPNOTSUPP as i32) => Ok(None),
            Err(error) => Err(error.into()),
            Ok(()) => Ok(counters),
        }
    }

    fn audit(&mut self) -> Result<bool> {
        let Some(counters) = self.counters()? else {
            return Ok(false);
        };
        let deferred = self.deferred.as_mut();
        self.merge.is_behind(&mut self.genl, deferred, &counters)
    }

    fn has_more(&self) -> bool {
        self.merge.has_more(&self.genl)
    }

    fn has_queued(&self) -> bool {
        self.merge.has_queued(&self.genl)
    }

    fn as_fd(&self) -> BorrowedFd<'_> {
        self.genl.as_fd()
    }

    fn deferred_fd(&self) -> Option<BorrowedFd<'_>> {
        self.deferred.as_ref().map(AsFd::as_fd)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{attributes, bytes, list};
    use proptest::prelude::*;

    #[test]
    fn commands_carry_what_the_family_wants() {
        let (local, remote) = ("10.0.1.1:7", "10.0.2.2:80");
        let connect = Command::Connect {
            token: 1,
            local_id: 2,
            local: local.parse().unwrap(),
            remote_id: 3,
            remote: remote.parse().unwrap(),
            backup: true,
            ifindex: 4,
        };
        let (name, message) = request(&connect);
        assert_eq!(name, "sub-create");
        let expected: Vec<(u16, Vec<u8>)> = vec![
            (attr::TOKEN, 1_u32.to_ne_bytes().into()),
            (attr::LOC_ID, vec![2]),
            (attr::REM_ID, vec![3]),
            (attr::FAMILY, 2_u16.to_ne_bytes().into()),
            (attr::SADDR4, vec![10, 0, 1, 1]),
            (attr::DADDR4, vec![10, 0, 2, 2]),
            (attr::SPORT, 7_u16.to_ne_bytes().into()),
            (attr::DPORT, 80_u16.to_ne_bytes().into()),
            (attr::BACKUP, vec![1]),
            (attr::IF_IDX, 4_i32.to_ne_bytes().into()),
        ];
        assert_eq!(list(&bytes(&message)), expected);
        let announce = Command::Announce {
            token: 1,
            id: 5,
            address: "fd00::1".parse().unwrap(),
            port: 0,
            ifindex: 0,
        };
        let kinds: Vec<u16> = list(&bytes(&request(&announce).1))
            .iter()
            .map(|it| it.0)
            .collect();
        let expected = [
            attr::TOKEN,
            attr::FAMILY,
            attr::LOC_ID,
            attr::SADDR6,
            attr::IF_IDX,
        ];
        assert_eq!(kinds, expected);
    }

    #[test]
    fn dumps_are_read_and_merged() {
        let local = |id, announced| {
            move |nest: Request| {
                nest.u8(attr::LOC_ID, id)
                    .ip(attr::SADDR4, [10, 0, id, 1].into())
                    .u8(attr::ANNOUNCED, announced)
                    .u32(attr::REFS, 1)
            }
        };
        let first = Request::new(number::CMD_GET_CONN)
            .u32(attr::TOKEN, 9)
            .u8(attr::STATE, 3)
            .u8(attr::SERVER_SIDE, 1)
            .nest(attr::REMOTE, |nest| {
                nest.u8(attr::REM_ID, 4)
                    .ip(attr::DADDR4, [10, 0, 2, 2].into())
                    .u16(attr::DPORT, 443)
            })
            .nest(attr::LOCAL, local(1, 1))
            .nest(attr::LOCAL, local(2, 0));
        let second = Request::new(number::CMD_GET_CONN)
            .u32(attr::TOKEN, 9)
            .nest(attr::LOCAL, local(3, 0));
        let read = |request| connection(attributes(&bytes(&request))).unwrap();
        let all = merged(vec![read(first), read(second)]);
        let [connection] = &all[..] else {
            panic!("{all:?}");
        };
        assert_eq!(connection.phase, Phase::FallenBack);
        let remote = "10.0.2.2:443".parse().unwrap();
        assert_eq!(connection.remotes, [(4, remote)].into());
        let locals: Vec<(u8, bool)> = connection
            .locals
            .iter()
            .map(|local| (local.id, local.announced))
            .collect();
        assert_eq!(locals, [(1, true), (2, false), (3, false)]);
    }

    proptest! {
        #[test]
        fn hostile_dumps_are_read_or_refused(data in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = connection(attributes(&data));
            let _ = Counters::read(attributes(&data));
            let nest = bytes(&Request::new(1).bytes(attr::LOCAL, data.clone()));
            let _ = connection(attributes(&nest));
            let nest = bytes(&Request::new(1).bytes(attr::REMOTE, data.clone()));
            let _ = connection(attributes(&nest));
            let nest = bytes(&Request::new(1).bytes(attr::EVENTS, data));
            let _ = Counters::read(attributes(&nest));
        }
    }
}
