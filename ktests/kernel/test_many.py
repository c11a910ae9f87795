# SPDX-License-Identifier: GPL-2.0
# Guest memory: 1536M
"""Many flows: opened, closed, dumped."""

from __future__ import annotations

import resource
import socket

import isa
from ccp import Cmd
from lab import Lab, debug_kernel, wait_for
from net import Namespace

TCP_CONGESTION = 13


class Pairs:
    """Loopback connections whose client ends use ccp."""

    def __init__(self, ns: Namespace) -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (1 << 17, 1 << 17))
        self.ns = ns
        ns.write("net/ipv4/ip_local_port_range", "1024 65000")
        self.listener = ns.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(4096)
        self.open: list[tuple[socket.socket, socket.socket]] = []

    def add(self, count: int) -> None:
        at = self.listener.getsockname()
        with self.ns:
            for _ in range(count):
                sock = socket.socket()
                sock.setsockopt(socket.IPPROTO_TCP, TCP_CONGESTION, b"ccp")
                sock.connect(at)
                self.open.append((sock, self.listener.accept()[0]))

    def drop(self, count: int) -> None:
        """Close the oldest, by reset."""
        gone, self.open = self.open[:count], self.open[count:]
        for sock, peer in gone:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            sock.close()
            peer.close()

    def close(self) -> None:
        self.drop(len(self.open))
        self.listener.close()


def test_thousand_flows_open_and_close(lab: Lab) -> None:
    (ns,) = lab.namespaces("n")
    agent = lab.agent(ns)
    agent.nl.sock.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)
    program = agent.install("p", isa.reporter(isa.NOW))
    pairs = lab.keep(Pairs(ns))
    seen: set[int] = set()
    for _ in range(4):
        pairs.add(250)
        created = [agent.wait(Cmd.FLOW_CREATED).id for _ in range(250)]
        assert not seen & set(created), "ids are never used again"
        seen |= set(created)
        for flow in created:
            agent.set_program(flow, program.id)
        for sock, peer in pairs.open:
            sock.send(b"x")
            assert peer.recv(1) == b"x"
        assert agent.program(program.id).flows == 250
        pairs.drop(250)
        closed = [e.id for e in agent.drain() if e.event == Cmd.FLOW_CLOSED]
        assert sorted(closed) == sorted(created)
        assert agent.flows() == []
        assert agent.program(program.id).flows == 0
    stats = agent.stats()
    assert (stats.flows, stats.flows_created, stats.flows_refused) == (0, 1000, 0)
    assert lab.module.references == 0


def test_dump_of_ten_thousand(lab: Lab) -> None:
    """A dump is whole and says nothing twice while flows come and go."""
    count = 2_000 if debug_kernel() else 10_000
    (ns,) = lab.namespaces("n")
    client = lab.client(ns)
    pairs = lab.keep(Pairs(ns))
    pairs.add(count)
    cookies = {flow.cookie for flow in client.flows()}
    assert len(cookies) == count
    # The oldest 100 go and 100 new ones come in the midst of each dump: the
    # rest must all be there, once.
    constant = {flow.id for flow in client.flows()[100:]}
    churned = False
    seen: list[int] = []

    for flow in client.dump_stepwise(Cmd.FLOW_GET):
        seen.append(flow.id)
        if not churned and len(seen) > count // 3:
            churned = True
            pairs.drop(100)
            pairs.add(100)
    assert churned
    assert len(seen) == len(set(seen)), "a flow came twice"
    missing = constant - set(seen)
    assert not missing, f"{len(missing)} of {count} flows are missing"
    pairs.drop(count)
    wait_for("end of the flows", lambda: client.stats().flows == 0)


def memory_stays(lab: Lab) -> None:
    """Opening and closing leaves nothing behind that grows."""
    (ns,) = lab.namespaces("n")
    pairs = lab.keep(Pairs(ns))

    def unreclaimable() -> int:
        with open("/proc/meminfo") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("SUnreclaim"))

    sizes = []
    for _ in range(4):
        pairs.add(300)
        pairs.drop(300)
        sizes.append(unreclaimable())
    # 300 flows of 1 KiB would be 300 KiB a round.
    assert sizes[3] - sizes[1] < 400, f"KiB of slab after each round: {sizes}"


if not debug_kernel():
    # There kmemleak looks for leaks, and KASAN keeps what was freed.
    test_memory_stays = memory_stays
