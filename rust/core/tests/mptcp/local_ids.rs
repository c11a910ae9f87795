// SPDX-License-Identifier: GPL-2.0

//! Local addresses and their ids.

use ccp_core::mptcp::{
    Conflict,
    End,
    Local,
    Locals,
    IDLE_MOST,
    IDS, //
};

use crate::{
    mapped,
    v4,
    v6,
    Memory, //
};

type Table = Locals<Memory<Local>>;

/// With the first subflow's address, 10.0.1.1.
fn table() -> Table {
    let mut table = Locals::new(Memory::of(1, 1024));
    table.note(&v4(1, 40000, 0)).expect("room");
    table.hold(0);
    table
}

fn ids(table: &Table) -> Vec<u8> {
    let mut ids: Vec<u8> = table.iter().map(|local| local.end.id).collect();
    ids.sort_unstable();
    ids
}

/// 192.168.x.y, `n` of them.
fn host(n: u16) -> End {
    let [high, low] = n.to_be_bytes();
    End::v4([192, 168, high, low], 0, 0)
}

#[test]
fn joins_get_ids() {
    let mut table = table();
    assert_eq!(table.id_for(&v4(1, 40000, 0)), Ok(0));
    // The port makes no other address of it.
    assert_eq!(table.id_for(&v4(1, 1, 0)), Ok(0));
    assert_eq!(table.id_for(&v4(2, 50000, 0)), Ok(255));
    assert_eq!(table.id_for(&v4(2, 50001, 0)), Ok(255));
    assert_eq!(table.id_for(&v6(2, 0, 0)), Ok(254));
    assert_eq!(table.get(255).map(|local| local.end), Some(v4(2, 0, 255)));
    assert_eq!(ids(&table), [0, 254, 255]);
}

#[test]
fn mapped_addresses_are_ipv4() {
    let mut table = table();
    assert_eq!(table.id_for(&mapped(1, 7, 0)), Ok(0));
    assert_eq!(table.id_for(&mapped(2, 7, 0)), Ok(255));
    assert_eq!(table.id_for(&v4(2, 7, 0)), Ok(255));
    // It is kept as it was told.
    assert_eq!(
        table.get(255).map(|local| local.end),
        Some(mapped(2, 0, 255))
    );
}

/// The defect: with ids 1 to 255 taken the next automatic one was 0.
#[test]
fn ids_never_wrap() {
    let mut table = table();
    for n in 1..=255 {
        let id = table.claim(&host(n), false, 0);
        assert_eq!(id, Ok(n as u8), "{n}");
    }
    assert_eq!(ids(&table).len(), IDS);
    assert_eq!(table.id_for(&host(256)), Err(Conflict::NoIds));
    assert_eq!(table.claim(&host(256), false, 0), Err(Conflict::NoIds));
    assert_eq!(table.id_for(&v4(1, 0, 0)), Ok(0));
    assert_eq!(ids(&table).len(), IDS);
    // One is given back.
    table.put(77);
    assert_eq!(table.claim(&host(256), false, 0), Ok(77));
}

#[test]
fn an_id_given_out_again_is_not_that_of_the_old_address() {
    let mut table = table();
    let id = table.id_for(&v4(1, 0, 0)).expect("room");
    let end = v4(1, 40000, 0).with_id(id);
    table.note(&end).expect("its own");
    let other = v4(2, 40000, 0).with_id(id);
    assert_eq!(table.note(&other), Err(Conflict::OtherAddress));
}

/// Addresses that only a peer's SYN named make way for others.
#[test]
fn idle_entries_can_not_use_up_the_ids() {
    let mut table = table();
    for n in 1..=256 {
        assert!(table.id_for(&host(n)).is_ok());
    }
    for n in 300..555 {
        assert!(table.claim(&host(n), false, 0).is_ok(), "{n}");
    }
    assert_eq!(table.id_for(&host(999)), Err(Conflict::NoIds));
    // Those of commands are all there.
    for n in 300..555 {
        assert!(table.find(&host(n)).is_some(), "{n}");
    }
}

/// The defect: a peer's SYNs to many addresses filled the table for good.
#[test]
fn few_idle_entries_are_kept_the_last_ones() {
    let mut table = table();
    for n in 1..=1000 {
        let id = table.id_for(&host(n)).expect("an id");
        // Not one that a join just before it has.
        assert!(id > u8::MAX - 1 - IDLE_MOST as u8, "{id} for {n}");
        assert!(ids(&table).len() <= 1 + IDLE_MOST);
    }
    let kept: Vec<bool> = (1..=1000).map(|n| table.find(&host(n)).is_some()).collect();
    assert!(kept[1000 - IDLE_MOST..].iter().all(|kept| *kept));
    assert!(!kept[..1000 - IDLE_MOST].contains(&true));
    // One that a subflow came to use is no more idle.
    let id = table.id_for(&host(2000)).expect("an id");
    table.hold(id);
    for n in 1..=1000 {
        assert!(table.id_for(&host(n)).is_ok_and(|other| other != id));
    }
    assert!(table.get(id).is_some());
}

/// The defect: destroying one subflow removed the address that others used.
#[test]
fn an_address_stays_until_its_last_user_is_gone() {
    let mut table = table();
    let end = v4(2, 0, 9);
    assert_eq!(table.claim(&end, false, 0), Ok(9));
    assert_eq!(table.claim(&end, false, 0), Ok(9));
    table.put(9);
    assert_eq!(table.get(9).map(|local| local.uses), Some(1));
    assert_eq!(
        table.announce(&end, false, 0).map(|b| b.is_some()),
        Ok(true)
    );
    table.put(9);
    // The announcement keeps it.
    assert_eq!(ids(&table), [0, 9]);
    table.withdraw(9);
    assert_eq!(ids(&table), [0]);
}

#[test]
fn an_announcement_goes_before_the_last_subflow() {
    let mut table = table();
    let end = v4(2, 0, 9);
    assert_eq!(table.announce(&end, false, 0), Ok(None));
    table.hold(9);
    table.withdraw(9);
    assert_eq!(ids(&table), [0, 9]);
    table.put(9);
    assert_eq!(ids(&table), [0]);
}

#[test]
fn more_ends_than_beginnings_take_nothing_from_others() {
    let mut table = table();
    table.put(9);
    assert_eq!(table.announce(&v4(2, 0, 9), false, 0), Ok(None));
    for _ in 0..3 {
        table.put(9);
    }
    assert_eq!(ids(&table), [0, 9]);
    // The first address never goes: it is what id 0 means.
    for _ in 0..3 {
        table.put(0);
    }
    table.withdraw(0);
    assert_eq!(ids(&table), [0, 9]);
}

/// Counts of users don't wrap either.
#[test]
fn users_beyond_what_can_be_counted_keep_an_address_for_good() {
    let mut table = table();
    table.claim(&v4(2, 0, 9), false, 0).expect("room");
    for _ in 0..70_000 {
        table.hold(9);
    }
    for _ in 0..140_000 {
        table.put(9);
    }
    assert_eq!(ids(&table), [0, 9]);
}

#[test]
fn one_address_has_one_id_and_one_id_one_address() {
    let mut table = table();
    assert_eq!(table.claim(&v4(2, 0, 9), false, 0), Ok(9));
    let before = ids(&table);
    for (end, conflict) in [
        (v4(2, 0, 8), Conflict::OtherId(9)),
        (v4(3, 0, 9), Conflict::OtherAddress),
        (v6(2, 0, 9), Conflict::OtherAddress),
        (v4(1, 0, 5), Conflict::OtherId(0)),
    ] {
        assert_eq!(table.claim(&end, false, 0), Err(conflict));
        assert_eq!(table.announce(&end, false, 0), Err(conflict));
    }
    assert_eq!(ids(&table), before);
    assert_eq!(table.get(9).map(|local| local.uses), Some(1));
}

/// An id that a SYN got is no reason to refuse one that a command wants.
#[test]
fn commands_rename_idle_addresses() {
    let mut table = table();
    assert_eq!(table.id_for(&v4(2, 0, 0)), Ok(255));
    assert_eq!(table.claim(&v4(2, 0, 9), false, 0), Ok(9));
    assert_eq!(ids(&table), [0, 9]);
    assert_eq!(table.id_for(&v4(3, 0, 0)), Ok(255));
    assert_eq!(table.claim(&v4(4, 0, 255), false, 0), Ok(255));
    assert_eq!(table.find(&v4(3, 0, 0)), None);
    // A refusal renames nothing: 10.0.3.1 keeps its id.
    assert_eq!(table.id_for(&v4(3, 0, 0)), Ok(254));
    let refused = table.announce(&v4(3, 0, 9), false, 0);
    assert_eq!(refused, Err(Conflict::OtherAddress));
    assert_eq!(table.id_for(&v4(3, 0, 0)), Ok(254));
    // Ids that a daemon counts up from 1 leave those of SYNs alone.
    for id in 1..=8 {
        assert_eq!(table.claim(&v4(100 + id, 0, id), false, 0), Ok(id));
    }
    assert_eq!(table.id_for(&v4(3, 0, 0)), Ok(254));
}

/// Id 0 in a command: the first subflow's address, else a free id.
#[test]
fn id_zero_leaves_the_choice() {
    let mut table = table();
    assert_eq!(table.claim(&v4(1, 0, 0), false, 0), Ok(0));
    assert_eq!(table.claim(&v4(2, 0, 0), false, 0), Ok(1));
    assert_eq!(table.claim(&v4(2, 0, 0), false, 0), Ok(1));
    assert_eq!(table.get(1).map(|local| local.uses), Some(2));
}

#[test]
fn announced_ports_make_addresses_of_their_own() {
    let mut table = table();
    assert_eq!(table.announce(&v4(2, 8080, 7), false, 0), Ok(None));
    assert_eq!(table.claim(&v4(2, 0, 8), false, 0), Ok(8));
    // A SYN to that port has its id, to any other that of the address.
    assert_eq!(table.id_for(&v4(2, 8080, 0)), Ok(7));
    assert_eq!(table.id_for(&v4(2, 443, 0)), Ok(8));
    table.put(8);
    assert_eq!(table.id_for(&v4(2, 443, 0)), Ok(7));
    // A subflow from the announced address itself.
    assert_eq!(table.claim(&v4(2, 0, 7), false, 0), Ok(7));
}

#[test]
fn announcing_again_changes_what_is_known() {
    let mut table = table();
    assert_eq!(table.announce(&v4(2, 0, 9), false, 0), Ok(None));
    let before = table.announce(&v4(2, 8080, 9), true, 3).expect("known");
    assert!(before.is_some_and(|local| local.announced && !local.backup));
    let now = *table.get(9).expect("known");
    assert_eq!((now.end.port(), now.backup, now.ifindex), (8080, true, 3));
    table.restore(9, before);
    let now = *table.get(9).expect("known");
    assert_eq!((now.end.port(), now.backup, now.ifindex), (0, false, 0));
    assert!(now.announced);
}

#[test]
fn without_memory() {
    let mut table: Table = Locals::new(Memory::of(2, 2));
    table.note(&v4(1, 0, 0)).expect("room");
    assert_eq!(table.id_for(&v4(2, 0, 0)), Ok(255));
    // In the place of the idle one.
    assert_eq!(table.claim(&v4(3, 0, 0), false, 0), Ok(1));
    assert_eq!(table.id_for(&v4(2, 0, 0)), Err(Conflict::NoMemory));
    let refused = table.announce(&v4(2, 0, 9), false, 0);
    assert_eq!(refused, Err(Conflict::NoMemory));
    assert_eq!(ids(&table), [0, 1]);
}
