// SPDX-License-Identifier: GPL-2.0
//! Family `mptcp_pm`, upstream's path manager "userspace". Ports of events are
//! in network order, those of commands in host order.

use super::{
    diag::Diag,
    sequence::{self, Counters},
    uapi::{self, upstream as number},
    Backend, PathManager,
};
use crate::{
    event::{Dialect, Event, Kind, Record},
    Command, Connection, Error, LocalAddress, Result,
};
use ccp_netlink::{
    genl::{Family, Genl},
    wire::{malformed, Attributes, Request, Value},
    Repeat,
};
use nix::errno::Errno;
use number::addr;
use std::{
    net::{IpAddr, SocketAddr},
    os::fd::{AsFd, BorrowedFd},
    time::Duration,
};

/// The family.
struct MptcpPm;

impl Family for MptcpPm {
    const NAME: &'static str = number::NAME;
    const EVENTS: &'static str = number::EVENTS;
    type Event = Event;

    fn event(command: u8, attributes: Attributes<'_>) -> ccp_netlink::Result<Option<Event>> {
        let kind = match command {
            number::EVENT_LISTENER_CREATED => Kind::ListenerCreated,
            number::EVENT_LISTENER_CLOSED => Kind::ListenerClosed,
            // Above these the numbers are the module's own.
            ..=14 => match sequence::kind(command) {
                Some(kind) => kind,
                None => return Ok(None),
            },
            _ => return Ok(None),
        };
        let record = Record::read(attributes, Dialect::Upstream)?;
        Ok(Some(Event { kind, record }))
    }
}

/// A connection to family `mptcp_pm`.
pub struct Upstream {
    genl: Genl<MptcpPm>,
    /// For dumps, which the family has not.
    diag: Diag,
}

impl Upstream {
    /// Finds the family.
    pub fn connect() -> ccp_netlink::Result<Self> {
        Ok(Self {
            genl: Genl::connect()?,
            diag: Diag::open()?,
        })
    }

    /// The addresses a connection knows. They are kept by the path manager
    /// "userspace" only; of other connections there are none to tell.
    fn locals(&mut self, token: u32) -> Vec<LocalAddress> {
        let request = || Request::new(number::CMD_GET_ADDR).u32(number::ATTR_TOKEN, token);
        let found = self.genl.dump("get-addr", request, |attributes| {
            let mut found = None;
            for attribute in attributes {
                let attribute = attribute.map_err(malformed("an attribute"))?;
                if attribute.kind() == number::ATTR_ADDR {
                    found = local(attribute.nest())?;
                }
            }
            Ok(found)
        });
        found.unwrap_or_default().into_iter().flatten().collect()
    }
}

fn local(attributes: Attributes<'_>) -> ccp_netlink::Result<Option<LocalAddress>> {
    let (mut id, mut port, mut flags, mut ifindex, mut address) = (0, 0, 0, 0, None);
    for attribute in attributes {
        let attribute = attribute.map_err(malformed("an attribute"))?;
        match attribute.kind() {
            addr::ID => id = attribute.u8()?,
            addr::PORT => port = attribute.u16()?,
            addr::FLAGS => flags = attribute.u32()?,
            addr::IF_IDX => ifindex = attribute.i32()?,
            addr::ADDR4 | addr::ADDR6 => address = Some(attribute.ip()?),
            _ => {}
        }
    }
    Ok(address.map(|address| LocalAddress {
        id,
        address,
        port,
        announced: flags & number::FLAG_SIGNAL != 0,
        backup: flags & number::FLAG_BACKUP != 0,
        ifindex,
    }))
}

/// An address attribute.
fn end(request: Request, ip: IpAddr, port: u16) -> Request {
    let kind = match ip {
        IpAddr::V4(_) => addr::ADDR4,
        IpAddr::V6(_) => addr::ADDR6,
    };
    let request = request.u16(addr::FAMILY, uapi::family(ip)).ip(kind, ip);
    match port {
        0 => request,
        port => request.u16(addr::PORT, port),
    }
}

fn pair(request: Request, local: SocketAddr, remote: SocketAddr, flags: u32) -> Request {
    request
        .nest(number::ATTR_ADDR, |nest| {
            end(nest, local.ip(), local.port()).u32(addr::FLAGS, flags)
        })
        .nest(number::ATTR_ADDR_REMOTE, |nest| {
            end(nest, remote.ip(), remote.port())
        })
}

const fn backup_flag(backup: bool) -> u32 {
    if backup {
        number::FLAG_BACKUP
    } else {
        0
    }
}

/// The message of a command.
fn request(command: &Command) -> (&'static str, Request) {
    let new = |number| Request::new(number).u32(number::ATTR_TOKEN, command.token());
    match *command {
        Command::Connect {
            local_id,
            local,
            remote_id,
            remote,
            backup,
            ifindex,
            ..
        } => {
            let request = new(number::CMD_SUBFLOW_CREATE)
                .nest(number::ATTR_ADDR, |nest| {
                    end(nest, local.ip(), local.port())
                        .u8(addr::ID, local_id)
                        .u32(addr::FLAGS, backup_flag(backup))
                        .i32(addr::IF_IDX, ifindex)
                })
                .nest(number::ATTR_ADDR_REMOTE, |nest| {
                    end(nest, remote.ip(), remote.port()).u8(addr::ID, remote_id)
                });
            ("subflow-create", request)
        }
        Command::Close { local, remote, .. } => {
            let request = pair(new(number::CMD_SUBFLOW_DESTROY), local, remote, 0);
            ("subflow-destroy", request)
        }
        Command::Priority {
            local,
            remote,
            backup,
            ..
        } => {
            let request = new(number::CMD_SET_FLAGS);
            (
                "set-flags",
                pair(request, local, remote, backup_flag(backup)),
            )
        }
        Command::Announce {
            id,
            address,
            port,
            ifindex,
            ..
        } => {
            let request = new(number::CMD_ANNOUNCE).nest(number::ATTR_ADDR, |nest| {
                end(nest, address, port)
                    .u8(addr::ID, id)
                    .u32(addr::FLAGS, number::FLAG_SIGNAL)
                    .i32(addr::IF_IDX, ifindex)
            });
            ("announce", request)
        }
        Command::Withdraw { id, .. } => {
            let request = new(number::CMD_REMOVE).u8(number::ATTR_LOC_ID, id);
            ("remove", request)
        }
    }
}

/// A connection that the kernel does not know, or not as one of ours, is EINVAL
/// like much else; only the words differ.
fn tell_unknown(error: ccp_netlink::Error) -> ccp_netlink::Error {
    match error {
        ccp_netlink::Error::Kernel(mut refusal) => {
            let words = refusal.message.as_deref().unwrap_or_default();
            if words.contains("invalid token") || words.contains("PM not selected") {
                refusal.errno = Errno::ENOENT as i32;
            }
            ccp_netlink::Error::Kernel(refusal)
        }
        other => other,
    }
}

impl PathManager for Upstream {
    fn backend(&self) -> Backend {
        Backend::Userspace
    }

    fn subscribe(&mut self) -> Result<()> {
        Ok(self.genl.subscribe()?)
    }

    fn event(&mut self, timeout: Option<Duration>) -> Result<Option<Event>> {
        Ok(self.genl.event(timeout)?)
    }

    fn execute(&mut self, command: &Command) -> Result<()> {
        let (name, request) = request(command);
        let repeat = match command {
            Command::Connect { .. } | Command::Withdraw { .. } => Repeat::Never,
            _ => Repeat::Safe,
        };
        self.genl
            .command(name, repeat, || request.clone(), |_| Ok(()))
            .map_err(tell_unknown)?;
        Ok(())
    }

    fn connections(&mut self) -> Result<Vec<Connection>> {
        let mut connections = self.diag.connections().map_err(Error::from)?;
        for connection in &mut connections {
            connection.locals = self.locals(connection.token);
        }
        Ok(connections)
    }

    fn counters(&mut self) -> Result<Option<Counters>> {
        Ok(None)
    }

    fn audit(&mut self) -> Result<bool> {
        Ok(false)
    }

    fn as_fd(&self) -> BorrowedFd<'_> {
        self.genl.as_fd()
    }
}
