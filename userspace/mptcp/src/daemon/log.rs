// SPDX-License-Identifier: GPL-2.0
//! Lines that say what is done and why.

use crate::{
    event::{Event, Kind},
    policy::{Address, Step},
    Connection, Error,
};
use nix::errno::Errno;
use std::net::{IpAddr, SocketAddr};

pub(super) struct Log {
    write: Box<dyn FnMut(&str)>,
    verbose: bool,
    addresses: Vec<Address>,
}

/// The ends of a subflow, IPv4 always as such.
fn ends((local, remote): (SocketAddr, SocketAddr)) -> String {
    let plain = |end: SocketAddr| SocketAddr::new(end.ip().to_canonical(), end.port());
    format!("{} to {}", plain(local), plain(remote))
}

impl Log {
    pub(super) fn new(write: Box<dyn FnMut(&str)>, verbose: bool) -> Self {
        Self {
            write,
            verbose,
            addresses: Vec::new(),
        }
    }

    pub(super) fn say(&mut self, text: &str) {
        (self.write)(text);
    }

    /// What came and what went.
    pub(super) fn addresses(&mut self, addresses: &[Address]) {
        let known = std::mem::replace(&mut self.addresses, addresses.to_vec());
        let is_told = |address: &&Address| !address.ip.is_loopback();
        for address in addresses.iter().filter(is_told) {
            if !known.contains(address) {
                let Address { ip, interface, .. } = address;
                self.say(&format!("address {ip} on {interface}"));
            }
        }
        for address in known.iter().filter(is_told) {
            if !addresses.contains(address) {
                let Address { ip, interface, .. } = address;
                self.say(&format!(
                    "address {ip} on {interface} is gone, or its link is down"
                ));
            }
        }
    }

    pub(super) fn dump(&mut self, connections: &[Connection]) {
        let subflows: usize = connections.iter().map(|it| it.subflows.len()).sum();
        if self.verbose || !connections.is_empty() {
            let count = connections.len();
            self.say(&format!("listed: {count} connections, {subflows} subflows"));
        }
    }

    pub(super) fn step(&mut self, step: &Step, error: Option<&Error>) {
        if !self.verbose {
            return;
        }
        let token = step.command.token();
        let line = match error {
            None => format!("{token:08x}: {}: {}", step.command, step.why),
            Some(error) => format!("{token:08x}: {}: {}: {error}", step.command, step.why),
        };
        self.say(&line);
    }

    pub(super) fn event(&mut self, event: &Event) {
        if event.kind == Kind::Lost {
            self.say("events were lost; asking for all there is");
            return;
        }
        if !self.verbose {
            return;
        }
        let record = &event.record;
        let Some(token) = record.token else { return };
        let where_ = || record.ends().map(ends).unwrap_or_default();
        let text = match event.kind {
            Kind::Established => {
                let side = if record.server_side == Some(true) {
                    "server"
                } else {
                    "client"
                };
                let deny = if record.deny_join_id0 == Some(true) {
                    ", whose first address takes no further subflow"
                } else {
                    ""
                };
                format!("connection {}, {side}{deny}", where_())
            }
            Kind::Closed => "closed".into(),
            Kind::Fallback => "fell back to TCP".into(),
            Kind::SubflowEstablished => format!("subflow {} works", where_()),
            Kind::SubflowClosed => {
                let why = match (record.error, record.reset) {
                    (_, Some(reset)) => {
                        let when = if reset.transient { "" } else { ", for good" };
                        format!(": reset by the peer, reason {}{when}", reset.reason)
                    }
                    (Some(error), None) if error != 0 => {
                        let errno = i32::try_from(error).unwrap_or(0);
                        format!(": {}", Errno::from_raw(errno).desc())
                    }
                    _ => String::new(),
                };
                format!("subflow {} is closed{why}", where_())
            }
            Kind::SubflowPriority => {
                let role = match record.backup {
                    Some(true) => "a backup",
                    _ => "an ordinary subflow",
                };
                format!("the peer makes {} {role}", where_())
            }
            Kind::Announced => {
                let address = record.remote.map(|ip| IpAddr::to_canonical(&ip));
                let address = address.map(|ip| ip.to_string()).unwrap_or_default();
                let id = record.remote_id.unwrap_or(0);
                format!("the peer announces {address} (id {id})")
            }
            Kind::Removed => {
                let id = record.remote_id.unwrap_or(0);
                format!("the peer withdraws address id {id}")
            }
            _ => return,
        };
        self.say(&format!("{token:08x}: {text}"));
    }
}
