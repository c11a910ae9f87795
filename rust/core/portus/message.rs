// SPDX-License-Identifier: GPL-2.0

//! Messages to clients.

use super::kind;
use crate::vm::isa::REPORTS;

/// Length of [`ready`].
pub const READY_BYTES: usize = 12;
/// Length of [`Create::bytes`].
pub const CREATE_BYTES: usize = 96;
/// Length of [`close`].
pub const CLOSE_BYTES: usize = MEASURE_BYTES;

/// Of a report without its fields.
const MEASURE_BYTES: usize = 16;
const NAME_BYTES: usize = 64;
const MOST_FIELDS: usize = REPORTS as usize;
const LONGEST_MEASURE: usize = MEASURE_BYTES + 8 * MOST_FIELDS;

/// A message that is being written, front to back. What finds no room is
/// dropped; each use has room for all it writes.
struct Writer<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Writer<N> {
    /// Begins with the header; `len` is that of the whole message.
    fn new(kind: u16, len: usize, sid: u32) -> Writer<N> {
        let mut writer = Writer {
            bytes: [0; N],
            len: 0,
        };
        writer.put(&kind.to_le_bytes());
        writer.put(&(len as u16).to_le_bytes());
        writer.put(&sid.to_le_bytes());
        writer
    }

    fn put(&mut self, bytes: &[u8]) {
        let room = self.bytes.get_mut(self.len..).unwrap_or(&mut []);
        for (from, to) in bytes.iter().zip(room) {
            *to = *from;
            self.len = self.len.wrapping_add(1);
        }
    }

    fn u32(mut self, value: u32) -> Self {
        self.put(&value.to_le_bytes());
        self
    }
}

/// The datapath is there: the client forgets what flows it knew and sends its
/// programs.
pub fn ready(datapath: u32) -> [u8; READY_BYTES] {
    Writer::new(kind::READY, READY_BYTES, 0).u32(datapath).bytes
}

/// The flow is over.
pub fn close(sid: u32) -> [u8; CLOSE_BYTES] {
    // Program 0 and no fields.
    Writer::new(kind::MEASURE, CLOSE_BYTES, sid).bytes
}

/// One end of a connection, as it is on the network; zeros for IPv6.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// IPv4 address.
    pub address: [u8; 4],
    /// Port.
    pub port: [u8; 2],
}

/// There is a flow for the client.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Create<'a> {
    /// The flow's number, not 0.
    pub sid: u32,
    /// Initial window in bytes.
    pub init_cwnd: u32,
    /// Bytes of a segment.
    pub mss: u32,
    /// Our end.
    pub local: Endpoint,
    /// The peer's end.
    pub remote: Endpoint,
    /// The algorithm asked for; clients choose their default for a name they
    /// don't know, or none.
    pub algorithm: &'a [u8],
}

impl Create<'_> {
    /// The message. The client's reading of it fails for a name that is no
    /// UTF-8, so only what is ASCII is sent; it ends with a NUL.
    pub fn bytes(&self) -> [u8; CREATE_BYTES] {
        let mut name = [0; NAME_BYTES];
        let room = NAME_BYTES.saturating_sub(1);
        if self.algorithm.is_ascii() && self.algorithm.len() <= room {
            for (to, from) in name.iter_mut().zip(self.algorithm) {
                *to = *from;
            }
        }
        let mut writer = Writer::new(kind::CREATE, CREATE_BYTES, self.sid)
            .u32(self.init_cwnd)
            .u32(self.mss);
        for end in [self.local, self.remote] {
            // As ccp-kernel does: the bytes of the network, not its numbers.
            let [high, low] = end.port;
            writer.put(&end.address);
            writer.put(&[high, low, 0, 0]);
        }
        writer.put(&name);
        writer.bytes
    }
}

/// A report.
pub struct Measure(Writer<LONGEST_MEASURE>);

impl Measure {
    /// The report of `fields` under program `uid`. It has one field at least:
    /// to the client a report without is the end of the flow.
    pub fn new(sid: u32, uid: u32, fields: &[u64]) -> Measure {
        let fields = match fields {
            [] => &[0],
            fields => fields.get(..MOST_FIELDS).unwrap_or(fields),
        };
        let len = fields.len().saturating_mul(8).saturating_add(MEASURE_BYTES);
        let mut writer = Writer::new(kind::MEASURE, len, sid)
            .u32(uid)
            .u32(fields.len() as u32);
        for field in fields {
            writer.put(&field.to_le_bytes());
        }
        Measure(writer)
    }

    /// The message.
    pub fn bytes(&self) -> &[u8] {
        self.0.bytes.get(..self.0.len).unwrap_or(&[])
    }
}
