// SPDX-License-Identifier: GPL-2.0
//! `ccpctl mptcp subflow`, `address` and `priority`: one command each. What the
//! user leaves out is looked up.

use super::{find, Place};
use crate::{
    cli::{AddressAction, PriorityArgs, Role, SubflowAction, SubflowAddArgs, SubflowArgs},
    Failure,
};
use ccp_mptcp::{backend::PathManager, Command, Connection, Subflow};
use std::net::{IpAddr, SocketAddr};

pub(super) fn subflow(
    manager: &mut dyn PathManager,
    action: &SubflowAction,
) -> Result<(), Failure> {
    let command = match action {
        SubflowAction::Add(args) => add(&find(manager, args.token)?, args)?,
        SubflowAction::Del(args) => {
            let connection = find(manager, args.token)?;
            let subflow = the_one(&connection, args)?;
            Command::Close {
                token: args.token,
                local: subflow.local,
                remote: subflow.remote,
            }
        }
    };
    Ok(manager.execute(&command)?)
}

pub(super) fn priority(manager: &mut dyn PathManager, args: &PriorityArgs) -> Result<(), Failure> {
    let connection = find(manager, args.subflow.token)?;
    let subflow = the_one(&connection, &args.subflow)?;
    let command = Command::Priority {
        token: args.subflow.token,
        local: subflow.local,
        remote: subflow.remote,
        backup: args.set == Role::Backup,
    };
    Ok(manager.execute(&command)?)
}

pub(super) fn address(
    manager: &mut dyn PathManager,
    action: &AddressAction,
) -> Result<(), Failure> {
    let command = match action {
        AddressAction::Add {
            token,
            address,
            id,
            port,
            dev,
        } => {
            let connection = find(manager, *token)?;
            Command::Announce {
                token: *token,
                id: id.map_or_else(|| local_id(&connection, *address), Ok)?,
                address: *address,
                port: port.unwrap_or(0),
                ifindex: dev.unwrap_or(0),
            }
        }
        AddressAction::Del { token, address } => Command::Withdraw {
            token: *token,
            id: withdrawn_id(&find(manager, *token)?, address)?,
        },
    };
    Ok(manager.execute(&command)?)
}

/// Addresses of ours that have a number.
fn numbered(connection: &Connection) -> impl Iterator<Item = (IpAddr, u8)> + '_ {
    let listed = connection.locals.iter().map(|it| (it.address, it.id));
    let used = connection
        .subflows
        .iter()
        .map(|it| (it.local.ip(), it.local_id));
    used.chain(listed).map(|(ip, id)| (ip.to_canonical(), id))
}

/// The number of an address, or a free one.
fn local_id(connection: &Connection, address: IpAddr) -> Result<u8, Failure> {
    let address = address.to_canonical();
    if let Some((_, id)) = numbered(connection).find(|(ip, _)| *ip == address) {
        return Ok(id);
    }
    (1..=u8::MAX)
        .find(|id| numbered(connection).all(|(_, taken)| taken != *id))
        .ok_or_else(|| {
            Failure::Input(format!(
                "connection {:08x} has no free address number",
                connection.token
            ))
        })
}

fn withdrawn_id(connection: &Connection, text: &str) -> Result<u8, Failure> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let address: IpAddr = text.parse().map_err(|_| {
        Failure::Input(format!(
            "'{text}' is neither an address nor the number of one (0 to 255)"
        ))
    })?;
    numbered(connection)
        .find(|(ip, _)| *ip == address.to_canonical())
        .map(|(_, id)| id)
        .ok_or_else(|| {
            Failure::Input(format!(
                "connection {:08x} does not know {address}; \
                 `ccpctl mptcp show {:08x}` lists its addresses",
                connection.token, connection.token
            ))
        })
}

fn add(connection: &Connection, args: &SubflowAddArgs) -> Result<Command, Failure> {
    let first = connection.subflows.first();
    let first = first.map(|it| SocketAddr::new(it.remote.ip().to_canonical(), it.remote.port()));
    let unknown = || {
        Failure::Input(format!(
            "connection {:08x} has no subflow to take the remote end from: give --remote ADDRESS:PORT",
            connection.token
        ))
    };
    let remote_ip = match args.remote {
        Some(place) => place.ip,
        None => first.ok_or_else(unknown)?.ip(),
    };
    let port = args.remote.and_then(|place| place.port);
    let port = match port {
        Some(port) => port,
        None => first.ok_or_else(unknown)?.port(),
    };
    let known = connection
        .subflows
        .iter()
        .find(|it| it.remote.ip().to_canonical() == remote_ip.to_canonical());
    let remote_id = args.remote_id.or(known.map(|it| it.remote_id));
    Ok(Command::Connect {
        token: args.token,
        local_id: args
            .local_id
            .map_or_else(|| local_id(connection, args.local.ip), Ok)?,
        local: SocketAddr::new(args.local.ip, args.local.port.unwrap_or(0)),
        remote_id: remote_id.unwrap_or(0),
        remote: SocketAddr::new(remote_ip, port),
        backup: args.backup,
        ifindex: args.dev.unwrap_or(0),
    })
}

/// The subflow the user means.
fn the_one<'a>(connection: &'a Connection, args: &SubflowArgs) -> Result<&'a Subflow, Failure> {
    let remote = |place: Place, end| place.fits(end);
    let mut all = connection.subflows.iter().filter(|it| {
        args.local.fits(it.local) && args.remote.is_none_or(|place| remote(place, it.remote))
    });
    match (all.next(), all.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(Failure::Input(format!(
            "connection {:08x} has no such subflow; `ccpctl mptcp show {:08x}` lists them",
            connection.token, connection.token
        ))),
        (Some(_), Some(_)) => Err(Failure::Input(format!(
            "several subflows of connection {:08x} fit: give the ports, too, \
             as `ccpctl mptcp show {:08x}` has them",
            connection.token, connection.token
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ccp_mptcp::LocalAddress;

    fn subflow(local: &str, remote: &str, local_id: u8, remote_id: u8) -> Subflow {
        Subflow {
            local: local.parse().unwrap(),
            remote: remote.parse().unwrap(),
            local_id,
            remote_id,
            backup: false,
            ifindex: 0,
            id: None,
            initial: local_id == 0,
        }
    }

    fn connection() -> Connection {
        Connection {
            token: 0xab,
            locals: vec![LocalAddress {
                id: 1,
                address: "10.0.3.1".parse().unwrap(),
                port: 0,
                announced: true,
                backup: false,
                ifindex: 0,
            }],
            subflows: vec![
                subflow("[::ffff:10.0.1.1]:4000", "[::ffff:10.0.9.1]:80", 0, 0),
                subflow("10.0.2.1:4001", "10.0.9.2:80", 2, 5),
                subflow("10.0.2.1:4002", "10.0.9.1:80", 2, 0),
            ],
            ..Connection::default()
        }
    }

    fn args(local: &str, remote: Option<&str>) -> SubflowArgs {
        SubflowArgs {
            token: 0xab,
            local: local.parse().unwrap(),
            remote: remote.map(|text| text.parse().unwrap()),
        }
    }

    #[test]
    fn subflows_are_found_by_what_is_clear() {
        let connection = connection();
        let port = |local: &str, remote: Option<&str>| {
            the_one(&connection, &args(local, remote)).map(|it| it.local.port())
        };
        assert_eq!(port("10.0.1.1", None).unwrap(), 4000);
        assert_eq!(port("10.0.2.1", Some("10.0.9.2")).unwrap(), 4001);
        assert_eq!(port("10.0.2.1:4002", None).unwrap(), 4002);
        let error = |local: &str| port(local, None).unwrap_err().to_string();
        assert!(error("10.0.2.1").contains("several"));
        assert!(error("10.0.7.1").contains("no such subflow"));
    }

    #[test]
    fn what_is_left_out_is_looked_up() {
        let args = |local: &str, remote: Option<&str>| SubflowAddArgs {
            token: 0xab,
            local: local.parse().unwrap(),
            remote: remote.map(|text| text.parse().unwrap()),
            local_id: None,
            remote_id: None,
            backup: true,
            dev: None,
        };
        let connection = connection();
        let command = add(&connection, &args("10.0.4.1", None)).unwrap();
        let expected = Command::Connect {
            token: 0xab,
            local_id: 3,
            local: "10.0.4.1:0".parse().unwrap(),
            remote_id: 0,
            remote: "10.0.9.1:80".parse().unwrap(),
            backup: true,
            ifindex: 0,
        };
        assert_eq!(command, expected);
        let command = add(&connection, &args("10.0.3.1:7", Some("10.0.9.2:81"))).unwrap();
        let expected = Command::Connect {
            token: 0xab,
            local_id: 1,
            local: "10.0.3.1:7".parse().unwrap(),
            remote_id: 5,
            remote: "10.0.9.2:81".parse().unwrap(),
            backup: true,
            ifindex: 0,
        };
        assert_eq!(command, expected);
        assert!(add(&Connection::default(), &args("10.0.4.1", None)).is_err());
    }

    #[test]
    fn addresses_are_withdrawn_by_either_name() {
        let connection = connection();
        assert_eq!(withdrawn_id(&connection, "7").unwrap(), 7);
        assert_eq!(withdrawn_id(&connection, "10.0.3.1").unwrap(), 1);
        assert_eq!(withdrawn_id(&connection, "10.0.1.1").unwrap(), 0);
        for text in ["10.0.8.8", "256", "x"] {
            assert!(withdrawn_id(&connection, text).is_err());
        }
    }
}
