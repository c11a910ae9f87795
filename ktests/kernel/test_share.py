# SPDX-License-Identifier: GPL-2.0
"""Flows that share a bottleneck: 5 Mbit/s, 40 ms, one BDP of buffer. A sawtooth
takes about a second there, so that a minute has many."""

from __future__ import annotations

import socket
import time

from control import AGENT, FALLBACK, RENO, each_controller
from lab import Lab, both_families, cases
from net import Route
from traffic import Flow

RATE = 5
RTT = 0.04
BDP = round(RATE * 1e6 * RTT / 8 / 1514)


def bottleneck(lab: Lab) -> Route:
    return lab.path(delay_ms=RTT * 1000, rate_mbit=RATE, queue=BDP)


def goodputs(flows: list[Flow], seconds: float) -> list[float]:
    """Each flow's payload in Mbit/s over the next `seconds`."""
    before = [f.info().bytes_acked for f in flows]
    time.sleep(seconds)
    acked = [f.info().bytes_acked - b for f, b in zip(flows, before, strict=True)]
    return [bytes_ * 8 / seconds / 1e6 for bytes_ in acked]


def jain(shares: list[float]) -> float:
    return sum(shares) ** 2 / (len(shares) * sum(s * s for s in shares))


@both_families
@each_controller
def test_one_flow_fills_it(lab: Lab, by: str, family: int) -> None:
    path = bottleneck(lab)
    if by == AGENT:
        lab.run_algorithm(path.a, "reno")
    flow = lab.flow(path, "reno" if by == RENO else "ccp", family).start()
    time.sleep(3)
    (got,) = goodputs([flow], 15)
    # Of each 1,514 bytes 1,448 (1,428) are payload. With a BDP of buffer Reno's
    # window never falls below what fills the path.
    most = RATE * (1448 if family == socket.AF_INET else 1428) / 1514
    assert 0.95 * most <= got <= 1.01 * most, f"{got:.2f} of {most:.2f} Mbit/s"
    info = flow.info()
    # Losses are congestion losses only: the overshoot of slow start, and then
    # one or a few each sawtooth, which takes BDP RTTs of up to 80 ms to rise.
    assert info.total_retrans < 0.02 * info.delivered, info


@each_controller
def test_two_flows_are_fair(lab: Lab, by: str) -> None:
    path = bottleneck(lab)
    if by == AGENT:
        lab.run_algorithm(path.a, "reno")
    flows = []
    for _ in range(2):
        flows.append(lab.flow(path, "reno" if by == RENO else "ccp").start())
        time.sleep(3)
    time.sleep(10)
    shares = goodputs(flows, 60)
    # Additive increase and halving converge to equal windows; synchronised
    # losses are rare with a drop-tail queue, hence not exactly equal.
    assert jain(shares) >= 0.9, shares
    assert sum(shares) >= 0.93 * RATE * 1448 / 1514, shares


@cases(by=[FALLBACK, AGENT])
def test_fair_to_the_kernels_reno(lab: Lab, by: str) -> None:
    path = bottleneck(lab)
    if by == AGENT:
        lab.run_algorithm(path.a, "reno")
    flows = [lab.flow(path, cc).start() for cc in ("reno", "ccp")]
    time.sleep(15)
    shares = goodputs(flows, 60)
    # The same algorithm in two places: neither may win by a factor.
    assert jain(shares) >= 0.85, shares
