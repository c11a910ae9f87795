// SPDX-License-Identifier: GPL-2.0
//! `ccpctl mptcp`: paths of MPTCP connections.

mod change;
mod daemon;
mod monitor;
mod show;

use crate::{
    cli::{Form, MptcpAction, MptcpArgs, PathManagerName},
    Failure,
};
use ccp_mptcp::{
    backend::{self, Choice, PathManager},
    Connection,
};
use std::{
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

pub(crate) fn run(form: Form, args: &MptcpArgs) -> Result<(), Failure> {
    let choice = match args.path_manager {
        None => Choice::Auto,
        Some(PathManagerName::Netlink) => Choice::Netlink,
        Some(PathManagerName::Userspace) => Choice::Userspace,
    };
    let to_watch = || backend::open_to_watch(choice);
    match &args.action {
        MptcpAction::Monitor(args) => monitor::run(form, to_watch()?.as_mut(), args),
        MptcpAction::Show { token } => show::run(form, to_watch()?.as_mut(), *token),
        MptcpAction::Daemon(args) => daemon::run(choice, args),
        MptcpAction::Subflow { action } => change::subflow(backend::open(choice)?.as_mut(), action),
        MptcpAction::Address { action } => change::address(backend::open(choice)?.as_mut(), action),
        MptcpAction::Priority(args) => change::priority(backend::open(choice)?.as_mut(), args),
    }
}

/// A token as it is written everywhere.
pub(crate) fn token(text: &str) -> Result<u32, String> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    u32::from_str_radix(digits, 16).map_err(|_| {
        "a token is up to eight hexadecimal digits, as `ccpctl mptcp show` has them".into()
    })
}

/// Number of the interface with this name.
pub(crate) fn interface(name: &str) -> Result<i32, String> {
    let none = || format!("there is no interface {name}");
    let path = format!("/sys/class/net/{name}/ifindex");
    if name.is_empty() || name.contains('/') {
        return Err(none());
    }
    let text = std::fs::read_to_string(path).map_err(|_| none())?;
    text.trim().parse().map_err(|_| none())
}

/// ADDRESS or ADDRESS:PORT.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(crate) struct Place {
    pub(crate) ip: IpAddr,
    pub(crate) port: Option<u16>,
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(whole) = text.parse::<SocketAddr>() {
            return Ok(Self {
                ip: whole.ip(),
                port: Some(whole.port()),
            });
        }
        let bare = text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'));
        match bare.unwrap_or(text).parse() {
            Ok(ip) => Ok(Self { ip, port: None }),
            Err(_) => Err("an address, as 10.0.0.1 or fd00::1, or one with a port, \
                 as 10.0.0.1:80 or [fd00::1]:80"
                .into()),
        }
    }
}

impl Place {
    fn fits(&self, end: SocketAddr) -> bool {
        end.ip().to_canonical() == self.ip.to_canonical()
            && self.port.is_none_or(|port| port == end.port())
    }
}

/// The connection with this token.
fn find(manager: &mut dyn PathManager, token: u32) -> Result<Connection, Failure> {
    let mut all = manager.connections()?.into_iter();
    all.find(|connection| connection.token == token)
        .ok_or_else(|| {
            Failure::Input(format!(
                "there is no MPTCP connection {token:08x} in this network namespace; \
                 `ccpctl mptcp show` lists them"
            ))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_tokens_are_read() {
        let place = |text: &str| text.parse::<Place>().unwrap();
        assert_eq!(place("10.0.0.1:80").port, Some(80));
        assert_eq!(place("fd00::1").port, None);
        assert_eq!(place("[fd00::1]"), place("fd00::1"));
        assert_eq!(place("[fd00::1]:80").port, Some(80));
        assert!("10.0.0.1:".parse::<Place>().is_err());
        assert!("eth0".parse::<Place>().is_err());
        assert_eq!(token("1a2B3c4d"), Ok(0x1a2b_3c4d));
        assert_eq!(token("0x1"), Ok(1));
        assert!(token("123456789").is_err() && token("").is_err() && token("x").is_err());
        assert!(interface("../net/lo").is_err() && interface("").is_err());
    }

    #[test]
    fn places_fit_ends() {
        let end: SocketAddr = "[::ffff:10.0.0.1]:80".parse().unwrap();
        assert!("10.0.0.1".parse::<Place>().unwrap().fits(end));
        assert!("10.0.0.1:80".parse::<Place>().unwrap().fits(end));
        assert!(!"10.0.0.1:81".parse::<Place>().unwrap().fits(end));
    }
}
