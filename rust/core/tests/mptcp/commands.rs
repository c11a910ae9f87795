// SPDX-License-Identifier: GPL-2.0

//! What commands ask of the kernel, and what they leave behind.

use ccp_core::mptcp::{
    Attr,
    End,
    Pair,
    Refusal,
    What, //
};

use crate::{
    connection,
    ids,
    mapped,
    request,
    subflow,
    v4,
    v6, //
};

fn peer() -> Option<End> {
    Some(v4(102, 443, 7))
}

fn without(has: &[Attr]) -> ccp_core::mptcp::Request {
    let mut request = request(Some(v4(2, 5000, 9)), peer());
    for attr in has {
        request.has &= !(1 << *attr as u32);
    }
    request
}

#[test]
fn a_join_from_a_named_address() {
    let mut conn = connection();
    let mut asked = request(Some(v4(2, 5000, 9)), peer());
    asked.backup = 1;
    asked.ifindex = 3;
    let join = conn.begin_join(&asked).expect("a plan");
    assert_eq!((join.local, join.remote), (v4(2, 5000, 9), v4(102, 443, 7)));
    assert!(join.backup);
    assert_eq!(join.ifindex, 3);
    // The kernel opens it, and asks on the way.
    assert_eq!(conn.local_id(&v4(2, 5000, 0)), Ok(9));
    assert!(conn.is_backup(&v4(2, 5000, 0)));
    let opened = subflow(2, join.local);
    conn.on(What::SubflowCreated, &opened);
    conn.end_join(&join);
    assert_eq!(ids(&conn), [0, 9]);
    conn.on(What::SubflowClosed, &opened);
    assert_eq!(ids(&conn), [0]);
}

/// The defect: a join that failed removed the address, even if announced.
#[test]
fn a_join_that_fails_leaves_no_trace() {
    let mut conn = connection();
    let join = conn
        .begin_join(&request(Some(v4(2, 0, 9)), peer()))
        .expect("a plan");
    assert_eq!(ids(&conn), [0, 9]);
    conn.end_join(&join);
    assert_eq!(ids(&conn), [0]);

    let announced = conn
        .begin_announce(&request(Some(v4(2, 0, 9)), None))
        .expect("a plan");
    conn.end_announce(&announced, true);
    let join = conn
        .begin_join(&request(Some(v4(2, 0, 9)), peer()))
        .expect("a plan");
    conn.end_join(&join);
    assert_eq!(ids(&conn), [0, 9]);
}

/// As the seed's ndiffports: one address, several ports.
#[test]
fn joins_that_differ_by_port_only() {
    let mut conn = connection();
    for (port, id) in [(5000, 2), (5001, 3), (5002, 4)] {
        let asked = request(Some(v4(1, port, 0)), peer());
        let join = conn.begin_join(&asked).expect("a plan");
        assert_eq!(join.local, v4(1, port, 0));
        conn.on(What::SubflowCreated, &subflow(id, join.local));
        conn.end_join(&join);
    }
    assert_eq!(ids(&conn), [0]);
    assert_eq!(conn.extra_subflows(), 3);
    assert_eq!(conn.locals().next().map(|local| local.uses), Some(4));
}

#[test]
fn a_join_by_id_uses_what_is_known() {
    let mut conn = connection();
    let mut asked = request(Some(v4(2, 8080, 9)), None);
    asked.backup = 1;
    asked.ifindex = 4;
    let announced = conn.begin_announce(&asked).expect("a plan");
    conn.end_announce(&announced, true);
    let mut asked = request(None, peer());
    asked.loc_id = 9;
    asked.sport = 6000;
    let join = conn.begin_join(&asked).expect("a plan");
    // Its own port, not the announced one; backup and interface as stored.
    assert_eq!(join.local, v4(2, 6000, 9));
    assert!(join.backup);
    assert_eq!(join.ifindex, 4);
    conn.end_join(&join);
    // The first subflow's.
    asked.loc_id = 0;
    assert_eq!(
        conn.begin_join(&asked).map(|join| join.local),
        Ok(v4(1, 6000, 0))
    );
    asked.loc_id = 8;
    assert_eq!(conn.begin_join(&asked), Err(Refusal::UnknownId(8)));
}

#[test]
fn routing_decides_for_the_any_address() {
    let mut conn = connection();
    let any = End::v4([0; 4], 7000, 0);
    let join = conn
        .begin_join(&request(Some(any), peer()))
        .expect("a plan");
    assert_eq!(join.local, any);
    conn.end_join(&join);
    assert_eq!(ids(&conn), [0]);
    let refused = conn.begin_join(&request(Some(any.with_id(4)), peer()));
    assert_eq!(refused, Err(Refusal::AnyWithId(4)));
    // Mapped into IPv6 the kernel would take it for an address.
    let mut mapped = [0; 16];
    mapped[10..12].fill(0xff);
    let source = End::v6(mapped, 7000, 0);
    mapped[12..].copy_from_slice(&[10, 0, 102, 1]);
    let asked = request(Some(source), Some(End::v6(mapped, 443, 7)));
    assert_eq!(conn.begin_join(&asked).map(|join| join.local), Ok(any));
}

#[test]
fn joins_that_make_no_sense() {
    let mut conn = connection();
    for (local, remote, why) in [
        (v4(2, 0, 9), v4(102, 0, 7), Refusal::NoPort),
        (v4(2, 0, 9), End::v4([0; 4], 443, 7), Refusal::AnyAddress),
        (v6(2, 0, 9), End::v6([0; 16], 443, 7), Refusal::AnyAddress),
        (mapped(2, 0, 9), v6(102, 443, 7), Refusal::Kinds),
        (
            v4(1, 0, 9),
            v4(102, 443, 7),
            Refusal::OtherId { id: 0, wanted: 9 },
        ),
    ] {
        let asked = request(Some(local), Some(remote));
        assert_eq!(conn.begin_join(&asked), Err(why));
        assert_eq!(ids(&conn), [0], "{why:?}");
    }
    // IPv6 to an address known as IPv4.
    let mut asked = request(None, Some(v6(102, 443, 7)));
    asked.loc_id = 0;
    assert_eq!(conn.begin_join(&asked), Err(Refusal::Kinds));
    // Mapped addresses are IPv4 in disguise.
    let asked = request(Some(mapped(2, 0, 9)), Some(mapped(102, 443, 7)));
    let join = conn.begin_join(&asked).expect("a plan");
    assert_eq!(join.local, mapped(2, 0, 9));
}

#[test]
fn announcements() {
    let mut conn = connection();
    let asked = request(Some(v4(2, 8080, 9)), None);
    let announced = conn.begin_announce(&asked).expect("a plan");
    assert_eq!(announced.end, v4(2, 8080, 9));
    conn.end_announce(&announced, true);
    // Again, and this time the kernel refuses: it stays announced.
    let again = conn.begin_announce(&asked).expect("a plan");
    conn.end_announce(&again, false);
    assert!(conn.locals().any(|local| local.announced));
    assert_eq!(ids(&conn), [0, 9]);
    // A new one that the kernel refuses is not remembered.
    let new = request(Some(v4(3, 0, 10)), None);
    let new = conn.begin_announce(&new).expect("a plan");
    conn.end_announce(&new, false);
    assert_eq!(ids(&conn), [0, 9]);
    for (end, why) in [
        (v4(3, 0, 0), Refusal::IdZero),
        (End::v4([0; 4], 0, 3), Refusal::AnyAddress),
        (v4(3, 0, 9), Refusal::OtherAddress(9)),
        (v4(2, 8080, 8), Refusal::OtherId { id: 9, wanted: 8 }),
    ] {
        let asked = request(Some(end), None);
        assert_eq!(conn.begin_announce(&asked), Err(why));
    }
    assert_eq!(ids(&conn), [0, 9]);
}

#[test]
fn withdrawals() {
    let mut conn = connection();
    let mut asked = request(None, None);
    asked.loc_id = 9;
    assert_eq!(conn.begin_remove(&asked), Err(Refusal::UnknownId(9)));
    let announce = request(Some(v4(2, 0, 9)), None);
    let announced = conn.begin_announce(&announce).expect("a plan");
    conn.end_announce(&announced, true);
    let end = conn.begin_remove(&asked).expect("a plan");
    assert_eq!(end, v4(2, 0, 9));
    // Until the kernel has done it, it is announced.
    assert_eq!(ids(&conn), [0, 9]);
    conn.end_remove(&end);
    assert_eq!(ids(&conn), [0]);
    // An address that only subflows use; they stay.
    conn.on(What::SubflowEstablished, &subflow(2, v4(3, 0, 4)));
    asked.loc_id = 4;
    let end = conn.begin_remove(&asked).expect("a plan");
    conn.end_remove(&end);
    assert_eq!(ids(&conn), [0, 4]);
    // Id 0, while the first subflow is there.
    asked.loc_id = 0;
    assert_eq!(conn.begin_remove(&asked).map(|end| end.id), Ok(0));
    conn.on(What::SubflowClosed, &subflow(1, v4(1, 0, 0)));
    assert_eq!(conn.begin_remove(&asked), Err(Refusal::Unannounced(0)));
    // One that a SYN named and nobody uses.
    assert_eq!(conn.local_id(&v4(5, 0, 0)), Ok(255));
    asked.loc_id = 255;
    assert_eq!(conn.begin_remove(&asked), Err(Refusal::Unannounced(255)));
}

#[test]
fn ids_above_15_can_be_withdrawn() {
    let mut conn = connection();
    let announced = conn
        .begin_announce(&request(Some(v4(2, 0, 255)), None))
        .expect("a plan");
    conn.end_announce(&announced, true);
    let mut asked = request(None, None);
    asked.loc_id = 255;
    let end = conn.begin_remove(&asked).expect("a plan");
    conn.end_remove(&end);
    assert_eq!(ids(&conn), [0]);
}

#[test]
fn missing_attributes() {
    let mut conn = connection();
    for attr in [
        Attr::Family,
        Attr::LocId,
        Attr::RemId,
        Attr::Daddr4,
        Attr::Dport,
    ] {
        let refused = conn.begin_join(&without(&[attr]));
        assert_eq!(refused, Err(Refusal::Missing(attr)));
    }
    for attr in [Attr::Family, Attr::LocId, Attr::Saddr4] {
        let refused = conn.begin_announce(&without(&[attr]));
        assert_eq!(refused, Err(Refusal::Missing(attr)));
    }
    for attr in [
        Attr::Family,
        Attr::Saddr4,
        Attr::Daddr4,
        Attr::Sport,
        Attr::Dport,
    ] {
        let refused = Pair::of(&without(&[attr]));
        assert_eq!(refused, Err(Refusal::Missing(attr)));
    }
    let refused = conn.begin_remove(&without(&[Attr::LocId]));
    assert_eq!(refused, Err(Refusal::Missing(Attr::LocId)));
    let refused = without(&[Attr::Token]).token();
    assert_eq!(refused, Err(Refusal::Missing(Attr::Token)));
    assert_eq!(ids(&conn), [0]);
    // The addresses must be of the family that is named.
    let mut asked = without(&[]);
    asked.family = 10;
    let refused = Pair::of(&asked);
    assert_eq!(refused, Err(Refusal::Missing(Attr::Saddr6)));
    for family in [0, 1, 3, 9, 11, u16::MAX] {
        asked.family = family;
        assert_eq!(Pair::of(&asked), Err(Refusal::Family(family)));
        assert_eq!(conn.begin_join(&asked), Err(Refusal::Family(family)));
    }
}

#[test]
fn a_pair_of_ends() {
    for (local, remote) in [
        (v4(2, 5000, 0), v4(102, 443, 0)),
        (v6(2, 5000, 0), v6(102, 443, 0)),
    ] {
        let pair = Pair::of(&request(Some(local), Some(remote)));
        assert_eq!(pair, Ok(Pair { local, remote }));
    }
}
