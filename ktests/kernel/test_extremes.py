# SPDX-License-Identifier: GPL-2.0
"""Windows and rates no flow should have, from an agent that asks for them."""

from __future__ import annotations

import time

import isa
from ccp import CWND, RATE, Cmd, Update
from lab import Lab

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
