// SPDX-License-Identifier: GPL-2.0
//! `ccpctl mptcp show`: connections and their subflows.

use crate::{
    cli::Form,
    format::{json, table},
    Failure,
};
use ccp_mptcp::{backend::PathManager, Connection, LocalAddress, Phase, Subflow};
use std::{io::Write, net::SocketAddr};

pub(super) fn run(
    form: Form,
    manager: &mut dyn PathManager,
    token: Option<u32>,
) -> Result<(), Failure> {
    let connections = match token {
        Some(token) => vec![super::find(manager, token)?],
        None => manager.connections()?,
    };
    if form.json {
        return json(&connections);
    }
    let mut out = std::io::stdout().lock();
    if token.is_some() || form.details {
        for connection in &connections {
            one(&mut out, connection)?;
        }
        return Ok(());
    }
    let rows: Vec<Vec<String>> = connections.iter().map(row).collect();
    let head = [
        "TOKEN",
        "SIDE",
        "STATE",
        "FIRST SUBFLOW",
        "SUBFLOWS",
        "BACKUPS",
    ];
    table(&mut out, &head, &rows)
}

fn side(connection: &Connection) -> &'static str {
    match connection.server_side {
        Some(true) => "server",
        Some(false) => "client",
        None => "-",
    }
}

fn phase(connection: &Connection) -> &'static str {
    match connection.phase {
        Phase::Created => "created",
        Phase::Established => "established",
        Phase::FallenBack => "fallen-back",
    }
}

fn plain(end: SocketAddr) -> SocketAddr {
    SocketAddr::new(end.ip().to_canonical(), end.port())
}

fn ends(subflow: &Subflow) -> String {
    format!("{} -> {}", plain(subflow.local), plain(subflow.remote))
}

fn row(connection: &Connection) -> Vec<String> {
    let backups = connection.subflows.iter().filter(|it| it.backup).count();
    vec![
        // Not a number to the table, which would move it.
        format!("{:08x}", connection.token),
        side(connection).into(),
        phase(connection).into(),
        connection.subflows.first().map_or_else(|| "-".into(), ends),
        connection.subflows.len().to_string(),
        backups.to_string(),
    ]
}

fn one(out: &mut dyn Write, connection: &Connection) -> Result<(), Failure> {
    let deny = if connection.deny_join_id0 {
        " deny-join-id0"
    } else {
        ""
    };
    let (side, phase) = (side(connection), phase(connection));
    writeln!(out, "{:08x} {side} {phase}{deny}", connection.token)?;
    let are = connection.subflows.iter().map(|it| (it, ""));
    let pending = connection.pending.iter().map(|it| (it, " connecting"));
    for (subflow, state) in are.chain(pending) {
        let Subflow {
            local_id,
            remote_id,
            ifindex,
            ..
        } = subflow;
        let mut line = format!("    {} locid {local_id} remid {remote_id}", ends(subflow));
        if subflow.backup {
            line += " backup";
        }
        if *ifindex != 0 {
            line += &format!(" ifindex {ifindex}");
        }
        if subflow.initial {
            line += " initial";
        }
        writeln!(out, "{line}{state}")?;
    }
    for (id, end) in &connection.remotes {
        let mut line = format!("    remote-address {} id {id}", end.ip().to_canonical());
        if end.port() != 0 {
            line += &format!(" port {}", end.port());
        }
        writeln!(out, "{line}")?;
    }
    for local in &connection.locals {
        let LocalAddress {
            id, address, port, ..
        } = local;
        let mut line = format!("    address {address} id {id}");
        if *port != 0 {
            line += &format!(" port {port}");
        }
        if local.announced {
            line += " announced";
        }
        writeln!(out, "{line}")?;
    }
    Ok(())
}
