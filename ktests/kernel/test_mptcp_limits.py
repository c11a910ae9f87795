# SPDX-License-Identifier: GPL-2.0
"""MPTCP connections without a daemon, many of them, and many subflows."""

from __future__ import annotations

import errno
import socket
import threading
import time
from pathlib import Path

from lab import DEBUGFS, Lab, both_families, debug_kernel, wait_for
from mptcp import Client, Event, Hosts, Pair
from netlink import NetlinkError
from rtnl import Rtnl

LIMIT = Path("/sys/module/ccp_rs/parameters/mptcp_join_limit")


def stats() -> dict[str, int]:
    lines = (DEBUGFS / "ccp_rs/stats").read_text().splitlines()
    return {name: int(value) for name, value in (line.split() for line in lines)}


def established(
    lab: Lab, where: Hosts, family: int = socket.AF_INET
) -> tuple[Client, Pair, int]:
    """A connection, with a listener at the client's side only."""
    with where.a:
        client = lab.keep(Client().join())
    pair = lab.keep(Pair(where, family))
    pair.talk()
    return client, pair, client.wait(Event.ESTABLISHED).token


def fill(client: Client, pair: Pair, token: int, joins: int) -> list:
    """Opens so many subflows; those that still stand a second later."""
    for _ in range(joins):
        client.create(token, "10.0.2.1", "10.0.2.2", pair.port, loc_id=5)
        time.sleep(0.05)
    client.quiet(1)
    return client.subflows(token)


def test_joins_without_a_daemon(lab: Lab) -> None:
    """Up to mptcp_join_limit subflows besides the first, then none."""
    assert LIMIT.read_text().strip() == "2"
    for limit, stand in (("2", 3), ("0", 1), ("4", 5)):
        LIMIT.write_text(limit)
        where = lab.keep(Hosts())
        client, pair, token = established(lab, where)
        before = stats()["mptcp-joins-refused"]
        standing = len(fill(client, pair, token, 6))
        assert standing == stand, f"{standing} subflows with a limit of {limit}"
        assert stats()["mptcp-joins-refused"] - before == 6 - (stand - 1)
        pair.talk()
        lab.close()
    LIMIT.write_text("2")


def test_joins_with_a_daemon(lab: Lab) -> None:
    """Somebody listens at the server's side: no limit but the kernel's."""
    where = lab.keep(Hosts())
    with where.b:
        lab.keep(Client().join())
    client, pair, token = established(lab, where)
    assert len(fill(client, pair, token, 6)) == 7


def test_many_subflows(lab: Lab) -> None:
    """255 besides the first, and not one more."""
    where = lab.keep(Hosts())
    with where.b:
        server = lab.keep(Client().join())
    client, pair, token = established(lab, where)
    for _ in range(255):
        client.create(token, "10.0.2.1", "10.0.2.2", pair.port, loc_id=1)
        client.wait(Event.SUB_ESTABLISHED)
    assert len(client.subflows(token)) == 256
    assert client.connection(token).extra_subflows == 255
    try:
        client.create(token, "10.0.2.1", "10.0.2.2", pair.port, loc_id=1)
    except NetlinkError as error:
        assert error.code == errno.ENOSPC, error
        assert "255" in error.text
    else:
        raise AssertionError("256 subflows besides the first")
    assert {s.subflow_id for s in client.subflows(token)} == set(range(1, 257))
    server.wait(Event.SUB_ESTABLISHED)
    pair.talk()


def test_nothing_hangs_without_a_daemon(lab: Lab) -> None:
    """Nobody anywhere: the first subflow works, and who listens later learns
    of the addresses announced meanwhile, as nobody confirmed them."""
    where = lab.keep(Hosts(managed="a"))
    where.b.write("net/mptcp/add_addr_timeout", 5)
    # The peer's kernel announces an address as soon as it can.
    where.b.run("ip", "mptcp", "endpoint", "add", "10.0.2.2", "signal")
    pair = lab.keep(Pair(where))
    pair.talk()
    time.sleep(1)
    pair.sock.sendall(bytes(100_000))
    left = 100_000
    while left:
        left -= len(pair.peer.recv(left))

    def echoes() -> int:
        return where.b.counter("MPTcpExt", "EchoAdd")

    assert echoes() == 0
    with where.a:
        client = lab.keep(Client().join())
    (one,) = client.connections()
    assert (one.state, one.extra_subflows) == (2, 0)
    client.wait(Event.ANNOUNCED, 30)
    wait_for("echo", lambda: echoes() == 1)


def test_daemon_dies(lab: Lab) -> None:
    """Its subflows stay; the next one learns of all by a list."""
    where = lab.keep(Hosts())
    client, pair, token = established(lab, where)
    client.create(token, "10.0.2.1", "10.0.2.2", pair.port, loc_id=5)
    client.wait(Event.SUB_ESTABLISHED)
    client.close()
    pair.talk()
    with where.a:
        heir = lab.keep(Client().join())
    (one,) = heir.connections()
    assert (one.token, one.extra_subflows) == (token, 1)
    subflows = heir.subflows(token)
    heir.destroy(subflows[1])
    assert heir.wait(Event.SUB_CLOSED).subflow_id == 2


@both_families
def test_what_the_peer_announced_is_listed(lab: Lab, family: int) -> None:
    """For a daemon that was not there to hear of it."""
    where = lab.keep(Hosts(3))
    with where.b:
        server = lab.keep(Client().join())
    client, _, token = established(lab, where, family)
    peer = server.wait(Event.ESTABLISHED).token
    for number in (2, 3):
        server.announce(peer, number + 40, where.address("b", number, family))
        client.wait(Event.ANNOUNCED, rem_id=number + 40)

    def known() -> dict[int, tuple[str, int]]:
        listed = client.connections()[0].remote or ()
        assert listed == (client.connection(token).remote or ())
        return {remote.rem_id: (remote.daddr, remote.dport) for remote in listed}

    both = {number + 40: (where.address("b", number, family), 0) for number in (2, 3)}
    assert known() == both, known()
    server.remove(peer, 42)
    client.wait(Event.REMOVED)
    del both[42]
    assert known() == both, known()


def test_subflows_under_way_are_told_apart(lab: Lab) -> None:
    where = lab.keep(Hosts())
    client, pair, token = established(lab, where)
    with where.a, Rtnl() as rtnl:
        rtnl.netem(socket.if_nametoindex("a2"), loss=True)
    client.create(token, "10.0.2.1", "10.0.2.2", pair.port, loc_id=5)
    assert [s.pending for s in client.subflows(token)] == [None, 1]
    # The SYN is sent again after a second.
    with where.a, Rtnl() as rtnl:
        rtnl.netem(socket.if_nametoindex("a2"))
    client.wait(Event.SUB_ESTABLISHED)
    assert [s.pending for s in client.subflows(token)] == [None, None]


def test_short_connections(lab: Lab) -> None:
    """3,000 of them, one CREATED and one CLOSED each, nothing left over."""
    count = 300 if debug_kernel() else 3000
    where = lab.keep(Hosts())
    with where.a:
        client = lab.keep(Client().join(rcvbuf=64 << 20))
    with where.b:
        server = lab.keep(Client().join(rcvbuf=64 << 20))
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
    listener.bind(("", 0))
    listener.listen(128)
    port = listener.getsockname()[1]

    def serve() -> None:
        for _ in range(count):
            sock, _ = listener.accept()
            sock.sendall(sock.recv(1))
            sock.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    # A namespace that goes takes its numbers along, those of other tests before.
    wait_for("other tests' end", lambda: stats()["mptcp-connections"] == 0, 20, 0.1)
    before = stats()
    for _ in range(count):
        with where.a:
            sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
        sock.connect(("10.0.1.2", port))
        sock.sendall(b"x")
        assert sock.recv(1) == b"x"
        sock.close()
    thread.join(60)
    listener.close()
    time.sleep(2)
    for events, losses in (client.drain(), server.drain()):
        assert losses == 0
        by_kind: dict[int, list] = {kind: [] for kind in Event}
        for event in events:
            by_kind[event.cmd].append(event)
        for kind in (Event.CREATED, Event.ESTABLISHED, Event.CLOSED):
            assert [event.seq for event in by_kind[kind]] == list(range(1, count + 1)), kind
        created, closed = (
            sorted(event.token for event in by_kind[kind])
            for kind in (Event.CREATED, Event.CLOSED)
        )
        assert created == closed
    after = stats()
    assert after["mptcp-connections"] - before["mptcp-connections"] == 2 * count
    assert after["mptcp-refused"] == before["mptcp-refused"]
    wait_for("their end", lambda: client.connections() == [], 20)
    wait_for("end of the module's use", lambda: lab.module.references == 0, 20, 0.1)


def test_rmmod_under_load(lab: Lab) -> None:
    """Refused as long as connections come, clean afterwards."""
    where = lab.keep(Hosts())
    stop = threading.Event()
    pair = lab.keep(Pair(where))

    def load() -> None:
        while not stop.is_set():
            Pair(where).close()
            # The guest's CPU is infinitely fast: time goes by in sleep only.
            time.sleep(0.001)

    thread = threading.Thread(target=load, daemon=True)
    thread.start()
    for _ in range(20):
        try:
            lab.module.remove()
        except RuntimeError as error:
            assert "in use" in str(error), error
        else:
            raise AssertionError("removed under load")
        time.sleep(0.05)
    stop.set()
    thread.join(20)
    pair.close()
    wait_for("end of its use", lambda: lab.module.references == 0, 30, 0.1)
    lab.module.remove()
    lab.module.load()


def test_namespace_goes_with_connections_in_it(lab: Lab) -> None:
    for _ in range(3):
        where = lab.keep(Hosts())
        client, pair, token = established(lab, where)
        client.create(token, "10.0.2.1", "10.0.2.2", pair.port, loc_id=5)
        client.announce(token, 9, "10.9.9.9")
        lab.close()
