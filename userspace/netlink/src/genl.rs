// SPDX-License-Identifier: GPL-2.0
//! A connection to a generic netlink family.

use crate::{
    control,
    socket::{Notification, Repeat, Socket},
    wire::{self, Attributes, Request},
    Error, Result,
};
use netlink_sys::protocols::NETLINK_GENERIC;
use std::{
    os::fd::{AsFd, BorrowedFd},
    time::Duration,
};

/// What a client must know of a family. Its version is 1.
pub trait Family {
    /// The name to find it by.
    const NAME: &'static str;
    /// The multicast group that carries its events.
    const EVENTS: &'static str;
    /// Its events.
    type Event: Notification;

    /// The event a message carries; `None` for one newer than the program.
    fn event(command: u8, attributes: Attributes<'_>) -> Result<Option<Self::Event>>;
}

/// A connection to a family. Events that arrive while a command waits for its
/// answer are kept for [`Genl::event`].
pub struct Genl<F: Family> {
    socket: Socket<F::Event>,
    family: u16,
    group: Option<u32>,
}

impl<F: Family> Genl<F> {
    /// Finds the family and opens a socket.
    pub fn connect() -> Result<Self> {
        let numbers = control::resolve(F::NAME, F::EVENTS)?;
        let family = numbers.family;
        let socket = Socket::open(
            NETLINK_GENERIC,
            Box::new(move |message| {
                if message.message_type() != family {
                    return Ok(None);
                }
                let (command, attributes) = wire::generic(message)?;
                F::event(command, attributes)
            }),
        )?;
        Ok(Self {
            socket,
            family,
            group: numbers.group,
        })
    }

    /// Sends a command and reads its answer: the attributes of each record
    /// before the acknowledgement go to `each`.
    pub fn command(
        &mut self,
        name: &'static str,
        repeat: Repeat,
        request: impl Fn() -> Request,
        mut each: impl FnMut(Attributes<'_>) -> Result<()>,
    ) -> Result<()> {
        let family = Some(self.family);
        self.socket.command(
            name,
            repeat,
            |flags, sequence| wire::datagram(request(), family, flags, sequence),
            |message| each(wire::generic(message)?.1),
        )
    }

    /// Sends a command that has no other answer than that it failed.
    pub fn tell(&mut self, name: &'static str, request: Request) -> Result<()> {
        let family = Some(self.family);
        self.socket.tell(name, |flags, sequence| {
            wire::datagram(request, family, flags, sequence)
        })
    }

    /// There may be events without waiting for [`Genl::as_fd`].
    pub fn has_more(&self) -> bool {
        self.socket.has_more()
    }

    /// Events wait here: the next one needs no system call.
    pub fn has_queued(&self) -> bool {
        self.socket.has_queued()
    }

    /// Asks for a list.
    pub fn dump<T>(
        &mut self,
        name: &'static str,
        request: impl Fn() -> Request,
        mut each: impl FnMut(Attributes<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let family = Some(self.family);
        self.socket.dump(
            name,
            |flags, sequence| wire::datagram(request(), family, flags, sequence),
            |message| each(wire::generic(message)?.1),
        )
    }

    /// Asks for the events.
    pub fn subscribe(&mut self) -> Result<()> {
        let group = self
            .group
            .ok_or(Error::Malformed("a family without event group"))?;
        self.socket.join(group)
    }

    /// The next event: `None` when the time is up, or early when a signal
    /// came.
    pub fn event(&mut self, timeout: Option<Duration>) -> Result<Option<F::Event>> {
        self.socket.event(timeout)
    }
}

impl<F: Family> AsFd for Genl<F> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
