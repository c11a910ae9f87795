# SPDX-License-Identifier: GPL-2.0
"""Limits that module parameters set, and the bounds of those."""

from __future__ import annotations

import ctypes
import errno
import socket
import time
from pathlib import Path

import isa
from ccp import Client, Cmd
from lab import Lab, cases, raises
from traffic import MSS

RTT = 0.2
PARAMETERS = Path("/sys/module/ccp_rs/parameters")


class Limit:
    """A module parameter, set until the test ends."""

    def __init__(self, lab: Lab, name: str, value: int) -> None:
        self.file = PARAMETERS / name
        self.before = self.file.read_text()
        self.file.write_text(str(value))
        lab.keep(self)

    def close(self) -> None:
        self.file.write_text(self.before)


def test_max_flows(lab: Lab) -> None:
    """Flows above the limit are the kernel's reno, exactly, and are counted."""
    Limit(lab, "max_flows", 2)
    path = lab.path(delay_ms=RTT * 1000)
    agent = lab.agent(path.a)
    flows = [lab.flow(path) for _ in range(4)]
    stats = agent.stats()
    assert (stats.flows, stats.flows_created, stats.flows_refused) == (2, 2, 2)
    told = [e.cookie for e in agent.drain()]
    assert told == [f.cookie for f in flows[:2]]
    assert [f.cookie for f in agent.flows()] == told
    # Slow start as of the kernel's reno, RTT by RTT; and its loss reaction.
    over = flows[2].start()
    time.sleep(RTT / 2)
    found = [over.info().cwnd] + [i.cwnd for i in over.watch(4.1 * RTT, RTT)]
    assert found == [10, 20, 40, 80, 160]
    path.gate(drop=True)
    time.sleep(RTT)
    before = over.info().cwnd
    over.until("retransmission timeout", lambda i: i.ca_state == 4)
    assert over.info().cwnd == 1
    assert over.info().ssthresh == before // 2
    path.gate()
    over.until("end of recovery", lambda i: i.ca_state == 0, timeout=20)
    # Its name stays what the user chose.
    name = over.sock.getsockopt(socket.IPPROTO_TCP, 13, 16)
    assert name.rstrip(b"\0") == b"ccp"
    # Room again for new flows; those above the limit stay what they are.
    flows[0].stop()
    agent.wait(Cmd.FLOW_CLOSED)
    late = lab.flow(path)
    assert agent.wait(Cmd.FLOW_CREATED).cookie == late.cookie
    assert agent.stats().flows_refused == 2
    assert {f.cookie for f in agent.flows()} == {flows[1].cookie, late.cookie}


def disconnect(sock: socket.socket) -> None:
    """connect() to AF_UNSPEC: the socket can connect again afterwards."""
    nowhere = bytes(16)
    assert ctypes.CDLL(None).connect(sock.fileno(), nowhere, len(nowhere)) == 0


def test_refused_socket_may_have_a_flow_next_time(lab: Lab) -> None:
    limit = Limit(lab, "max_flows", 1)
    (ns,) = lab.namespaces("n")
    client = lab.client(ns)
    server = lab.keep(ns.socket())
    server.bind(("127.0.0.1", 0))
    server.listen()
    socks = []
    for _ in range(2):
        sock = lab.keep(ns.socket())
        sock.setsockopt(socket.IPPROTO_TCP, 13, b"ccp")
        sock.connect(server.getsockname())
        socks.append(sock)
    assert client.stats().flows == 1
    limit.file.write_text("0")
    disconnect(socks[1])
    assert client.stats().flows == 1
    socks[1].connect(server.getsockname())
    assert client.stats().flows == 2
    # And the children of a socket that was refused once.
    limit.file.write_text("2")
    over = lab.keep(ns.socket())
    over.setsockopt(socket.IPPROTO_TCP, 13, b"ccp")
    over.connect(server.getsockname())
    assert client.stats().flows == 2
    disconnect(over)
    limit.file.write_text("0")
    over.bind(("127.0.0.1", 0))
    over.listen()
    peer = lab.keep(ns.socket())
    peer.connect(over.getsockname())
    lab.keep(over.accept()[0])
    assert client.stats().flows == 3
    for sock in socks:
        disconnect(sock)


def test_max_agents(lab: Lab) -> None:
    Limit(lab, "max_agents", 2)
    one, two = lab.namespaces("n1", "n2")
    lab.agent(one, "a")
    second = lab.agent(one, "b")
    with raises(errno.ENOSPC, "2 agents", "max_agents"):
        lab.agent(one, "c")
    # Each namespace has its own count.
    lab.agent(two, "d")
    second.detach()
    lab.agent(one, "e")


def test_max_programs(lab: Lab) -> None:
    Limit(lab, "max_programs", 3)
    agent = lab.keep(Client())
    agent.attach()
    made = [agent.install(f"p{k}", isa.empty()) for k in range(3)]
    with raises(errno.ENOSPC, "3 programs", "max_programs"):
        agent.install("p3", isa.empty())
    assert len(agent.programs()) == 3
    agent.remove(made[1].id)
    assert agent.install("p3", isa.empty()).id > made[2].id


def test_max_program_bytes(lab: Lab) -> None:
    Limit(lab, "max_program_bytes", 4096)
    agent = lab.keep(Client())
    agent.attach()
    big = isa.Program().always(*[isa.bind(isa.CWND, isa.MSS)] * 200)
    used = 0
    with raises(errno.ENOSPC, "max_program_bytes"):
        for k in range(20):
            used += agent.install(f"p{k}", big).bytes
    assert 0 < used <= 4096
    # What is small still fits, and removing makes room.
    for program in agent.programs():
        agent.remove(program.id)
    agent.install("again", big)


@cases(
    name=["agent_timeout_ms", "max_flows", "max_agents", "max_programs", "max_program_bytes"],
)
def test_bounds(lab: Lab, name: str) -> None:
    bad = {
        "agent_timeout_ms": ["-1", "3600001", "x", ""],
        "max_flows": ["-1", "4294967296", "x"],
        "max_agents": ["0", "4097", "-1"],
        "max_programs": ["0", "65537", "-1"],
        "max_program_bytes": ["0", "4095", "1073741825"],
    }[name]
    file = PARAMETERS / name
    before = file.read_text()
    for value in bad:
        try:
            file.write_text(value + "\n")
        except OSError as error:
            assert error.errno in (errno.EINVAL, errno.ERANGE), error
        else:
            raise AssertionError(f"{name}={value!r} accepted")
        assert file.read_text() == before
    # The same when the module is loaded.
    lab.module.remove()
    for value in bad:
        if not value:
            continue
        try:
            lab.module.load(f"{name}={value}")
        except RuntimeError as error:
            assert "Invalid" in str(error) or "out of range" in str(error), error
        else:
            raise AssertionError(f"loaded with {name}={value}")
        assert not lab.module.loaded
    lab.module.load(f"{name}=4096")
    assert file.read_text() == "4096\n"
    lab.module.remove()
    lab.module.load()
    assert file.read_text() == before


def test_timeout_zero_is_never(lab: Lab) -> None:
    Limit(lab, "agent_timeout_ms", 0)
    path = lab.path(delay_ms=RTT * 1000)
    agent = lab.agent(path.a)
    assert agent.info.timeout_ms == 0
    flow = lab.flow(path)
    flow_id = agent.wait(Cmd.FLOW_CREATED).id
    agent.set_program(flow_id, agent.install("p", isa.fixed_cwnd(12 * MSS)).id)
    flow.start()
    watcher = lab.client(path.a)
    time.sleep(100)
    assert watcher.flow(flow_id).program_id != 0
    assert flow.info().cwnd == 12
