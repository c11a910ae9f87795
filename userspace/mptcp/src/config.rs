// SPDX-License-Identifier: GPL-2.0
//! What the daemon shall do, as a TOML file says it.

use crate::{backend::Choice, Error, Result};
use ipnet::IpNet;
use serde::Deserialize;
use std::{fmt, fs, net::IpAddr, path::Path, time::Duration};

/// Most subflows of one connection: the kernel numbers them by a byte.
const SUBFLOWS_MAX: u16 = 250;

/// Which subflows a connection shall have.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// One from every local address to every address of the peer.
    #[default]
    Fullmesh,
    /// Several between the same two addresses, whose source ports differ
    /// modulo their number.
    Ndiffports,
    /// As fullmesh, but only the first one is used while it works.
    Backup,
    /// Only the first one.
    None,
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fullmesh => "fullmesh",
            Self::Ndiffports => "ndiffports",
            Self::Backup => "backup",
            Self::None => "none",
        })
    }
}

/// How many of each.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Limits {
    /// Subflows of a connection, the first one included.
    pub subflows: u16,
    /// Addresses announced to a peer.
    pub announced: u16,
    /// Addresses of a peer that are used.
    pub remote_addresses: u16,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            subflows: 8,
            announced: 8,
            remote_addresses: 8,
        }
    }
}

/// Interfaces by name. A `*` at the end stands for any rest.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct InterfaceNames {
    /// Only these, if there are any.
    pub include: Vec<String>,
    /// Not these.
    pub exclude: Vec<String>,
    /// Subflows over these are backups.
    pub backup: Vec<String>,
}

/// When to try again.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Retry {
    /// Milliseconds before the second attempt; doubled for each further one.
    pub first_ms: u64,
    /// Never longer than this.
    pub longest_ms: u64,
    /// Attempts in all; 0 is no limit.
    pub attempts: u32,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            first_ms: 1_000,
            longest_ms: 60_000,
            attempts: 0,
        }
    }
}

/// What one side of a connection does.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Role {
    /// Opens subflows; clients do unless told otherwise.
    pub connect: Option<bool>,
    /// Announces addresses; servers do unless told otherwise.
    pub announce: Option<bool>,
}

/// What holds for connections to some addresses.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rule {
    /// The peer's address is in this network.
    pub destination: IpNet,
    /// The policy for these.
    pub policy: Option<Policy>,
    /// Subflows of ndiffports.
    pub simulate: Option<u16>,
}

/// Everything.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Config {
    /// The kernel's interface.
    pub path_manager: Choice,
    /// Which subflows.
    pub policy: Policy,
    /// Subflows of ndiffports; 0 is 2.
    pub simulate: u16,
    /// Milliseconds an address may be away before its subflows are closed.
    pub linger_ms: Option<u64>,
    /// How many.
    pub limits: Limits,
    /// Over which interfaces.
    pub interfaces: InterfaceNames,
    /// When to try again.
    pub retry: Retry,
    /// What clients do.
    pub client: Role,
    /// What servers do.
    pub server: Role,
    /// The first that fits holds.
    #[serde(rename = "rule")]
    pub rules: Vec<Rule>,
}

/// Does a name fit any of the patterns?
fn fits(patterns: &[String], name: &str) -> bool {
    patterns
        .iter()
        .any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == pattern,
        })
}

impl Config {
    /// Reads a file.
    pub fn load(path: &Path) -> Result<Self> {
        let error = |text| Error::Config {
            path: path.to_owned(),
            text,
        };
        let text = fs::read_to_string(path).map_err(|source| error(source.to_string()))?;
        let config = Self::parse(&text).map_err(error)?;
        Ok(config)
    }

    /// Reads a file's text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let config: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        config.check()?;
        Ok(config)
    }

    /// Says what cannot be right.
    pub fn check(&self) -> Result<(), String> {
        let counts = self.rules.iter().filter_map(|rule| rule.simulate);
        for count in counts.chain([self.simulate, self.limits.subflows]) {
            if count > SUBFLOWS_MAX {
                return Err(format!(
                    "{count} subflows: a connection has at most {SUBFLOWS_MAX}"
                ));
            }
        }
        if self.limits.subflows == 0 {
            return Err(
                "limits.subflows is 0: the first subflow counts, so it is 1 at least".into(),
            );
        }
        if self.retry.first_ms == 0 || self.retry.longest_ms < self.retry.first_ms {
            return Err(
                "retry.first-ms is at least 1, and retry.longest-ms no less than it".into(),
            );
        }
        let patterns = [
            &self.interfaces.include,
            &self.interfaces.exclude,
            &self.interfaces.backup,
        ];
        for pattern in patterns.into_iter().flatten() {
            let start = pattern.strip_suffix('*').unwrap_or(pattern);
            if start.contains('*') || pattern.is_empty() {
                return Err(format!(
                    "interface '{pattern}': a name, or the start of one followed by '*'"
                ));
            }
        }
        Ok(())
    }

    /// The policy for connections to `peer`, and the subflows of ndiffports.
    pub fn policy_for(&self, peer: IpAddr) -> (Policy, u16) {
        let rule = self
            .rules
            .iter()
            .find(|rule| rule.destination.contains(&peer));
        let policy = rule.and_then(|rule| rule.policy).unwrap_or(self.policy);
        let count = rule.and_then(|rule| rule.simulate).unwrap_or(self.simulate);
        (policy, if count == 0 { 2 } else { count })
    }

    /// Subflows go over this interface.
    pub fn uses(&self, interface: &str) -> bool {
        let names = &self.interfaces;
        (names.include.is_empty() || fits(&names.include, interface))
            && !fits(&names.exclude, interface)
    }

    /// Subflows over this interface are backups.
    pub fn is_backup(&self, interface: &str) -> bool {
        fits(&self.interfaces.backup, interface)
    }

    /// This side of a connection opens subflows.
    pub fn connects(&self, server_side: bool) -> bool {
        if server_side {
            self.server.connect.unwrap_or(false)
        } else {
            self.client.connect.unwrap_or(true)
        }
    }

    /// This side of a connection announces addresses.
    pub fn announces(&self, server_side: bool) -> bool {
        if server_side {
            self.server.announce.unwrap_or(true)
        } else {
            self.client.announce.unwrap_or(false)
        }
    }

    /// Time an address may be away before its subflows are closed.
    pub fn linger(&self) -> Duration {
        Duration::from_millis(self.linger_ms.unwrap_or(500))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_file_is_read() {
        let config = Config::parse(
            r#"
            policy = "backup"
            path-manager = "userspace"
            linger-ms = 0
            [limits]
            subflows = 4
            [interfaces]
            include = ["eth*", "wwan0"]
            exclude = ["eth9"]
            backup = ["wwan0"]
            [retry]
            first-ms = 100
            [server]
            connect = true
            [[rule]]
            destination = "192.0.2.0/24"
            policy = "ndiffports"
            simulate = 3
            [[rule]]
            destination = "2001:db8::/32"
            policy = "none"
            "#,
        )
        .unwrap();
        assert_eq!(config.limits.subflows, 4);
        assert_eq!(config.limits.announced, 8);
        assert!(config.uses("eth0") && config.uses("wwan0"));
        assert!(!config.uses("eth9") && !config.uses("wlan0"));
        assert!(config.is_backup("wwan0") && !config.is_backup("eth0"));
        assert!(config.connects(true) && config.connects(false));
        assert!(config.announces(true) && !config.announces(false));
        let policy = |peer: &str| config.policy_for(peer.parse().unwrap());
        assert_eq!(policy("192.0.2.7"), (Policy::Ndiffports, 3));
        assert_eq!(policy("2001:db8::1"), (Policy::None, 2));
        assert_eq!(policy("10.0.0.1"), (Policy::Backup, 2));
    }

    #[test]
    fn nothing_is_a_good_file() {
        let config = Config::parse("").unwrap();
        assert_eq!(config.policy, Policy::Fullmesh);
        assert!(config.uses("eth0"));
        assert_eq!(config.linger(), Duration::from_millis(500));
    }

    #[test]
    fn mistakes_are_named() {
        for (text, word) in [
            ("polcy = 'backup'", "polcy"),
            ("policy = 'meshy'", "meshy"),
            ("simulate = 251", "at most 250"),
            ("[limits]\nsubflows = 0", "subflows is 0"),
            ("[retry]\nfirst-ms = 0", "first-ms"),
            ("[interfaces]\nexclude = ['*th0']", "'*th0'"),
            ("[[rule]]\ndestination = '10.0.0.0/40'", "invalid"),
        ] {
            let error = Config::parse(text).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
