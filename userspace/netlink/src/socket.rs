// SPDX-License-Identifier: GPL-2.0
//! The netlink socket: requests with their answers, and the events that
//! arrive in between.

use crate::{
    wire::{self, Message, Verdict},
    Error, Refusal, Result,
};
use netlink_packet_core::{NLMSG_DONE, NLMSG_ERROR, NLM_F_ACK, NLM_F_DUMP, NLM_F_DUMP_INTR};
use netlink_sys::SocketAddr;
use nix::{
    errno::Errno,
    poll::{poll, PollFd, PollFlags, PollTimeout},
    sys::socket::{setsockopt, sockopt, MsgFlags},
};
use std::{
    collections::VecDeque,
    os::fd::{AsFd, BorrowedFd},
    time::{Duration, Instant},
};

/// Wanted size of the receive buffer: some 10,000 reports.
const RECEIVE_BUFFER: usize = 8 << 20;
/// Larger than any datagram the kernel makes for a dump or an event.
const DATAGRAM: usize = 128 << 10;
/// Notifications kept for a caller that is slower than they come.
const QUEUE: usize = 1 << 16;
/// The kernel answers within the system call that sent the request, so this
/// only guards against a kernel that never does.
const PATIENCE: Duration = Duration::from_secs(5);
/// An interrupted dump is repeated this often before its last form is taken.
const DUMPS: usize = 4;
/// Likewise for commands whose answer was lost and that may be repeated.
const ATTEMPTS: usize = 3;

/// May a command be sent again when its answer was lost?
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Repeat {
    /// It changes nothing, or the same thing again.
    Safe,
    /// Twice is not the same as once.
    Never,
}

/// Something the kernel sends without being asked.
pub trait Notification: PartialEq {
    /// Stands for notifications that were lost.
    fn overrun() -> Self;

    /// It may be dropped for a caller that is slower than they come.
    fn expendable(&self) -> bool {
        true
    }
}

/// Of sockets that only ask.
impl Notification for () {
    fn overrun() -> Self {}
}

/// Reads a notification; `None` for one that is of no interest.
pub type Decode<E> = Box<dyn Fn(&Message<'_>) -> Result<Option<E>> + Send>;

/// A netlink socket of any protocol, with notifications of type `E`.
pub struct Socket<E> {
    inner: netlink_sys::Socket,
    buffer: Vec<u8>,
    sequence: u32,
    events: VecDeque<E>,
    /// The last receive call found something.
    more: bool,
    decode: Decode<E>,
}

/// One receive call.
enum Received {
    Datagram,
    Overrun,
    Nothing,
}

impl<E: Notification> Socket<E> {
    /// Opens a socket of `protocol`, as `netlink_sys::protocols` has them.
    pub fn open(protocol: isize, decode: Decode<E>) -> Result<Self> {
        let mut inner = netlink_sys::Socket::new(protocol).map_err(Error::socket("open"))?;
        inner.bind_auto().map_err(Error::socket("bind"))?;
        inner
            .set_ext_ack(true)
            .map_err(Error::socket("NETLINK_EXT_ACK"))?;
        inner
            .set_cap_ack(true)
            .map_err(Error::socket("NETLINK_CAP_ACK"))?;
        inner
            .set_netlink_get_strict_chk(true)
            .map_err(Error::socket("NETLINK_GET_STRICT_CHK"))?;
        // Past net.core.rmem_max where we may; a small buffer is not fatal.
        if setsockopt(&inner, sockopt::RcvBufForce, &RECEIVE_BUFFER).is_err() {
            let _ = setsockopt(&inner, sockopt::RcvBuf, &RECEIVE_BUFFER);
        }
        Ok(Self {
            inner,
            buffer: Vec::with_capacity(DATAGRAM),
            sequence: 0,
            events: VecDeque::new(),
            more: true,
            decode,
        })
    }

    /// For poll(2) and its like.
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.as_fd()
    }

    /// Asks for what is sent to a multicast group.
    pub fn join(&self, group: u32) -> Result<()> {
        self.inner.add_membership(group).map_err(|source| {
            if source.raw_os_error() == Some(Errno::EPERM as i32) {
                Error::Kernel(Refusal {
                    command: "subscribe",
                    errno: Errno::EPERM as i32,
                    message: None,
                })
            } else {
                Error::Socket {
                    action: "subscribe",
                    source,
                }
            }
        })
    }

    /// Sends a command and reads its answer: the records before the
    /// acknowledgement go to `each`. `request` makes the bytes, given flags and
    /// sequence number of the header.
    pub fn command(
        &mut self,
        name: &'static str,
        repeat: Repeat,
        request: impl Fn(u16, u32) -> Vec<u8>,
        mut each: impl FnMut(&Message<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut attempt = 1;
        loop {
            match self.exchange(name, &request, NLM_F_ACK, &mut each) {
                Err(Error::AnswerLost(_)) if repeat == Repeat::Safe && attempt < ATTEMPTS => {
                    attempt += 1;
                }
                result => return result.map(|_| ()),
            }
        }
    }

    /// Sends a command that has no other answer than that it failed. The kernel
    /// carries it out within the system call, so what has not been refused
    /// then is done: no acknowledgement is asked for.
    pub fn tell(
        &mut self,
        name: &'static str,
        request: impl FnOnce(u16, u32) -> Vec<u8>,
    ) -> Result<()> {
        self.send(|sequence| request(0, sequence))?;
        let mut none = |_: &Message<'_>| Ok(());
        let mut answer = Answer::new(name, &mut none);
        loop {
            match self.receive()? {
                Received::Datagram => {
                    self.sort(Some(&mut answer))?;
                }
                Received::Overrun => {
                    self.overrun();
                    answer.overrun = true;
                }
                Received::Nothing if answer.overrun => return Err(Error::AnswerLost(name)),
                Received::Nothing => return Ok(()),
            }
        }
    }

    /// There may be events without waiting for [`Socket::as_fd`].
    pub fn has_more(&self) -> bool {
        self.more || !self.events.is_empty()
    }

    /// Events wait here: the next one needs no system call.
    pub fn has_queued(&self) -> bool {
        !self.events.is_empty()
    }

    /// Asks for a list. When the kernel says that it changed under the dump,
    /// the dump is repeated, a few times; after that the last one is taken.
    pub fn dump<T>(
        &mut self,
        name: &'static str,
        request: impl Fn(u16, u32) -> Vec<u8>,
        mut each: impl FnMut(&Message<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut attempt = 1;
        loop {
            let mut all = Vec::new();
            let outcome = self.exchange(name, &request, NLM_F_DUMP, &mut |message| {
                all.push(each(message)?);
                Ok(())
            });
            match outcome {
                Ok(interrupted) if !interrupted || attempt == DUMPS => return Ok(all),
                Ok(_) => {}
                Err(Error::AnswerLost(_)) if attempt < DUMPS => {}
                Err(error) => return Err(error),
            }
            attempt += 1;
        }
    }

    /// One request and its whole answer. Says whether a dump was interrupted.
    fn exchange(
        &mut self,
        name: &'static str,
        request: &dyn Fn(u16, u32) -> Vec<u8>,
        flags: u16,
        each: &mut dyn FnMut(&Message<'_>) -> Result<()>,
    ) -> Result<bool> {
        // With the queue emptied first, the answer finds room.
        while self.events.len() < QUEUE {
            match self.receive()? {
                Received::Datagram => {
                    self.sort(None)?;
                }
                Received::Overrun => self.overrun(),
                Received::Nothing => break,
            }
        }

        self.send(|sequence| request(flags, sequence))?;
        let deadline = Instant::now() + PATIENCE;
        let mut answer = Answer::new(name, each);
        loop {
            match self.receive()? {
                Received::Datagram => {
                    if self.sort(Some(&mut answer))? {
                        return Ok(answer.interrupted);
                    }
                }
                Received::Overrun => {
                    self.overrun();
                    answer.overrun = true;
                }
                Received::Nothing if answer.overrun => return Err(Error::AnswerLost(name)),
                Received::Nothing => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Err(Error::NoAnswer(name));
                    }
                    self.wait(Some(left))?;
                }
            }
        }
    }

    fn send(&mut self, request: impl FnOnce(u32) -> Vec<u8>) -> Result<()> {
        self.sequence = self.sequence.checked_add(1).unwrap_or(1);
        let bytes = request(self.sequence);
        self.inner
            .send_to(&bytes, &SocketAddr::new(0, 0), 0)
            .map_err(Error::socket("send"))?;
        Ok(())
    }

    /// The next event; `None` when the time is up or a signal came.
    pub fn event(&mut self, timeout: Option<Duration>) -> Result<Option<E>> {
        let at_once = timeout.is_some_and(|timeout| timeout.is_zero());
        let deadline = timeout
            .filter(|_| !at_once)
            .map(|timeout| Instant::now() + timeout);
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(Some(event));
            }
            match self.receive()? {
                Received::Datagram => {
                    self.sort(None)?;
                }
                Received::Overrun => self.overrun(),
                Received::Nothing if at_once => return Ok(None),
                Received::Nothing => {
                    let left = deadline.map(|d| d.saturating_duration_since(Instant::now()));
                    if left.is_some_and(|left| left.is_zero()) || !self.wait(left)? {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// Waits for something to read; false when a signal came instead.
    fn wait(&self, timeout: Option<Duration>) -> Result<bool> {
        // Rounded up, so that the last part of a millisecond does not spin.
        let timeout = timeout.map_or(PollTimeout::NONE, |timeout| {
            let ms = timeout.as_micros().div_ceil(1000);
            i32::try_from(ms).map_or(PollTimeout::MAX, |ms| {
                ms.try_into().unwrap_or(PollTimeout::MAX)
            })
        });
        match poll(
            &mut [PollFd::new(self.inner.as_fd(), PollFlags::POLLIN)],
            timeout,
        ) {
            Ok(_) => Ok(true),
            Err(Errno::EINTR) => Ok(false),
            Err(errno) => Err(Error::Socket {
                action: "poll",
                source: errno.into(),
            }),
        }
    }

    fn receive(&mut self) -> Result<Received> {
        self.more = true;
        loop {
            self.buffer.clear();
            let flags = (MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_TRUNC).bits();
            match self.inner.recv_from(&mut self.buffer, flags) {
                // Only the kernel has port 0; others may not speak to us.
                Ok((_, from)) if from.port_number() != 0 => {}
                Ok((length, _)) if length > self.buffer.len() => {
                    return Err(Error::Malformed("a datagram longer than any buffer"))
                }
                Ok(_) => return Ok(Received::Datagram),
                Err(error) => match error.raw_os_error().map(Errno::from_raw) {
                    Some(Errno::ENOBUFS) => return Ok(Received::Overrun),
                    Some(Errno::EAGAIN) => {
                        self.more = false;
                        return Ok(Received::Nothing);
                    }
                    Some(Errno::EINTR) => {}
                    _ => {
                        return Err(Error::Socket {
                            action: "receive",
                            source: error,
                        })
                    }
                },
            }
        }
    }

    fn overrun(&mut self) {
        if self.events.back() != Some(&E::overrun()) {
            self.events.push_back(E::overrun());
        }
    }

    /// Hands out the messages of the datagram in the buffer: events to the
    /// queue, the rest to `answer`. True when the answer is complete.
    fn sort(&mut self, mut answer: Option<&mut Answer<'_>>) -> Result<bool> {
        let buffer = std::mem::take(&mut self.buffer);
        let mut complete = false;
        let mut outcome = Ok(());
        for message in wire::messages(&buffer) {
            let result = if message.sequence_number() == 0 {
                self.enqueue(&message)
            } else if message.sequence_number() != self.sequence {
                // The rest of an answer that was given up on.
                Ok(())
            } else if let Some(answer) = answer.as_deref_mut() {
                answer.take(&message).map(|done| complete |= done)
            } else {
                Ok(())
            };
            outcome = outcome.and(result);
        }
        self.buffer = buffer;
        outcome.map(|()| complete)
    }

    fn enqueue(&mut self, message: &Message<'_>) -> Result<()> {
        match (self.decode)(message)? {
            Some(event) if event.expendable() && self.events.len() >= QUEUE => self.overrun(),
            Some(event) => self.events.push_back(event),
            None => {}
        }
        Ok(())
    }
}

/// An answer being read.
struct Answer<'a> {
    name: &'static str,
    each: &'a mut dyn FnMut(&Message<'_>) -> Result<()>,
    interrupted: bool,
    overrun: bool,
}

impl<'a> Answer<'a> {
    fn new(name: &'static str, each: &'a mut dyn FnMut(&Message<'_>) -> Result<()>) -> Self {
        Self {
            name,
            each,
            interrupted: false,
            overrun: false,
        }
    }

    /// True when `message` ends the answer.
    fn take(&mut self, message: &Message<'_>) -> Result<bool> {
        self.interrupted |= message.flags() & NLM_F_DUMP_INTR != 0;
        let verdict = match message.message_type() {
            NLMSG_ERROR => Verdict::of_error(message)?,
            NLMSG_DONE => Verdict::of_done(message)?,
            _ => {
                (self.each)(message)?;
                return Ok(false);
            }
        };
        if verdict.errno > 0 {
            return Err(Error::Kernel(Refusal {
                command: self.name,
                errno: verdict.errno,
                message: verdict.text,
            }));
        }
        Ok(true)
    }
}
