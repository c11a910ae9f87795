// SPDX-License-Identifier: GPL-2.0

//! Messages of Portus clients: bytes as they must be, bytes that lie, numbers
//! of flows. `ktests/vm` compares with what portus itself writes and reads.

use ccp_core::portus::{
    close, flow_of, is_reachable, ready, sid_of, Create, Endpoint, FieldUpdate, Malformed, Measure,
    Request, MAX_UPDATES,
};
use proptest::prelude::*;

/// A message with a true header.
fn message(kind: u16, sid: u32, body: &[u8]) -> Vec<u8> {
    let mut bytes = kind.to_le_bytes().to_vec();
    bytes.extend((8 + body.len() as u16).to_le_bytes());
    bytes.extend(sid.to_le_bytes());
    bytes.extend(body);
    bytes
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn update(class: u8, index: u32, value: u64) -> Vec<u8> {
    let mut bytes = vec![class];
    bytes.extend(index.to_le_bytes());
    bytes.extend(value.to_le_bytes());
    bytes
}

#[track_caller]
fn refused(bytes: &[u8], why: Malformed, text: &str) {
    assert_eq!(Request::decode(bytes).err(), Some(why));
    assert_eq!(why.to_string(), text);
}

#[test]
fn messages_to_clients() {
    assert_eq!(ready(7), [5, 0, 12, 0, 0, 0, 0, 0, 7, 0, 0, 0]);
    assert_eq!(
        close(3),
        [1, 0, 16, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        "program 0, no fields"
    );
    let report = Measure::new(3, 9, &[1, u64::MAX]);
    let mut body = words(&[9, 2]);
    body.extend([1, 0, 0, 0, 0, 0, 0, 0]);
    body.extend([255; 8]);
    assert_eq!(report.bytes(), message(1, 3, &body));
    let create = Create {
        sid: 5,
        init_cwnd: 14480,
        mss: 1448,
        local: Endpoint {
            address: [10, 0, 1, 2],
            port: [0x12, 0x34],
        },
        remote: Endpoint {
            address: [10, 0, 3, 4],
            port: [0x56, 0x78],
        },
        algorithm: b"reno",
    };
    let mut expected = message(0, 5, &words(&[14480, 1448]));
    expected.extend([10, 0, 1, 2, 0x12, 0x34, 0, 0, 10, 0, 3, 4, 0x56, 0x78, 0, 0]);
    expected.extend(b"reno");
    expected.resize(96, 0);
    expected[2] = 96;
    assert_eq!(create.bytes().to_vec(), expected);
}

/// A report without fields would end the flow for the client.
#[test]
fn a_report_has_a_field() {
    assert_eq!(
        Measure::new(3, 9, &[]).bytes(),
        Measure::new(3, 9, &[0]).bytes()
    );
    assert_eq!(Measure::new(3, 9, &[0; 400]).bytes().len(), 16 + 8 * 16);
}

/// Clients end when a name isn't UTF-8 or has no NUL.
#[test]
fn names_clients_can_read() {
    for bad in [&[b'x'; 64][..], b"caf\xe9"] {
        let bytes = Create {
            algorithm: bad,
            ..Create::default()
        }
        .bytes();
        assert_eq!(bytes[32..], [0; 64]);
    }
    let longest = Create {
        algorithm: &[b'x'; 63],
        ..Create::default()
    };
    assert_eq!(longest.bytes()[95], 0);
}

#[test]
fn messages_of_clients() {
    let mut body = words(&[7, 1, 2]);
    body.extend([1; 16]);
    body.extend([2; 32]);
    let bytes = message(2, 0, &body);
    let Ok(Request::Install {
        uid: 7,
        events,
        instructions,
    }) = Request::decode(&bytes)
    else {
        panic!("no install");
    };
    assert_eq!((events, instructions), (&[1; 16][..], &[2; 32][..]));

    let mut body = words(&[2]);
    body.extend(update(8, 3, 1 << 40));
    body.extend(update(2, 4, 42));
    let expected = [
        FieldUpdate {
            class: 8,
            index: 3,
            value: 1 << 40,
        },
        FieldUpdate {
            class: 2,
            index: 4,
            value: 42,
        },
    ];
    let bytes = message(3, 12, &body);
    let Ok(Request::Update { sid: 12, updates }) = Request::decode(&bytes) else {
        panic!("no update");
    };
    assert_eq!(updates.len(), 2);
    assert!(updates.iter().eq(expected));

    let mut change = words(&[7]);
    change.extend(&body);
    let bytes = message(4, 12, &change);
    let Ok(Request::Change {
        sid: 12,
        uid: 7,
        updates,
    }) = Request::decode(&bytes)
    else {
        panic!("no change");
    };
    assert!(updates.iter().eq(expected));
    let bytes = message(4, 1, &words(&[7, 0]));
    let Ok(Request::Change { updates, .. }) = Request::decode(&bytes) else {
        panic!("no change");
    };
    assert!(updates.is_empty());
}

#[test]
fn lengths_that_lie() {
    for bytes in 0..8 {
        let needed = if bytes < 2 {
            2
        } else if bytes < 4 {
            4
        } else {
            8
        };
        let text = format!("the message has {bytes} bytes, it needs {needed}");
        refused(&vec![3; bytes], Malformed::Short { bytes, needed }, &text);
    }
    let good = message(4, 1, &words(&[7, 0]));
    for said in (0..16).chain(17..=u16::MAX) {
        let mut bytes = good.clone();
        bytes[2..4].copy_from_slice(&said.to_le_bytes());
        let why = Malformed::Length {
            bytes: 16,
            said: usize::from(said),
        };
        assert_eq!(Request::decode(&bytes).err(), Some(why));
    }
    refused(
        &[good.clone(), good].concat(),
        Malformed::Length {
            bytes: 32,
            said: 16,
        },
        "the message has 32 bytes, its header says 16 (most is 65535)",
    );
    refused(
        &message(4, 1, &words(&[7])),
        Malformed::Short {
            bytes: 12,
            needed: 16,
        },
        "the message has 12 bytes, it needs 16",
    );
}

/// In libccp the counts of events and instructions were believed.
#[test]
fn counts_that_lie() {
    for (events, instructions, bytes) in [
        (1, 0, 0),
        (0, 1, 0),
        (1, 1, 16),
        (0, 0, 16),
        (u32::MAX, u32::MAX, 32),
        (1 << 28, 1 << 28, 0),
    ] {
        let mut body = words(&[7, events, instructions]);
        body.resize(12 + bytes, 0);
        let counted = 20 + 16 * (u64::from(events) + u64::from(instructions));
        let bytes = 20 + bytes;
        refused(
            &message(2, 0, &body),
            Malformed::Counts { bytes, counted },
            &format!("the message has {bytes} bytes, its counts make it {counted}"),
        );
    }
    for (count, bytes) in [(1, 12), (1, 14), (0, 1), (2, 13)] {
        let mut body = words(&[count]);
        body.resize(4 + bytes, 0);
        let counted = 12 + 13 * u64::from(count);
        let bytes = 12 + bytes;
        let why = Malformed::Counts { bytes, counted };
        assert_eq!(Request::decode(&message(3, 1, &body)).err(), Some(why));
    }
}

/// libccp read one byte of the count: 128 to 255 were refused, 257 was 1.
#[test]
fn number_of_updates() {
    for count in [127, 128, 129, MAX_UPDATES] {
        let mut body = words(&[count]);
        for _ in 0..count {
            body.extend(update(0, 0, 1));
        }
        let bytes = message(3, 1, &body);
        let Ok(Request::Update { updates, .. }) = Request::decode(&bytes) else {
            panic!("{count} updates refused");
        };
        assert_eq!(updates.len(), count as usize);
    }
    for count in [MAX_UPDATES + 1, 257, u32::MAX] {
        refused(
            &message(3, 1, &words(&[count])),
            Malformed::Updates { count },
            &format!("{count} updates in a message, the most is 222"),
        );
    }
}

#[test]
fn types_that_do_not_come_from_clients() {
    for code in (0..=u16::MAX).filter(|code| !(2..=4).contains(code)) {
        let bytes = message(code, 1, &words(&[7, 0]));
        let why = Malformed::Type { code };
        assert_eq!(Request::decode(&bytes).err(), Some(why));
    }
    refused(
        &message(0x102, 0, &words(&[7, 0, 0])),
        Malformed::Type { code: 0x102 },
        "messages of type 258 do not come from clients",
    );
}

/// Program 0 without fields is the end of a flow.
#[test]
fn program_zero() {
    let text = "a program cannot have number 0";
    refused(&message(2, 0, &words(&[0, 0, 0])), Malformed::NoUid, text);
    refused(&message(4, 1, &words(&[0, 0])), Malformed::NoUid, text);
}

#[test]
fn numbers_of_flows() {
    const SPAN: u64 = 1 << 32;
    assert_eq!(flow_of(0, 10), None);
    assert_eq!(flow_of(5, 10), Some(5));
    assert_eq!(flow_of(10, 10), Some(10));
    assert_eq!(flow_of(11, 10), None, "not made yet");
    // After 2^32 flows: what is above the newest is of the time before.
    assert_eq!(flow_of(5, SPAN + 5), Some(SPAN + 5));
    assert_eq!(flow_of(6, SPAN + 5), Some(6));
    assert!(is_reachable(6, SPAN + 5));
    assert!(!is_reachable(5, SPAN + 5), "another flow has its number");
}

proptest! {
    #[test]
    fn hostile_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Request::decode(&bytes);
    }

    /// Bytes under a true header get further.
    #[test]
    fn hostile_bodies(
        kind in 0u16..8,
        sid: u32,
        head in proptest::collection::vec(0u32..4, 0..4),
        tail in proptest::collection::vec(any::<u8>(), 0..64),
    ) {
        let body = [words(&head), tail].concat();
        match Request::decode(&message(kind, sid, &body)) {
            Ok(Request::Install { events, instructions, uid }) => {
                prop_assert_eq!(events.len() + instructions.len() + 12, body.len());
                prop_assert_eq!(events.len() % 16, 0);
                prop_assert_ne!(uid, 0);
            }
            Ok(Request::Update { updates, .. } | Request::Change { updates, .. }) => {
                prop_assert_eq!(updates.iter().count(), updates.len());
            }
            Err(_) => (),
        }
    }

    /// A number means its flow and no other.
    #[test]
    fn numbers_and_flows(flow in 1u64.., newer: u64) {
        let newest = flow.saturating_add(newer % (3 << 32));
        prop_assume!(sid_of(flow) != 0);
        let found = flow_of(sid_of(flow), newest);
        prop_assert_eq!(found == Some(flow), is_reachable(flow, newest));
        let found = found.unwrap();
        prop_assert_eq!(sid_of(found), sid_of(flow));
        prop_assert!(found <= newest && is_reachable(found, newest));
    }
}
