// SPDX-License-Identifier: GPL-2.0
//! Netlink messages and attributes: building ours, reading the kernel's.

use crate::{Error, Result};

pub(crate) const NLMSG_ERROR: u16 = 2;
pub(crate) const NLMSG_DONE: u16 = 3;

pub(crate) const NLM_F_REQUEST: u16 = 0x01;
pub(crate) const NLM_F_ACK: u16 = 0x04;
pub(crate) const NLM_F_DUMP_INTR: u16 = 0x10;
pub(crate) const NLM_F_DUMP: u16 = 0x300;
/// On an acknowledgement: the echo of our message is only its header.
const NLM_F_CAPPED: u16 = 0x100;
/// On an acknowledgement: extended-ACK attributes follow.
const NLM_F_ACK_TLVS: u16 = 0x200;

const NLMSGERR_ATTR_MSG: u16 = 1;
const NLA_F_NESTED: u16 = 0x8000;
const NLA_TYPE_MASK: u16 = 0x3fff;
const HEADER: usize = 16;
const GENL_HEADER: usize = 4;

fn align(length: usize) -> usize {
    length.next_multiple_of(4)
}

/// A generic netlink request under construction.
pub(crate) struct Request {
    bytes: Vec<u8>,
}

impl Request {
    pub(crate) fn new(family: u16, command: u8, version: u8) -> Self {
        let mut bytes = vec![0; HEADER];
        bytes[4..6].copy_from_slice(&family.to_ne_bytes());
        bytes.extend([command, version, 0, 0]);
        Self { bytes }
    }

    /// Appends an attribute. Values longer than an attribute can say are the
    /// caller's mistake and are refused by the kernel, so they are cut here.
    pub(crate) fn bytes(mut self, kind: u16, value: &[u8]) -> Self {
        let value = &value[..value.len().min(usize::from(u16::MAX) - 4)];
        let length = u16::try_from(value.len() + 4).unwrap_or(u16::MAX);
        self.bytes.extend(length.to_ne_bytes());
        self.bytes.extend(kind.to_ne_bytes());
        self.bytes.extend(value);
        self.bytes.resize(align(self.bytes.len()), 0);
        self
    }

    pub(crate) fn string(self, kind: u16, value: &str) -> Self {
        let mut bytes = value.as_bytes().to_vec();
        bytes.push(0);
        self.bytes(kind, &bytes)
    }

    pub(crate) fn u8(self, kind: u16, value: u8) -> Self {
        self.bytes(kind, &[value])
    }

    pub(crate) fn u32(self, kind: u16, value: u32) -> Self {
        self.bytes(kind, &value.to_ne_bytes())
    }

    /// A `uint`: four bytes where they suffice, else eight.
    pub(crate) fn uint(self, kind: u16, value: u64) -> Self {
        match u32::try_from(value) {
            Ok(short) => self.u32(kind, short),
            Err(_) => self.bytes(kind, &value.to_ne_bytes()),
        }
    }

    pub(crate) fn nest(mut self, kind: u16, fill: impl FnOnce(Self) -> Self) -> Self {
        let start = self.bytes.len();
        self.bytes.extend([0; 4]);
        let mut filled = fill(self);
        let length = u16::try_from(filled.bytes.len() - start).unwrap_or(u16::MAX);
        filled.bytes[start..start + 2].copy_from_slice(&length.to_ne_bytes());
        filled.bytes[start + 2..start + 4].copy_from_slice(&(kind | NLA_F_NESTED).to_ne_bytes());
        filled
    }

    pub(crate) fn finish(mut self, flags: u16, sequence: u32) -> Vec<u8> {
        let length = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        self.bytes[0..4].copy_from_slice(&length.to_ne_bytes());
        self.bytes[6..8].copy_from_slice(&(flags | NLM_F_REQUEST).to_ne_bytes());
        self.bytes[8..12].copy_from_slice(&sequence.to_ne_bytes());
        self.bytes
    }
}

/// One received netlink message.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Message<'a> {
    pub(crate) kind: u16,
    pub(crate) flags: u16,
    pub(crate) sequence: u32,
    payload: &'a [u8],
}

/// What an NLMSG_ERROR or NLMSG_DONE says.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Verdict {
    /// 0 or a positive errno.
    pub(crate) errno: i32,
    pub(crate) text: Option<String>,
}

impl<'a> Message<'a> {
    /// Command and attributes of a generic netlink message.
    pub(crate) fn generic(&self) -> Result<(u8, Attributes<'a>)> {
        let (header, rest) = self
            .payload
            .split_at_checked(GENL_HEADER)
            .ok_or(Error::Malformed("a generic netlink header"))?;
        Ok((header[0], Attributes(rest)))
    }

    /// Result and extended-ACK text of an NLMSG_ERROR.
    pub(crate) fn error(&self) -> Result<Verdict> {
        let too_short = Error::Malformed("an acknowledgement");
        let Some((code, rest)) = self.payload.split_first_chunk() else {
            return Err(too_short);
        };
        // The header of our own message follows, and its body too unless the
        // kernel capped it; the attributes come after.
        let echoed = if self.flags & NLM_F_CAPPED == 0 {
            let length = rest.first_chunk().ok_or(too_short)?;
            align(usize::try_from(u32::from_ne_bytes(*length)).unwrap_or(usize::MAX))
        } else {
            HEADER
        };
        Ok(self.verdict(*code, rest.get(echoed..).unwrap_or_default()))
    }

    /// Result and extended-ACK text of an NLMSG_DONE.
    pub(crate) fn done(&self) -> Result<Verdict> {
        let (code, rest) = self
            .payload
            .split_first_chunk()
            .ok_or(Error::Malformed("an end of dump"))?;
        Ok(self.verdict(*code, rest))
    }

    fn verdict(&self, code: [u8; 4], attributes: &'a [u8]) -> Verdict {
        let mut verdict = Verdict {
            errno: i32::from_ne_bytes(code).saturating_neg(),
            text: None,
        };
        if self.flags & NLM_F_ACK_TLVS != 0 {
            for attribute in Attributes(attributes).flatten() {
                if attribute.kind == NLMSGERR_ATTR_MSG {
                    verdict.text = Some(attribute.string());
                }
            }
        }
        verdict
    }
}

/// The messages of one datagram; ends early at the first broken header.
pub(crate) struct Messages<'a>(pub(crate) &'a [u8]);

impl<'a> Iterator for Messages<'a> {
    type Item = Message<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let header: [u8; HEADER] = *self.0.first_chunk()?;
        let [l0, l1, l2, l3, k0, k1, f0, f1, s0, s1, s2, s3, ..] = header;
        let length = usize::try_from(u32::from_ne_bytes([l0, l1, l2, l3])).ok()?;
        let payload = self.0.get(HEADER..length)?;
        self.0 = self.0.get(align(length)..).unwrap_or_default();
        Some(Message {
            kind: u16::from_ne_bytes([k0, k1]),
            flags: u16::from_ne_bytes([f0, f1]),
            sequence: u32::from_ne_bytes([s0, s1, s2, s3]),
            payload,
        })
    }
}

/// One received attribute.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Attribute<'a> {
    pub(crate) kind: u16,
    pub(crate) value: &'a [u8],
}

impl<'a> Attribute<'a> {
    pub(crate) fn u16(&self) -> Result<u16> {
        let value = self.value.try_into();
        Ok(u16::from_ne_bytes(
            value.map_err(|_| Error::Malformed("a u16 attribute"))?,
        ))
    }

    pub(crate) fn u32(&self) -> Result<u32> {
        let value = self.value.try_into();
        Ok(u32::from_ne_bytes(
            value.map_err(|_| Error::Malformed("a u32 attribute"))?,
        ))
    }

    pub(crate) fn uint(&self) -> Result<u64> {
        if let Ok(short) = self.u32() {
            return Ok(u64::from(short));
        }
        let value = self.value.try_into();
        Ok(u64::from_ne_bytes(
            value.map_err(|_| Error::Malformed("a uint attribute"))?,
        ))
    }

    pub(crate) fn string(&self) -> String {
        let text = self
            .value
            .split(|&byte| byte == 0)
            .next()
            .unwrap_or_default();
        String::from_utf8_lossy(text).into_owned()
    }

    pub(crate) fn words(&self) -> Result<Vec<u64>> {
        let chunks = self.value.chunks_exact(8);
        if !chunks.remainder().is_empty() {
            return Err(Error::Malformed("report fields"));
        }
        Ok(chunks
            .filter_map(|chunk| chunk.try_into().ok())
            .map(u64::from_ne_bytes)
            .collect())
    }

    pub(crate) fn nested(&self) -> Attributes<'a> {
        Attributes(self.value)
    }
}

/// The attributes of a message or a nest.
#[derive(Clone, Debug)]
pub(crate) struct Attributes<'a>(&'a [u8]);

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<Attribute<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let whole = std::mem::take(&mut self.0);
        let Some(&[l0, l1, k0, k1]) = whole.first_chunk() else {
            return Some(Err(Error::Malformed("an attribute header")));
        };
        let length = usize::from(u16::from_ne_bytes([l0, l1]));
        let Some(value) = whole.get(4..length) else {
            return Some(Err(Error::Malformed("an attribute length")));
        };
        self.0 = whole.get(align(length)..).unwrap_or_default();
        Some(Ok(Attribute {
            kind: u16::from_ne_bytes([k0, k1]) & NLA_TYPE_MASK,
            value,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(kind: u16, flags: u16, payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(u32::try_from(HEADER + payload.len()).unwrap().to_ne_bytes());
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(flags.to_ne_bytes());
        bytes.extend([7, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend(payload);
        bytes
    }

    #[test]
    fn request_reads_back() {
        let bytes = Request::new(0x1c, 3, 1)
            .string(1, "reno")
            .uint(2, 5)
            .uint(3, u64::MAX)
            .nest(4, |n| n.u8(1, 9).u32(2, 70_000))
            .finish(NLM_F_ACK, 42);
        let message = Messages(&bytes).next().unwrap();
        assert_eq!(
            (message.kind, message.flags, message.sequence),
            (0x1c, 5, 42)
        );
        let (command, attributes) = message.generic().unwrap();
        assert_eq!(command, 3);
        let all: Vec<_> = attributes.map(Result::unwrap).collect();
        assert_eq!(all[0].string(), "reno");
        assert_eq!((all[1].value.len(), all[1].uint().unwrap()), (4, 5));
        assert_eq!((all[2].value.len(), all[2].uint().unwrap()), (8, u64::MAX));
        assert_eq!(all[3].kind, 4);
        let inner: Vec<_> = all[3].nested().map(Result::unwrap).collect();
        assert_eq!(
            (inner[0].value, inner[1].u32().unwrap()),
            (&[9_u8][..], 70_000)
        );
    }

    #[test]
    fn extended_ack_text_is_found() {
        for flags in [NLM_F_ACK_TLVS, NLM_F_ACK_TLVS | NLM_F_CAPPED] {
            let mut payload = (-22_i32).to_ne_bytes().to_vec();
            let request = Request::new(0x1c, 3, 1).u32(1, 1).finish(NLM_F_ACK, 7);
            let echo = if flags & NLM_F_CAPPED == 0 {
                request.len()
            } else {
                HEADER
            };
            payload.extend(&request[..echo]);
            payload.extend([12, 0, 1, 0]);
            payload.extend(b"no id!!\0");
            let bytes = reply(NLMSG_ERROR, flags, &payload);
            let verdict = Messages(&bytes).next().unwrap().error().unwrap();
            assert_eq!(
                verdict,
                Verdict {
                    errno: 22,
                    text: Some("no id!!".into())
                }
            );
        }
    }

    #[test]
    fn broken_input_is_an_error_not_a_panic() {
        assert!(Messages(&[0; 15]).next().is_none());
        assert!(Messages(&[0; 16]).next().is_none());
        assert!(Messages(&[255; 32]).next().is_none());
        for payload in [
            &[][..],
            &[0],
            &[0; 3],
            &[1, 2, 3, 4, 0],
            &[1, 2, 3, 4, 3, 0, 1, 0],
        ] {
            let bytes = reply(NLMSG_ERROR, NLM_F_ACK_TLVS, payload);
            let message = Messages(&bytes).next().unwrap();
            let _ = message.error();
            let _ = message.done();
            if let Ok((_, mut attributes)) = message.generic() {
                assert!(attributes.all(|attribute| attribute.is_err()));
            }
        }
    }
}
