# SPDX-License-Identifier: GPL-2.0
"""Windows and rates no flow should have, from an agent that asks for them, and
what is left of them when the program or the agent goes."""

from __future__ import annotations

import errno
import time

import isa
from ccp import CWND, RATE, Cmd, Reason, Update
from lab import Lab, raises
from netlink import attr, text

MSS = 1448
RTT = 0.1


def agent_and_flow(lab: Lab, program: isa.Program):
    path = lab.path(delay_ms=RTT * 1000, rate_mbit=10)
    agent = lab.agent(path.a)
    flow = lab.flow(path)
    flow_id = agent.wait(Cmd.FLOW_CREATED).id
    agent.set_program(flow_id, agent.install("p", program).id)
    return agent, flow, flow_id


def test_huge_window(lab: Lab) -> None:
    """The stack multiplies windows by the segment size in 32 bits."""
    agent, flow, flow_id = agent_and_flow(lab, isa.empty())
    flow.start()
    for cwnd in (1 << 33, (1 << 64) - 1):
        agent.update(flow_id, Update(*CWND, cwnd))
        time.sleep(2 * RTT)
        assert flow.info().cwnd == (1 << 31) // MSS
    program = isa.Program().always(isa.ins(isa.SUB, isa.CWND, isa.imm(0xFFFFFFFF), isa.imm(0)))
    agent.set_program(flow_id, agent.install("max", program).id)
    time.sleep(2 * RTT)
    assert flow.info().cwnd <= (1 << 31) // MSS


def test_tiny_window(lab: Lab) -> None:
    agent, flow, flow_id = agent_and_flow(lab, isa.empty())
    flow.start()
    agent.update(flow_id, Update(*CWND, 1))
    time.sleep(3 * RTT)
    assert flow.info().cwnd == 2


def test_tiny_rate_outlives_no_agent(lab: Lab) -> None:
    """A rate of a byte per second would keep the next segment for half an
    hour, long after the agent is gone."""
    agent, flow, flow_id = agent_and_flow(lab, isa.empty())
    flow.start()
    time.sleep(3 * RTT)
    agent.update(flow_id, Update(*RATE, 1))
    time.sleep(5)
    assert flow.info().pacing_rate == MSS
    slow = flow.info().bytes_acked
    time.sleep(5)
    assert flow.info().bytes_acked - slow < 20 * MSS
    agent.close()
    flow.until("traffic", lambda i: i.bytes_acked - slow > 500 * MSS, timeout=10)


def test_huge_window_outlives_no_agent(lab: Lab) -> None:
    """The fallback program can compute with the largest window there is."""
    agent, flow, flow_id = agent_and_flow(lab, isa.empty())
    flow.start()
    agent.update(flow_id, Update(*CWND, 1 << 63))
    agent.set_program(flow_id, 0)
    time.sleep(3 * RTT)
    assert agent.flow(flow_id).aborts == 0
    assert flow.info().cwnd == (1 << 31) // MSS


def test_rate_ends_with_its_program(lab: Lab) -> None:
    agent, flow, flow_id = agent_and_flow(lab, isa.fixed_cwnd(20 * MSS))
    quiet = agent.install("quiet", isa.fixed_cwnd(20 * MSS))
    flow.start()
    time.sleep(2 * RTT)
    agent.update(flow_id, Update(*RATE, 50_000))
    time.sleep(5 * RTT)
    assert flow.info().pacing_rate == 50_000
    agent.set_program(flow_id, quiet.id)
    time.sleep(5 * RTT)
    # 120 % of the window in each round trip: the stack's own.
    assert flow.info().pacing_rate > 20 * MSS / RTT
    # A rate in the command itself is the new program's.
    agent.set_program(flow_id, quiet.id, Update(*RATE, 60_000))
    time.sleep(5 * RTT)
    assert flow.info().pacing_rate == 60_000


def test_handed_back_to_the_fallback(lab: Lab) -> None:
    agent, flow, flow_id = agent_and_flow(lab, isa.fixed_cwnd(4 * MSS))
    flow.start()
    time.sleep(3 * RTT)
    assert flow.info().cwnd == 4
    agent.set_program(flow_id, 0)
    info = agent.flow(flow_id)
    assert (info.program_id, info.fallback_reason) == (0, Reason.NO_AGENT)
    # It is the agent's still, and this was no failure.
    assert (info.agent_id, info.fallbacks) == (agent.info.id, 0)
    time.sleep(5 * RTT)
    assert flow.info().cwnd > 20
    with raises(errno.EBUSY, f"flow {flow_id}"):
        agent.update(flow_id, Update(*CWND, 10 * MSS))
    with raises(errno.EINVAL, "update 0"):
        agent.set_program(flow_id, 0, Update(isa.LOCAL, 0, 1))
    agent.set_program(flow_id, agent.install("again", isa.fixed_cwnd(6 * MSS)).id)
    time.sleep(3 * RTT)
    assert flow.info().cwnd == 6


def test_names_of_algorithms(lab: Lab) -> None:
    (ns,) = lab.namespaces("n")
    client = lab.client(ns)
    for bad in (b"\0ab\0", b"a\0b\0", b"\x1b[31m\0", b"two words\0", b"\xff\0", b"\0"):
        with raises(errno.EINVAL, "algorithm"):
            client.do(Cmd.AGENT_ATTACH, text(2, "x"), attr(3, bad))
    assert client.attach("x", "good", "a" * 11).id
    assert client.agents()[0].algorithm == ["good", "a" * 11]
