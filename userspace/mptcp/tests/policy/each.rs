// SPDX-License-Identifier: GPL-2.0
//! Each policy against a kernel that does as told.

use crate::{
    model::{Fate, ECONNREFUSED},
    rig::{address, ip, links, Rig, OTHER, SERVER},
};
use ccp_mptcp::{policy::Why, Command, Reset};
use std::{collections::BTreeSet, net::SocketAddr};

fn pairs(list: &[(&str, &str)]) -> BTreeSet<(String, String)> {
    list.iter()
        .map(|(a, b)| ((*a).into(), (*b).into()))
        .collect()
}

#[test]
fn fullmesh_joins_every_address_with_every_other() {
    let mut rig = Rig::new("");
    let token = rig.client();
    assert_eq!(
        rig.pairs(token),
        pairs(&[("10.0.1.1", SERVER), ("10.0.2.1", SERVER)])
    );
    rig.kernel.announce(token, 4, OTHER.parse().unwrap());
    rig.settle();
    assert_eq!(
        rig.pairs(token),
        pairs(&[
            ("10.0.1.1", SERVER),
            ("10.0.2.1", SERVER),
            ("10.0.1.1", OTHER),
            ("10.0.2.1", OTHER)
        ])
    );
    let connects = rig.kernel.connects;
    rig.kernel.announce(token, 4, OTHER.parse().unwrap());
    assert!(rig.wait(600_000).is_empty());
    assert_eq!(rig.kernel.connects, connects);
}

#[test]
fn families_are_not_mixed() {
    let mut rig = Rig::new("");
    let mut all = links();
    all.push(address("2001:db8::1", "eth1", 3));
    rig.addresses(all);
    let token = rig.client();
    rig.kernel
        .announce(token, 4, "[2001:db8::2]:80".parse().unwrap());
    rig.settle();
    // The socket speaks IPv4 only.
    assert_eq!(rig.kernel.conns[&token].subs.len(), 2);
    let six: SocketAddr = "[2001:db8::2]:80".parse().unwrap();
    let token = rig.kernel.open(ip("2001:db8::1"), six, false, false);
    rig.kernel.announce(token, 4, OTHER.parse().unwrap());
    rig.settle();
    assert_eq!(
        rig.pairs(token),
        pairs(&[
            ("2001:db8::1", "[2001:db8::2]:80"),
            ("10.0.1.1", OTHER),
            ("10.0.2.1", OTHER)
        ])
    );
}

#[test]
fn an_unwelcome_first_address_is_left_alone() {
    let mut rig = Rig::new("");
    let token = rig
        .kernel
        .open(ip("10.0.1.1"), SERVER.parse().unwrap(), false, true);
    rig.settle();
    assert_eq!(rig.kernel.conns[&token].subs.len(), 1);
    rig.kernel.announce(token, 1, OTHER.parse().unwrap());
    rig.settle();
    assert_eq!(rig.kernel.conns[&token].subs.len(), 3);
}

#[test]
fn limits_hold_and_interfaces_can_be_left_out() {
    let mut rig = Rig::new("limits.subflows = 2\ninterfaces.exclude = ['eth2']");
    let mut all = links();
    all.push(address("10.0.3.1", "eth2", 4));
    all.push(address("10.0.4.1", "eth3", 5));
    rig.addresses(all);
    let token = rig.client();
    assert_eq!(
        rig.pairs(token),
        pairs(&[("10.0.1.1", SERVER), ("10.0.2.1", SERVER)])
    );
    let mut rig = Rig::new("interfaces.exclude = ['eth1']");
    let token = rig.client();
    assert_eq!(rig.kernel.conns[&token].subs.len(), 1);
    let mut rig = Rig::new("[[rule]]\ndestination = '192.0.2.0/24'\npolicy = 'none'");
    let token = rig.client();
    assert_eq!(rig.kernel.conns[&token].subs.len(), 1);
}

#[test]
fn ports_of_ndiffports_differ_modulo_their_number() {
    for count in 1..=9_u16 {
        let mut rig = Rig::new(&format!("policy = 'ndiffports'\nsimulate = {count}"));
        let token = rig
            .kernel
            .open(ip("10.0.1.1"), SERVER.parse().unwrap(), false, false);
        rig.kernel.conns.get_mut(&token).unwrap().lanes = count;
        rig.settle();
        let lanes = |rig: &Rig| -> BTreeSet<u16> {
            let subs = rig.kernel.conns[&token].subs.iter();
            subs.map(|sub| sub.local.port() % count).collect()
        };
        assert_eq!(rig.kernel.conns[&token].subs.len(), usize::from(count));
        assert_eq!(lanes(&rig), (0..count).collect());
        assert_eq!(rig.pairs(token).len(), 1);
        rig.kernel.fail(token, 0, 104, None);
        rig.wait(2_000);
        assert_eq!(lanes(&rig), (0..count).collect());
    }
}

#[test]
fn a_failed_subflow_comes_back_later_and_later() {
    let mut rig = Rig::new("");
    let token = rig.client();
    rig.kernel.fate = Fate::Refused;
    rig.kernel.fail(token, 1, ECONNREFUSED, None);
    assert!(rig.wait(700).is_empty());
    assert_eq!(rig.wait(600).len(), 1);
    let in_an_hour = rig.wait(3_600_000).len();
    assert!((60..90).contains(&in_an_hour), "{in_an_hour} attempts");
    rig.kernel.fate = Fate::Works;
    rig.wait(80_000);
    assert_eq!(rig.kernel.conns[&token].subs.len(), 2);
}

#[test]
fn refusals_for_good_are_taken_as_such() {
    for (reason, transient, again) in [
        (3, false, false),
        (1, false, false),
        (3, true, true),
        (2, false, true),
    ] {
        let mut rig = Rig::new("");
        let token = rig.client();
        let reset = Some(Reset { reason, transient });
        rig.kernel.fail(token, 1, 104, reset);
        rig.wait(600_000);
        let subs = rig.kernel.conns[&token].subs.len();
        assert_eq!(
            subs,
            if again { 2 } else { 1 },
            "reason {reason} {transient}"
        );
        // A new address, a new chance.
        rig.lose_link("eth1");
        rig.wait(1_000);
        rig.addresses(links());
        rig.settle();
        assert_eq!(rig.kernel.conns[&token].subs.len(), 2);
    }
}

#[test]
fn who_closes_a_subflow_means_it() {
    let mut rig = Rig::new("");
    let token = rig.client();
    rig.wait(10_000);
    rig.kernel.fail(token, 1, 0, None);
    assert!(rig.wait(600_000).is_empty());
    // But at once it is the peer that had no use for it now.
    let token = rig.client();
    rig.wait(20);
    rig.kernel.fail(token, 1, 0, None);
    rig.wait(2_000);
    assert_eq!(rig.pairs(token).len(), 2);
}

#[test]
fn an_address_that_goes_is_withdrawn_and_comes_back() {
    let mut rig = Rig::new("linger-ms = 500");
    let token = rig.client();
    rig.lose_link("eth1");
    assert!(rig.wait(400).is_empty());
    let commands = rig.wait(200);
    assert_eq!(commands[0], Command::Withdraw { token, id: 1 });
    assert!(matches!(commands[1], Command::Close { .. }), "{commands:?}");
    assert_eq!(commands.len(), 2);
    assert!(rig.wait(600_000).is_empty());
    rig.addresses(links());
    rig.settle();
    assert_eq!(rig.pairs(token).len(), 2);
    assert_eq!(rig.kernel.conns[&token].locals[&1], ip("10.0.2.1"));

    // The first one's, too; but never the last that works.
    rig.lose_link("eth0");
    let commands = rig.wait(1_000);
    assert_eq!(commands[0], Command::Withdraw { token, id: 0 });
    rig.lose_link("eth1");
    assert!(rig.wait(600_000).is_empty());
    assert_eq!(rig.pairs(token), pairs(&[("10.0.2.1", SERVER)]));
    rig.addresses(links());
    rig.settle();
    assert_eq!(rig.pairs(token).len(), 2);
}

#[test]
fn a_subflow_that_still_waits_goes_with_its_address() {
    let mut rig = Rig::new("");
    rig.kernel.fate = Fate::Silence;
    let token = rig.client();
    assert_eq!(rig.pairs(token).len(), 2);
    rig.lose_link("eth1");
    let commands = rig.wait(1_000);
    assert!(
        matches!(commands.last(), Some(Command::Close { .. })),
        "{commands:?}"
    );
    assert_eq!(rig.pairs(token).len(), 1);
    rig.kernel.fate = Fate::Works;
    rig.addresses(links());
    rig.settle();
    assert_eq!(rig.pairs(token).len(), 2);
}

#[test]
fn an_address_the_peer_takes_back_may_return_under_another_number() {
    let mut rig = Rig::new("");
    let token = rig.client();
    // Told in one breath, before the subflows' ends.
    rig.kernel.remove(token, 0);
    let ends: Vec<_> = rig.kernel.events.drain(1..).collect();
    rig.kernel.announce(token, 2, SERVER.parse().unwrap());
    rig.kernel.events.extend(ends);
    rig.settle();
    assert_eq!(rig.pairs(token).len(), 2);
}

#[test]
fn a_flapping_link_disturbs_nobody() {
    let mut rig = Rig::new("");
    rig.client();
    for _ in 0..10 {
        rig.lose_link("eth1");
        assert!(rig.wait(300).is_empty());
        rig.addresses(links());
        assert!(rig.wait(300).is_empty());
    }
}

#[test]
fn a_backup_stands_in_while_the_primary_is_away() {
    let mut rig = Rig::new("policy = 'backup'");
    let token = rig.client();
    let normal = [("10.0.1.1".into(), false), ("10.0.2.1".into(), true)];
    assert_eq!(rig.backups(token), normal);
    rig.kernel.fate = Fate::Silence;
    rig.kernel.fail(token, 0, 110, None);
    rig.settle();
    assert_eq!(rig.backups(token), [("10.0.2.1".into(), false)]);
    assert_eq!(rig.whys.last(), Some(&Why::NoPrimary));
    rig.wait(1_500);
    rig.kernel.fate = Fate::Works;
    rig.kernel.time_out();
    rig.wait(5_000);
    let mut now = rig.backups(token);
    now.sort();
    assert_eq!(now, normal);

    // Its link goes: the peer shall use the other one at once.
    rig.lose_link("eth0");
    rig.settle();
    assert!(rig.backups(token).contains(&("10.0.2.1".into(), false)));
    rig.addresses(links());
    rig.settle();
    let mut now = rig.backups(token);
    now.sort();
    assert_eq!(now, normal);
}

#[test]
fn named_interfaces_are_backups_the_first_one_included() {
    let mut rig = Rig::new("interfaces.backup = ['eth0']");
    let token = rig.client();
    let expected = [("10.0.1.1".into(), true), ("10.0.2.1".into(), false)];
    assert_eq!(rig.backups(token), expected);
}

#[test]
fn servers_announce_and_do_not_connect() {
    let mut rig = Rig::new("");
    let server = |rig: &mut Rig| {
        let peer = "198.51.100.1:4000".parse().unwrap();
        let token = rig.kernel.open(ip("10.0.1.1"), peer, true, false);
        (token, rig.settle())
    };
    let (token, commands) = server(&mut rig);
    let [Command::Announce { id: 1, address, .. }] = commands[..] else {
        panic!("{commands:?}");
    };
    assert_eq!(address, ip("10.0.2.1"));
    rig.kernel
        .announce(token, 3, "198.51.100.2:4000".parse().unwrap());
    assert!(rig.wait(600_000).is_empty());

    rig.lose_link("eth1");
    assert_eq!(rig.wait(600), [Command::Withdraw { token, id: 1 }]);
    rig.addresses(links());
    assert_eq!(rig.settle().len(), 1);
    assert_eq!(rig.kernel.conns[&token].announced, BTreeSet::from([1]));

    let mut rig = Rig::new("server.connect = true\nserver.announce = false");
    let (_, commands) = server(&mut rig);
    assert!(
        matches!(commands[..], [Command::Connect { .. }]),
        "{commands:?}"
    );
}

#[test]
fn a_restart_changes_nothing() {
    for config in [
        "",
        "policy = 'backup'",
        "policy = 'ndiffports'\nsimulate = 4",
    ] {
        let mut rig = Rig::new(config);
        let token = rig
            .kernel
            .open(ip("10.0.1.1"), SERVER.parse().unwrap(), false, false);
        if config.contains("ndiff") {
            rig.kernel.conns.get_mut(&token).unwrap().lanes = 4;
        }
        rig.kernel.open(
            ip("10.0.1.1"),
            "198.51.100.1:4000".parse().unwrap(),
            true,
            false,
        );
        rig.settle();
        let mut next = Rig::new(config);
        next.kernel = rig.kernel;
        let dump = next.kernel.dump();
        next.engine.resync(next.now, &dump);
        let commands = next.wait(600_000);
        assert!(commands.is_empty(), "{config}: {commands:?}");
    }
}

#[test]
fn a_number_the_kernel_gave_away_is_not_used() {
    let mut rig = Rig::new("");
    let token = rig
        .kernel
        .open(ip("10.0.1.1"), SERVER.parse().unwrap(), false, false);
    let conn = rig.kernel.conns.get_mut(&token).unwrap();
    conn.locals.insert(1, ip("10.9.9.9"));
    rig.settle();
    assert_eq!(rig.pairs(token).len(), 2);
    assert_eq!(rig.kernel.conns[&token].locals[&2], ip("10.0.2.1"));
}

#[test]
fn a_kernel_without_room_is_asked_again() {
    let mut rig = Rig::new("");
    rig.kernel.fate = Fate::Again;
    let token = rig.client();
    assert_eq!(rig.pairs(token).len(), 1);
    rig.kernel.fate = Fate::Works;
    rig.wait(2_000);
    assert_eq!(rig.pairs(token).len(), 2);
}

#[test]
fn loopback_needs_no_mesh() {
    let mut rig = Rig::new("");
    let peer = "127.0.0.1:80".parse().unwrap();
    rig.kernel.open(ip("127.0.0.1"), peer, false, false);
    rig.kernel.open(ip("127.0.0.1"), peer, true, false);
    assert!(rig.wait(1_000).is_empty());
}
