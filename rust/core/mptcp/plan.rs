// SPDX-License-Identifier: GPL-2.0

//! What commands ask of the kernel, and what they leave in the table of local
//! addresses: all of it when the kernel did its part, else nothing.

use super::{
    connection::Connection,
    end::{
        End,
        Host, //
    },
    locals::Local,
    refusal::Refusal,
    request::{
        Attr,
        Request, //
    },
    room::Room,
    tracks::Track, //
};

/// A subflow to open; `struct ccp_mptcp_join`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Join {
    /// From; port 0 is any.
    pub local: End,
    /// To.
    pub remote: End,
    /// Interface to bind to, or 0.
    pub ifindex: i32,
    /// For backup only.
    pub backup: bool,
    claimed: Option<u8>,
}

/// An address to announce.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// With its id, and the port to announce or 0.
    pub end: End,
    before: Option<Local>,
}

/// The ends that tell which subflow is meant.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Our end.
    pub local: End,
    /// The peer's.
    pub remote: End,
}

impl Pair {
    /// The ends that a request names; all of both is needed.
    pub fn of(request: &Request) -> Result<Pair, Refusal> {
        let local = request.source()?;
        let remote = request.destination()?;
        request.needs(&[Attr::Sport])?;
        Ok(Pair { local, remote })
    }
}

impl<L: Room<Local>, S: Room<Track>, A: Room<End>> Connection<L, S, A> {
    /// Begins to open a subflow; [`Connection::end_join`] must follow.
    pub fn begin_join(&mut self, request: &Request) -> Result<Join, Refusal> {
        request.needs(&[Attr::Family, Attr::LocId, Attr::RemId])?;
        let remote = request.destination()?;
        if remote.port() == 0 {
            return Err(Refusal::NoPort);
        }
        if remote.host().is_any() {
            return Err(Refusal::AnyAddress);
        }
        let mut join = Join {
            local: End::default(),
            remote,
            ifindex: request.ifindex,
            backup: request.is_backup(),
            claimed: None,
        };
        match request.source_if_any()? {
            Some(source) => {
                join.local = source;
                if !source.host().same_kind(remote.host()) {
                    return Err(Refusal::Kinds);
                }
                if source.host().is_any() {
                    // Written as IPv6 it would not be taken for "any" there.
                    if let Host::V4(any) = source.host() {
                        join.local = End::v4(any, source.port(), 0);
                    }
                    match source.id {
                        0 => return Ok(join),
                        id => return Err(Refusal::AnyWithId(id)),
                    }
                }
                let end = source.with_port(0);
                let claimed = self.locals.claim(&end, join.backup, join.ifindex);
                let id = claimed.map_err(|why| Refusal::of_conflict(why, end.id))?;
                join.local.id = id;
                join.claimed = Some(id);
            }
            None => {
                let id = request.loc_id;
                let local = *self.locals.get(id).ok_or(Refusal::UnknownId(id))?;
                if !local.end.host().same_kind(remote.host()) {
                    return Err(Refusal::Kinds);
                }
                self.locals.hold(id);
                join.local = local.end.with_port(request.sport);
                join.backup = local.backup;
                join.ifindex = local.ifindex;
                join.claimed = Some(id);
            }
        }
        Ok(join)
    }

    /// The kernel has opened the subflow, which refers to its address by now,
    /// or has failed.
    pub fn end_join(&mut self, join: &Join) {
        if let Some(id) = join.claimed {
            self.locals.put(id);
        }
    }

    /// Begins to announce an address; [`Connection::end_announce`] must follow.
    pub fn begin_announce(&mut self, request: &Request) -> Result<Announcement, Refusal> {
        request.needs(&[Attr::Family, Attr::LocId])?;
        let end = request.source()?;
        if end.id == 0 {
            return Err(Refusal::IdZero);
        }
        if end.host().is_any() {
            return Err(Refusal::AnyAddress);
        }
        let before = self
            .locals
            .announce(&end, request.is_backup(), request.ifindex)
            .map_err(|why| Refusal::of_conflict(why, end.id))?;
        Ok(Announcement { end, before })
    }

    /// The kernel has announced the address or has failed.
    pub fn end_announce(&mut self, announcement: &Announcement, done: bool) {
        if !done {
            self.locals
                .restore(announcement.end.id, announcement.before);
        }
    }

    /// Begins to withdraw an address; the one that is meant. If the kernel
    /// does it, [`Connection::end_remove`] must follow.
    pub fn begin_remove(&self, request: &Request) -> Result<End, Refusal> {
        request.needs(&[Attr::LocId])?;
        let id = request.loc_id;
        let local = self.locals.get(id).ok_or(Refusal::UnknownId(id))?;
        if local.uses == 0 && !local.announced {
            return Err(Refusal::Unannounced(id));
        }
        Ok(local.end)
    }

    /// The kernel has withdrawn the address.
    pub fn end_remove(&mut self, end: &End) {
        self.locals.withdraw(end.id);
    }
}
