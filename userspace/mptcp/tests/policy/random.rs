// SPDX-License-Identifier: GPL-2.0
//! Whatever happens, in whatever order, told or lost: no subflow is asked for
//! twice, numbers are unique, and in the end every connection has what its
//! policy says. The model panics on the first two.

use crate::{
    model::{Conn, Fate},
    rig::{address, Rig},
};
use ccp_mptcp::{policy::Address, Reset};
use proptest::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
};

const LOCALS: [&str; 4] = ["10.0.1.1", "10.0.2.1", "10.0.3.1", "10.0.4.1"];
const LANES: u16 = 5;

#[derive(Clone, Debug)]
enum Op {
    Open {
        local: usize,
        server: bool,
        deny: bool,
    },
    Close(usize),
    Fail {
        conn: usize,
        sub: usize,
        error: u32,
        reset: Option<(u32, bool)>,
    },
    Announce(usize, u8),
    Remove(usize, u8),
    Address {
        which: usize,
        up: bool,
    },
    Fate(Fate),
    TimeOut,
    /// All that was not told is lost, and nobody says so.
    Lose,
    /// It comes in another order.
    Shuffle(u64),
    /// Urgent events overtake those that can wait.
    Overtake,
    Deliver,
    Wait(u64),
}

fn op() -> impl Strategy<Value = Op> {
    let reset = proptest::option::of((0..8_u32, any::<bool>()));
    prop_oneof![
        3 => (0..4_usize, any::<bool>(), prop::bool::weighted(0.2))
            .prop_map(|(local, server, deny)| Op::Open { local, server, deny }),
        1 => any::<usize>().prop_map(Op::Close),
        3 => (any::<usize>(), any::<usize>(), prop_oneof![Just(0), Just(104), Just(110)], reset)
            .prop_map(|(conn, sub, error, reset)| Op::Fail { conn, sub, error, reset }),
        2 => (any::<usize>(), 1..4_u8).prop_map(|(conn, id)| Op::Announce(conn, id)),
        1 => (any::<usize>(), 0..4_u8).prop_map(|(conn, id)| Op::Remove(conn, id)),
        3 => (0..4_usize, any::<bool>()).prop_map(|(which, up)| Op::Address { which, up }),
        2 => prop_oneof![Just(Fate::Works), Just(Fate::Refused), Just(Fate::Again), Just(Fate::Silence)]
            .prop_map(Op::Fate),
        1 => Just(Op::TimeOut),
        1 => Just(Op::Lose),
        1 => any::<u64>().prop_map(Op::Shuffle),
        3 => Just(Op::Overtake),
        5 => Just(Op::Deliver),
        3 => (0..200_000_u64).prop_map(Op::Wait),
    ]
}

fn host(which: usize) -> Address {
    let index = i32::try_from(which).unwrap() + 2;
    address(LOCALS[which], &format!("eth{which}"), index)
}

fn remote(id: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, id + 1], 80))
}

fn apply(rig: &mut Rig, ndiffports: bool, op: &Op) {
    let token = |rig: &Rig, nth: usize| {
        let count = rig.kernel.conns.len().max(1);
        rig.kernel.conns.keys().nth(nth % count).copied()
    };
    match *op {
        Op::Open {
            local,
            server,
            deny,
        } => {
            let local: IpAddr = LOCALS[local].parse().unwrap();
            if rig.kernel.has(local) && rig.kernel.conns.len() < 6 {
                let token = rig.kernel.open(local, remote(0), server, deny);
                if ndiffports {
                    rig.kernel.conns.get_mut(&token).unwrap().lanes = LANES;
                }
            }
        }
        Op::Close(conn) => {
            if let Some(token) = token(rig, conn) {
                rig.kernel.close(token);
            }
        }
        Op::Fail {
            conn,
            sub,
            error,
            reset,
        } => {
            if let Some(token) = token(rig, conn) {
                let nth = sub % rig.kernel.conns[&token].subs.len().max(1);
                let reset = reset.map(|(reason, transient)| Reset { reason, transient });
                rig.kernel.fail(token, nth, error, reset);
            }
        }
        Op::Announce(conn, id) => {
            if let Some(token) = token(rig, conn) {
                rig.kernel.announce(token, id, remote(id));
            }
        }
        Op::Remove(conn, id) => {
            if let Some(token) = token(rig, conn) {
                rig.kernel.remove(token, id);
            }
        }
        Op::Address { which, up } => {
            let mut addresses = rig.kernel.addresses.clone();
            addresses.retain(|address| address.ip != host(which).ip);
            if up {
                addresses.push(host(which));
            }
            addresses.sort();
            rig.addresses(addresses);
        }
        Op::Fate(fate) => rig.kernel.fate = fate,
        Op::TimeOut => rig.kernel.time_out(),
        Op::Lose => rig.kernel.events.clear(),
        Op::Shuffle(seed) => {
            fastrand::Rng::with_seed(seed).shuffle(rig.kernel.events.make_contiguous());
        }
        Op::Overtake => rig.overtake(),
        Op::Deliver => drop(rig.settle()),
        Op::Wait(ms) => drop(rig.wait(ms)),
    }
}

/// Everything works again, and the kernel tells all it has.
fn recover(rig: &mut Rig) {
    rig.kernel.fate = Fate::Works;
    rig.kernel.events.clear();
    for token in rig.kernel.conns.keys().copied().collect::<Vec<u32>>() {
        // What a peer announces again is known again, lost or not.
        for (id, remote) in rig.kernel.conns[&token].remotes.clone() {
            if id != 0 {
                rig.kernel.announce(token, id, remote);
            }
        }
    }
    let dump = rig.kernel.dump();
    rig.engine.resync(rig.now, &dump);
    rig.settle();
    rig.kernel.time_out();
    // New addresses are new chances, for what was refused for good as well.
    rig.addresses(Vec::new());
    rig.addresses((0..LOCALS.len()).map(host).collect());
    rig.wait(300_000);
}

/// Local, remote and lane of each subflow that shall be; empty for servers.
fn expected(conn: &Conn, ndiffports: bool) -> BTreeSet<(IpAddr, SocketAddr, u16)> {
    let mut all = BTreeSet::new();
    if conn.server {
        return all;
    }
    let usable = |id: &u8| !(*id == 0 && conn.deny);
    if ndiffports {
        let known = conn.remotes.iter();
        if known.clone().any(|(id, &at)| usable(id) && at == remote(0)) {
            all.extend((0..LANES).map(|lane| (conn.locals[&0], remote(0), lane)));
        }
        return all;
    }
    for (_, &remote) in conn.remotes.iter().filter(|(id, _)| usable(id)) {
        for which in 0..LOCALS.len() {
            all.insert((host(which).ip, remote, 0));
        }
    }
    all
}

fn check(rig: &Rig, ndiffports: bool, backup: bool) -> Result<(), TestCaseError> {
    for (token, conn) in &rig.kernel.conns {
        // Of a connection without subflows a dump does not tell the ends.
        if conn.subs.is_empty() {
            continue;
        }
        let lanes = if ndiffports { LANES } else { 1 };
        let have: BTreeSet<(IpAddr, SocketAddr, u16)> = conn
            .subs
            .iter()
            .map(|sub| (sub.local.ip(), sub.remote, sub.local.port() % lanes))
            .collect();
        let want = expected(conn, ndiffports);
        let missing: Vec<_> = want.difference(&have).collect();
        prop_assert!(missing.is_empty(), "{token}: {missing:?} of {conn:#?}");

        let mut numbers: BTreeMap<u8, IpAddr> = BTreeMap::new();
        for sub in &conn.subs {
            let known = numbers.entry(sub.local_id).or_insert(sub.local.ip());
            prop_assert_eq!(*known, sub.local.ip(), "{} of {:?}", sub.local_id, conn);
            let zero = sub.local.ip() == conn.locals[&0];
            prop_assert_eq!(zero, sub.local_id == 0, "{:?}", conn);
            if backup && !conn.server {
                prop_assert_eq!(sub.backup, !zero, "{:?}", conn);
            }
        }
        if conn.server {
            let told: BTreeSet<IpAddr> = conn.announced.iter().map(|id| conn.locals[id]).collect();
            for which in 0..LOCALS.len() {
                let ip = host(which).ip;
                prop_assert!(
                    ip == conn.locals[&0] || told.contains(&ip),
                    "{ip} of {conn:?}"
                );
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn it_ends_well(ops in prop::collection::vec(op(), 1..60), policy in 0..3_u8) {
        let (ndiffports, backup) = (policy == 1, policy == 2);
        let text = match policy {
            0 => "policy = 'fullmesh'".to_owned(),
            1 => format!("policy = 'ndiffports'\nsimulate = {LANES}"),
            _ => "policy = 'backup'".to_owned(),
        };
        let limit = if ndiffports { "" } else { "\n[limits]\nsubflows = 64" };
        let mut rig = Rig::new(&(text + limit));
        rig.addresses((0..2).map(host).collect());
        for op in &ops {
            apply(&mut rig, ndiffports, op);
        }
        recover(&mut rig);
        check(&rig, ndiffports, backup)?;
    }
}
