# SPDX-License-Identifier: GPL-2.0
"""Events and reports that find no room, and how a listener catches up."""

from __future__ import annotations

import socket
import time

import isa
from ccp import Cmd
from lab import Lab, both_families
from traffic import MSS

RTT = 0.1


@both_families
def test_life_of_a_flow(lab: Lab, family: int) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    agent = lab.agent(path.a)
    flow = lab.flow(path, family=family)
    created = agent.wait(Cmd.FLOW_CREATED)
    assert created.cookie == flow.cookie
    assert created.algorithm == "ccp"
    assert created.family == family
    assert (created.local_addr, created.remote_addr) == (path.client(family), path.server(family))
    assert (created.local_port, created.remote_port) == (flow.port, flow.receiver.port)
    assert created.mss == flow.info().mss
    assert (created.init_cwnd, created.cwnd) == (10 * created.mss, 10)
    assert not created.adopted
    assert agent.flow(created.id).agent_id == agent.info.id
    flow.start(50 * created.mss).wait()
    time.sleep(1)
    info, tcp = agent.flow(created.id), flow.info()
    assert (info.mss, info.cwnd, info.in_flight) == (tcp.mss, tcp.cwnd, 0)
    assert (info.delivered, info.bytes_acked) == (tcp.delivered, tcp.bytes_acked)
    assert abs(info.srtt_us - tcp.rtt * 1e6) < 1
    assert RTT * 1e6 <= info.min_rtt_us <= RTT * 1e6 + 1000
    assert 1000 <= info.age_ms <= 3000
    flow.finish()
    closed = agent.wait(Cmd.FLOW_CLOSED)
    assert closed.id == created.id
    for name in ("cookie", "family", "local_addr", "local_port", "remote_addr", "remote_port"):
        assert getattr(closed, name) == getattr(created, name), name
    assert closed.bytes_acked >= 50 * created.mss
    assert closed.delivered >= 50
    assert (closed.lost, closed.retransmits, closed.aborts) == (0, 0, 0)
    assert closed.invocations >= info.invocations > 0
    assert agent.flows() == []
    assert agent.drain(1) == [], "nothing comes after the end"


def test_mapped_address_is_ipv4(lab: Lab) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    agent = lab.agent(path.a)
    receiver = lab.receiver(path.b)
    sock = path.a.socket(socket.AF_INET6)
    sock.setsockopt(socket.IPPROTO_TCP, 13, b"ccp")
    sock.connect((f"::ffff:{path.server()}", receiver.port))
    created = agent.wait(Cmd.FLOW_CREATED)
    assert (created.family, created.remote_addr) == (socket.AF_INET, path.server())
    assert created.local_addr == path.client()
    sock.close()
    agent.wait(Cmd.FLOW_CLOSED)


def test_switched_sockets(lab: Lab) -> None:
    """A connection that comes to ccp late, and one that leaves it."""
    path = lab.path(delay_ms=RTT * 1000)
    agent = lab.agent(path.a)
    flow = lab.flow(path, "reno").start()
    time.sleep(3.5 * RTT)
    assert agent.flows() == []
    flow.sock.setsockopt(socket.IPPROTO_TCP, 13, b"ccp")
    created = agent.wait(Cmd.FLOW_CREATED)
    assert created.cookie == flow.cookie
    counter = agent.install("p", isa.counter(isa.BYTES_ACKED))
    acked = flow.info().bytes_acked
    agent.set_program(created.id, counter.id)
    time.sleep(2 * RTT)
    # What was acknowledged before is no measurement of the new flow.
    found = [e for e in agent.drain() if e.event == Cmd.REPORT]
    assert found[-1].fields[0] == flow.info().bytes_acked - acked
    flow.sock.setsockopt(socket.IPPROTO_TCP, 13, b"reno")
    closed = agent.wait(Cmd.FLOW_CLOSED)
    assert closed.id == created.id
    before = flow.info().bytes_acked
    time.sleep(5 * RTT)
    assert flow.info().bytes_acked > before


def test_slow_agent_loses_reports_and_catches_up(lab: Lab) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    agent = lab.agent(path.a)
    agent.nl.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 10)
    watcher = lab.client(path.a)
    flow = lab.flow(path)
    flow_id = agent.wait(Cmd.FLOW_CREATED).id
    program = agent.install("p", isa.fixed_cwnd(100 * MSS, *[isa.NOW] * 16))
    agent.set_program(flow_id, program.id)
    flow.start(1500 * MSS).wait(120)
    time.sleep(1)
    info = watcher.flow(flow_id)
    assert info.report_drops > 50, info
    assert info.reports > info.report_drops
    stats = watcher.stats()
    assert (stats.reports, stats.report_drops) == (info.reports, info.report_drops)
    # The agent learns that it lost something, gets what was queued, asks where
    # things stand, and sees the gap.
    queued, losses = agent.drain_overrun()
    assert losses == 1
    queued = [e.seq for e in queued]
    assert queued == list(range(1, len(queued) + 1)), "what fitted, in order"
    assert len(queued) == info.reports - info.report_drops
    (again,) = agent.flows()
    assert (again.id, again.reports) == (flow_id, info.reports)
    flow.start(5 * MSS).wait()
    time.sleep(1)
    later = [e.seq for e in agent.drain()]
    assert later[0] == info.reports + 1 > queued[-1] + 1


def test_slow_listener_hurts_nobody_else(lab: Lab) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    agent = lab.agent(path.a)
    slow = lab.client(path.a)
    slow.nl.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.join()
    flow = lab.flow(path)
    flow_id = agent.wait(Cmd.FLOW_CREATED).id
    program = agent.install("p", isa.reporter(isa.NOW))
    agent.set_program(flow_id, program.id)
    flow.start(200 * MSS).wait()
    time.sleep(1)
    info = agent.flow(flow_id)
    assert info.report_drops == 0, "drops are the agent's"
    seen = [e.seq for e in agent.drain() if e.event == Cmd.REPORT]
    assert seen == list(range(1, info.reports + 1)), (seen, info)
    _, losses = slow.drain_overrun()
    assert losses == 1
    # It catches up by a dump.
    assert [f.id for f in slow.flows()] == [flow_id]
