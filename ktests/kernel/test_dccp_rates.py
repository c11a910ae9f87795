# SPDX-License-Identifier: GPL-2.0
# Flavours: uml
"""Rates of CCID 5 under losses of exact packets.

With k consecutive packets of every M lost, p is 1/M and j is k, as long as M
packets take longer than a round trip. The expected rates are those of the
equation with 60 digits.
"""

from __future__ import annotations

import nft
from dccp import SIZE, Connection, Receiver, Sender, set_flows
from lab import Lab, cases

RTT_MS = 50


def steady(lab: Lab, flows: float, lost: int, period: int, warm_up: float, seconds: float):
    path = lab.path(delay_ms=RTT_MS)
    nft.drop(path.r, lost, period)
    connection = lab.keep(Connection(path, client=(5,), server=(5,)))
    set_flows(connection.a, flows)
    connection.start()
    connection.measure(warm_up)
    arrived, allowed = connection.measure(seconds)
    return arrived / (1 - lost / period), allowed, Sender.of(connection.a)


def equation(lab: Lab, flows: float, p: float, j: float) -> float:
    words = {"--s": SIZE, "--rtt": RTT_MS / 1000, "--p": p, "--j": j, "--n": flows}
    ns = lab.namespaces("c")[0]
    done = lab.ccpctl(ns, "dccp", "calc", *(str(w) for pair in words.items() for w in pair))
    assert done.returncode == 0, done.stderr
    return float(done.stdout.split()[-1])


@cases(loss=[(1, 11.4578e6), (3, 6.53402e6)])
def test_lost_packets_of_an_event_count(lab: Lab, loss: tuple[int, float]) -> None:
    """N = 6, and 1 or 3 of 100 lost: only j differs, and 3 % tell it."""
    lost, wanted = loss
    sent, allowed, info = steady(lab, 6, lost, 100, 15, 15)
    assert info.n == 6 and abs(info.j - lost) < 0.01, info
    assert abs(info.p * 100 - 1) < 0.02, info
    assert abs(info.rtt - RTT_MS / 1000) < 0.001, info
    for rate in (sent, allowed):
        assert abs(rate * 8 / wanted - 1) < 0.03, (rate * 8, wanted, info)


@cases(
    at=[
        (0.5, 1000), (1, 1000), (2, 1000), (4, 1000), (6, 1000),
        (0.5, 100), (1, 100), (2, 100), (4, 100), (6, 100),
        (0.5, 34), (1, 34), (2, 34), (4, 34),
    ]
)  # fmt: skip
def test_rates_are_those_of_the_equation(lab: Lab, at: tuple[float, int]) -> None:
    """Within 5 %."""
    flows, period = at
    wanted = equation(lab, flows, 1 / period, 1)
    # Eight loss intervals, and as many again to forget how it began.
    intervals = 16 * period * SIZE / wanted
    sent, allowed, info = steady(lab, flows, 1, period, 8 + intervals, 4 + intervals / 4)
    assert abs(info.p * period - 1) < 0.05, info
    for rate in (sent, allowed):
        assert abs(rate / wanted - 1) < 0.05, (rate, wanted, info)


def test_losses_closer_than_a_round_trip(lab: Lab) -> None:
    """N = 6 and every 34th packet: the equation has 38 packets per round trip at
    3 %, so that some events have two losses. p and j are counted over all of the
    time, and the rate is that of the equation, within 5 %."""
    period = 34
    path = lab.path(delay_ms=RTT_MS)
    nft.drop(path.r, 1, period)
    connection = lab.keep(Connection(path, client=(5,), server=(5,)))
    set_flows(connection.a, 6)
    connection.start()
    connection.measure(10)
    before = Receiver.of(connection.b)
    arrived, allowed = connection.measure(60)
    after = Receiver.of(connection.b)
    events, lost = after.events - before.events, after.lost_total - before.lost_total
    assert 1 < lost / events < 2.5, (before, after)
    wanted = equation(lab, 6, events / (lost * period), lost / events)
    for rate in (arrived / (1 - 1 / period), allowed):
        assert abs(rate / wanted - 1) < 0.05, (rate, wanted, Sender.of(connection.a))
