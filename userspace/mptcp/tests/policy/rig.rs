// SPDX-License-Identifier: GPL-2.0
//! The policies and a kernel, put together.

use crate::model::Kernel;
use ccp_mptcp::{
    config::Config,
    policy::{Address, Engine, Why, DEFERRED},
    Command,
};
use std::{collections::BTreeSet, net::IpAddr, time::Duration};

pub(crate) const SERVER: &str = "192.0.2.1:80";
pub(crate) const OTHER: &str = "192.0.2.2:80";

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub(crate) fn address(text: &str, interface: &str, ifindex: i32) -> Address {
    Address {
        ip: ip(text),
        ifindex,
        interface: interface.into(),
    }
}

/// Two links, and loopback.
pub(crate) fn links() -> Vec<Address> {
    vec![
        address("127.0.0.1", "lo", 1),
        address("10.0.1.1", "eth0", 2),
        address("10.0.2.1", "eth1", 3),
    ]
}

pub(crate) struct Rig {
    pub(crate) kernel: Kernel,
    pub(crate) engine: Engine,
    pub(crate) now: Duration,
    pub(crate) whys: Vec<Why>,
}

impl Rig {
    pub(crate) fn new(config: &str) -> Self {
        let config = Config::parse(config).unwrap();
        let mut rig = Self {
            kernel: Kernel::default(),
            engine: Engine::new(config, (32768, 60999), 7),
            now: Duration::ZERO,
            whys: Vec::new(),
        };
        rig.addresses(links());
        rig
    }

    pub(crate) fn addresses(&mut self, addresses: Vec<Address>) {
        self.kernel.addresses.clone_from(&addresses);
        self.engine.addresses(self.now, addresses);
    }

    /// As two sockets bring events: urgent ones first.
    pub(crate) fn overtake(&mut self) {
        let events = self.kernel.events.make_contiguous();
        events.sort_by_key(|event| DEFERRED.contains(&event.kind));
    }

    pub(crate) fn lose_link(&mut self, interface: &str) {
        let mut addresses = self.kernel.addresses.clone();
        addresses.retain(|address| address.interface != interface);
        self.addresses(addresses);
    }

    /// Until nothing is left to do now.
    pub(crate) fn settle(&mut self) -> Vec<Command> {
        let mut all = Vec::new();
        loop {
            while let Some(event) = self.kernel.events.pop_front() {
                self.engine.event(self.now, &event);
            }
            if self.engine.wants_dump() {
                let dump = self.kernel.dump();
                self.engine.resync(self.now, &dump);
            }
            let steps = self.engine.poll(self.now);
            if steps.is_empty() && self.kernel.events.is_empty() {
                return all;
            }
            for step in steps {
                match self.kernel.execute(&step.command) {
                    Ok(()) => self.engine.done(&step.command),
                    Err(errno) => self.engine.refused(self.now, &step.command, errno),
                }
                self.whys.push(step.why);
                all.push(step.command);
            }
        }
    }

    pub(crate) fn wait(&mut self, ms: u64) -> Vec<Command> {
        let end = self.now + Duration::from_millis(ms);
        let mut all = self.settle();
        while let Some(next) = self.engine.deadline().filter(|next| *next <= end) {
            self.now = next;
            all.extend(self.settle());
        }
        self.now = end;
        all.extend(self.settle());
        all
    }

    pub(crate) fn client(&mut self) -> u32 {
        let token = self
            .kernel
            .open(ip("10.0.1.1"), SERVER.parse().unwrap(), false, false);
        self.settle();
        token
    }

    /// Local and remote address of each subflow.
    pub(crate) fn pairs(&self, token: u32) -> BTreeSet<(String, String)> {
        let subs = self.kernel.conns[&token].subs.iter();
        subs.map(|sub| (sub.local.ip().to_string(), sub.remote.to_string()))
            .collect()
    }

    pub(crate) fn backups(&self, token: u32) -> Vec<(String, bool)> {
        let subs = self.kernel.conns[&token].subs.iter();
        subs.map(|sub| (sub.local.ip().to_string(), sub.backup))
            .collect()
    }
}
