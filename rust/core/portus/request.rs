// SPDX-License-Identifier: GPL-2.0

//! Messages of clients.

use core::fmt;

use super::kind;
use crate::vm::isa::{
    EVENT_BYTES,
    INSTRUCTION_BYTES, //
};

/// Most updates in one message, as in libccp.
pub const MAX_UPDATES: u32 = 222;

/// Bytes of one update.
const UPDATE_BYTES: usize = 13;

/// What a client wants.
#[derive(Copy, Clone, Debug)]
pub enum Request<'a> {
    /// Have this program.
    Install {
        /// The client's number for it.
        uid: u32,
        /// In the binary form.
        events: &'a [u8],
        /// In the binary form.
        instructions: &'a [u8],
    },
    /// Set registers of the program that runs.
    Update {
        /// The flow's number.
        sid: u32,
        /// What to set.
        updates: Updates<'a>,
    },
    /// Switch to another program and set registers of it.
    Change {
        /// The flow's number.
        sid: u32,
        /// The client's number for the program.
        uid: u32,
        /// What to set.
        updates: Updates<'a>,
    },
}

/// Why a message isn't understood.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// It ends before what must be there.
    Short {
        /// Bytes it has.
        bytes: usize,
        /// Bytes it needs.
        needed: usize,
    },
    /// The header has another length.
    Length {
        /// Bytes it has.
        bytes: usize,
        /// Bytes its header says.
        said: usize,
    },
    /// No message of this type comes from clients.
    Type {
        /// The type.
        code: u16,
    },
    /// Program 0 stands for the end of a flow.
    NoUid,
    /// Counts and length don't agree.
    Counts {
        /// Bytes it has.
        bytes: usize,
        /// Bytes it has by its counts.
        counted: u64,
    },
    /// More than [`MAX_UPDATES`].
    Updates {
        /// Their number.
        count: u32,
    },
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Malformed::Short { bytes, needed } => {
                write!(f, "the message has {bytes} bytes, it needs {needed}")
            }
            Malformed::Length { bytes, said } => write!(
                f,
                "the message has {bytes} bytes, its header says {said} (most is 65535)"
            ),
            Malformed::Type { code } => {
                write!(f, "messages of type {code} do not come from clients")
            }
            Malformed::NoUid => write!(f, "a program cannot have number 0"),
            Malformed::Counts { bytes, counted } => write!(
                f,
                "the message has {bytes} bytes, its counts make it {counted}"
            ),
            Malformed::Updates { count } => {
                write!(f, "{count} updates in a message, the most is {MAX_UPDATES}")
            }
        }
    }
}

/// Reads front to back.
struct Reader<'a> {
    bytes: usize,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let Some((taken, rest)) = self.rest.split_first_chunk::<N>() else {
            let read = self.bytes.saturating_sub(self.rest.len());
            return Err(Malformed::Short {
                bytes: self.bytes,
                needed: read.saturating_add(N),
            });
        };
        self.rest = rest;
        Ok(*taken)
    }

    fn u32(&mut self) -> Result<u32, Malformed> {
        self.take().map(u32::from_le_bytes)
    }

    fn uid(&mut self) -> Result<u32, Malformed> {
        match self.u32()? {
            0 => Err(Malformed::NoUid),
            uid => Ok(uid),
        }
    }

    /// The rest, which must have exactly the bytes its counts say.
    fn counted(&self, sizes: [(u32, usize); 2]) -> Result<&'a [u8], Malformed> {
        let counted = sizes
            .iter()
            .map(|(count, size)| u64::from(*count).saturating_mul(*size as u64))
            .fold(0, u64::saturating_add);
        if counted == self.rest.len() as u64 {
            return Ok(self.rest);
        }
        let read = self.bytes.saturating_sub(self.rest.len());
        Err(Malformed::Counts {
            bytes: self.bytes,
            counted: counted.saturating_add(read as u64),
        })
    }

    fn updates(&mut self) -> Result<Updates<'a>, Malformed> {
        let count = self.u32()?;
        if count > MAX_UPDATES {
            return Err(Malformed::Updates { count });
        }
        let bytes = self.counted([(count, UPDATE_BYTES), (0, 0)])?;
        Ok(Updates { bytes })
    }
}

impl<'a> Request<'a> {
    /// Reads one message, which must be all of `bytes`.
    pub fn decode(bytes: &'a [u8]) -> Result<Request<'a>, Malformed> {
        let mut reader = Reader {
            bytes: bytes.len(),
            rest: bytes,
        };
        let code = u16::from_le_bytes(reader.take()?);
        let said = usize::from(u16::from_le_bytes(reader.take()?));
        let sid = reader.u32()?;
        if said != bytes.len() {
            return Err(Malformed::Length {
                bytes: bytes.len(),
                said,
            });
        }
        match code {
            kind::INSTALL => {
                let uid = reader.uid()?;
                let (events, instructions) = (reader.u32()?, reader.u32()?);
                let code =
                    reader.counted([(events, EVENT_BYTES), (instructions, INSTRUCTION_BYTES)])?;
                let at = (events as usize).saturating_mul(EVENT_BYTES);
                // Counted above, so there are that many.
                let events = code.get(..at).unwrap_or(code);
                let instructions = code.get(at..).unwrap_or(&[]);
                Ok(Request::Install {
                    uid,
                    events,
                    instructions,
                })
            }
            kind::UPDATE => Ok(Request::Update {
                sid,
                updates: reader.updates()?,
            }),
            kind::CHANGE => Ok(Request::Change {
                sid,
                uid: reader.uid()?,
                updates: reader.updates()?,
            }),
            code => Err(Malformed::Type { code }),
        }
    }
}

/// Updates of registers.
#[derive(Copy, Clone, Debug)]
pub struct Updates<'a> {
    // INVARIANT: A multiple of `UPDATE_BYTES`, at most `MAX_UPDATES` of them.
    bytes: &'a [u8],
}

/// A register and its new value.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct FieldUpdate {
    /// Class of the register.
    pub class: u8,
    /// Index of the register.
    pub index: u32,
    /// The value.
    pub value: u64,
}

impl<'a> Updates<'a> {
    /// How many they are.
    pub fn len(self) -> usize {
        self.bytes.len() / UPDATE_BYTES
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.bytes.is_empty()
    }

    /// In the order of the message.
    pub fn iter(self) -> impl Iterator<Item = FieldUpdate> + 'a {
        let mut rest = self.bytes;
        core::iter::from_fn(move || {
            let (bytes, after) = rest.split_first_chunk::<UPDATE_BYTES>()?;
            rest = after;
            let &[class, i0, i1, i2, i3, v0, v1, v2, v3, v4, v5, v6, v7] = bytes;
            Some(FieldUpdate {
                class,
                index: u32::from_le_bytes([i0, i1, i2, i3]),
                value: u64::from_le_bytes([v0, v1, v2, v3, v4, v5, v6, v7]),
            })
        })
    }
}
