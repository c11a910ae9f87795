// SPDX-License-Identifier: GPL-2.0

//! Which events a connection sends when.

use ccp_core::mptcp::{
    admits,
    confirms,
    flag,
    Connection,
    State,
    Subflow,
    What,
    What::*,
    REMOTES_MOST, //
};

use crate::{
    connection,
    first,
    ids,
    subflow,
    tell,
    v4,
    Memory,
    TOKEN, //
};

const CREATED: u8 = 1;
const ESTABLISHED: u8 = 2;
const CLOSED: u8 = 3;
const FALLBACK: u8 = 65;

#[test]
fn a_connection_from_beginning_to_end() {
    let mut conn = connection();
    assert_eq!(conn.state(), State::Created);
    let told = tell(&mut conn, &[Created, Established, Closed, Released]);
    assert_eq!(told, [CREATED, ESTABLISHED, CLOSED]);
    assert_eq!(conn.state(), State::Established);
}

/// A peer's FASTCLOSE takes the token first, and the application's close() is
/// then not told: the end is told when the kernel forgets the connection.
#[test]
fn closed_comes_with_the_release_at_the_latest() {
    let mut conn = connection();
    assert_eq!(
        tell(&mut conn, &[Created, Established]),
        [CREATED, ESTABLISHED]
    );
    let forgotten = Subflow {
        token: 0,
        ..first()
    };
    let event = conn.on(Released, &forgotten).expect("CLOSED");
    assert_eq!((event.cmd, event.token, event.has), (CLOSED, TOKEN, 0));
}

#[test]
fn never_accepted() {
    assert_eq!(
        tell(&mut connection(), &[Created, Released]),
        [CREATED, CLOSED]
    );
}

#[test]
fn nothing_comes_after_closed() {
    let mut conn = connection();
    tell(&mut conn, &[Created, Closed]);
    assert!(conn.is_closed());
    let whats = (0..16).filter_map(What::of);
    let late = whats.filter_map(|what| conn.on(what, &subflow(2, v4(2, 1, 1))));
    assert_eq!(late.count(), 0);
    assert_eq!(conn.on_address(&v4(9, 0, 3)), None);
    assert_eq!(conn.on_address_removed(3), None);
}

#[test]
fn established_and_fallback_come_once() {
    let mut conn = connection();
    let told = tell(
        &mut conn,
        &[
            Created,
            Established,
            Established,
            Fallback,
            Fallback,
            Established,
        ],
    );
    assert_eq!(told, [CREATED, ESTABLISHED, FALLBACK]);
    assert_eq!(conn.state(), State::FallenBack);
    assert_eq!(tell(&mut conn, &[Closed]), [CLOSED]);
}

/// What the old kernel didn't tell of the first subflow isn't told either; its
/// end and its priority are.
#[test]
fn the_first_subflow_joins_nothing() {
    let mut conn = connection();
    let told = tell(
        &mut conn,
        &[SubflowCreated, SubflowEstablished, Priority, SubflowClosed],
    );
    assert_eq!(told, [13, 11]);
}

#[test]
fn numbers_of_what_happened() {
    for number in 0..32 {
        assert_eq!(What::of(number).is_some(), number <= 8, "{number}");
        assert!(What::of(number).is_none_or(|what| what as u32 == number));
    }
}

#[test]
fn subflows_are_counted_once_however_often_they_are_mentioned() {
    let mut conn = connection();
    assert_eq!(conn.extra_subflows(), 0);
    let two = subflow(2, v4(2, 0, 1));
    for what in [SubflowCreated, SubflowEstablished, SubflowEstablished] {
        conn.on(what, &two);
    }
    conn.on(SubflowEstablished, &subflow(3, v4(3, 0, 2)));
    assert_eq!(conn.extra_subflows(), 2);
    conn.on(SubflowClosed, &two);
    conn.on(SubflowClosed, &two);
    assert_eq!(conn.extra_subflows(), 1);
    // One never mentioned, as when a connect failed.
    conn.on(SubflowClosed, &subflow(9, v4(3, 0, 2)));
    assert_eq!(conn.extra_subflows(), 1);
    // Without the first, the others are still extra.
    conn.on(SubflowClosed, &first());
    assert_eq!(conn.extra_subflows(), 1);
}

#[test]
fn many_subflows() {
    let mut conn = connection();
    for id in 2..=300 {
        conn.on(SubflowCreated, &subflow(id, v4((id % 200) as u8, 0, 1)));
    }
    assert_eq!(conn.extra_subflows(), 299);
    for id in 2..=300 {
        conn.on(SubflowClosed, &subflow(id, v4(2, 0, 1)));
    }
    assert_eq!(conn.extra_subflows(), 0);
}

/// The peer can't make us forget which address an id stands for by using up
/// memory: an address whose subflow can't be remembered keeps its id.
#[test]
fn without_memory_for_subflows_their_addresses_stay() {
    let mut conn = Connection::new(
        &first(),
        Memory::of(4, 4),
        Memory::of(1, 1),
        Memory::of(1, 1),
    );
    let two = subflow(2, v4(2, 0, 5));
    conn.on(SubflowEstablished, &two);
    conn.on(SubflowClosed, &two);
    assert_eq!(ids(&conn), [0, 5]);
    assert_eq!(conn.local_id(&v4(2, 0, 0)), Ok(5));
}

#[test]
fn who_may_join() {
    // No listener: up to the limit.
    assert!(admits(0, false, 2) && admits(1, false, 2));
    assert!(!admits(2, false, 2));
    assert!(!admits(0, false, 0));
    // A listener: no limit but that of the kernel's counters.
    assert!(admits(2, true, 2) && admits(254, true, 0));
    assert!(!admits(255, true, 2));
    assert!(!admits(255, false, u32::MAX));
    assert!(!admits(u32::MAX, true, u32::MAX));
}

#[test]
fn addresses_are_confirmed_to_listeners_only() {
    assert!(confirms(true) && !confirms(false));
}

#[test]
fn what_is_told_of_the_side() {
    let server = Subflow {
        flags: flag::INITIAL | flag::SERVER_SIDE | flag::DENY_JOIN_ID0,
        ..first()
    };
    let mut conn = Connection::new(
        &server,
        Memory::of(4, 4),
        Memory::of(4, 4),
        Memory::of(4, 4),
    );
    let event = conn.on(Created, &server).expect("CREATED");
    assert_eq!((event.server_side, event.deny_join_id0), (1, 1));
    let event = conn.on(Established, &first()).expect("ESTABLISHED");
    assert_eq!((event.server_side, event.deny_join_id0), (0, 0));
}

/// For those who come late.
#[test]
fn what_the_peer_announced_is_remembered() {
    let mut conn = connection();
    let known = |conn: &crate::Conn| -> Vec<(u8, u16)> {
        let mut all: Vec<_> = conn.remotes().map(|it| (it.id, it.port())).collect();
        all.sort_unstable();
        all
    };
    for id in 1..=REMOTES_MOST as u8 + 2 {
        conn.on_address(&v4(id, 0, id));
    }
    let most: Vec<(u8, u16)> = (1..=REMOTES_MOST as u8).map(|id| (id, 0)).collect();
    assert_eq!(known(&conn), most);
    // Announced again, with a port: the id stands for this now.
    conn.on_address(&v4(3, 443, 3));
    conn.on_address_removed(1);
    conn.on_address_removed(99);
    let ids: Vec<u8> = known(&conn).iter().map(|it| it.0).collect();
    assert_eq!(ids, [2, 3, 4, 5, 6, 7, 8]);
    assert!(known(&conn).contains(&(3, 443)));
    conn.on_address(&v4(77, 0, 0));
    assert_eq!(known(&conn).first(), Some(&(0, 0)));
}

#[test]
fn a_subflow_is_pending_until_it_joined() {
    let mut conn = connection();
    assert!(!conn.is_pending(1));
    let (ours, theirs) = (subflow(2, v4(2, 0, 1)), subflow(3, v4(2, 0, 1)));
    conn.on(SubflowCreated, &ours);
    assert!(conn.is_pending(2));
    conn.on(SubflowEstablished, &ours);
    assert!(!conn.is_pending(2));
    // One that the peer opened.
    conn.on(SubflowEstablished, &theirs);
    assert!(!conn.is_pending(3));
    // Nothing is known of these.
    assert!(!conn.is_pending(0) && !conn.is_pending(4));
}
