# SPDX-License-Identifier: GPL-2.0
"""Generic netlink family "mptcp", written by hand from
docs/netlink/specs/mptcp.yaml, and two hosts with several links between them."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from enum import IntEnum
from types import SimpleNamespace

import netlink
from net import Namespace
from netlink import attr, attrs, genl, number
from rtnl import Rtnl

IPPROTO_MPTCP = 262
SO_RCVBUFFORCE = 33


class Cmd(IntEnum):
    ANNOUNCE = 4
    REMOVE = 5
    SUB_CREATE = 8
    SUB_DESTROY = 9
    SUB_PRIORITY = 12
    SET_FILTER = 14
    EXIST = 15
    GET_CONN = 66
    GET_SUBFLOW = 67
    GET_COUNTERS = 68


class Event(IntEnum):
    CREATED = 1
    ESTABLISHED = 2
    CLOSED = 3
    ANNOUNCED = 6
    REMOVED = 7
    SUB_ESTABLISHED = 10
    SUB_CLOSED = 11
    SUB_PRIORITY = 13
    SUB_CREATED = 64
    FALLBACK = 65


BIT = {kind: 1 << place for place, kind in enumerate(Event, 1)}
"""Of a filter."""

NAMES = {
    **dict(enumerate("token family loc_id rem_id saddr4 saddr6 daddr4 daddr6 sport dport backup"
                     " error flags timeout if_idx".split(), 1)),
    **dict(enumerate("seq drops subflow_id server_side deny_join_id0 reset_reason reset_flags state"
                     " extra_subflows local announced refs initial events kind join_limit remote"
                     " pending".split(),
                     64)),
}  # fmt: skip
NUMBERS = {name: kind for kind, name in NAMES.items()}
WIDTH = {
    **dict.fromkeys("token saddr4 daddr4 timeout if_idx subflow_id reset_reason reset_flags"
                    " extra_subflows refs join_limit".split(), 4),
    **dict.fromkeys("family sport dport flags".split(), 2),
    **dict.fromkeys("loc_id rem_id backup error server_side deny_join_id0 state announced initial"
                    " kind pending".split(), 1),
    **dict.fromkeys("seq drops".split(), 8),
    **dict.fromkeys("saddr6 daddr6".split(), 16),
}  # fmt: skip

SUBFLOW_SET = "token family loc_id rem_id saddr{} daddr{} sport dport backup if_idx"
"""What the out-of-tree kernel tells of a subflow, in its order."""


def subflow_set(family: int) -> list[str]:
    digit = 4 if family == socket.AF_INET else 6
    return SUBFLOW_SET.replace("{}", str(digit)).split()


def pack(name: str, value: int | str) -> bytes:
    kind = NUMBERS[name]
    if isinstance(value, str):
        kin = socket.AF_INET if name.endswith("4") else socket.AF_INET6
        return attr(kind, socket.inet_pton(kin, value))
    return attr(kind, (value & (1 << 8 * WIDTH[name]) - 1).to_bytes(WIDTH[name], "little"))


def unpack(payload: bytes) -> tuple[SimpleNamespace, list[str]]:
    """Attributes as an object, None if absent, and their names in order."""
    values: dict[str, object] = dict.fromkeys(NAMES.values())
    order = []
    for kind, data in attrs(payload):
        name = NAMES[kind]
        order.append(name)
        if name in ("local", "events", "remote"):
            part, _ = unpack(data)
            values[name] = [*(values[name] or ()), part]
            continue
        assert len(data) == WIDTH[name], f"{name} has {len(data)} bytes"
        if name[1:] in ("addr4", "addr6"):
            kin = socket.AF_INET if name.endswith("4") else socket.AF_INET6
            values[name] = socket.inet_ntop(kin, data)
        else:
            values[name] = number(data)
    found = SimpleNamespace(**values)
    found.saddr = found.saddr4 or found.saddr6
    found.daddr = found.daddr4 or found.daddr6
    return found, order


def decode(message: netlink.Message) -> SimpleNamespace:
    found, found.order = unpack(message.payload)
    found.cmd = message.command
    found.version = message.body[1]
    return found


def ends(local: str, remote: str, sport: int = 0, dport: int = 0) -> dict[str, int | str]:
    """Attributes for both ends of a subflow."""
    digit = "6" if ":" in local else "4"
    family = socket.AF_INET6 if ":" in local else socket.AF_INET
    return {
        "family": int(family), f"saddr{digit}": local, f"daddr{digit}": remote,
        "sport": sport, "dport": dport,
    }  # fmt: skip


class Client:
    """A netlink socket that speaks to the path manager. Made in the network
    namespace the calling thread is in."""

    def __init__(self, strict: bool = True, room: int = 1 << 20) -> None:
        self.nl = netlink.Netlink(strict)
        self.nl.room = room
        self.family = netlink.Family.resolve(self.nl, "mptcp")
        self.heard: list[SimpleNamespace] = []

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.nl.close()

    def join(self, rcvbuf: int = 8 << 20) -> Client:
        self.nl.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, rcvbuf)
        self.nl.join(self.family.groups["mptcp_events"])
        return self

    def command(self, cmd: int, how: int = 0, **given: int | str) -> list[netlink.Message]:
        body = genl(cmd, *(pack(name, value) for name, value in given.items()))
        return self.nl.exchange(self.family.id, body, how)

    def announce(self, token: int, loc_id: int, address: str, **more: int) -> None:
        digit = "6" if ":" in address else "4"
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        where: dict = {"family": int(family), f"saddr{digit}": address}
        self.command(Cmd.ANNOUNCE, token=token, loc_id=loc_id, **where, **more)

    def remove(self, token: int, loc_id: int) -> None:
        self.command(Cmd.REMOVE, token=token, loc_id=loc_id)

    def create(
        self, token: int, local: str, remote: str, dport: int, loc_id: int = 0, rem_id: int = 0,
        sport: int = 0, **more: int,
    ) -> None:  # fmt: skip
        pair = ends(local, remote, sport, dport)
        self.command(Cmd.SUB_CREATE, token=token, loc_id=loc_id, rem_id=rem_id, **pair, **more)

    def destroy(self, event: SimpleNamespace) -> None:
        pair = ends(event.saddr, event.daddr, event.sport, event.dport)
        self.command(Cmd.SUB_DESTROY, token=event.token, **pair)

    def prioritise(self, event: SimpleNamespace, backup: int) -> None:
        pair = ends(event.saddr, event.daddr, event.sport, event.dport)
        self.command(Cmd.SUB_PRIORITY, token=event.token, backup=backup, **pair)

    def filter(self, *kinds: Event) -> None:
        self.command(Cmd.SET_FILTER, flags=sum(BIT[kind] for kind in kinds))

    def exists(self, token: int) -> None:
        self.command(Cmd.EXIST, token=token)

    def connection(self, token: int) -> SimpleNamespace:
        (answer,) = self.command(Cmd.GET_CONN, token=token)
        return decode(answer)

    def connections(self) -> list[SimpleNamespace]:
        return [decode(m) for m in self.command(Cmd.GET_CONN, netlink.NLM_F_DUMP)]

    def subflows(self, token: int) -> list[SimpleNamespace]:
        found = self.command(Cmd.GET_SUBFLOW, netlink.NLM_F_DUMP, token=token)
        return [decode(m) for m in found]

    def counters(self) -> SimpleNamespace:
        (answer,) = self.command(Cmd.GET_COUNTERS)
        return decode(answer)

    def local_ids(self, token: int) -> dict[int, SimpleNamespace]:
        return {local.loc_id: local for local in self.connection(token).local}

    # Events.

    def next(self, timeout: float = 5.0) -> SimpleNamespace | None:
        if not self.nl.events:
            self.nl.events += self.nl.receive(timeout)
        if not self.nl.events:
            return None
        event = decode(self.nl.events.pop(0))
        self.heard.append(event)
        return event

    def wait(self, kind: Event, timeout: float = 5.0, **match: object) -> SimpleNamespace:
        """The next event of that kind whose attributes match."""
        end = time.monotonic() + timeout
        while (left := end - time.monotonic()) >= 0:
            event = self.next(left)
            if event is None:
                break
            if event.cmd == kind and all(getattr(event, k) == v for k, v in match.items()):
                return event
        seen = [Event(e.cmd).name for e in self.heard[-20:]]
        raise AssertionError(f"no {kind.name} {match} in {timeout} s; last heard: {seen}")

    def quiet(self, wait: float = 1.0) -> list[str]:
        """Names of the events of that time; usually there are to be none."""
        names = []
        while event := self.next(wait):
            names.append(Event(event.cmd).name)
        return names

    def drain(self) -> tuple[list[SimpleNamespace], int]:
        return netlink.drain_overrun(lambda: self.next(0))


class Hosts:
    """Hosts a and b, with `links` links between them: 10.0.N.1 and fd00:N::1
    at a, .2 and ::2 at b. Both have the path manager, unless told otherwise."""

    def __init__(self, links: int = 2, managed: str = "ab") -> None:
        self.a, self.b = Namespace("a"), Namespace("b")
        for link in range(1, links + 1):
            macs = [bytes([2, 0, 0, 0, link, host]) for host in (1, 2)]
            ends = [(f"a{link}", self.a.fd, macs[0]), (f"b{link}", self.b.fd, macs[1])]
            with Rtnl() as rtnl:
                rtnl.veth(ends)
            for ns, dev, host in ((self.a, f"a{link}", 1), (self.b, f"b{link}", 2)):
                self.connect(ns, dev, link, host, macs[2 - host])
        for ns in (self.a, self.b):
            ns.write("net/mptcp/enabled", 1)
            if ns.name in managed:
                ns.write("net/mptcp/path_manager", "netlink")

    @staticmethod
    def connect(ns: Namespace, dev: str, link: int, host: int, mac: bytes) -> None:
        with ns, Rtnl() as rtnl:
            index = socket.if_nametoindex(dev)
            rtnl.up(index)
            rtnl.address(index, f"10.0.{link}.{host}", 24)
            rtnl.address(index, f"fd00:{link}::{host}", 64)
            for peer in (f"10.0.{link}.{3 - host}", f"fd00:{link}::{3 - host}"):
                rtnl.neighbour(index, peer, mac)

    def address(self, host: str, link: int, family: int = socket.AF_INET) -> str:
        last = "ab".index(host) + 1
        return f"10.0.{link}.{last}" if family == socket.AF_INET else f"fd00:{link}::{last}"

    def close(self) -> None:
        self.a.close()
        self.b.close()


class Pair:
    """A connection from a to b over link 1. Both sides are known by their
    sockets, and, as far as somebody listens, by what their CREATED says."""

    def __init__(
        self, hosts: Hosts, family: int = socket.AF_INET, accept: bool = True,
        protocol: int = IPPROTO_MPTCP, server: int = IPPROTO_MPTCP, cc: str = "",
    ) -> None:  # fmt: skip
        self.hosts = hosts
        self.family = family
        with hosts.b:
            self.listener = socket.socket(family, socket.SOCK_STREAM, server)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Any address: joins need a listener at the address they are made to.
        self.listener.bind(("::" if family == socket.AF_INET6 else "", 0))
        self.listener.listen(64)
        self.port: int = self.listener.getsockname()[1]
        with hosts.a:
            self.sock = socket.socket(family, socket.SOCK_STREAM, protocol)
        self.sock.settimeout(20)
        if cc:
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, cc.encode())
        self.sock.connect((hosts.address("b", 1, family), self.port))
        self.peer: socket.socket | None = None
        if accept:
            self.accept()

    def accept(self) -> None:
        self.peer, _ = self.listener.accept()
        self.peer.settimeout(20)

    def talk(self) -> None:
        """A byte each way: then both ends are fully established."""
        assert self.peer
        self.sock.sendall(b"?")
        assert self.peer.recv(1) == b"?"
        self.peer.sendall(b"!")
        assert self.sock.recv(1) == b"!"

    def reset(self) -> None:
        """Close with data unread, which is a FASTCLOSE to the peer."""
        assert self.peer
        self.sock.sendall(b"unread")
        time.sleep(0.1)
        self.peer.close()

    def close(self) -> None:
        for sock in (self.sock, self.peer, self.listener):
            if sock:
                with contextlib.suppress(OSError):
                    sock.close()


def linger(sock: socket.socket) -> None:
    """Its close() resets."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("=ii", 1, 0))
