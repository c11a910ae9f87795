// SPDX-License-Identifier: GPL-2.0
//! Numbers of local addresses, of one connection. A number stays with its
//! address and is not given to another one while the connection lives: the
//! peer, and the kernel, may still know it by the old.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

/// Number of the address of the first subflow.
pub(crate) const FIRST: u8 = 0;

#[derive(Clone, Debug, Default)]
pub(crate) struct Ids {
    of: BTreeMap<IpAddr, u8>,
    /// Given, to an address here or to one that nobody knows.
    taken: BTreeSet<u8>,
}

impl Ids {
    /// The kernel says so.
    pub(crate) fn learn(&mut self, address: IpAddr, id: u8) {
        // Another address with this number is mistaken: the kernel knows.
        self.of
            .retain(|&other, &mut known| known != id || other == address);
        self.of.insert(address, id);
        self.taken.insert(id);
    }

    /// The number of an address, a new one if it has none. `None`: all 255 are
    /// taken.
    pub(crate) fn of(&mut self, address: IpAddr) -> Option<u8> {
        if let Some(&id) = self.of.get(&address) {
            return Some(id);
        }
        let id = self.another()?;
        self.of.insert(address, id);
        Some(id)
    }

    /// The number an address has.
    pub(crate) fn known(&self, address: IpAddr) -> Option<u8> {
        self.of.get(&address).copied()
    }

    /// The kernel refused the number: the address gets another one next time.
    pub(crate) fn refused(&mut self, address: IpAddr) {
        if self.known(address) != Some(FIRST) {
            self.of.remove(&address);
        }
    }

    /// A number of its own for the address of the first subflow, to announce it
    /// by after number 0 was withdrawn.
    pub(crate) fn another(&mut self) -> Option<u8> {
        let id = (1..=u8::MAX).find(|id| !self.taken.contains(id))?;
        self.taken.insert(id);
        Some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn ip(n: u16) -> IpAddr {
        Ipv4Addr::from(0x0a00_0000 + u32::from(n)).into()
    }

    #[test]
    fn ids_are_stable_and_never_zero_or_shared() {
        let mut ids = Ids::default();
        ids.learn(ip(0), FIRST);
        let given: Vec<u8> = (1..=255).map(|n| ids.of(ip(n)).unwrap()).collect();
        assert_eq!(given, (1..=255).collect::<Vec<u8>>());
        assert_eq!(ids.of(ip(256)), None);
        assert_eq!(ids.of(ip(7)), Some(7));
        assert_eq!(ids.of(ip(0)), Some(0));
    }

    #[test]
    fn what_the_kernel_says_wins() {
        let mut ids = Ids::default();
        assert_eq!(ids.of(ip(1)), Some(1));
        ids.learn(ip(2), 1);
        assert_eq!(ids.known(ip(1)), None);
        assert_eq!(ids.of(ip(1)), Some(2));
        ids.refused(ip(1));
        assert_eq!(ids.of(ip(1)), Some(3));
    }
}
