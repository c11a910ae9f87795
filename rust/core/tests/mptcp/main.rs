// SPDX-License-Identifier: GPL-2.0

//! The MPTCP hook without the kernel.

mod commands;
mod connection;
mod errors;
mod events;
mod local_ids;

use ccp_core::mptcp::{
    flag,
    Connection,
    End,
    Event,
    Local,
    Request,
    Room,
    Subflow,
    Track,
    What, //
};

pub(crate) const TOKEN: u32 = 0x0123_abcd;

/// Memory that ends at `most` slots.
#[derive(Debug)]
pub(crate) struct Memory<T> {
    slots: Vec<T>,
    most: usize,
}

impl<T: Default + Clone> Memory<T> {
    pub(crate) fn of(slots: usize, most: usize) -> Self {
        Memory {
            slots: vec![T::default(); slots],
            most,
        }
    }
}

impl<T: Default + Clone> Room<T> for Memory<T> {
    fn slots(&self) -> &[T] {
        &self.slots
    }

    fn slots_mut(&mut self) -> &mut [T] {
        &mut self.slots
    }

    fn grow(&mut self) -> bool {
        let more = (self.slots.len() * 2).min(self.most);
        let grows = more > self.slots.len();
        self.slots.resize(more, T::default());
        grows
    }
}

pub(crate) type Conn = Connection<Memory<Local>, Memory<Track>, Memory<End>>;

/// 10.0.`net`.1
pub(crate) fn v4(net: u8, port: u16, id: u8) -> End {
    End::v4([10, 0, net, 1], port, id)
}

/// fd00:`net`::1
pub(crate) fn v6(net: u8, port: u16, id: u8) -> End {
    let mut addr = [0; 16];
    addr[0] = 0xfd;
    addr[3] = net;
    addr[15] = 1;
    End::v6(addr, port, id)
}

/// ::ffff:10.0.`net`.1
pub(crate) fn mapped(net: u8, port: u16, id: u8) -> End {
    let mut addr = [0; 16];
    addr[10..].copy_from_slice(&[0xff, 0xff, 10, 0, net, 1]);
    End::v6(addr, port, id)
}

pub(crate) fn first() -> Subflow {
    Subflow {
        local: v4(1, 40000, 0),
        remote: v4(101, 443, 0),
        token: TOKEN,
        id: 1,
        flags: flag::INITIAL | flag::ACTIVE,
        ..Subflow::default()
    }
}

/// Subflow `id` from `local`.
pub(crate) fn subflow(id: u32, local: End) -> Subflow {
    Subflow {
        local,
        remote: v4(102, 443, 7),
        token: TOKEN,
        id,
        flags: flag::ACTIVE,
        ..Subflow::default()
    }
}

pub(crate) fn connection() -> Conn {
    Connection::new(
        &first(),
        Memory::of(1, 512),
        Memory::of(1, 512),
        Memory::of(1, 512),
    )
}

/// The numbers of what comes of these.
pub(crate) fn tell(conn: &mut Conn, whats: &[What]) -> Vec<u8> {
    let events = whats.iter().filter_map(|what| conn.on(*what, &first()));
    events.map(|event: Event| event.cmd).collect()
}

/// Ids of the addresses it knows, in their order.
pub(crate) fn ids(conn: &Conn) -> Vec<u8> {
    let mut ids: Vec<u8> = conn.locals().map(|local| local.end.id).collect();
    ids.sort_unstable();
    ids
}

/// A request with the source, destination and id of these ends.
pub(crate) fn request(local: Option<End>, remote: Option<End>) -> Request {
    let mut request = Request {
        has: 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 9 | 1 << 10,
        token: TOKEN,
        ..Request::default()
    };
    for (end, ours) in [(local, true), (remote, false)] {
        let Some(end) = end else { continue };
        request.family = end.family;
        let v4 = [end.addr[0], end.addr[1], end.addr[2], end.addr[3]];
        match (ours, end.family) {
            (true, 2) => request.saddr4 = v4,
            (true, _) => request.saddr6 = end.addr,
            (false, 2) => request.daddr4 = v4,
            (false, _) => request.daddr6 = end.addr,
        }
        let attr = match (ours, end.family) {
            (true, 2) => 5,
            (true, _) => 6,
            (false, 2) => 7,
            (false, _) => 8,
        };
        request.has |= 1 << attr;
        if ours {
            request.sport = end.port();
            request.loc_id = end.id;
        } else {
            request.dport = end.port();
            request.rem_id = end.id;
        }
    }
    request
}
