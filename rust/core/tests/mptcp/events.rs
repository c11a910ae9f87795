// SPDX-License-Identifier: GPL-2.0

//! What events carry, their numbers and their filters.

use ccp_core::mptcp::{
    flag,
    has,
    wanted,
    Counters,
    Event,
    Kind,
    Subflow,
    What,
    FILTER_DEFAULT,
    KINDS, //
};

use crate::{
    connection,
    first,
    mapped,
    subflow,
    v4,
    v6,
    TOKEN, //
};

fn closed(how: Subflow) -> Event {
    let mut conn = connection();
    conn.on(What::SubflowClosed, &how).expect("SUB_CLOSED")
}

#[test]
fn a_subflow() {
    let event = connection().on(What::Created, &first()).expect("an event");
    assert_eq!(event.has, has::SUBFLOW | has::SIDE);
    assert_eq!((event.cmd, event.token, event.subflow_id), (1, TOKEN, 1));
    assert_eq!((event.local, event.remote), (first().local, first().remote));
    // Ports in host order.
    assert_eq!((event.sport, event.dport), (40000, 443));
    assert_eq!(first().local.port_be, 40000u16.to_be());
    assert_eq!((event.backup, event.ifindex, event.error), (0, 0, 0));
}

/// The token is ours: the kernel's own may be gone.
#[test]
fn the_token_is_the_connections() {
    let forgotten = Subflow {
        token: 0,
        ..subflow(2, v4(2, 0, 1))
    };
    assert_eq!(closed(forgotten).token, TOKEN);
}

#[test]
fn backup_if_either_side_asked() {
    for flags in [flag::BACKUP_LOCAL, flag::BACKUP_REMOTE] {
        let event = closed(Subflow { flags, ..first() });
        assert_eq!(event.backup, 1);
    }
}

#[test]
fn errors() {
    let event = closed(Subflow {
        error: 111,
        ..first()
    });
    assert_eq!((event.has, event.error), (has::SUBFLOW | has::ERROR, 111));
    // An attribute of one byte.
    let event = closed(Subflow {
        error: 512,
        ..first()
    });
    assert_eq!(event.error, 255);
}

#[test]
fn resets() {
    let reset = Subflow {
        flags: flag::RESET | flag::RESET_TRANSIENT,
        reset_reason: 3,
        ..subflow(2, v4(2, 0, 1))
    };
    let event = closed(reset);
    assert_eq!(event.has, has::SUBFLOW | has::RESET);
    assert_eq!((event.reset_reason, event.reset_flags), (3, 1));
    let event = closed(Subflow {
        flags: flag::RESET,
        ..reset
    });
    assert_eq!(event.reset_flags, 0);
    let event = closed(Subflow { flags: 0, ..reset });
    assert_eq!((event.has, event.reset_reason), (has::SUBFLOW, 0));
    // Only where a subflow ends.
    let event = connection().on(What::Priority, &reset).expect("an event");
    assert_eq!(event.has, has::SUBFLOW);
}

#[test]
fn addresses_of_the_peer() {
    let mut conn = connection();
    for addr in [v4(9, 0, 3), v6(9, 8080, 4), mapped(9, 0, 5)] {
        let event = conn.on_address(&addr).expect("ANNOUNCED");
        assert_eq!(
            (event.cmd, event.has, event.token),
            (6, has::ADDRESS, TOKEN)
        );
        assert_eq!((event.remote, event.dport), (addr, addr.port()));
    }
    let event = conn.on_address_removed(200).expect("REMOVED");
    assert_eq!((event.cmd, event.has), (7, has::REMOTE_ID));
    assert_eq!((event.remote.id, event.token), (200, TOKEN));
}

#[test]
fn a_query_tells_which_is_the_first() {
    assert_eq!(Event::of_subflow(&first()).has, has::SUBFLOW | has::INITIAL);
    let other = Event::of_subflow(&subflow(2, v4(2, 0, 1)));
    assert_eq!(
        (other.has, other.subflow_id, other.cmd),
        (has::SUBFLOW, 2, 0)
    );
}

/// Numbers and bits of the old uapi, then our own.
#[test]
fn kinds() {
    let expected = [
        (1, 1 << 1),
        (2, 1 << 2),
        (3, 1 << 3),
        (6, 1 << 4),
        (7, 1 << 5),
        (10, 1 << 6),
        (11, 1 << 7),
        (13, 1 << 8),
        (64, 1 << 9),
        (65, 1 << 10),
    ];
    let kinds = KINDS.map(|kind| (kind as u8, kind.bit()));
    assert_eq!(kinds, expected);
    for number in 0..=u8::MAX {
        let known = expected.iter().any(|(kind, _)| *kind == number);
        assert_eq!(
            Kind::of(number).map(|kind| kind as u8),
            known.then_some(number)
        );
    }
}

#[test]
fn filters() {
    let old: u16 = KINDS[..8].iter().map(|kind| kind.bit()).sum();
    assert_eq!(FILTER_DEFAULT, old);
    assert_eq!(wanted(0), 0);
    assert_eq!(wanted(1 << 3 | 1 << 9), 1 << 3 | 1 << 9);
    assert_eq!(wanted(u16::MAX), 0x7fe);
    let event = connection().on(What::Closed, &first()).expect("CLOSED");
    assert_eq!(event.bit, 1 << 3);
}

/// Each kind has its own numbers, so that a gap means a loss whatever a
/// listener filters.
#[test]
fn numbers_by_kind() {
    let counters = Counters::default();
    for number in 1..=3 {
        assert_eq!(counters.next(Kind::Closed), number);
    }
    assert_eq!(counters.next(Kind::Fallback), 1);
    for kind in KINDS {
        let last = match kind {
            Kind::Closed => 3,
            Kind::Fallback => 1,
            _ => 0,
        };
        assert_eq!(counters.last(kind), last, "{kind:?}");
    }
    assert_eq!(counters.drops(), 0);
    counters.dropped();
    assert_eq!(counters.drops(), 1);
    // A dropped event keeps its number: the listener sees a gap.
    assert_eq!(counters.next(Kind::Closed), 4);
}
