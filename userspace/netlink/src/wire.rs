// SPDX-License-Identifier: GPL-2.0
//! What the netlink crates leave to their users: the values of attributes, the
//! messages of a datagram and the words of an extended ACK.

use crate::{Error, Result};
use netlink_packet_core::{
    parse_i32, parse_ip, parse_u16, parse_u32, parse_u64, parse_u8, DecodeError, DefaultNla,
    DoneBuffer, Emitable, ErrorBuffer, NetlinkBuffer, NetlinkHeader, NetlinkMessage, NlaBuffer,
    NlasIterator, NLA_F_NESTED, NLA_HEADER_SIZE, NLM_F_ACK_TLVS, NLM_F_CAPPED, NLM_F_REQUEST,
};
use netlink_packet_generic::{constants::GENL_HDRLEN, GenlFamily, GenlHeader, GenlMessage};
use std::{fmt::Debug, net::IpAddr, num::NonZeroI32};

const NLMSGERR_ATTR_MSG: u16 = 1;
/// Version of every family this crate is used for.
const VERSION: u8 = 1;

/// A command of a generic netlink family under construction.
#[derive(Clone, Debug)]
pub struct Request {
    command: u8,
    attributes: Vec<DefaultNla>,
}

impl Request {
    /// With no attributes yet.
    pub fn new(command: u8) -> Self {
        Self {
            command,
            attributes: Vec::new(),
        }
    }

    /// Appends an attribute. Values longer than an attribute can say are the
    /// caller's mistake and are refused by the kernel, so they are cut here.
    #[must_use]
    pub fn bytes(mut self, kind: u16, mut value: Vec<u8>) -> Self {
        value.truncate(usize::from(u16::MAX) - NLA_HEADER_SIZE);
        self.attributes.push(DefaultNla::new(kind, value));
        self
    }

    /// Text, with the zero at its end.
    #[must_use]
    pub fn string(self, kind: u16, value: &str) -> Self {
        let mut bytes = value.as_bytes().to_vec();
        bytes.push(0);
        self.bytes(kind, bytes)
    }

    /// One byte.
    #[must_use]
    pub fn u8(self, kind: u16, value: u8) -> Self {
        self.bytes(kind, vec![value])
    }

    /// Two bytes.
    #[must_use]
    pub fn u16(self, kind: u16, value: u16) -> Self {
        self.bytes(kind, value.to_ne_bytes().to_vec())
    }

    /// Four bytes, signed.
    #[must_use]
    pub fn i32(self, kind: u16, value: i32) -> Self {
        self.bytes(kind, value.to_ne_bytes().to_vec())
    }

    /// An address in network order.
    #[must_use]
    pub fn ip(self, kind: u16, value: IpAddr) -> Self {
        match value {
            IpAddr::V4(ip) => self.bytes(kind, ip.octets().to_vec()),
            IpAddr::V6(ip) => self.bytes(kind, ip.octets().to_vec()),
        }
    }

    /// Four bytes.
    #[must_use]
    pub fn u32(self, kind: u16, value: u32) -> Self {
        self.bytes(kind, value.to_ne_bytes().to_vec())
    }

    /// A `uint`: four bytes where they suffice, else eight.
    #[must_use]
    pub fn uint(self, kind: u16, value: u64) -> Self {
        match u32::try_from(value) {
            Ok(short) => self.u32(kind, short),
            Err(_) => self.bytes(kind, value.to_ne_bytes().to_vec()),
        }
    }

    /// Attributes in an attribute.
    #[must_use]
    pub fn nest(self, kind: u16, fill: impl FnOnce(Self) -> Self) -> Self {
        let inner = fill(Self::new(self.command));
        let mut bytes = vec![0; inner.buffer_len()];
        inner.emit(&mut bytes);
        self.bytes(kind | NLA_F_NESTED, bytes)
    }
}

impl GenlFamily for Request {
    /// Found by number, not by this name.
    fn family_name() -> &'static str {
        ""
    }

    fn command(&self) -> u8 {
        self.command
    }

    fn version(&self) -> u8 {
        VERSION
    }
}

impl Emitable for Request {
    fn buffer_len(&self) -> usize {
        self.attributes.as_slice().buffer_len()
    }

    fn emit(&self, buffer: &mut [u8]) {
        self.attributes.as_slice().emit(buffer);
    }
}

/// A request in the form the kernel reads; `family` is the number of a family
/// whose number the request does not know.
pub(crate) fn datagram(
    request: impl GenlFamily + Emitable + Debug,
    family: Option<u16>,
    flags: u16,
    sequence: u32,
) -> Vec<u8> {
    let mut generic = GenlMessage::from_payload(request);
    if let Some(family) = family {
        generic.set_resolved_family_id(family);
    }
    let mut message = NetlinkMessage::new(NetlinkHeader::default(), generic.into());
    message.header.flags = flags | NLM_F_REQUEST;
    message.header.sequence_number = sequence;
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    bytes
}

/// One received netlink message.
pub type Message<'a> = NetlinkBuffer<&'a [u8]>;

/// The messages of one datagram; ends early at the first broken header.
pub(crate) fn messages(mut datagram: &[u8]) -> impl Iterator<Item = Message<'_>> {
    std::iter::from_fn(move || {
        let message = NetlinkBuffer::new_checked(datagram).ok()?;
        datagram = datagram.get(aligned(&message)..).unwrap_or_default();
        Some(message)
    })
}

fn aligned(message: &Message<'_>) -> usize {
    (message.length() as usize).next_multiple_of(4)
}

/// Command and attributes of a generic netlink message.
pub fn generic<'a>(message: &Message<'a>) -> Result<(u8, Attributes<'a>)> {
    let payload = message.payload();
    let header = GenlHeader::parse(payload).map_err(malformed("a generic netlink header"))?;
    let attributes = payload.get(GENL_HDRLEN..).unwrap_or_default();
    Ok((header.cmd, NlasIterator::new(attributes)))
}

/// What an NLMSG_ERROR or NLMSG_DONE says.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Verdict {
    /// 0 or a positive errno.
    pub(crate) errno: i32,
    pub(crate) text: Option<String>,
}

impl Verdict {
    /// Result and extended-ACK text of an NLMSG_ERROR.
    pub(crate) fn of_error(message: &Message<'_>) -> Result<Self> {
        let error =
            ErrorBuffer::new_checked(message.payload()).map_err(malformed("an acknowledgement"))?;
        let rest = error.payload();
        // The header of our own message comes first, and its body too unless
        // the kernel capped it; the attributes come after.
        let echo = if message.flags() & NLM_F_CAPPED == 0 {
            NetlinkBuffer::new_checked(rest).map_or(rest.len(), |echo| aligned(&echo))
        } else {
            NetlinkHeader::default().buffer_len()
        };
        let code = error.code().map_or(0, NonZeroI32::get);
        Ok(Self::new(
            message,
            code,
            rest.get(echo..).unwrap_or_default(),
        ))
    }

    /// Result and extended-ACK text of an NLMSG_DONE.
    pub(crate) fn of_done(message: &Message<'_>) -> Result<Self> {
        let done =
            DoneBuffer::new_checked(message.payload()).map_err(malformed("an end of dump"))?;
        Ok(Self::new(message, done.code(), done.extended_ack()))
    }

    fn new(message: &Message<'_>, code: i32, attributes: &[u8]) -> Self {
        let told = message.flags() & NLM_F_ACK_TLVS != 0;
        let text = NlasIterator::new(attributes)
            .flatten()
            .find(|attribute| told && attribute.kind() == NLMSGERR_ATTR_MSG);
        Self {
            errno: code.saturating_neg(),
            text: text.map(|attribute| attribute.string()),
        }
    }
}

/// The attributes of a message or a nest.
pub type Attributes<'a> = NlasIterator<&'a [u8]>;

/// One received attribute.
pub type Attribute<'a> = NlaBuffer<&'a [u8]>;

/// The value of an attribute.
pub trait Value {
    /// One byte.
    fn u8(&self) -> Result<u8>;
    /// Two bytes.
    fn u16(&self) -> Result<u16>;
    /// Four bytes.
    fn u32(&self) -> Result<u32>;
    /// Four bytes, signed.
    fn i32(&self) -> Result<i32>;
    /// Four or eight bytes.
    fn uint(&self) -> Result<u64>;
    /// Four or sixteen bytes in network order.
    fn ip(&self) -> Result<IpAddr>;
    /// Text.
    fn string(&self) -> String;
    /// Numbers of eight bytes.
    fn words(&self) -> Result<Vec<u64>>;
    /// The attributes of a nest.
    fn nest(&self) -> Attributes<'_>;
}

impl Value for Attribute<'_> {
    fn u8(&self) -> Result<u8> {
        parse_u8(self.value()).map_err(malformed("a u8 attribute"))
    }

    fn i32(&self) -> Result<i32> {
        parse_i32(self.value()).map_err(malformed("an s32 attribute"))
    }

    fn ip(&self) -> Result<IpAddr> {
        parse_ip(self.value()).map_err(malformed("an address"))
    }

    fn nest(&self) -> Attributes<'_> {
        NlasIterator::new(self.value())
    }

    fn u16(&self) -> Result<u16> {
        parse_u16(self.value()).map_err(malformed("a u16 attribute"))
    }

    fn u32(&self) -> Result<u32> {
        parse_u32(self.value()).map_err(malformed("a u32 attribute"))
    }

    /// A `uint` is as long as the number needs.
    fn uint(&self) -> Result<u64> {
        if let Ok(short) = parse_u32(self.value()) {
            return Ok(u64::from(short));
        }
        parse_u64(self.value()).map_err(malformed("a uint attribute"))
    }

    /// Up to the first zero, whatever the bytes are: users chose the names.
    fn string(&self) -> String {
        let text = self.value().split(|&byte| byte == 0).next();
        String::from_utf8_lossy(text.unwrap_or_default()).into_owned()
    }

    fn words(&self) -> Result<Vec<u64>> {
        let words = self.value().chunks(8).map(parse_u64);
        words
            .collect::<Result<_, _>>()
            .map_err(malformed("report fields"))
    }
}

/// For errors of the crates, whose words say little to users.
pub fn malformed(what: &'static str) -> impl FnOnce(DecodeError) -> Error {
    move |_| Error::Malformed(what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use netlink_packet_core::{NLMSG_ERROR, NLM_F_ACK};

    fn reply(kind: u16, flags: u16, payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(u32::try_from(16 + payload.len()).unwrap().to_ne_bytes());
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(flags.to_ne_bytes());
        bytes.extend([7, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend(payload);
        bytes
    }

    #[test]
    fn request_reads_back() {
        let request = Request::new(3)
            .string(1, "reno")
            .uint(2, 5)
            .uint(3, u64::MAX)
            .nest(4, |n| n.u8(1, 9).u32(2, 70_000));
        let bytes = datagram(request, Some(0x1c), NLM_F_ACK, 42);
        let message = messages(&bytes).next().unwrap();
        assert_eq!(message.length() as usize, bytes.len());
        assert_eq!(
            (
                message.message_type(),
                message.flags(),
                message.sequence_number()
            ),
            (0x1c, 5, 42)
        );
        let (command, attributes) = generic(&message).unwrap();
        assert_eq!(command, 3);
        let all: Vec<_> = attributes.map(Result::unwrap).collect();
        assert_eq!(all[0].string(), "reno");
        assert_eq!((all[1].value().len(), all[1].uint().unwrap()), (4, 5));
        assert_eq!(
            (all[2].value().len(), all[2].uint().unwrap()),
            (8, u64::MAX)
        );
        assert_eq!((all[3].kind(), all[3].nested_flag()), (4, true));
        let inner: Vec<_> = NlasIterator::new(all[3].value())
            .map(Result::unwrap)
            .collect();
        assert_eq!(
            (inner[0].value(), inner[1].u32().unwrap()),
            (&[9_u8][..], 70_000)
        );
    }

    #[test]
    fn too_long_values_are_cut() {
        let bytes = datagram(Request::new(1).bytes(1, vec![7; 70_000]), Some(0x1c), 0, 1);
        let message = messages(&bytes).next().unwrap();
        let (_, mut attributes) = generic(&message).unwrap();
        assert_eq!(attributes.next().unwrap().unwrap().value().len(), 65_531);
        assert!(attributes.next().is_none());
    }

    #[test]
    fn several_messages_in_one_datagram() {
        let mut bytes = reply(0x1c, 0, &[16, 1, 0, 0, 5, 0, 1, 0, 9]);
        bytes.extend([0; 3]);
        bytes.extend(reply(0x1c, 0, &[17, 1, 0, 0]));
        let commands: Vec<u8> = messages(&bytes)
            .map(|message| generic(&message).unwrap().0)
            .collect();
        assert_eq!(commands, [16, 17]);
    }

    #[test]
    fn extended_ack_text_is_found() {
        for flags in [NLM_F_ACK_TLVS, NLM_F_ACK_TLVS | NLM_F_CAPPED] {
            let mut payload = (-22_i32).to_ne_bytes().to_vec();
            let request = datagram(Request::new(3).u32(1, 1), Some(0x1c), NLM_F_ACK, 7);
            let echo = if flags & NLM_F_CAPPED == 0 {
                request.len()
            } else {
                16
            };
            payload.extend(&request[..echo]);
            payload.extend([12, 0, 1, 0]);
            payload.extend(b"no id!!\0");
            let bytes = reply(NLMSG_ERROR, flags, &payload);
            let verdict = Verdict::of_error(&messages(&bytes).next().unwrap()).unwrap();
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
        assert!(messages(&[0; 15]).next().is_none());
        assert!(messages(&[0; 16]).next().is_none());
        assert!(messages(&[255; 32]).next().is_none());
        for payload in [
            &[][..],
            &[0],
            &[0; 3],
            &[1, 2, 3, 4, 0],
            &[1, 2, 3, 4, 3, 0, 1, 0],
        ] {
            let bytes = reply(NLMSG_ERROR, NLM_F_ACK_TLVS, payload);
            let message = messages(&bytes).next().unwrap();
            let _ = Verdict::of_error(&message);
            let _ = Verdict::of_done(&message);
            if let Ok((_, mut attributes)) = generic(&message) {
                assert!(attributes.all(|attribute| attribute.is_err()));
            }
        }
    }
}
