# SPDX-License-Identifier: GPL-2.0
# Flavours: uml-debug
"""Allocations that fail, by fault injection: nothing breaks, nothing leaks (the
guest's end looks for leaks), and what was refused is counted."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import isa
from ccp import Client, Cmd, Update, install_request
from lab import DEBUGFS, Lab
from netlink import NLMSG_ERROR, NetlinkError, genl, refusal, u32, uint
from traffic import MSS

RTT = 0.2
FAILSLAB = DEBUGFS / "failslab"
FLOWS = Path("/sys/kernel/slab/ccp_flow/failslab")


@contextlib.contextmanager
def failing(probability: int, only_flows: bool = False) -> Iterator[None]:
    """Allocations that can't wait fail with `probability` per cent."""
    settings = {
        "verbose": "0",
        "times": "-1",
        "ignore-gfp-wait": "Y",
        "cache-filter": "Y" if only_flows else "N",
        "probability": str(probability),
    }
    if only_flows:
        FLOWS.write_text("1")
    for name, value in settings.items():
        (FAILSLAB / name).write_text(value)
    try:
        yield
    finally:
        (FAILSLAB / "probability").write_text("0")
        if only_flows:
            FLOWS.write_text("0")


def test_flow_without_state_is_reno(lab: Lab) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    agent = lab.agent(path.a)
    with failing(100, only_flows=True):
        flows = [lab.flow(path) for _ in range(3)]
    stats = agent.stats()
    assert (stats.flows, stats.flows_refused) == (0, 3)
    assert agent.drain() == []
    flows[0].start()
    time.sleep(0.9 * RTT)
    grown = [i.cwnd for i in flows[0].watch(4.05 * RTT, RTT)]
    assert grown == [20, 40, 80, 160], grown
    late = lab.flow(path)
    assert agent.wait(Cmd.FLOW_CREATED).cookie == late.cookie


def test_traffic_while_allocations_fail(lab: Lab) -> None:
    """One in ten fails in the ACK path: reports get lost and are counted, and
    the transfer ends."""
    path = lab.path(delay_ms=RTT * 1000)
    agent = lab.agent(path.a)
    flow = lab.flow(path)
    flow_id = agent.wait(Cmd.FLOW_CREATED).id
    agent.set_program(flow_id, agent.install("p", isa.fixed_cwnd(50 * MSS)).id)
    with failing(10):
        flow.start(1000 * MSS)
        for _ in range(80):
            time.sleep(RTT)
            with contextlib.suppress(NetlinkError, OSError):
                agent.heartbeat()
    flow.wait(60)
    seen = [e.seq for e in agent.drain_overrun()[0] if e.event == Cmd.REPORT]
    info = agent.flow(flow_id)
    assert info.report_drops > 0
    assert len(seen) == info.reports - info.report_drops
    assert seen == sorted(set(seen))


def each_allocation(agent: Client, request: Callable[[], bytes]) -> int:
    """The request with its first allocation failing, then with its second, and
    so on until none fails; how many there were."""
    (FAILSLAB / "ignore-gfp-wait").write_text("N")
    (FAILSLAB / "verbose").write_text("0")
    nth = os.open("/proc/thread-self/fail-nth", os.O_RDWR)
    try:
        for count in range(1, 200):
            nl, body = agent.nl, request()
            whole = nl.header(agent.family.id, 5, len(body)) + body
            os.write(nth, str(count).encode())
            error: OSError | NetlinkError | None = None
            try:
                nl.send_raw(whole)
            except OSError as failed:
                error = failed
            left = int(os.pread(nth, 16, 0).rstrip(b"\n\0"))
            os.write(nth, b"0")
            if error is None:
                error = answer(agent, whole)
            if left:
                assert error is None, f"without a failing allocation: {error}"
                return count - 1
        raise AssertionError("no end of allocations")
    finally:
        os.close(nth)
        (FAILSLAB / "ignore-gfp-wait").write_text("Y")


def answer(agent: Client, whole: bytes) -> OSError | NetlinkError | None:
    """Why the request failed, if it did. An answer that could not be
    allocated never comes."""
    found = []
    try:
        while batch := agent.nl.receive(0):
            found += [message for message in batch if message.seq == agent.nl.seq]
    except OSError as error:
        return error
    if not found:
        return OSError(errno.ENOBUFS, "no answer")
    for message in found:
        if message.kind == NLMSG_ERROR and (refused := refusal(message, whole)).code:
            return refused
    return None


def test_commands_without_memory(lab: Lab) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    agent = lab.agent(path.a)
    flow = lab.flow(path)
    flow_id = agent.wait(Cmd.FLOW_CREATED).id
    program = agent.install("p", isa.fixed_cwnd(20 * MSS))
    names = (f"n{k}" for k in range(10_000))
    requests: dict[str, Callable[[], bytes]] = {
        "install": lambda: install_request(next(names), isa.reporter(isa.NOW)),
        "program-get": lambda: genl(Cmd.PROGRAM_GET, u32(1, program.id)),
        "flow-get": lambda: genl(Cmd.FLOW_GET, uint(1, flow_id)),
        "set-program": lambda: genl(
            Cmd.FLOW_SET_PROGRAM, uint(1, flow_id), u32(3, program.id), Update(0, 0, 9).wire()
        ),
        "fallback-set": lambda: genl(Cmd.FALLBACK_SET, u32(1, program.id)),
        "stats-get": lambda: genl(Cmd.STATS_GET),
        "heartbeat": lambda: genl(Cmd.AGENT_HEARTBEAT),
    }
    for name, request in requests.items():
        assert each_allocation(agent, request) > 0, name
        agent.drain_overrun()
    # It all works as before.
    agent.set_program(flow_id, program.id, Update(isa.CONTROL, 0, 30 * MSS))
    flow.start()
    time.sleep(3 * RTT)
    assert flow.info().cwnd == 30
    for made in agent.programs():
        if made.id != program.id:
            agent.remove(made.id)
    assert agent.stats().programs == 1
