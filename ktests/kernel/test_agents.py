# SPDX-License-Identifier: GPL-2.0
"""Agents that come, hang, die, and come back while flows go on."""

from __future__ import annotations

import errno
import signal
import time

import isa
from ccp import Cmd, Reason
from control import flow_by
from lab import Lab, raises, wait_for
from traffic import MSS

TIMEOUT = 1.0
MODULE_PARAMS = "agent_timeout_ms=1000"

RTT = 0.1


def goes_on(flow, seconds: float = 1.0) -> None:
    """Under the fallback program a flow without losses makes progress: at
    least the initial window each RTT."""
    before = flow.info().bytes_acked
    time.sleep(seconds)
    got = flow.info().bytes_acked - before
    assert got >= 0.8 * seconds / RTT * 10 * MSS, f"{got} bytes in {seconds} s"


def test_attach_answers(lab: Lab) -> None:
    (ns,) = lab.namespaces("n")
    agent = lab.agent(ns, "an-agent", "one", "two")
    info = agent.info
    assert info.timeout_ms == TIMEOUT * 1000
    assert (info.isa_version, info.max_instructions, info.max_events) == (1, 4096, 256)
    (listed,) = agent.agents()
    assert (listed.id, listed.name, listed.algorithm) == (info.id, "an-agent", ["one", "two"])
    assert (listed.port_id, listed.flows, listed.programs) == (agent.nl.port, 0, 0)
    assert not listed.silent
    agent.detach()
    assert agent.agents() == []
    again = agent.attach("again")
    assert again.id > info.id, "ids aren't reused"


def test_no_agent(lab: Lab) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    flow = lab.flow(path).start()
    client = lab.client(path.a)
    (info,) = client.flows()
    assert (info.program_id, info.agent_id, info.fallback_reason) == (0, None, Reason.NO_AGENT)
    goes_on(flow)


def test_new_agent_adopts(lab: Lab) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    flows = [lab.flow(path).start() for _ in range(5)]
    time.sleep(0.5)
    agent = lab.agent(path.a)
    told = [agent.wait(Cmd.FLOW_CREATED) for _ in flows]
    assert {t.cookie for t in told} == {f.cookie for f in flows}
    assert all(t.adopted and t.agent_id == agent.info.id for t in told)
    program = agent.install("p", isa.fixed_cwnd(12 * MSS))
    for t in told:
        agent.set_program(t.id, program.id)
    time.sleep(3 * RTT)
    assert [f.info().cwnd for f in flows] == [12] * 5
    assert {f.fallback_reason for f in agent.flows()} == {Reason.NONE}
    (listed,) = agent.agents()
    assert (listed.flows, listed.programs) == (5, 1)
    assert agent.program(program.id).flows == 5


def death(lab: Lab, end) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    flow = lab.flow(path)
    watcher = lab.client(path.a)
    watcher.join()
    agent = lab.agent(path.a)
    program = agent.install("p", isa.fixed_cwnd(12 * MSS))
    flow_id = agent.wait(Cmd.FLOW_CREATED).id
    agent.set_program(flow_id, program.id)
    flow.start()
    time.sleep(5 * RTT)
    assert flow.info().cwnd == 12
    end(agent)
    event = watcher.wait(Cmd.FLOW_FALLBACK, timeout=2 * RTT)
    assert (event.id, event.fallback_reason) == (flow_id, Reason.AGENT_GONE)
    assert event.program_id == 0
    goes_on(flow)
    assert flow.info().cwnd > 12, "the fallback program opens the window"
    info = watcher.flow(flow_id)
    assert (info.program_id, info.agent_id) == (0, None)
    assert (info.fallback_reason, info.fallbacks) == (Reason.AGENT_GONE, 1)
    assert watcher.programs() == [], "its programs go with it"
    assert watcher.stats().fallbacks == 1
    # The next agent gets the flow.
    heir = lab.agent(path.a, "heir")
    claim = heir.wait(Cmd.FLOW_CREATED)
    assert (claim.id, claim.adopted) == (flow_id, True)


def test_agent_closes_its_socket(lab: Lab) -> None:
    death(lab, lambda agent: agent.close())


def test_agent_detaches(lab: Lab) -> None:
    death(lab, lambda agent: agent.detach())


def test_ccpctl_killed_under_load_and_back(lab: Lab) -> None:
    path = lab.path(delay_ms=40, rate_mbit=8, queue=30)
    watcher = lab.client(path.a)
    watcher.join()
    tool = lab.run_algorithm(path.a, "reno")
    flows = [lab.flow(path).start() for _ in range(3)]

    def all_run(reason: Reason) -> bool:
        return [f.fallback_reason for f in watcher.flows()] == [reason] * 3

    wait_for("flows under the agent", lambda: all_run(Reason.NONE))
    for _ in range(2):
        time.sleep(1)
        tool.kill(signal.SIGKILL)
        gone = [watcher.wait(Cmd.FLOW_FALLBACK, timeout=1) for _ in flows]
        assert {g.fallback_reason for g in gone} == {Reason.AGENT_GONE}
        before = sum(f.info().bytes_acked for f in flows)
        time.sleep(2)
        got = sum(f.info().bytes_acked for f in flows) - before
        # 8 Mbit/s for 2 s, less headers and a loss of everybody.
        assert got > 0.7 * 2 * 8e6 / 8, got
        tool = lab.run_algorithm(path.a, "reno")
        wait_for("adoption", lambda: all_run(Reason.NONE))
    time.sleep(1)
    assert tool.process.poll() is None, tool.output


def test_ccpctl_ctrl_c(lab: Lab) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    flow = flow_by(lab, path, "fallback").start()
    watcher = lab.client(path.a)
    tool = lab.run_algorithm(path.a, "reno")
    wait_for("adoption", lambda: watcher.flows()[0].fallback_reason == Reason.NONE)
    assert tool.kill(signal.SIGINT) == 0, tool.output
    assert watcher.agents() == []
    (info,) = watcher.flows()
    assert info.fallback_reason == Reason.AGENT_GONE
    goes_on(flow)


def test_silent_agent(lab: Lab) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    flow = lab.flow(path)
    watcher = lab.client(path.a)
    watcher.join()
    agent = lab.agent(path.a)
    program = agent.install("p", isa.fixed_cwnd(12 * MSS))
    flow_id = agent.wait(Cmd.FLOW_CREATED).id
    flow.start()
    start = time.monotonic()
    agent.set_program(flow_id, program.id)
    # Heartbeats keep it.
    for _ in range(6):
        time.sleep(TIMEOUT / 2)
        agent.heartbeat()
    last = time.monotonic()
    assert watcher.flow(flow_id).program_id == program.id
    assert flow.info().cwnd == 12
    event = watcher.wait(Cmd.FLOW_FALLBACK, timeout=3 * TIMEOUT)
    silence = time.monotonic() - last
    # Seen by the first ACK after the timeout; ACKs come each RTT.
    assert TIMEOUT <= silence <= TIMEOUT + 1.5 * RTT, f"after {silence} s of silence"
    assert last - start > 2 * TIMEOUT
    assert (event.id, event.fallback_reason) == (flow_id, Reason.AGENT_SILENT)
    goes_on(flow)
    assert flow.info().cwnd > 12
    (listed,) = watcher.agents()
    assert listed.silent
    # A sign of life, and it is told of its flow again.
    agent.drain()
    agent.heartbeat()
    (listed,) = watcher.agents()
    assert not listed.silent
    back = agent.wait(Cmd.FLOW_CREATED, id=flow_id)
    assert back.adopted
    agent.set_program(flow_id, program.id)
    time.sleep(2 * RTT)
    assert flow.info().cwnd == 12
    assert watcher.flow(flow_id).fallback_reason == Reason.NONE


def test_two_agents(lab: Lab) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    first = lab.agent(path.a, "first")
    second = lab.agent(path.a, "second")
    flow = lab.flow(path).start()
    created = first.wait(Cmd.FLOW_CREATED)
    assert created.agent_id == first.info.id
    assert second.drain(RTT) == [], "the oldest serves"
    theirs = second.install("p", isa.fixed_cwnd(20 * MSS))
    ours = first.install("p", isa.fixed_cwnd(12 * MSS))
    with raises(errno.EPERM, f"flow {created.id}"):
        second.set_program(created.id, theirs.id)
    with raises(errno.EPERM, f"program {theirs.id}"):
        first.set_program(created.id, theirs.id)
    first.set_program(created.id, ours.id)
    time.sleep(2 * RTT)
    assert flow.info().cwnd == 12
    first.close()
    claim = second.wait(Cmd.FLOW_CREATED, timeout=2 * RTT)
    assert (claim.id, claim.adopted, claim.agent_id) == (created.id, True, second.info.id)
    second.set_program(created.id, theirs.id)
    time.sleep(2 * RTT)
    assert flow.info().cwnd == 20


def test_fallback_program_replaced(lab: Lab) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    agent = lab.agent(path.a)
    kept = agent.install("kept", isa.fixed_cwnd(17 * MSS))
    agent.set_fallback(kept.id)
    assert agent.program(kept.id).fallback
    with raises(errno.EBUSY, "fallback"):
        agent.remove(kept.id)
    agent.close()
    # It outlives its agent and runs the flows that have none.
    watcher = lab.client(path.a)
    assert [p.id for p in watcher.programs()] == [kept.id]
    flow = lab.flow(path).start()
    time.sleep(3 * RTT)
    assert flow.info().cwnd == 17
    (info,) = watcher.flows()
    assert (info.program_id, info.fallback_reason) == (kept.id, Reason.NO_AGENT)
    watcher.set_fallback(None)
    other = lab.flow(path).start()
    time.sleep(3.9 * RTT)
    assert other.info().cwnd == 80, "the built-in one again, for new flows"
    assert flow.info().cwnd == 17
    flow.stop()
    wait_for("end of the program", lambda: watcher.programs() == [])
