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

    /// There is no choosing.
    fn subscribe(&mut self, _: &[Kind], _: &[Kind]) -> Result<()> {
        Ok(self.genl.subscribe()?)
    }

    fn event(&mut self, timeout: Option<Duration>) -> Result<Option<Event>> {
        Ok(self.genl.event(timeout)?)
    }

    fn take_deferred(&mut self) -> Result<bool> {
        Ok(true)
    }

    fn execute(&mut self, command: &Command) -> Result<()> {
        let (name, request) = request(command);
        Ok(self.genl.tell(name, request).map_err(tell_unknown)?)
    }

    fn connections(&mut self) -> Result<Vec<Connection>> {
        let found = self.diag.connections().map_err(|error| match error {
            ccp_netlink::Error::Kernel(_) => Error::Unsupported(
                "family mptcp_pm lists no connections, and the kernel's sock_diag \
                 (CONFIG_INET_TCP_DIAG) does not either",
            ),
            other => other.into(),
        });
        let mut connections = found?;
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

    fn has_more(&self) -> bool {
        self.genl.has_more()
    }

    fn has_queued(&self) -> bool {
        self.genl.has_queued()
    }

    fn as_fd(&self) -> BorrowedFd<'_> {
        self.genl.as_fd()
    }

    fn deferred_fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{attributes, bytes, list};
    use proptest::prelude::*;

    type List = Vec<(u16, Vec<u8>)>;

    /// Attributes and, of nests, what is in them.
    fn flat(command: &Command) -> Vec<(u16, List)> {
        list(&bytes(&request(command).1))
            .into_iter()
            .map(|(kind, value)| match kind {
                number::ATTR_ADDR | number::ATTR_ADDR_REMOTE => (kind, list(&value)),
                _ => (kind, vec![(0, value)]),
            })
            .collect()
    }

    #[test]
    fn commands_carry_what_the_family_wants() {
        let command = Command::Connect {
            token: 1,
            local_id: 2,
            local: "10.0.1.1:0".parse().unwrap(),
            remote_id: 3,
            remote: "10.0.2.2:80".parse().unwrap(),
            backup: true,
            ifindex: 4,
        };
        let token = (number::ATTR_TOKEN, vec![(0, 1_u32.to_ne_bytes().into())]);
        let local = vec![
            (addr::FAMILY, 2_u16.to_ne_bytes().into()),
            (addr::ADDR4, vec![10, 0, 1, 1]),
            (addr::ID, vec![2]),
            (addr::FLAGS, 4_u32.to_ne_bytes().into()),
            (addr::IF_IDX, 4_i32.to_ne_bytes().into()),
        ];
        let remote = vec![
            (addr::FAMILY, 2_u16.to_ne_bytes().into()),
            (addr::ADDR4, vec![10, 0, 2, 2]),
            (addr::PORT, 80_u16.to_ne_bytes().into()),
            (addr::ID, vec![3]),
        ];
        let expected = vec![
            token.clone(),
            (number::ATTR_ADDR, local),
            (number::ATTR_ADDR_REMOTE, remote),
        ];
        assert_eq!(flat(&command), expected);
        let command = Command::Withdraw { token: 1, id: 7 };
        let expected = vec![token, (number::ATTR_LOC_ID, vec![(0, vec![7])])];
        assert_eq!(flat(&command), expected);
    }

    #[test]
    fn an_unknown_connection_is_told_from_other_mistakes() {
        let error = |message: &str| {
            let refusal = ccp_netlink::Refusal {
                command: "announce",
                errno: 22,
                message: Some(message.into()),
            };
            tell_unknown(ccp_netlink::Error::Kernel(refusal)).errno()
        };
        assert_eq!(error("invalid token"), Some(2));
        assert_eq!(error("userspace PM not selected"), Some(2));
        assert_eq!(error("families mismatch"), Some(22));
    }

    proptest! {
        #[test]
        fn hostile_addresses_are_read_or_refused(data in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = local(attributes(&data));
        }
    }
}
