// SPDX-License-Identifier: GPL-2.0

//! Requests of userspace: which attributes there are and what they say.

use super::{
    end::{
        End,
        AF_INET,
        AF_INET6, //
    },
    refusal::Refusal,
};

/// Attributes of requests, by their numbers in the uapi.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[repr(u32)]
#[expect(missing_docs, reason = "docs/netlink/specs/mptcp.yaml says it")]
pub enum Attr {
    Token = 1,
    Family = 2,
    LocId = 3,
    RemId = 4,
    Saddr4 = 5,
    Saddr6 = 6,
    Daddr4 = 7,
    Daddr6 = 8,
    Sport = 9,
    Dport = 10,
    Backup = 11,
    Flags = 13,
    IfIdx = 15,
}

impl Attr {
    /// Its name in the specification.
    pub fn name(self) -> &'static str {
        match self {
            Attr::Token => "token",
            Attr::Family => "family",
            Attr::LocId => "loc-id",
            Attr::RemId => "rem-id",
            Attr::Saddr4 => "saddr4",
            Attr::Saddr6 => "saddr6",
            Attr::Daddr4 => "daddr4",
            Attr::Daddr6 => "daddr6",
            Attr::Sport => "sport",
            Attr::Dport => "dport",
            Attr::Backup => "backup",
            Attr::Flags => "flags",
            Attr::IfIdx => "if-idx",
        }
    }
}

/// A request, as far as its attributes have the right sizes;
/// `struct ccp_mptcp_request`.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Request {
    /// Bit n: attribute n is there.
    pub has: u32,
    /// The connection.
    pub token: u32,
    /// Interface, or 0.
    pub ifindex: i32,
    /// Network order.
    pub saddr4: [u8; 4],
    /// Network order.
    pub daddr4: [u8; 4],
    /// Network order.
    pub saddr6: [u8; 16],
    /// Network order.
    pub daddr6: [u8; 16],
    /// `AF_*`.
    pub family: u16,
    /// Host order.
    pub sport: u16,
    /// Host order.
    pub dport: u16,
    /// A filter.
    pub flags: u16,
    /// Id of our address.
    pub loc_id: u8,
    /// Id of the peer's address.
    pub rem_id: u8,
    /// Not 0: for backup only.
    pub backup: u8,
    /// 0.
    pub reserved: u8,
}

impl Request {
    /// Whether an attribute is there.
    pub fn has(&self, attr: Attr) -> bool {
        self.has & (1 << attr as u32) != 0
    }

    /// Checks that these attributes are there.
    pub fn needs(&self, attrs: &[Attr]) -> Result<(), Refusal> {
        match attrs.iter().find(|attr| !self.has(**attr)) {
            Some(attr) => Err(Refusal::Missing(*attr)),
            None => Ok(()),
        }
    }

    /// The connection's token.
    pub fn token(&self) -> Result<u32, Refusal> {
        self.needs(&[Attr::Token])?;
        Ok(self.token)
    }

    /// Whether the attribute says backup.
    pub fn is_backup(&self) -> bool {
        self.backup != 0
    }

    fn by_family<T>(&self, v4: T, v6: T) -> Result<T, Refusal> {
        self.needs(&[Attr::Family])?;
        match self.family {
            AF_INET => Ok(v4),
            AF_INET6 => Ok(v6),
            family => Err(Refusal::Family(family)),
        }
    }

    /// Our end, with the port or 0; `None` without an address.
    pub fn source_if_any(&self) -> Result<Option<End>, Refusal> {
        let (attr, end) = self.by_family(
            (Attr::Saddr4, End::v4(self.saddr4, self.sport, self.loc_id)),
            (Attr::Saddr6, End::v6(self.saddr6, self.sport, self.loc_id)),
        )?;
        Ok(self.has(attr).then_some(end))
    }

    /// Our end, with the port or 0.
    pub fn source(&self) -> Result<End, Refusal> {
        let attr = self.by_family(Attr::Saddr4, Attr::Saddr6)?;
        self.source_if_any()?.ok_or(Refusal::Missing(attr))
    }

    /// The peer's end, with its port.
    pub fn destination(&self) -> Result<End, Refusal> {
        let (attr, end) = self.by_family(
            (Attr::Daddr4, End::v4(self.daddr4, self.dport, self.rem_id)),
            (Attr::Daddr6, End::v6(self.daddr6, self.dport, self.rem_id)),
        )?;
        self.needs(&[attr, Attr::Dport])?;
        Ok(end)
    }
}
