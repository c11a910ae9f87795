# SPDX-License-Identifier: GPL-2.0
"""Events of MPTCP connections: which come when, and what they carry."""

from __future__ import annotations

import errno
import socket
import struct
import time
from types import SimpleNamespace

from capture import Capture, Packet
from lab import Lab, both_families, cases, raises
from mptcp import Client, Event, Hosts, Pair, linger, subflow_set
from traffic import abort

CONNECTION = [Event.CREATED, Event.ESTABLISHED]


def hosts(lab: Lab, links: int = 2, managed: str = "ab") -> Hosts:
    return lab.keep(Hosts(links, managed))


def listeners(lab: Lab, where: Hosts) -> tuple[Client, Client]:
    """Who listens at the client's side, and at the server's."""
    found = []
    for ns in (where.a, where.b):
        with ns:
            found.append(lab.keep(Client().join()))
    return found[0], found[1]


def kinds(client: Client, wait: float = 1.0) -> list[str]:
    client.quiet(wait)
    return [Event(event.cmd).name for event in client.heard]


@both_families
def test_connection(lab: Lab, family: int) -> None:
    """CREATED, ESTABLISHED, CLOSED on each side, with all that is known."""
    where = hosts(lab)
    client, server = listeners(lab, where)
    pair = lab.keep(Pair(where, family))
    pair.talk()
    local, remote = (where.address(host, 1, family) for host in "ab")
    port = pair.sock.getsockname()[1]
    for side, listener in enumerate((client, server)):
        created, established = (listener.wait(kind) for kind in CONNECTION)
        for event in (created, established):
            assert event.version == 1
            assert event.order == [
                *subflow_set(family), "subflow_id", "server_side", "deny_join_id0", "seq", "drops",
            ]  # fmt: skip
            mine, theirs = (local, remote) if side == 0 else (remote, local)
            assert (event.saddr, event.daddr) == (mine, theirs)
            # In host order.
            ports = (port, pair.port) if side == 0 else (pair.port, port)
            assert (event.sport, event.dport) == ports
            assert event.family == family
            assert (event.loc_id, event.rem_id, event.backup, event.if_idx) == (0, 0, 0, 0)
            assert (event.server_side, event.deny_join_id0, event.subflow_id) == (side, 0, 1)
            assert (event.seq, event.drops) == (1, 0)
        assert created.token == established.token
    pair.close()
    for listener in (client, server):
        closed = listener.wait(Event.CLOSED)
        assert closed.order == ["token", "seq", "drops"]
        assert closed.token == listener.heard[0].token
        assert listener.quiet() == []


@both_families
def test_subflow(lab: Lab, family: int) -> None:
    """A join and its end, on each side."""
    where = hosts(lab)
    client, server = listeners(lab, where)
    pair = lab.keep(Pair(where, family))
    pair.talk()
    token = client.wait(Event.ESTABLISHED).token
    server.wait(Event.ESTABLISHED)
    mine, theirs = (where.address(host, 2, family) for host in "ab")
    client.create(token, mine, theirs, pair.port, loc_id=5, rem_id=0)
    joined = client.wait(Event.SUB_ESTABLISHED)
    assert joined.order == [*subflow_set(family), "subflow_id", "seq", "drops"]
    assert (joined.saddr, joined.daddr, joined.dport) == (mine, theirs, pair.port)
    assert (joined.loc_id, joined.subflow_id, joined.family) == (5, 2, family)
    assert (joined.backup, joined.if_idx, joined.error) == (0, 0, None)
    other = server.wait(Event.SUB_ESTABLISHED)
    assert (other.saddr, other.daddr) == (theirs, mine)
    assert (other.sport, other.dport) == (pair.port, joined.sport)
    assert (other.rem_id, other.subflow_id) == (5, 2)
    # The join went to an address that the server's side gave an id.
    assert other.loc_id == joined.rem_id != 0
    client.destroy(joined)
    gone = client.wait(Event.SUB_CLOSED)
    assert (gone.saddr, gone.sport, gone.loc_id, gone.subflow_id) == (mine, joined.sport, 5, 2)
    gone = server.wait(Event.SUB_CLOSED)
    assert (gone.daddr, gone.dport, gone.subflow_id) == (mine, joined.sport, 2)
    # The peer said nothing of why.
    assert gone.reset_reason is gone.reset_flags is None
    pair.talk()


RST, PSH, ACK = 4, 8, 16


def inject(
    where: Hosts, subflow: SimpleNamespace, last: Packet, flags: int, options: bytes = b"",
    data: bytes = b"",
) -> None:  # fmt: skip
    """A segment as from b, the next one after what a acknowledged in `last`."""
    size = (5 + len(options) // 4) << 4
    tcp = struct.pack("!HHII", subflow.dport, subflow.sport, last.ack, last.sequence + last.size)
    tcp += struct.pack("!BBHHH", size, flags, 1000, 0, 0) + options + data
    pair = socket.inet_aton(subflow.daddr) + socket.inet_aton(subflow.saddr)
    whole = pair + struct.pack("!HH", socket.IPPROTO_TCP, len(tcp)) + tcp + bytes(len(tcp) % 2)
    total = sum(struct.unpack(f"!{len(whole) // 2}H", whole))
    total = (total & 0xFFFF) + (total >> 16)
    tcp = tcp[:16] + struct.pack("!H", ~(total + (total >> 16)) & 0xFFFF) + tcp[18:]
    with where.b:
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
    raw.bind((subflow.daddr, 0))
    raw.sendto(tcp, (subflow.saddr, 0))
    raw.close()


@cases(transient=[0, 1])
def test_reset_says_why(lab: Lab, transient: int) -> None:
    """RESET_REASON and RESET_FLAGS are what the peer's option says."""
    where = hosts(lab)
    client, _ = listeners(lab, where)
    capture = lab.keep(Capture(where.a, "a2"))
    pair = lab.keep(Pair(where))
    pair.talk()
    token = client.wait(Event.ESTABLISHED).token
    client.create(token, "10.0.2.1", "10.0.2.2", pair.port, loc_id=3)
    joined = client.wait(Event.SUB_ESTABLISHED)
    time.sleep(0.5)
    last = [packet for packet in capture.packets() if packet.outgoing][-1]
    # Option MP_TCPRST: 30, subtype 8.
    inject(where, joined, last, RST, bytes([30, 4, 8 << 4 | transient, 4]))
    gone = client.wait(Event.SUB_CLOSED)
    assert gone.order[-4:] == ["reset_reason", "reset_flags", "seq", "drops"]
    assert (gone.subflow_id, gone.reset_reason, gone.reset_flags) == (2, 4, transient)
    assert gone.error == errno.ECONNRESET


def test_mapped_addresses_stay_ipv6(lab: Lab) -> None:
    """An IPv4 connection to a dual-stack listener."""
    where = hosts(lab)
    client, server = listeners(lab, where)
    with where.b:
        listener = socket.socket(socket.AF_INET6, socket.SOCK_STREAM, 262)
    listener.bind(("::", 0))
    listener.listen()
    with where.a:
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
    sock.connect((where.address("b", 1), listener.getsockname()[1]))
    peer, _ = listener.accept()
    created = server.wait(Event.CREATED)
    assert created.family == socket.AF_INET6
    assert (created.saddr, created.daddr) == ("::ffff:10.0.1.2", "::ffff:10.0.1.1")
    assert client.wait(Event.CREATED).family == socket.AF_INET
    for end in (sock, peer, listener):
        end.close()
    server.wait(Event.CLOSED)
    client.wait(Event.CLOSED)


def test_deny_join_id0(lab: Lab) -> None:
    where = hosts(lab)
    where.b.write("net/mptcp/allow_join_initial_addr_port", 0)
    client, server = listeners(lab, where)
    pair = lab.keep(Pair(where))
    pair.talk()
    assert client.wait(Event.ESTABLISHED).deny_join_id0 == 1
    assert server.wait(Event.ESTABLISHED).deny_join_id0 == 0


@both_families
def test_addresses_of_the_peer(lab: Lab, family: int) -> None:
    """ANNOUNCED with and without a port, REMOVED."""
    where = hosts(lab)
    # An IPv6 address and a port leave no room for timestamps.
    for ns in (where.a, where.b):
        ns.write("net/ipv4/tcp_timestamps", 0)
    client, server = listeners(lab, where)
    pair = lab.keep(Pair(where, family))
    pair.talk()
    token = server.wait(Event.ESTABLISHED).token
    address = where.address("b", 2, family)
    digit = 4 if family == socket.AF_INET else 6
    for loc_id, port in ((9, 0), (200, 8080)):
        more = {"sport": port} if port else {}
        server.announce(token, loc_id, address, **more)
        event = client.wait(Event.ANNOUNCED)
        assert event.order == ["token", "rem_id", "family", f"daddr{digit}", "dport", "seq", "drops"]
        assert (event.rem_id, event.daddr, event.dport) == (loc_id, address, port)
        assert event.family == family
        time.sleep(0.5)
    server.remove(token, 200)
    event = client.wait(Event.REMOVED)
    assert event.order == ["token", "rem_id", "seq", "drops"]
    assert event.rem_id == 200


def test_priority(lab: Lab) -> None:
    """SUB_PRIORITY where the peer asked; backup is either side's wish."""
    where = hosts(lab)
    client, server = listeners(lab, where)
    pair = lab.keep(Pair(where))
    pair.talk()
    established = client.wait(Event.ESTABLISHED)
    for backup in (1, 0):
        client.prioritise(established, backup)
        event = server.wait(Event.SUB_PRIORITY)
        assert (event.backup, event.subflow_id) == (backup, 1)
        assert (event.sport, event.dport) == (pair.port, established.sport)
        assert event.order == [*subflow_set(pair.family), "subflow_id", "seq", "drops"]
    assert "SUB_PRIORITY" not in kinds(client)


def test_backup_join(lab: Lab) -> None:
    where = hosts(lab)
    client, server = listeners(lab, where)
    pair = lab.keep(Pair(where))
    pair.talk()
    token = client.wait(Event.ESTABLISHED).token
    client.create(token, "10.0.2.1", "10.0.2.2", pair.port, loc_id=3, backup=1)
    assert client.wait(Event.SUB_ESTABLISHED).backup == 1
    assert server.wait(Event.SUB_ESTABLISHED).backup == 1


def test_refused_subflow(lab: Lab) -> None:
    """A closed port: the command succeeds, then SUB_CLOSED says why not."""
    where = hosts(lab)
    client, _ = listeners(lab, where)
    pair = lab.keep(Pair(where))
    pair.talk()
    token = client.wait(Event.ESTABLISHED).token
    client.create(token, "10.0.2.1", "10.0.2.2", 1, loc_id=3)
    gone = client.wait(Event.SUB_CLOSED)
    assert gone.error == errno.ECONNREFUSED
    assert (gone.saddr, gone.dport, gone.loc_id) == ("10.0.2.1", 1, 3)
    assert kinds(client) == ["CREATED", "ESTABLISHED", "SUB_CLOSED"]
    # And the address is forgotten.
    assert list(client.local_ids(token)) == [0]


def test_new_events_are_for_those_who_ask(lab: Lab) -> None:
    """SUB_CREATED, before the join is done; no old daemon gets it."""
    where = hosts(lab)
    client, _ = listeners(lab, where)
    with where.a:
        asker = lab.keep(Client().join())
    asker.filter(*Event)
    pair = lab.keep(Pair(where))
    pair.talk()
    token = client.wait(Event.ESTABLISHED).token
    client.create(token, "10.0.2.1", "10.0.2.2", pair.port, loc_id=3)
    created = asker.wait(Event.SUB_CREATED)
    assert (created.saddr, created.daddr, created.loc_id) == ("10.0.2.1", "10.0.2.2", 3)
    joined = asker.wait(Event.SUB_ESTABLISHED)
    assert (joined.subflow_id, joined.sport) == (created.subflow_id, created.sport)
    assert asker.heard.index(created) < asker.heard.index(joined)
    client.wait(Event.SUB_ESTABLISHED)
    assert "SUB_CREATED" not in kinds(client, 0.2)


# The life cycle's exceptions: CLOSED comes exactly once and only after CREATED.

CLOSED_LATER = ["CREATED", "ESTABLISHED", "CLOSED"]


def test_fastclose(lab: Lab) -> None:
    """The peer closes with data unread: the kernel forgets the token first."""
    where = hosts(lab)
    client, server = listeners(lab, where)
    pair = lab.keep(Pair(where))
    pair.talk()
    pair.reset()
    server.wait(Event.CLOSED)
    time.sleep(0.5)
    pair.sock.close()
    client.wait(Event.CLOSED)
    for listener in (client, server):
        told = [name for name in kinds(listener) if not name.startswith("SUB_")]
        assert told == CLOSED_LATER
        assert len({event.token for event in listener.heard}) == 1


def test_never_accepted(lab: Lab) -> None:
    where = hosts(lab)
    client, server = listeners(lab, where)
    pair = lab.keep(Pair(where, accept=False))
    pair.sock.sendall(b"hello")
    server.wait(Event.ESTABLISHED)
    pair.listener.close()
    server.wait(Event.CLOSED)
    pair.sock.close()
    client.wait(Event.CLOSED)
    assert kinds(server).count("CLOSED") == 1
    assert kinds(client).count("CLOSED") == 1


def test_plain_server(lab: Lab) -> None:
    """The server speaks TCP: nothing is told, as nothing was created."""
    where = hosts(lab)
    client, server = listeners(lab, where)
    pair = lab.keep(Pair(where, server=socket.IPPROTO_TCP))
    pair.talk()
    pair.close()
    assert kinds(client) == kinds(server) == []


def test_fallback(lab: Lab) -> None:
    """Data without MPTCP's options, before any with them, as behind a proxy: the
    connection is plain TCP from then on. Told to those who ask."""
    where = hosts(lab)
    client, _ = listeners(lab, where)
    with where.a:
        asker = lab.keep(Client().join())
    asker.filter(*Event)
    capture = lab.keep(Capture(where.a, "a1"))
    pair = lab.keep(Pair(where))
    created = client.wait(Event.CREATED)
    last = [packet for packet in capture.packets() if packet.outgoing][-1]
    inject(where, created, last, PSH | ACK, data=b"plain")
    told = asker.wait(Event.FALLBACK)
    assert told.order == ["token", "seq", "drops"]
    assert told.token == created.token
    assert pair.sock.recv(5) == b"plain"
    assert client.connection(created.token).state == 3
    with raises(errno.ENOTCONN, "plain TCP"):
        client.create(created.token, "10.0.2.1", "10.0.2.2", pair.port, loc_id=3)
    # The two ends no longer agree, and could not end it orderly.
    for sock in (pair.sock, pair.peer):
        abort(sock)
    asker.wait(Event.CLOSED)
    assert kinds(client) == ["CREATED", "CLOSED"]
    assert [name for name in kinds(asker) if name == "FALLBACK"] == ["FALLBACK"]


def test_refused_connection(lab: Lab) -> None:
    where = hosts(lab)
    client, _ = listeners(lab, where)
    with where.a:
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
    assert sock.connect_ex((where.address("b", 1), 1)) == errno.ECONNREFUSED
    sock.close()
    assert kinds(client) == []


def test_abort(lab: Lab) -> None:
    """An application that resets, and one that disconnects."""
    for end in (lambda sock: (linger(sock), sock.close()), abort):
        where = hosts(lab)
        client, server = listeners(lab, where)
        pair = lab.keep(Pair(where))
        pair.talk()
        end(pair.sock)
        client.wait(Event.CLOSED)
        pair.close()
        server.wait(Event.CLOSED)
        for listener in (client, server):
            told = [name for name in kinds(listener) if not name.startswith("SUB_")]
            assert told == CLOSED_LATER
        lab.close()


def test_socket_connects_again(lab: Lab) -> None:
    """disconnect(), then another connection of the same socket."""
    where = hosts(lab)
    client, _ = listeners(lab, where)
    pair = lab.keep(Pair(where))
    pair.talk()
    abort(pair.sock)
    first = client.wait(Event.CLOSED)
    pair.sock.connect((where.address("b", 1), pair.port))
    second = client.wait(Event.CREATED)
    assert second.token != first.token
    assert client.connections()[0].token == second.token
    pair.close()
    assert client.wait(Event.CLOSED).token == second.token


def test_nothing_after_closed(lab: Lab) -> None:
    """The ends of subflows after the application's close() are not told."""
    where = hosts(lab)
    client, server = listeners(lab, where)
    pair = lab.keep(Pair(where))
    pair.talk()
    token = client.wait(Event.ESTABLISHED).token
    for link in (2, 2, 2):
        client.create(token, f"10.0.{link}.1", f"10.0.{link}.2", pair.port, loc_id=link)
        client.wait(Event.SUB_ESTABLISHED)
    pair.close()
    client.wait(Event.CLOSED)
    server.wait(Event.CLOSED)
    assert client.quiet(2) == server.quiet(2) == []
