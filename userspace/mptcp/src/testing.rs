// SPDX-License-Identifier: GPL-2.0
//! Messages for tests.

use ccp_netlink::wire::{Attributes, Request};
use netlink_packet_core::{Emitable, NlasIterator};

/// The attributes of a request as they travel.
pub(crate) fn bytes(request: &Request) -> Vec<u8> {
    let mut bytes = vec![0; request.buffer_len()];
    request.emit(&mut bytes);
    bytes
}

pub(crate) fn attributes(bytes: &[u8]) -> Attributes<'_> {
    NlasIterator::new(bytes)
}

/// Kind, without flags, and value of each.
pub(crate) fn list(bytes: &[u8]) -> Vec<(u16, Vec<u8>)> {
    attributes(bytes)
        .map(|attribute| {
            let attribute = attribute.unwrap();
            (attribute.kind(), attribute.value().to_vec())
        })
        .collect()
}

/// A netlink message with this payload.
pub(crate) fn message(payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(16 + payload.len()).unwrap();
    let mut bytes = length.to_ne_bytes().to_vec();
    bytes.extend([0; 12]);
    bytes.extend(payload);
    bytes
}
