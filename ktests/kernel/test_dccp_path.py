# SPDX-License-Identifier: GPL-2.0
"""CCID 5 when the path or the application misbehaves."""

from __future__ import annotations

import time

import dccp
import nft
from dccp import SIZE, Connection, Sender, set_flows
from lab import Lab
from net import Route

RTT = 0.1


def connect(lab: Lab, **how) -> tuple[Route, Connection]:
    path = lab.path(delay_ms=RTT * 1000, **how)
    return path, lab.keep(Connection(path, client=(5,), server=(5,)))


def equation(lab: Lab, flows: float, p: float, rtt: float = RTT) -> float:
    ns = lab.namespaces("c")[0]
    done = lab.ccpctl(
        ns, "dccp", "calc", "--s", str(SIZE), "--rtt", str(rtt), "--p", str(p), "--n", str(flows)
    )
    assert done.returncode == 0, done.stderr
    return float(done.stdout.split()[-1])


def test_slow_start(lab: Lab) -> None:
    """The rate doubles with a report of the doubled rate: that takes a round
    trip, or two when the report before it was just sent."""
    _, connection = connect(lab, rate_mbit=50, queue=2000)
    connection.start()
    # The first report comes after a round trip.
    time.sleep(2.5 * RTT)
    rates = []
    for _ in range(5):
        info = Sender.of(connection.a)
        assert info.p == 0, info
        rates.append(info.x)
        time.sleep(RTT)
    assert 3.9 <= rates[4] / rates[0] <= 32, rates
    for before, after in zip(rates, rates[1:], strict=False):
        assert after / before < 4.1, rates


def test_rate_halves_without_reports(lab: Lab) -> None:
    path, connection = connect(lab, rate_mbit=8, queue=50)
    nft.drop(path.r, 1, 100)
    connection.start()
    time.sleep(10)
    before = Sender.of(connection.a)
    assert abs(before.rto / (4 * before.rtt) - 1) < 0.01, before
    path.gate(drop=True)
    rates = []
    for _ in range(4):
        # After the last report, and between two expirations.
        time.sleep(before.rto * (1.5 if not rates else 1))
        rates.append(Sender.of(connection.a).x)
    assert rates[0] < 0.75 * before.x, (before, rates)
    assert rates[3] <= before.x / 8, (before, rates)
    path.gate()
    got = connection.received
    time.sleep(5)
    # All that was lost counts: it goes on slowly.
    assert connection.received > got, Sender.of(connection.a)


def test_least_nofeedback_timer(lab: Lab) -> None:
    """Parameter rto_min_ms, for short round trips."""
    path = lab.path(delay_ms=10, rate_mbit=8, queue=20)
    dccp.module_parameter("rto_min_ms", 700)
    lab.ends.callback(dccp.module_parameter, "rto_min_ms", 100)
    connection = lab.keep(Connection(path, client=(5,), server=(5,)).start())
    time.sleep(3)
    assert Sender.of(connection.a).rto == 0.7, Sender.of(connection.a)
    dccp.module_parameter("rto_min_ms", 0)
    other = lab.keep(Connection(path, client=(5,), server=(5,)).start())
    time.sleep(3)
    info = Sender.of(other.a)
    assert info.rto < 0.5, info


def test_reports_are_lost(lab: Lab) -> None:
    """A third of the reports: those that come say all. The rate is less steady."""
    path, connection = connect(lab)
    path.b.run("tc", "qdisc", "add", "dev", "b0", "root", "netem", "loss", "33%")
    nft.drop(path.r, 1, 100)
    set_flows(connection.a, 2)
    connection.start()
    connection.measure(20)
    _, allowed = connection.measure(20)
    wanted = equation(lab, 2, 0.01)
    assert abs(allowed / wanted - 1) < 0.15, (allowed, wanted, Sender.of(connection.a))


def test_idle_sender_keeps_the_initial_rate(lab: Lab) -> None:
    _, connection = connect(lab, rate_mbit=20, queue=2000)
    connection.start(pause=0.005)
    time.sleep(2)
    connection.stopping = True
    time.sleep(10)
    info = Sender.of(connection.a)
    # RFC 3390's window per round trip; packets of 1000 bytes: four.
    assert info.x >= 0.9 * 4 * SIZE / RTT, info
    begin = connection.received
    connection.stopping = False
    connection.start(pause=0.005)
    time.sleep(2)
    assert (connection.received - begin) / SIZE > 300, info
