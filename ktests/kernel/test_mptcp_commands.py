# SPDX-License-Identifier: GPL-2.0
"""Commands of family "mptcp": what they do to connections, and their errors."""

from __future__ import annotations

import errno
import socket
import threading
import time

from lab import Lab, both_families, cases, raises, wait_for
from mptcp import Client, Cmd, Event, Hosts, Pair, ends
from netlink import NetlinkError


class Scene:
    """Two hosts and an established connection, with a listener at each."""

    def __init__(
        self, lab: Lab, family: int = socket.AF_INET, links: int = 2, managed: str = "ab"
    ) -> None:
        self.hosts = lab.keep(Hosts(links, managed))
        self.family = family
        with self.hosts.a:
            self.client = lab.keep(Client().join())
        self.server = None
        if "b" in managed:
            with self.hosts.b:
                self.server = lab.keep(Client().join())
        self.pair = lab.keep(Pair(self.hosts, family))
        self.pair.talk()
        self.first = self.client.wait(Event.ESTABLISHED)
        self.token = self.first.token
        self.peer_token = self.server.wait(Event.ESTABLISHED).token if self.server else 0

    def here(self, link: int = 2) -> str:
        return self.hosts.address("a", link, self.family)

    def there(self, link: int = 2) -> str:
        return self.hosts.address("b", link, self.family)

    def create(self, loc_id: int = 0, **more: int) -> None:
        self.client.create(
            self.token, self.here(), self.there(), self.pair.port, loc_id=loc_id, **more
        )

    def join(self, loc_id: int = 0, **more: int):
        """A subflow over link 2; its event."""
        self.create(loc_id, **more)
        return self.client.wait(Event.SUB_ESTABLISHED)

    def known(self) -> dict[int, tuple[str, int, int]]:
        """Ids of local addresses: the address, users, whether announced."""
        local = self.client.local_ids(self.token)
        return {i: (e.saddr, e.refs, e.announced) for i, e in local.items()}

    def send(self, amount: int) -> None:
        """From client to server, whole."""
        sender = threading.Thread(target=self.pair.sock.sendall, args=(bytes(amount),))
        sender.start()
        left = amount
        while left:
            left -= len(self.pair.peer.recv(min(left, 1 << 20)))
        sender.join()


@both_families
def test_create_and_destroy(lab: Lab, family: int) -> None:
    scene = Scene(lab, family)
    joined = scene.join(loc_id=5)
    assert scene.known() == {0: (scene.here(1), 1, 0), 5: (scene.here(), 1, 0)}
    scene.send(1 << 20)
    scene.client.destroy(joined)
    scene.client.wait(Event.SUB_CLOSED)
    assert list(scene.known()) == [0]
    scene.send(1 << 20)
    # What is gone can't go again; the other side knows as well.
    with raises(errno.EINVAL, "no subflow"):
        scene.client.destroy(joined)
    assert scene.server
    scene.server.wait(Event.SUB_CLOSED)
    assert scene.server.subflows(scene.peer_token)[0].initial == 1


@both_families
def test_from_the_server_side(lab: Lab, family: int) -> None:
    """The accepting side opens subflows, too, to an address and port that the
    other side listens at and has announced."""
    scene = Scene(lab, family)
    for ns in (scene.hosts.a, scene.hosts.b):
        # An IPv6 address and a port leave no room for timestamps.
        ns.write("net/ipv4/tcp_timestamps", 0)
    scene.pair.close()
    scene.pair = lab.keep(Pair(scene.hosts, family))
    scene.pair.talk()
    scene.token = scene.client.wait(Event.ESTABLISHED).token
    assert scene.server
    scene.peer_token = scene.server.wait(Event.ESTABLISHED).token
    with scene.hosts.a:
        listener = socket.socket(family, socket.SOCK_STREAM, 262)
    listener.bind((scene.here(), 0))
    listener.listen()
    port = listener.getsockname()[1]
    scene.client.announce(scene.token, 6, scene.here(), sport=port)
    told = scene.server.wait(Event.ANNOUNCED)
    assert (told.daddr, told.dport, told.rem_id) == (scene.here(), port, 6)
    scene.server.create(scene.peer_token, scene.there(), told.daddr, told.dport, loc_id=4)
    assert scene.server.wait(Event.SUB_ESTABLISHED).loc_id == 4
    joined = scene.client.wait(Event.SUB_ESTABLISHED)
    assert (joined.rem_id, joined.loc_id, joined.sport) == (4, 6, port)
    assert scene.known()[6] == (scene.here(), 1, 1)
    listener.close()


def test_ports_of_ndiffports(lab: Lab) -> None:
    """Several subflows between the same addresses, from ports that are named."""
    scene = Scene(lab)
    base = 20000
    for port in range(base, base + 3):
        scene.client.create(
            scene.token, scene.here(1), scene.there(1), scene.pair.port, sport=port
        )
        joined = scene.client.wait(Event.SUB_ESTABLISHED)
        assert (joined.sport, joined.loc_id) == (port, 0)
    assert scene.known() == {0: (scene.here(1), 4, 0)}
    with raises(errno.EADDRINUSE):
        scene.client.create(
            scene.token, scene.here(1), scene.there(1), scene.pair.port, sport=base
        )
    assert scene.known() == {0: (scene.here(1), 4, 0)}
    # SPORT 0 is any.
    scene.client.create(scene.token, scene.here(1), scene.there(1), scene.pair.port, sport=0)
    assert scene.client.wait(Event.SUB_ESTABLISHED).sport not in (0, base)


def test_one_of_several_subflows_of_an_address(lab: Lab) -> None:
    """Destroying one leaves the address to the others."""
    scene = Scene(lab)
    joined = [scene.join(loc_id=6) for _ in range(3)]
    scene.client.destroy(joined[1])
    scene.client.wait(Event.SUB_CLOSED)
    assert scene.known()[6] == (scene.here(), 2, 0)
    for event in (joined[0], joined[2]):
        scene.client.destroy(event)
        scene.client.wait(Event.SUB_CLOSED)
    assert 6 not in scene.known()


def test_failed_create_leaves_an_announced_address(lab: Lab) -> None:
    scene = Scene(lab)
    scene.client.announce(scene.token, 6, scene.here())
    with raises(errno.ENETUNREACH):
        scene.client.create(scene.token, scene.here(), "192.0.2.1", 1, loc_id=6)
    assert scene.known()[6] == (scene.here(), 0, 1)
    with raises(errno.ENETUNREACH):
        scene.client.create(scene.token, scene.here(1), "192.0.2.1", 1)
    with raises(errno.EADDRNOTAVAIL):
        scene.client.create(scene.token, "10.0.2.77", scene.there(), 1, loc_id=8)
    assert list(scene.known()) == [0, 6]


def test_create_by_id(lab: Lab) -> None:
    """Without a source address: what is known under the id."""
    scene = Scene(lab)
    scene.client.announce(scene.token, 6, scene.here(), backup=1)
    pair = ends(scene.here(), scene.there(), dport=scene.pair.port)
    del pair["saddr4"]
    for loc_id in (0, 6):
        pair["daddr4"] = scene.there(2 if loc_id else 1)
        scene.client.command(
            Cmd.SUB_CREATE, token=scene.token, loc_id=loc_id, rem_id=0, **pair
        )
        joined = scene.client.wait(Event.SUB_ESTABLISHED)
        assert (joined.loc_id, joined.backup) == (loc_id, 1 if loc_id else 0)
        assert joined.saddr == scene.here(2 if loc_id else 1)
    with raises(errno.EINVAL, "id 9"):
        scene.client.command(Cmd.SUB_CREATE, token=scene.token, loc_id=9, rem_id=0, **pair)


def test_routing_chooses_the_address(lab: Lab) -> None:
    scene = Scene(lab)
    scene.client.create(scene.token, "0.0.0.0", scene.there(), scene.pair.port)
    joined = scene.client.wait(Event.SUB_ESTABLISHED)
    assert joined.saddr == scene.here()
    assert scene.known()[joined.loc_id] == (scene.here(), 1, 0)
    with raises(errno.EINVAL, "any-address"):
        scene.client.create(scene.token, "0.0.0.0", scene.there(), scene.pair.port, loc_id=3)


def test_bound_to_an_interface(lab: Lab) -> None:
    scene = Scene(lab)
    with scene.hosts.a:
        index = socket.if_nametoindex("a2")
    joined = scene.join(loc_id=3, if_idx=index)
    assert joined.if_idx == index
    assert scene.client.local_ids(scene.token)[3].if_idx == index


def test_errors_of_create(lab: Lab) -> None:
    scene = Scene(lab)
    create = scene.client.create
    token, here, there, port = scene.token, scene.here(), scene.there(), scene.pair.port
    for given, code, text in (
        ((token ^ 1, here, there, port), errno.EBADR, "token"),
        ((token, here, there, 0), errno.EINVAL, "port is 0"),
        ((token, here, "0.0.0.0", port), errno.EINVAL, "any-address"),
        ((token, "::ffff:10.0.2.1", "fd00:2::2", port), errno.EINVAL, "IPv4"),
        ((token, scene.here(1), there, port, 5), errno.EINVAL, "id 0 already"),
    ):
        with raises(code, text):
            create(*given)
    scene.join(loc_id=5)
    for given, text in (((here, 6), "id 5 already"), (("10.0.3.1", 5), "another address")):
        address, loc_id = given
        with raises(errno.EINVAL, text):
            create(token, address, there, port, loc_id=loc_id)
    full: dict = {"token": token, "loc_id": 5, "rem_id": 0, **ends(here, there, 0, port)}
    for name in ("family", "loc_id", "rem_id", "daddr4", "dport"):
        with raises(errno.EINVAL, name.replace("_", "-")):
            scene.client.command(
                Cmd.SUB_CREATE, **{k: v for k, v in full.items() if k != name}
            )
    assert list(scene.known()) == [0, 5]


def test_too_early_and_too_late(lab: Lab) -> None:
    """Before a connection is established, after it fell back or was closed."""
    where = lab.keep(Hosts())
    with where.a:
        client = lab.keep(Client().join())
    with where.b:
        server = lab.keep(Client().join())
    pair = lab.keep(Pair(where, accept=False))
    token, peer = client.wait(Event.CREATED).token, server.wait(Event.CREATED).token
    with raises(errno.EAGAIN, "established"):
        client.create(token, "10.0.2.1", "10.0.2.2", pair.port, loc_id=3)
    # Established, but nobody accepted it yet.
    pair.sock.sendall(b"hello")
    server.wait(Event.ESTABLISHED)
    with raises(errno.EAGAIN):
        server.create(peer, "10.0.2.2", "10.0.2.1", 1, loc_id=3)
    pair.accept()
    pair.peer.sendall(b"!")
    client.wait(Event.ESTABLISHED)
    client.create(token, "10.0.2.1", "10.0.2.2", pair.port, loc_id=3)
    client.wait(Event.SUB_ESTABLISHED)
    client.exists(token)
    pair.sock.recv(1)
    pair.sock.close()
    client.wait(Event.CLOSED)
    try:
        client.create(token, "10.0.2.1", "10.0.2.2", pair.port, loc_id=3)
    except NetlinkError as error:
        assert error.code in (errno.EOWNERDEAD, errno.EBADR), error
    else:
        raise AssertionError("a closed connection got a subflow")


@both_families
def test_announce_and_remove(lab: Lab, family: int) -> None:
    scene = Scene(lab, family)
    assert scene.server
    scene.client.announce(scene.token, 9, scene.here())
    assert scene.server.wait(Event.ANNOUNCED).rem_id == 9
    assert scene.known()[9] == (scene.here(), 0, 1)
    # Again: told again, counted once.
    time.sleep(0.5)
    scene.client.announce(scene.token, 9, scene.here())
    assert scene.server.wait(Event.ANNOUNCED).rem_id == 9
    time.sleep(0.5)
    scene.client.remove(scene.token, 9)
    assert scene.server.wait(Event.REMOVED).rem_id == 9
    assert list(scene.known()) == [0]
    with raises(errno.EINVAL, "id 9"):
        scene.client.remove(scene.token, 9)


def test_remove_leaves_own_subflows(lab: Lab) -> None:
    """RM_ADDR of an address in use: the peer closes its subflows, we don't."""
    scene = Scene(lab)
    assert scene.server
    scene.join(loc_id=200)
    scene.client.remove(scene.token, 200)
    assert scene.server.wait(Event.REMOVED).rem_id == 200
    scene.server.wait(Event.SUB_CLOSED)
    scene.client.wait(Event.SUB_CLOSED)
    assert list(scene.known()) == [0]
    scene.pair.talk()


def test_errors_of_announce_and_remove(lab: Lab) -> None:
    scene = Scene(lab)
    for given, text in (
        ((scene.token ^ 1, 9, scene.here()), "token"),
        ((scene.token, 0, scene.here()), "id 0"),
        ((scene.token, 9, "0.0.0.0"), "any-address"),
        ((scene.token, 9, scene.here(1)), "id 0 already"),
    ):
        with raises(errno.EINVAL, text):
            scene.client.announce(*given)
    scene.client.announce(scene.token, 9, scene.here())
    with raises(errno.EINVAL, "id 9 already"):
        scene.client.announce(scene.token, 10, scene.here())
    with raises(errno.EINVAL, "another address"):
        scene.client.announce(scene.token, 9, "10.0.3.1")
    with raises(errno.EINVAL, "token"):
        scene.client.remove(scene.token ^ 1, 9)
    for loc_id in (8, 255):
        with raises(errno.EINVAL, f"id {loc_id}"):
            scene.client.remove(scene.token, loc_id)
    assert scene.known() == {0: (scene.here(1), 1, 0), 9: (scene.here(), 0, 1)}


def test_announcements_are_not_lost_silently(lab: Lab) -> None:
    """One waits at a time: another is sent, or refused with EBUSY."""
    scene = Scene(lab)
    assert scene.server
    told = []
    for loc_id in range(1, 9):
        try:
            scene.client.announce(scene.token, loc_id, f"10.9.0.{loc_id}")
            told.append(loc_id)
        except NetlinkError as error:
            assert error.code == errno.EBUSY, error
            assert "try again" in error.text
    assert told
    assert [i for i in scene.known() if i] == told
    heard = {scene.server.wait(Event.ANNOUNCED).rem_id for _ in told}
    assert heard == set(told)


def test_priority(lab: Lab) -> None:
    scene = Scene(lab)
    joined = scene.join(loc_id=5)
    for event in (joined, scene.first):
        scene.client.prioritise(event, 1)
    for subflow in scene.client.subflows(scene.token):
        assert subflow.backup == 1
    # Without the attribute it is 0.
    pair = ends(joined.saddr, joined.daddr, joined.sport, joined.dport)
    scene.client.command(Cmd.SUB_PRIORITY, token=scene.token, **pair)
    backups = {s.subflow_id: s.backup for s in scene.client.subflows(scene.token)}
    assert backups == {1: 1, 2: 0}


def test_backup_of_an_announced_address(lab: Lab) -> None:
    """The peer's joins to an address that was announced as backup."""
    scene = Scene(lab)
    assert scene.server
    scene.server.announce(scene.peer_token, 4, scene.there(), backup=1)
    told = scene.client.wait(Event.ANNOUNCED)
    joined = scene.join(loc_id=5, rem_id=told.rem_id)
    assert (joined.backup, joined.rem_id) == (1, 4)
    assert scene.server.wait(Event.SUB_ESTABLISHED).backup == 1
    scene.server.announce(scene.peer_token, 4, scene.there(), backup=0)
    scene.create(loc_id=5)
    assert scene.client.wait(Event.SUB_ESTABLISHED).backup == 0


@cases(mapped=[False, True])
def test_destroy_at_a_dual_stack_socket(lab: Lab, mapped: bool) -> None:
    """It tells mapped addresses, and takes either form."""
    where = lab.keep(Hosts())
    with where.a:
        client = lab.keep(Client().join())
    with where.b:
        server = lab.keep(Client().join())
        listener = socket.socket(socket.AF_INET6, socket.SOCK_STREAM, 262)
    listener.bind(("::", 0))
    listener.listen()
    port = listener.getsockname()[1]
    with where.a:
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
    sock.connect(("10.0.1.2", port))
    peer, _ = listener.accept()
    sock.sendall(b"?")
    peer.sendall(peer.recv(1))
    assert sock.recv(1) == b"?"
    token = client.wait(Event.ESTABLISHED).token
    client.create(token, "10.0.2.1", "10.0.2.2", port, loc_id=3)
    joined = server.wait(Event.SUB_ESTABLISHED)
    assert (joined.saddr, joined.daddr) == ("::ffff:10.0.2.2", "::ffff:10.0.2.1")
    if not mapped:
        joined.saddr, joined.daddr = "10.0.2.2", "10.0.2.1"
    server.destroy(joined)
    assert server.wait(Event.SUB_CLOSED).subflow_id == 2
    client.wait(Event.SUB_CLOSED)
    for end in (sock, peer, listener):
        end.close()


def test_errors_of_destroy_and_priority(lab: Lab) -> None:
    scene = Scene(lab)
    joined = scene.join(loc_id=5)
    full = ends(joined.saddr, joined.daddr, joined.sport, joined.dport)
    for cmd in (Cmd.SUB_DESTROY, Cmd.SUB_PRIORITY):
        for wrong in (
            {"sport": joined.sport ^ 1}, {"dport": joined.dport ^ 1}, {"saddr4": "10.0.1.1"},
            {"daddr4": "10.0.1.2"},
        ):  # fmt: skip
            with raises(errno.EINVAL, "no subflow"):
                scene.client.command(cmd, token=scene.token, **{**full, **wrong})
        with raises(errno.EINVAL, "token"):
            scene.client.command(cmd, token=scene.token ^ 1, **full)
        for name in full:
            with raises(errno.EINVAL, name):
                scene.client.command(
                    cmd, token=scene.token, **{k: v for k, v in full.items() if k != name}
                )
    assert len(scene.client.subflows(scene.token)) == 2


def test_exist(lab: Lab) -> None:
    scene = Scene(lab)
    scene.client.exists(scene.token)
    with raises(errno.ENOTCONN, "token"):
        scene.client.exists(scene.token ^ 1)
    # The server's own token is that of another namespace.
    with raises(errno.ENOTCONN):
        scene.client.exists(scene.peer_token)


def test_connections_of_other_path_managers(lab: Lab) -> None:
    """A token of the in-kernel path manager's is none of ours."""
    scene = Scene(lab)
    scene.hosts.a.write("net/mptcp/path_manager", "kernel")
    other = lab.keep(Pair(scene.hosts))
    other.talk()
    assert scene.client.quiet(0.5) == []
    assert [c.token for c in scene.client.connections()] == [scene.token]
    # The setting is that of new connections only.
    scene.join(loc_id=5)


def test_commands_of_two_daemons(lab: Lab) -> None:
    """Any socket may command; announcing and removing in turns leaves nothing."""
    scene = Scene(lab)
    with scene.hosts.a:
        other = lab.keep(Client())
    for turn in range(20):
        who = (scene.client, other)[turn % 2]
        who.announce(scene.token, 9, scene.here())
        time.sleep(0.2)
        (other, scene.client)[turn % 2].remove(scene.token, 9)
        time.sleep(0.2)
    assert list(scene.known()) == [0]


def test_flows_know_their_connection(lab: Lab) -> None:
    """A congestion control's agent sees which flows belong together."""
    where = lab.keep(Hosts())
    with where.a:
        client = lab.keep(Client().join())
    agent = lab.agent(where.a)
    pair = lab.keep(Pair(where, cc="ccp"))
    pair.talk()
    token = client.wait(Event.ESTABLISHED).token
    client.create(token, "10.0.2.1", "10.0.2.2", pair.port, loc_id=5)
    client.wait(Event.SUB_ESTABLISHED)

    def subflows() -> set:
        return {(f.mptcp_token, f.mptcp_subflow, f.local_addr) for f in agent.flows()}

    wait_for("flows", lambda: len(subflows()) == 2)
    assert subflows() == {(token, 1, "10.0.1.1"), (token, 2, "10.0.2.1")}
    created = [e for e in agent.drain() if e.event == 13]
    assert {(e.mptcp_token, e.mptcp_subflow) for e in created} == {(token, 1), (token, 2)}
    # A flow that is no subflow says nothing of it.
    with where.b:
        listener = socket.socket()
    listener.bind(("", 0))
    listener.listen()
    with where.a:
        plain = socket.socket()
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"ccp")
    plain.connect(("10.0.1.2", listener.getsockname()[1]))
    port = plain.getsockname()[1]
    (flow,) = [f for f in agent.flows() if f.local_port == port]
    assert (flow.mptcp_token, flow.mptcp_subflow) == (None, None)
    for sock in (plain, listener):
        sock.close()
