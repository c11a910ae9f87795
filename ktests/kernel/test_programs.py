# SPDX-License-Identifier: GPL-2.0
"""Programs at work in a flow: what they see, what they can do, and switching."""

from __future__ import annotations

import errno
import socket
import time

import isa
from ccp import CWND, RATE, Client, Cmd, Reason, Update
from control import mss
from lab import Lab, both_families, cases, raises
from net import Route
from traffic import CA_LOSS, CA_OPEN, MSS, Flow

RTT = 0.1


def agent_and_flow(
    lab: Lab, path: Route, program: isa.Program, family: int = socket.AF_INET
) -> tuple[Client, Flow, int]:
    """An agent, a flow that runs `program` from its first ACK on, its id."""
    agent = lab.agent(path.a)
    agent.installed = agent.install("p", program)
    flow = lab.flow(path, family=family)
    created = agent.wait(Cmd.FLOW_CREATED, cookie=flow.cookie)
    agent.set_program(created.id, agent.installed.id)
    return agent, flow, created.id


def reports(agent: Client, wait: float = 1.0) -> list:
    return [e for e in agent.drain(wait) if e.event == Cmd.REPORT]


@both_families
def test_measurements(lab: Lab, family: int) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    program = isa.reporter(
        isa.BYTES_ACKED, isa.PACKETS_ACKED, isa.RTT_SAMPLE, isa.NOW, isa.MSS, isa.CWND,
        isa.LOST_PACKETS, isa.BYTES_IN_FLIGHT,
    )  # fmt: skip
    agent, flow, flow_id = agent_and_flow(lab, path, program, family)
    size = 100 * mss(family)
    flow.start(size).wait()
    time.sleep(1)
    found = reports(agent)
    assert [r.seq for r in found] == list(range(1, len(found) + 1))
    assert {(r.flow_id, r.program_id) for r in found} == {(flow_id, agent.installed.id)}
    assert all(len(r.fields) == 8 for r in found)
    # Every byte and packet is counted once.
    assert sum(r.fields[0] for r in found) == size
    assert sum(r.fields[1] for r in found) == 100
    for r in found:
        # No queue: samples are the path's RTT; an ACK may be delayed by 40 ms.
        assert r.fields[2] == 0xFFFFFFFF or RTT * 1e6 <= r.fields[2] <= (RTT + 0.045) * 1e6, r
        assert r.fields[4] == mss(family)
        assert r.fields[6] == 0
        assert r.fields[7] % mss(family) == 0
        assert r.cwnd == r.fields[5] == 10 * mss(family), "nothing sets the window"
    clock = [r.fields[3] for r in found]
    assert clock == sorted(clock)
    assert clock == [r.time_us for r in found]
    info = agent.flow(flow_id)
    assert (info.reports, info.report_drops, info.invocations) == (len(found), 0, len(found))
    assert info.bytes_acked == size + 1 or info.bytes_acked == size, "the SYN may count"


def test_window_by_register(lab: Lab) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    agent, flow, flow_id = agent_and_flow(lab, path, isa.fixed_cwnd(20 * MSS))
    flow.start()
    time.sleep(3.5 * RTT)
    assert (flow.info().cwnd, flow.info().unacked) == (20, 20)
    agent.update(flow_id, Update(isa.CONTROL, 0, 45 * MSS))
    time.sleep(2 * RTT)
    assert (flow.info().cwnd, flow.info().unacked) == (45, 45)
    # Part of a segment is none.
    agent.update(flow_id, Update(isa.CONTROL, 0, 45 * MSS - 1))
    time.sleep(2 * RTT)
    assert flow.info().cwnd == 44
    # The window can't stop a flow.
    agent.update(flow_id, Update(isa.CONTROL, 0, 1))
    time.sleep(2 * RTT)
    assert flow.info().cwnd == 2


def test_window_by_update(lab: Lab) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    agent, flow, flow_id = agent_and_flow(lab, path, isa.empty())
    flow.start()
    agent.update(flow_id, Update(*CWND, 30 * MSS))
    time.sleep(2.5 * RTT)
    assert flow.info().cwnd == 30
    # Zero changes nothing.
    agent.update(flow_id, Update(*CWND, 0), Update(*RATE, 0))
    time.sleep(2 * RTT)
    assert flow.info().cwnd == 30


def test_window_is_clamped(lab: Lab) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    path.a.run("ip", *"route replace default via 10.0.1.254 cwnd lock 15".split())
    # The route's limit comes to a flow by the metrics an earlier one left.
    path.a.write("net/ipv4/tcp_no_metrics_save", 0)
    earlier = lab.flow(path, "reno").start(20 * MSS)
    earlier.wait()
    earlier.finish()
    _, flow, _ = agent_and_flow(lab, path, isa.fixed_cwnd(1000 * MSS))
    flow.start()
    time.sleep(5 * RTT)
    assert flow.info().cwnd == 15, flow.info()


def test_rate(lab: Lab) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    program = isa.Program().define((isa.CONTROL, 0), 1_000_000)
    program.always(isa.bind(isa.RATE, (isa.CONTROL, 0)), isa.bind(isa.CWND, isa.imm(1000 * MSS)))
    agent, flow, flow_id = agent_and_flow(lab, path, program)
    flow.start()
    time.sleep(1)
    for rate in (1_000_000, 2_500_000):
        agent.update(flow_id, Update(isa.CONTROL, 0, rate))
        time.sleep(1)
        before = flow.info()
        assert before.pacing_rate == rate
        time.sleep(4)
        after = flow.info()
        # The timer paces the payload; its slack and whole windows of ACKs at
        # both ends of the interval are worth less than 2 %.
        got = (after.bytes_acked - before.bytes_acked) / (after.at - before.at)
        assert abs(got / rate - 1) < 0.02, f"{got} bytes/s for {rate}"


def test_rate_is_capped(lab: Lab) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    agent, flow, flow_id = agent_and_flow(lab, path, isa.empty())
    flow.sock.setsockopt(socket.SOL_SOCKET, 47, 500_000)  # SO_MAX_PACING_RATE
    flow.start()
    agent.update(flow_id, Update(*RATE, 10**12))
    time.sleep(3 * RTT)
    assert flow.info().pacing_rate == 500_000


def test_rate_has_64_bits(lab: Lab) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    agent, flow, flow_id = agent_and_flow(lab, path, isa.reporter(isa.RATE))
    flow.start()
    agent.update(flow_id, Update(*RATE, 10**10))
    time.sleep(3 * RTT)
    assert flow.info().pacing_rate == 10**10
    last = reports(agent, 0)[-1]
    assert last.fields == [10**10]
    assert last.rate == 10**10


def timeouts(path: Route) -> int:
    """Retransmission timeouts of the sender's namespace, as the kernel counts."""
    return path.a.counter("TcpExt", "TCPTimeouts")


@cases(seconds=[0, 3])
def test_timeouts_are_seen_once(lab: Lab, seconds: int) -> None:
    """Each timeout once: with the path dead for `seconds` after the first."""
    path = lab.path(delay_ms=RTT * 1000)
    # A tail loss probe would repair this without a timeout.
    path.a.write("net/ipv4/tcp_early_retrans", 0)
    agent, flow, _ = agent_and_flow(lab, path, isa.counter(isa.WAS_TIMEOUT))
    flow.start()
    time.sleep(5.5 * RTT)
    path.gate(drop=True)
    if seconds:
        flow.until("retransmission timeout", lambda i: i.ca_state == CA_LOSS)
        time.sleep(seconds)
    else:
        # All of a window is lost, and nothing else.
        time.sleep(1.5 * RTT)
    path.gate()
    flow.until("timeouts", lambda i: i.ca_state == CA_LOSS)
    flow.until("end of recovery", lambda i: i.ca_state == CA_OPEN, timeout=20)
    time.sleep(5 * RTT)
    seen = [r.fields[0] for r in reports(agent, 0)]
    assert seen[0] == 0
    assert seen[-1] == timeouts(path), f"{seen[-1]} of {timeouts(path)} timeouts"
    assert (seen[-1] == 1) == (seconds == 0)


def test_losses_are_counted_once(lab: Lab) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    agent, flow, flow_id = agent_and_flow(lab, path, isa.counter(isa.LOST_PACKETS))
    first = flow.next_sequence
    path.drop(*((first + k * MSS) & 0xFFFFFFFF for k in (13, 15, 19)))
    flow.start(60 * MSS)
    time.sleep(1.5 * RTT)
    path.drop_no_more()
    flow.wait()
    time.sleep(2)
    seen = [r.fields[0] for r in reports(agent, 0)]
    # The kernel may take some of the window for lost that is not.
    assert seen[-1] == agent.flow(flow_id).lost >= 3, (seen, flow.info())


def test_volatile_registers(lab: Lab) -> None:
    """Volatile registers start over after each report, others don't."""
    path = lab.path(delay_ms=RTT * 1000)
    steps = isa.Program()
    steps.define((isa.VOLATILE_REPORT, 0), 5).define((isa.REPORT, 1), 5)
    body = [
        isa.ins(isa.ADD, register, register, isa.imm(1))
        for register in ((isa.VOLATILE_REPORT, 0), (isa.REPORT, 1))
    ]
    steps.always(*body, isa.bind(isa.SHOULD_REPORT, isa.imm(1)))
    agent, flow, _ = agent_and_flow(lab, path, steps)
    flow.start(50 * MSS).wait()
    found = [r.fields for r in reports(agent)]
    assert len(found) > 10
    assert [f[0] for f in found] == [6] * len(found)
    assert [f[1] for f in found] == list(range(6, 6 + len(found)))


def test_switch_mid_flow(lab: Lab) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    agent, flow, flow_id = agent_and_flow(lab, path, isa.counter(isa.PACKETS_ACKED))
    other = agent.install("other", isa.counter(isa.imm(1), isa.imm(2), isa.MICROS))
    flow.start()
    fields = {agent.installed.id: 1, other.id: 3}
    for round_ in range(8):
        time.sleep(1.7 * RTT)
        agent.drain()
        to = (other, agent.installed)[round_ % 2]
        agent.set_program(flow_id, to.id)
        time.sleep(1.2 * RTT)
        found = reports(agent, 0)
        assert found
        for report in found:
            assert len(report.fields) == fields[report.program_id], report
        # Every report after the answer to the command is the new program's,
        # which starts from its initial values.
        assert {r.program_id for r in found} == {to.id}
        if to is other:
            assert [r.fields[0] for r in found] == list(range(1, len(found) + 1))
            assert [r.fields[1] for r in found] == list(range(2, 2 * len(found) + 1, 2))
            # One Micros per report, since the switch: sums of a rising series.
            assert found[0].fields[2] <= 1.2 * RTT * 1e6
        else:
            assert found[0].fields[0] <= 2
        assert agent.flow(flow_id).program_id == to.id
    seq = [r.seq for r in found]
    assert seq == list(range(seq[0], seq[0] + len(seq))), "numbers go on over programs"


def test_set_program_with_updates(lab: Lab) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    agent, flow, flow_id = agent_and_flow(lab, path, isa.empty())
    held = agent.install("held", isa.fixed_cwnd(20 * MSS))
    flow.start()
    with raises(errno.EINVAL, "control"):
        agent.set_program(
            flow_id, held.id, Update(isa.CONTROL, 0, 50 * MSS), Update(isa.CONTROL, 7, 1)
        )
    time.sleep(2.5 * RTT)
    # Both or neither.
    assert agent.flow(flow_id).program_id == agent.installed.id
    assert flow.info().cwnd == 10
    agent.set_program(flow_id, held.id, Update(isa.CONTROL, 0, 50 * MSS))
    time.sleep(2.5 * RTT)
    assert flow.info().cwnd == 50
    # Again the same program: from the start.
    agent.set_program(flow_id, held.id)
    time.sleep(2.5 * RTT)
    assert flow.info().cwnd == 20


def test_aborts(lab: Lab) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    # Divides by control register 0 after setting the window.
    program = isa.Program().define((isa.CONTROL, 0), 1).define((isa.VOLATILE_REPORT, 0))
    program.always(
        isa.bind(isa.CWND, isa.imm(25 * MSS)),
        isa.ins(isa.DIV, isa.tmp(0), isa.imm(100), (isa.CONTROL, 0)),
        isa.bind((isa.VOLATILE_REPORT, 0), isa.tmp(0)),
        isa.bind(isa.SHOULD_REPORT, isa.imm(1)),
    )
    agent, flow, flow_id = agent_and_flow(lab, path, program)
    agent.update(flow_id, Update(isa.CONTROL, 0, 0))
    # Two segments, two ACKs at most: an abort leaves the window alone.
    flow.sock.send(bytes(2 * MSS))
    time.sleep(2 * RTT)
    info = agent.flow(flow_id)
    assert 1 <= info.aborts == info.invocations <= 2, info
    assert flow.info().cwnd == 10
    assert reports(agent, 0) == []
    agent.update(flow_id, Update(isa.CONTROL, 0, 4))
    flow.sock.send(bytes(2 * MSS))
    time.sleep(2 * RTT)
    assert reports(agent, 0)[-1].fields == [25]
    assert flow.info().cwnd == 25
    # A program that only aborts has to go.
    agent.update(flow_id, Update(isa.CONTROL, 0, 0))
    flow.start()
    event = agent.wait(Cmd.FLOW_FALLBACK, id=flow_id)
    assert event.fallback_reason == Reason.PROGRAM_ABORTED
    assert agent.flow(flow_id).program_id == 0
    assert agent.stats().aborts == agent.flow(flow_id).aborts
    before = flow.info().bytes_acked
    time.sleep(10 * RTT)
    assert flow.info().bytes_acked > before + 100 * MSS, "it goes on under the fallback"
