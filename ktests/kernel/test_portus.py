# SPDX-License-Identifier: GPL-2.0
"""Portus clients: the handshake, flows, programs, ends and returns. Each thing
that ccp-kernel and libccp got wrong here is a test."""

from __future__ import annotations

import socket
import struct
import time
from pathlib import Path

import isa
import portus
from ccp import Cmd, Reason
from lab import Lab, cases, wait_for
from portus import Kind, Portus
from traffic import MSS

MODULE_PARAMS = "portus=1 agent_timeout_ms=1000"
TIMEOUT = 1.0
RTT = 0.1

each_transport = cases(over=list(portus.TRANSPORTS))

FIXED = isa.fixed_cwnd(12 * MSS, isa.NOW)


def client(lab: Lab, ns, over: str, *programs: isa.Program) -> Portus:
    """A client that has installed programs, if any."""
    made = lab.keep(portus.TRANSPORTS[over](ns))
    if programs:
        made.serve(*programs)
    return made


def steady(flow, cwnd: int) -> None:
    time.sleep(2 * RTT)
    assert flow.info().cwnd == cwnd, flow.info()


@each_transport
def test_session(lab: Lab, over: str) -> None:
    """From READY to the close of the flow, as portus has it."""
    path = lab.path(delay_ms=RTT * 1000)
    watcher = lab.client(path.a)
    agent = client(lab, path.a, over)
    ready = agent.wait(Kind.READY)
    assert (ready.sid, len(ready.body)) == (0, 4)
    assert watcher.agents() == [], "without a program it is no agent"
    agent.send(portus.install(7, FIXED))
    (listed,) = watcher.agents()
    assert (listed.name, listed.programs) == (f"portus-{over}", 1)
    (program,) = watcher.programs()
    assert (program.agent_id, program.name) == (listed.id, "uid7")
    flow = lab.flow(path)
    created = agent.wait(Kind.CREATE)
    (info,) = watcher.flows()
    assert 0 < created.sid == info.id & 0xFFFFFFFF
    cwnd, mss = struct.unpack_from("<II", created.body)
    assert (cwnd, mss) == (10 * MSS, MSS)
    # The bytes of the network, as ccp-kernel has them.
    assert created.body[8:24] == b"".join(
        (
            bytes((10, 0, 1, 1)),
            flow.port.to_bytes(2, "big") + bytes(2),
            bytes((10, 0, 2, 2)),
            flow.receiver.port.to_bytes(2, "big") + bytes(2),
        )
    )
    assert created.body[24:] == bytes(64), "no algorithm is asked for"
    flow.start()
    agent.send(portus.change(created.sid, 7))
    steady(flow, 12)
    report = agent.wait(Kind.MEASURE, sid=created.sid)
    assert (report.uid, len(report.fields)) == (7, 1)
    assert report.fields[0] > 0
    agent.send(portus.update(created.sid, ((isa.CONTROL, 0), 20 * MSS), (isa.CWND, 20 * MSS)))
    steady(flow, 20)
    agent.send(portus.change(created.sid, 7, ((isa.CONTROL, 0), 15 * MSS)))
    steady(flow, 15)
    info = watcher.flow(info.id)
    assert (info.program_id, info.fallback_reason) == (program.id, Reason.NONE)
    flow.stop()
    closed = agent.wait(Kind.MEASURE, sid=created.sid, is_close=True)
    assert closed.uid == 0
    stats = watcher.stats()
    assert (stats.command_errors, stats.events_dropped, stats.report_drops) == (0, 0, 0)
    agent.close()
    wait_for("its end", lambda: watcher.agents() == [] and watcher.programs() == [])


@each_transport
def test_flows_older_than_the_agent(lab: Lab, over: str) -> None:
    """ccp-kernel: after an agent's restart its flows stayed orphans."""
    path = lab.path(delay_ms=RTT * 1000)
    watcher = lab.client(path.a)
    watcher.join()
    flows = [lab.flow(path).start() for _ in range(3)]
    first = client(lab, path.a, over, FIXED)
    sids = {first.wait(Kind.CREATE).sid for _ in flows}
    assert len(sids) == 3
    for sid in sids:
        first.send(portus.change(sid, 1))
    for flow in flows:
        steady(flow, 12)
    first.close()
    for _ in flows:
        assert watcher.wait(Cmd.FLOW_FALLBACK).fallback_reason == Reason.AGENT_GONE
    wait_for("growth without an agent", lambda: all(f.info().cwnd > 12 for f in flows))
    # The same numbers of programs stand for others now.
    second = client(lab, path.a, over, isa.empty(), isa.fixed_cwnd(9 * MSS))
    assert {second.wait(Kind.CREATE).sid for _ in flows} == sids
    for sid in sids:
        second.send(portus.change(sid, 2))
    for flow in flows:
        steady(flow, 9)


@each_transport
def test_two_agents(lab: Lab, over: str) -> None:
    """ccp-kernel told all agents of all flows, and believed each."""
    path = lab.path(delay_ms=RTT * 1000)
    watcher = lab.client(path.a)
    first = client(lab, path.a, over, FIXED)
    second = client(lab, path.a, over, isa.fixed_cwnd(9 * MSS))
    wait_for("two agents", lambda: len(watcher.agents()) == 2)
    flow = lab.flow(path).start()
    sid = first.wait(Kind.CREATE).sid
    assert second.drain(5 * RTT) == [], "the oldest serves"
    first.send(portus.change(sid, 1))
    steady(flow, 12)
    # The other has a program of the same number, and not the flow.
    second.send(portus.change(sid, 1))
    second.send(portus.update(sid, (isa.CWND, 2 * MSS)))
    steady(flow, 12)
    assert watcher.stats().command_errors == 2
    first.close()
    assert second.wait(Kind.CREATE).sid == sid
    second.send(portus.change(sid, 1))
    steady(flow, 9)


@each_transport
def test_beside_an_agent_of_generic_netlink(lab: Lab, over: str) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    native = lab.agent(path.a, "native")
    guest = client(lab, path.a, over, FIXED)
    flow = lab.flow(path).start()
    created = native.wait(Cmd.FLOW_CREATED)
    assert guest.drain(5 * RTT) == []
    # Listeners hear what a client hears.
    watcher = lab.client(path.a)
    watcher.join()
    native.close()
    sid = guest.wait(Kind.CREATE).sid
    assert sid == created.id
    guest.send(portus.change(sid, 1))
    steady(flow, 12)
    assert watcher.wait(Cmd.REPORT).flow_id == created.id
    guest.wait(Kind.MEASURE)


@each_transport
def test_hung_agent(lab: Lab, over: str) -> None:
    """libccp never noticed one that hangs. A client has no heartbeat: it is
    silent when it doesn't read."""
    path = lab.path(delay_ms=RTT * 1000)
    watcher = lab.client(path.a)
    watcher.join()
    agent = client(lab, path.a, over, FIXED)
    flow = lab.flow(path).start()
    sid = agent.wait(Kind.CREATE).sid
    agent.send(portus.change(sid, 1))
    # It reads and has nothing to say, for longer than the timeout.
    end = time.monotonic() + 3 * TIMEOUT
    while time.monotonic() < end:
        agent.drain(RTT)
    assert watcher.flows()[0].fallback_reason == Reason.NONE
    assert flow.info().cwnd == 12
    # Now it doesn't.
    event = watcher.wait(Cmd.FLOW_FALLBACK, timeout=2 * TIMEOUT)
    assert event.fallback_reason == Reason.AGENT_SILENT
    (listed,) = watcher.agents()
    assert listed.silent
    wait_for("growth without the agent", lambda: flow.info().cwnd > 12)
    # It reads again, though it says nothing: it is told of its flow once more.
    agent.drain()
    assert agent.wait(Kind.CREATE).sid == sid
    assert not [m for m in agent.drain(1.0) if m.kind == Kind.CREATE], "told once"
    agent.send(portus.change(sid, 1))
    steady(flow, 12)
    (listed,) = watcher.agents()
    assert not listed.silent


@each_transport
def test_idle_agent_is_not_silent(lab: Lab, over: str) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    watcher = lab.client(path.a)
    client(lab, path.a, over, FIXED)
    time.sleep(4 * TIMEOUT)
    assert not watcher.agents()[0].silent


@each_transport
def test_program_of_the_same_number(lab: Lab, over: str) -> None:
    """libccp kept the first: its reports were read as the second's."""
    path = lab.path(delay_ms=RTT * 1000)
    watcher = lab.client(path.a)
    agent = client(lab, path.a, over, isa.fixed_cwnd(12 * MSS, isa.NOW, isa.MSS))
    flow = lab.flow(path).start()
    sid = agent.wait(Kind.CREATE).sid
    agent.send(portus.change(sid, 1))
    steady(flow, 12)
    agent.send(portus.install(1, isa.fixed_cwnd(9 * MSS, isa.MSS)))
    agent.drain(RTT)
    # The flow goes on with the old one, whose reports nobody could read.
    steady(flow, 12)
    assert [m for m in agent.drain(5 * RTT) if m.kind == Kind.MEASURE] == []
    assert len(watcher.programs()) == 1
    agent.send(portus.change(sid, 1))
    steady(flow, 9)
    assert agent.wait(Kind.MEASURE).fields == [MSS]


@each_transport
def test_many_programs(lab: Lab, over: str) -> None:
    """libccp had room for nine, and number 1 wiped them."""
    path = lab.path(delay_ms=RTT * 1000)
    watcher = lab.client(path.a)
    agent = client(lab, path.a, over)
    agent.wait(Kind.READY)
    order = [5, 40, 1, *range(6, 40), 2]
    for uid in order:
        agent.send(portus.install(uid, isa.fixed_cwnd((uid + 2) * MSS)))
    assert {p.name for p in watcher.programs()} == {f"uid{uid}" for uid in order}
    flow = lab.flow(path).start()
    sid = agent.wait(Kind.CREATE).sid
    for uid in (40, 5, 2, 1):
        agent.send(portus.change(sid, uid))
        steady(flow, uid + 2)


@each_transport
def test_large_program(lab: Lab, over: str) -> None:
    """256 instructions never ended in libccp."""
    path = lab.path(delay_ms=RTT * 1000)
    body = [isa.bind(isa.CWND, isa.imm((14 - k % 8) * MSS)) for k in range(4001)]
    agent = client(lab, path.a, over, isa.Program().always(*body))
    flow = lab.flow(path).start()
    agent.send(portus.change(agent.wait(Kind.CREATE).sid, 1))
    steady(flow, 14)


@each_transport
def test_report_without_fields(lab: Lab, over: str) -> None:
    """To portus it would be the end of the flow."""
    path = lab.path(delay_ms=RTT * 1000)
    agent = client(lab, path.a, over, isa.reporter())
    flow = lab.flow(path).start()
    sid = agent.wait(Kind.CREATE).sid
    agent.send(portus.change(sid, 1))
    for _ in range(3):
        report = agent.wait(Kind.MEASURE)
        assert not report.is_close
        assert (report.sid, report.uid, report.fields) == (sid, 1, [0])
    assert flow.failed is None


@each_transport
def test_no_report_of_a_program_left(lab: Lab, over: str) -> None:
    """Clients end on a report of a program they left."""
    path = lab.path(delay_ms=RTT * 1000)
    agent = client(lab, path.a, over, isa.reporter(isa.NOW), isa.reporter(isa.MSS))
    lab.flow(path).start()
    sid = agent.wait(Kind.CREATE).sid
    for uid in (1, 2, 1, 2):
        agent.send(portus.change(sid, uid))
        agent.drain()
        found = [m for m in agent.drain(3 * RTT) if m.kind == Kind.MEASURE]
        assert found
        assert {m.uid for m in found} == {uid}


@each_transport
def test_no_flow_with_a_number_of_old(lab: Lab, over: str) -> None:
    """libccp's numbers were slots, reused at once: late commands hit
    other flows."""
    path = lab.path(delay_ms=RTT * 1000)
    watcher = lab.client(path.a)
    agent = client(lab, path.a, over, FIXED)
    old = lab.flow(path).start()
    sid = agent.wait(Kind.CREATE).sid
    old.stop()
    agent.wait(Kind.MEASURE, is_close=True)
    flow = lab.flow(path).start()
    assert agent.wait(Kind.CREATE).sid != sid
    # Late commands fail, and the client isn't told, as it would end.
    agent.send(portus.change(sid, 1))
    agent.send(portus.update(sid, (isa.CWND, 2 * MSS)))
    time.sleep(2 * RTT)
    (info,) = watcher.flows()
    assert (info.program_id, info.fallback_reason) == (0, Reason.NO_AGENT)
    assert flow.info().cwnd >= 20
    assert watcher.stats().command_errors == 2


@each_transport
def test_agent_that_loses_messages(lab: Lab, over: str) -> None:
    """libccp: one CREATE that found no room, and the datapath never spoke
    again. Here it comes when there is room."""
    path = lab.path(delay_ms=RTT * 1000)
    watcher = lab.client(path.a)
    agent = client(lab, path.a, over, isa.reporter(*[isa.NOW] * 16))
    if over == "netlink":
        agent.sock.setsockopt(1, 33, 4096)
    # Nobody is to fall silent here.
    timeout = Path("/sys/module/ccp_rs/parameters/agent_timeout_ms")
    timeout.write_text("0")
    lab.ends.callback(timeout.write_text, "1000")
    first = lab.flow(path).start()
    sid = agent.wait(Kind.CREATE).sid
    agent.send(portus.change(sid, 1))
    wait_for("a full queue", lambda: watcher.flows()[0].report_drops > 0, 60, RTT)
    second = lab.flow(path)
    assert watcher.stats().events_dropped > 0
    found: set[int] = set()
    end = time.monotonic() + 5
    while len(found) < 1 and time.monotonic() < end:
        try:
            found |= {m.sid for m in agent.drain(RTT) if m.kind == Kind.CREATE and m.sid != sid}
        except OSError:
            continue  # ENOBUFS: messages were lost
    assert found == {flow.id for flow in watcher.flows()} - {sid}
    assert first.failed is None
    assert second.failed is None


def test_ipv6(lab: Lab) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    agent = client(lab, path.a, "netlink", FIXED)
    flow = lab.flow(path, family=socket.AF_INET6).start()
    created = agent.wait(Kind.CREATE)
    port = flow.port.to_bytes(2, "big")
    assert created.body[8:16] == bytes(4) + port + bytes(2), "no address fits"
    agent.send(portus.change(created.sid, 1, ((isa.CONTROL, 0), 13 * 1428)))
    steady(flow, 13)
