# SPDX-License-Identifier: GPL-2.0
"""The congestion window against an exact model, RTT by RTT.

The path has a fixed RTT and no bottleneck, so that a window's segments leave
together and their ACKs come back together: cwnd at k + 1/2 RTTs is the model's
window of round k. Delayed ACKs don't matter, as windows grow by the number of
segments an ACK covers (RFC 3465). The receiver's 40 ms delay of a last odd
ACK is less than half of RTT.
"""

from __future__ import annotations

import time

from control import AGENT, FALLBACK, each_controller, flow_by, leave_slow_start, mss
from lab import Lab, both_families, cases
from traffic import Flow, Info

RTT = 0.2


def windows(flow: Flow, rounds: int) -> list[Info]:
    """TCP_INFO late in each of the next rounds."""
    time.sleep(0.9 * RTT)
    return [flow.info(), *flow.watch(RTT * (rounds - 1) + RTT / 20, RTT)]


@both_families
@each_controller
def test_slow_start(lab: Lab, by: str, family: int) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    flow = flow_by(lab, path, by, family).start()
    found = windows(flow, 7)
    # One MSS more for each segment acknowledged: twice the window each RTT,
    # exactly, from the initial ten segments.
    grown = [i.cwnd for i in found]
    assert grown == [10, 20, 40, 80, 160, 320, 640], grown
    assert [i.unacked for i in found] == [i.cwnd for i in found], "cwnd isn't what limits it"
    assert found[-1].mss == mss(family)
    assert found[-1].total_retrans == 0


@both_families
@each_controller
def test_congestion_avoidance(lab: Lab, by: str, family: int) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    flow = flow_by(lab, path, by, family)
    start = leave_slow_start(flow, path, family)
    assert start.ssthresh < 200, f"still in slow start: {start}"
    rounds = 12
    found = [i.cwnd for i in flow.watch(rounds * RTT + RTT / 4, RTT)]
    # One MSS per RTT. The kernel's reno counts whole windows and is exact. A
    # byte-exact program adds MSS * acked / cwnd per ACK with a cwnd that grows
    # meanwhile: it lacks 1 / (2 * cwnd) of an MSS per RTT, which is less than
    # 1 MSS over these rounds, but can show as one packet after rounding down.
    for k, cwnd in enumerate(found, 1):
        assert start.cwnd + k - 1 <= cwnd <= start.cwnd + k, f"after {k} RTTs: {found}, {start}"
    assert found[-1] - found[0] >= rounds - 2


@each_controller
def test_app_limited(lab: Lab, by: str) -> None:
    """A flow that never fills its window must not grow it (RFC 7661)."""
    path = lab.path(delay_ms=RTT * 1000)
    flow = flow_by(lab, path, by)
    for _ in range(30):
        # 4 segments in flight: less than half of the initial window, which is
        # what the kernel needs to see to call a flow limited by its window.
        flow.sock.send(bytes(4 * 1448))
        time.sleep(1.2 * RTT)
    assert flow.info().cwnd == 10, flow.info()
    # And it grows again as soon as there is more to send.
    flow.start()
    time.sleep(2.9 * RTT)
    assert flow.info().cwnd >= 40, flow.info()


@cases(by=[FALLBACK, AGENT])
def test_no_pacing_below_window(lab: Lab, by: str) -> None:
    """Reno is window-limited: the rate never holds segments back."""
    path = lab.path(delay_ms=RTT * 1000)
    flow = flow_by(lab, path, by).start()
    for info in windows(flow, 5):
        # The whole window is in flight half an RTT after it opened.
        assert info.unacked == info.cwnd, info
