// SPDX-License-Identifier: GPL-2.0

//! A connection: what it remembers and which events it sends.
//!
//! It begins with CREATED and ends with CLOSED, which comes exactly once: when
//! the application closes, or else when the kernel forgets the connection, so
//! also after a peer's FASTCLOSE and for a connection never accepted. Nothing
//! comes after it. The token is a copy, as the kernel's own is gone by then.

use super::{
    end::{
        End,
        Subflow, //
    },
    event::{
        Event,
        Kind, //
    },
    flag,
    locals::{
        Conflict,
        Local,
        Locals, //
    },
    remotes::Remotes,
    room::Room,
    tracks::{
        Added,
        Track,
        Tracks, //
    },
};

/// What happened to a connection, or to one of its subflows.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum What {
    /// It exists.
    Created = 0,
    /// It can have more subflows.
    Established = 1,
    /// We sent a SYN for a subflow.
    SubflowCreated = 2,
    /// A subflow joined.
    SubflowEstablished = 3,
    /// A subflow is gone.
    SubflowClosed = 4,
    /// The peer changed a subflow's priority.
    Priority = 5,
    /// It is plain TCP from now on.
    Fallback = 6,
    /// The application closed it.
    Closed = 7,
    /// The kernel forgets it.
    Released = 8,
}

impl What {
    /// By number.
    pub fn of(number: u32) -> Option<What> {
        [
            What::Created,
            What::Established,
            What::SubflowCreated,
            What::SubflowEstablished,
            What::SubflowClosed,
            What::Priority,
            What::Fallback,
            What::Closed,
            What::Released,
        ]
        .into_iter()
        .find(|what| *what as u32 == number)
    }
}

/// How far a connection is; numbers of the uapi.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// It has its first subflow.
    Created = 1,
    /// It can have more.
    Established = 2,
    /// It is plain TCP.
    FallenBack = 3,
}

/// A connection.
#[derive(Debug)]
pub struct Connection<L, S, A> {
    token: u32,
    state: State,
    closed: bool,
    first: Subflow,
    pub(super) locals: Locals<L>,
    tracks: Tracks<S>,
    remotes: Remotes<A>,
}

impl<L: Room<Local>, S: Room<Track>, A: Room<End>> Connection<L, S, A> {
    /// A connection by its first subflow.
    pub fn new(first: &Subflow, locals: L, tracks: S, remotes: A) -> Self {
        let mut connection = Connection {
            token: first.token,
            state: State::Created,
            closed: false,
            first: *first,
            locals: Locals::new(locals),
            tracks: Tracks::new(tracks),
            remotes: Remotes::new(remotes),
        };
        connection.began(first, true);
        connection
    }

    /// The connection's token.
    pub fn token(&self) -> u32 {
        self.token
    }

    /// How far it is.
    pub fn state(&self) -> State {
        self.state
    }

    /// Its first subflow, as last heard of.
    pub fn first(&self) -> &Subflow {
        &self.first
    }

    /// Its local addresses.
    pub fn locals(&self) -> impl Iterator<Item = &Local> {
        self.locals.iter()
    }

    /// Addresses that the peer announced.
    pub fn remotes(&self) -> impl Iterator<Item = &End> {
        self.remotes.iter()
    }

    /// Whether a subflow waits for the answer to its SYN.
    pub fn is_pending(&self, id: u32) -> bool {
        self.tracks.is_pending(id)
    }

    /// The subflows it has beside the first.
    pub fn extra_subflows(&self) -> u32 {
        let first = u32::from(self.tracks.has(self.first.id));
        self.tracks.count().saturating_sub(first)
    }

    /// Whether nothing is to be told of it any more.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Something happened; the event to send, if any. `subflow` is the one
    /// concerned, or the first.
    pub fn on(&mut self, what: What, subflow: &Subflow) -> Option<Event> {
        let kind = self.note(what, subflow)?;
        if self.closed {
            return None;
        }
        self.closed = kind == Kind::Closed;
        Some(match kind {
            Kind::Closed | Kind::Fallback => Event::bare(kind, self.token),
            _ => Event::about(kind, self.token, subflow),
        })
    }

    /// The peer announced an address.
    pub fn on_address(&mut self, addr: &End) -> Option<Event> {
        self.remotes.add(addr);
        (!self.closed).then(|| Event::announced(self.token, addr))
    }

    /// The peer withdrew the address with this id.
    pub fn on_address_removed(&mut self, id: u8) -> Option<Event> {
        self.remotes.remove(id);
        (!self.closed).then(|| Event::removed(self.token, id))
    }

    /// The id of a local address that a join uses.
    pub fn local_id(&mut self, end: &End) -> Result<u8, Conflict> {
        self.locals.id_for(end)
    }

    /// Whether joins to or from a local address are for backup only.
    pub fn is_backup(&self, end: &End) -> bool {
        self.locals.find(end).is_some_and(|local| local.backup)
    }

    /// Remembers what happened; the kind of event it is worth.
    fn note(&mut self, what: What, subflow: &Subflow) -> Option<Kind> {
        let first = subflow.is(flag::INITIAL);
        match what {
            What::Created => Some(Kind::Created),
            What::Established if self.state == State::Created => {
                self.state = State::Established;
                self.first = *subflow;
                Some(Kind::Established)
            }
            What::SubflowCreated if !first => {
                self.began(subflow, false);
                Some(Kind::SubCreated)
            }
            What::SubflowEstablished if !first => {
                self.began(subflow, true);
                Some(Kind::SubEstablished)
            }
            What::SubflowClosed => {
                self.ended(subflow);
                Some(Kind::SubClosed)
            }
            What::Priority => {
                if first {
                    self.first = *subflow;
                }
                Some(Kind::SubPriority)
            }
            What::Fallback if self.state != State::FallenBack => {
                self.state = State::FallenBack;
                Some(Kind::Fallback)
            }
            What::Closed | What::Released => Some(Kind::Closed),
            What::Established
            | What::SubflowCreated
            | What::SubflowEstablished
            | What::Fallback => None,
        }
    }

    fn began(&mut self, subflow: &Subflow, joined: bool) {
        if self.tracks.has(subflow.id) {
            if joined {
                self.tracks.joined(subflow.id);
            }
            return;
        }
        let id = subflow.local.id;
        // Without an entry for its address there is nothing to give back later.
        let local = self.locals.note(&subflow.local).is_ok().then_some(id);
        match (self.tracks.add(subflow.id, local, joined), local) {
            (Added::New, Some(id)) => self.locals.hold(id),
            // Without memory for it the id is at least in nobody else's hands.
            (Added::NoMemory, Some(id)) => self.locals.hold_for_good(id),
            _ => {}
        }
    }

    fn ended(&mut self, subflow: &Subflow) {
        if let Some(local) = self.tracks.remove(subflow.id) {
            self.locals.put(local);
        }
    }
}
