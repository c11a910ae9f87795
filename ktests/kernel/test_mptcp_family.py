# SPDX-License-Identifier: GPL-2.0
"""Genl family "mptcp": who may do what, filters, numbers, lists, losses."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import net
import netlink
from lab import Lab, Module, in_child, raises, wait_for
from mptcp import Client, Cmd, Event, Hosts, Pair, pack
from netlink import NLM_F_DUMP, NetlinkError, genl

CLONE_NEWUSER = 0x10000000
NOBODY = 65534
SYSCTL = Path("/proc/sys/net/mptcp")


def connected(lab: Lab, links: int = 2) -> tuple[Hosts, Client, Client, Pair, int]:
    """Hosts, listeners at both, a connection that is established, its token
    at the client."""
    where = lab.keep(Hosts(links))
    with where.a:
        client = lab.keep(Client().join())
    with where.b:
        server = lab.keep(Client().join())
    pair = lab.keep(Pair(where))
    pair.talk()
    server.wait(Event.ESTABLISHED)
    return where, client, server, pair, client.wait(Event.ESTABLISHED).token


def become_nobody() -> None:
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def every_command(token: int) -> dict[str, tuple[bytes, int]]:
    """A request for each command, and its flags."""
    whose = pack("token", token)
    body = whose + pack("loc_id", 5) + pack("rem_id", 0) + pack("family", 2)
    body += pack("saddr4", "10.0.2.1") + pack("daddr4", "10.0.2.2")
    body += pack("sport", 1000) + pack("dport", 1000) + pack("backup", 1)
    found = {cmd.name: (genl(cmd, body), 0) for cmd in Cmd if cmd < Cmd.SET_FILTER}
    found["SET_FILTER"] = (genl(Cmd.SET_FILTER, pack("flags", 0)), 0)
    found["EXIST"] = (genl(Cmd.EXIST, whose), 0)
    found["GET_CONN"] = (genl(Cmd.GET_CONN, whose), 0)
    found["GET_CONN dump"] = (genl(Cmd.GET_CONN), NLM_F_DUMP)
    found["GET_SUBFLOW dump"] = (genl(Cmd.GET_SUBFLOW, whose), NLM_F_DUMP)
    found["GET_COUNTERS"] = (genl(Cmd.GET_COUNTERS), 0)
    return found


def attempt(work) -> str:
    try:
        work()
    except NetlinkError as error:
        return errno.errorcode[error.code]
    except OSError as error:
        return errno.errorcode[error.errno]
    return "ok"


def try_all(token: int) -> str:
    """What happens to each command and to joining, one per line."""
    with Client() as client:
        lines = []
        for name, (body, flags) in every_command(token).items():
            said = attempt(lambda: client.nl.exchange(client.family.id, body, flags))  # noqa: B023
            lines.append(f"{name}: {said}")
        for name, group in client.family.groups.items():
            lines.append(f"join {name}: {attempt(lambda: client.nl.join(group))}")  # noqa: B023
        return "\n".join(lines)


def test_family_is_what_clients_expect(lab: Lab) -> None:
    """Old clients join the first group listed, and never ask for the second."""
    (ns,) = lab.namespaces("n")
    with ns:
        client = lab.keep(Client())
    groups = client.family.groups
    assert list(groups) == ["mptcp_events", "mptcp_commands"]
    assert groups["mptcp_commands"] == groups["mptcp_events"] + 1
    for command in (0, 1, 3, 6, 10, 13, 16, 64, 65, 69, 255):
        with raises(errno.EOPNOTSUPP):
            client.nl.exchange(client.family.id, genl(command))
    # Lenient as ever: reserved bytes, another version, unknown attributes.
    body = bytes([Cmd.EXIST, 7, 3, 4]) + pack("token", 1) + netlink.u32(99, 1)
    with raises(errno.ENOTCONN):
        client.nl.exchange(client.family.id, body)


def test_unprivileged_is_refused(lab: Lab) -> None:
    where, client, _, _, token = connected(lab)

    def nobody() -> str:
        os.setns(where.a.fd, net.CLONE_NEWNET)
        become_nobody()
        return try_all(token)

    said = in_child(nobody)
    assert len(said.splitlines()) == 13
    refused = [line for line in said.splitlines() if not line.endswith(": EPERM")]
    assert not refused, said
    assert client.quiet(0.2) == []

    def foreign() -> str:
        """Root of a user namespace that doesn't own the network namespace."""
        os.setns(where.a.fd, net.CLONE_NEWNET)
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        os.unshare(CLONE_NEWUSER)
        return try_all(token)

    said = in_child(foreign)
    assert said.count(": EPERM") == 13, said


def test_root_of_a_user_namespace(lab: Lab) -> None:
    """As in a container: all there, and nothing of others."""
    _, client, _, _, token = connected(lab)

    def own() -> str:
        become_nobody()
        os.unshare(CLONE_NEWUSER | net.CLONE_NEWNET)
        return try_all(token)

    said = dict(line.split(": ") for line in in_child(own).splitlines())
    assert said == {
        "ANNOUNCE": "EINVAL", "REMOVE": "EINVAL", "SUB_CREATE": "EBADR", "SUB_DESTROY": "EINVAL",
        "SUB_PRIORITY": "EINVAL", "SET_FILTER": "ok", "EXIST": "ENOTCONN", "GET_CONN": "EINVAL",
        "GET_CONN dump": "ok", "GET_SUBFLOW dump": "EINVAL", "GET_COUNTERS": "ok",
        "join mptcp_events": "ok", "join mptcp_commands": "ok",
    }  # fmt: skip
    assert client.quiet(0.2) == []


def test_other_namespaces_have_no_such_token(lab: Lab) -> None:
    """A token is no secret: knowing it must not help elsewhere."""
    _, client, _, pair, token = connected(lab)
    (ns,) = lab.namespaces("n")
    with ns:
        stranger = lab.keep(Client().join())
    for body, flags in every_command(token).values():
        try:
            stranger.nl.exchange(stranger.family.id, body, flags)
        except NetlinkError as error:
            assert "token" in error.text, error
    assert stranger.connections() == []
    assert client.quiet(0.5) == stranger.quiet(0.5) == []
    pair.talk()


def test_filters_are_per_socket(lab: Lab) -> None:
    where = lab.keep(Hosts())
    with where.a:
        everything, closed, nothing, plain = (lab.keep(Client().join()) for _ in range(4))
    everything.filter(*Event)
    closed.filter(Event.CLOSED)
    nothing.filter()
    pair = lab.keep(Pair(where))
    pair.talk()
    pair.close()
    for client, heard in (
        (everything, ["CREATED", "ESTABLISHED", "CLOSED"]),
        (closed, ["CLOSED"]),
        (nothing, []),
        (plain, ["CREATED", "ESTABLISHED", "CLOSED"]),
    ):
        assert client.quiet() == heard
    # Unknown bits are ignored; the last filter holds.
    plain.command(Cmd.SET_FILTER, flags=0xF801)
    closed.filter(Event.CREATED)
    pair = lab.keep(Pair(where))
    pair.close()
    assert (plain.quiet(), closed.quiet()) == ([], ["CREATED"])


def test_numbers_are_per_kind(lab: Lab) -> None:
    """A listener sees a gap only in what it wants."""
    where = lab.keep(Hosts())
    with where.a:
        client = lab.keep(Client().join())
    client.filter(Event.CLOSED)
    for _ in range(3):
        pair = lab.keep(Pair(where))
        pair.close()
    assert client.quiet() == ["CLOSED"] * 3
    assert [event.seq for event in client.heard] == [1, 2, 3]
    counts = {entry.kind: entry.seq for entry in client.counters().events}
    assert counts[Event.CREATED] == counts[Event.CLOSED] == 3
    assert list(counts) == list(Event)
    # Also what nobody hears has a number: who listens later knows.
    client.close()
    lab.keep(Pair(where)).close()
    time.sleep(0.5)
    with where.a:
        client = lab.keep(Client().join())
    lab.keep(Pair(where)).close()
    assert client.wait(Event.CREATED).seq == 5


def test_lost_events_show(lab: Lab) -> None:
    """A full buffer: ENOBUFS once, then a gap; a list brings one up to date."""
    where = lab.keep(Hosts())
    with where.a:
        client = lab.keep(Client())
        client.join(rcvbuf=4096)
        control = lab.keep(Client())
    for _ in range(30):
        lab.keep(Pair(where)).close()
    time.sleep(0.5)
    found, losses = client.drain()
    assert losses == 1
    assert 0 < len(found) < 60
    pair = lab.keep(Pair(where))
    created = client.wait(Event.CREATED)
    seen = [event.seq for event in found if event.cmd == Event.CREATED]
    assert created.seq == 31 > seen[-1] + 1
    assert [c.token for c in control.connections()] == [created.token]
    assert control.counters().drops == created.drops == 0
    pair.close()


def test_list_of_connections(lab: Lab) -> None:
    """Everything a daemon has to know when it starts late."""
    where, client, server, pair, token = connected(lab)
    client.create(token, "10.0.2.1", "10.0.2.2", pair.port, loc_id=7)
    client.wait(Event.SUB_ESTABLISHED)
    others = [lab.keep(Pair(where)) for _ in range(2)]
    found = {c.token: c for c in client.connections()}
    assert len(found) == 3
    mine = found[token]
    assert mine.order[:10] == found[token].order[:10]
    assert (mine.saddr, mine.daddr) == ("10.0.1.1", "10.0.1.2")
    assert (mine.sport, mine.dport) == (pair.sock.getsockname()[1], pair.port)
    assert (mine.state, mine.extra_subflows, mine.server_side) == (2, 1, 0)
    locals_ = {e.loc_id: (e.saddr, e.announced, e.backup, e.refs) for e in mine.local}
    assert locals_ == {0: ("10.0.1.1", 0, 0, 1), 7: ("10.0.2.1", 0, 0, 1)}
    assert client.connection(token).local[1].saddr == "10.0.2.1"
    subflows = client.subflows(token)
    assert [(s.subflow_id, s.saddr, s.loc_id, s.initial) for s in subflows] == [
        (1, "10.0.1.1", 0, 1),
        (2, "10.0.2.1", 7, None),
    ]
    (theirs,) = [c for c in server.connections() if c.dport == pair.sock.getsockname()[1]]
    assert (theirs.server_side, theirs.extra_subflows) == (1, 1)
    # Not fully established as long as no data came back.
    assert {c.state for c in client.connections()} == {1, 2}
    for other in others:
        other.close()
    time.sleep(0.5)
    assert [c.token for c in client.connections()] == [token]
    pair.sock.close()
    time.sleep(0.1)
    # What was told as closed is not listed any more.
    assert client.connections() == []
    with raises(errno.EINVAL, f"{token:#010x}"):
        client.connection(token)


def test_long_lists(lab: Lab) -> None:
    """More connections and addresses than a message holds, each once."""
    where, client, _, pair, token = connected(lab)
    pairs = [lab.keep(Pair(where, accept=False)) for _ in range(60)]
    for loc_id in range(1, 256):
        try:
            client.announce(token, loc_id, f"192.168.0.{loc_id}")
        except NetlinkError as error:
            # One announcement waits at a time.
            assert error.code == errno.EBUSY, error
            time.sleep(0.2)
            client.announce(token, loc_id, f"192.168.0.{loc_id}")
    with where.a:
        reader = lab.keep(Client(room=8192))
    found = reader.connections()
    tokens = [c.token for c in found]
    assert tokens == sorted(tokens)
    assert len(set(tokens)) == 61
    ids = [e.loc_id for c in found if c.token == token for e in c.local]
    assert sorted(ids) == list(range(256))
    assert tokens.count(token) > 1
    with raises(errno.ENOSPC, "255 ids"):
        client.create(token, "10.0.2.1", "10.0.2.2", pair.port)
    # In one message, for those who ask for one connection.
    assert len(client.connection(token).local) == 256
    assert len(client.connections()) == 1 + len(pairs)


def test_requests_that_make_no_sense(lab: Lab) -> None:
    _, client, _, pair, token = connected(lab)
    for cmd, missing in (
        (Cmd.ANNOUNCE, "token"), (Cmd.REMOVE, "token"), (Cmd.SUB_CREATE, "token"),
        (Cmd.SUB_DESTROY, "token"), (Cmd.SUB_PRIORITY, "token"), (Cmd.EXIST, "token"),
        (Cmd.SET_FILTER, "flags"), (Cmd.GET_CONN, "token"),
    ):  # fmt: skip
        with raises(errno.EINVAL, f"'{missing}'"):
            client.command(cmd)
    with raises(errno.EINVAL, "'token'"):
        client.command(Cmd.GET_SUBFLOW, NLM_F_DUMP)
    for size in (1, 3, 8):
        body = genl(Cmd.EXIST, netlink.attr(1, token.to_bytes(8, "little")[:size]))
        with raises(errno.ERANGE if size < 4 else errno.EINVAL):
            client.nl.exchange(client.family.id, body)
    for cmd in (Cmd.ANNOUNCE, Cmd.SUB_CREATE, Cmd.SUB_DESTROY):
        with raises(errno.EINVAL):
            client.command(cmd, token=token, loc_id=1, rem_id=0, family=7, dport=1, sport=1)
    assert client.quiet(0.2) == []
    pair.talk()


# The module as a whole.


def test_selection(lab: Lab) -> None:
    (ns,) = lab.namespaces("n")
    with ns:
        assert "netlink" in (SYSCTL / "available_path_managers").read_text().split()
        for name in ("path_manager", "mptcp_path_manager"):
            (SYSCTL / name).write_text("netlink")
            assert (SYSCTL / name).read_text().strip() == "netlink"
            (SYSCTL / "path_manager").write_text("kernel")


def test_rmmod_is_refused_under_connections(lab: Lab) -> None:
    _, client, _, pair, token = connected(lab)
    client.create(token, "10.0.2.1", "10.0.2.2", pair.port, loc_id=7)
    assert lab.module.references > 0
    try:
        lab.module.remove()
    except RuntimeError as error:
        assert "in use" in str(error), error
    else:
        raise AssertionError("removed under connections")
    pair.talk()
    pair.close()
    wait_for("end of its use", lambda: lab.module.references == 0, 20)
    client.wait(Event.CLOSED)
    # Listeners keep nothing: their sockets outlive the family.
    lab.module.remove()
    with raises(errno.ENOENT):
        client.exists(token)
    (ns,) = lab.namespaces("n")
    with ns:
        assert "netlink" not in (SYSCTL / "available_path_managers").read_text().split()
    lab.module.load()


def test_load_line_and_parameter(lab: Lab) -> None:
    lab.module.remove()
    lab.module.load("mptcp_join_limit=3")
    said = [line for line in net.run("dmesg", "-t").splitlines() if "ccp_rs: " in line]
    assert "mptcp yes, " in said[-1], said
    assert lab.module.parameter("mptcp_join_limit") == "3"
    (ns,) = lab.namespaces("n")
    with ns:
        client = lab.keep(Client())
    assert client.counters().join_limit == 3
    file = Path(f"/sys/module/{net_module(lab.module)}/parameters/mptcp_join_limit")
    for bad in ("256", "-1", "x"):
        try:
            file.write_text(bad)
        except OSError as error:
            assert error.errno in (errno.EINVAL, errno.ERANGE)  # noqa: PT017
        else:
            raise AssertionError(f"took {bad}")
    lab.module.remove()
    lab.module.load()


def net_module(_: Module) -> str:
    return "ccp_rs"
