# SPDX-License-Identifier: GPL-2.0
"""Reactions to losses, timeouts and marks, on a path of fixed RTT.

Where nothing takes time, RACK can take a retransmission for lost in the very
microsecond in which its ACK comes, and repeat it: up to two for a loss.
"""

from __future__ import annotations

import socket
import time

from capture import Capture
from control import LOSS_AT, RENO, each_controller, flow_by, leave_slow_start
from lab import Lab, both_families, cases
from traffic import CA_LOSS, CA_OPEN, Flow

RTT = 0.2

# Slow start has a window of 80 when the ACKs of segments 70 to LOSS_AT - 1
# come: it is 80 + (LOSS_AT - 70) when the loss is seen.
BEFORE = 80 + LOSS_AT - 70


@both_families
@each_controller
def test_one_loss_halves_once(lab: Lab, by: str, family: int) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    flow = flow_by(lab, path, by, family)
    after = leave_slow_start(flow, path, family)
    assert after.ssthresh == BEFORE // 2, after
    # Recovery ends at ssthresh; the ACK that ends it may add a segment.
    assert after.ssthresh <= after.cwnd <= after.ssthresh + 1, after
    assert after.total_retrans <= 2, after


@each_controller
def test_losses_of_one_window_halve_once(lab: Lab, by: str) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    flow = flow_by(lab, path, by)
    lost = (LOSS_AT, LOSS_AT + 7, LOSS_AT + 20)
    after = leave_slow_start(flow, path, socket.AF_INET, *lost)
    assert after.ssthresh == BEFORE // 2, after
    assert after.ssthresh <= after.cwnd <= after.ssthresh + 1, after
    assert len(lost) <= after.total_retrans <= 2 * len(lost), after


def closed_until_timeout(flow: Flow, path) -> int:
    """Drop everything until the retransmission timer has fired; cwnd before."""
    path.gate(drop=True)
    # The ACKs that are under way still raise it; no timer fires within an RTT.
    time.sleep(RTT)
    before = flow.info().cwnd
    flow.until("retransmission timeout", lambda i: i.ca_state == CA_LOSS)
    return before


@both_families
@each_controller
def test_timeout(lab: Lab, by: str, family: int) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    flow = flow_by(lab, path, by, family).start()
    time.sleep(3.5 * RTT)
    before = closed_until_timeout(flow, path)
    at = flow.info()
    # RFC 5681: one segment, and half of what was in flight.
    assert at.cwnd == 1, at
    assert at.ssthresh == before // 2, (before, at)
    # Nothing gets through: it stays so, whatever further timeouts do.
    time.sleep(2)
    still = flow.info()
    assert (still.cwnd, still.ca_state) == (1, CA_LOSS), still
    path.gate()
    # Slow start from there: at most twice the window per RTT ...
    step = last = flow.until("retransmission", lambda i: i.cwnd > 1, step=RTT / 10)
    while last.cwnd < last.ssthresh:
        time.sleep(RTT)
        last = flow.info()
        assert last.cwnd <= 2 * step.cwnd + 1, (step, last)
        assert last.at - at.at < 20, last
        step = last
    # ... up to ssthresh, and on by one per RTT. What was sent before the
    # timeout is all acknowledged by then.
    flow.until("end of recovery", lambda i: i.ca_state == CA_OPEN, step=RTT / 4)
    start = flow.info().cwnd
    time.sleep(5 * RTT)
    end = flow.info()
    assert start + 4 <= end.cwnd <= start + 6, (start, end)
    assert end.cwnd >= before // 2


@each_controller
def test_spurious_timeout_is_undone(lab: Lab, by: str) -> None:
    """ACKs that come late, but come, show that nothing was lost: Eifel."""
    path = lab.path(delay_ms=RTT * 1000)
    flow = flow_by(lab, path, by).start()
    time.sleep(3.5 * RTT)
    # The ACKs take 3 s more, until the timer has fired. The retransmission's
    # ACK, which overtakes them, says that all had arrived before.
    path.delay(3000 + RTT * 1000)
    time.sleep(RTT)
    before = flow.info().cwnd
    flow.until("retransmission timeout", lambda i: i.ca_state == CA_LOSS)
    path.delay(RTT * 1000)
    after = flow.until("end of it", lambda i: i.ca_state == CA_OPEN, timeout=1.5)
    assert after.cwnd >= before, (before, after)


@both_families
@each_controller
def test_mark_halves_once(lab: Lab, by: str, family: int) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    for ns in (path.a, path.b):
        ns.write("net/ipv4/tcp_ecn", 1)
    flow = flow_by(lab, path, by, family).start()
    time.sleep(2.9 * RTT)
    # The window of 80 leaves after 3 RTTs, marked.
    path.gate(mark=True)
    time.sleep(RTT)
    path.gate()
    time.sleep(1.9 * RTT)
    after = flow.info()
    # The first ACKs with the echo come with the window at 80 or a few more.
    assert 40 <= after.ssthresh <= 42, after
    assert after.total_retrans == 0, after
    # One reduction; one or two RTTs of congestion avoidance since.
    assert after.ssthresh <= after.cwnd <= after.ssthresh + 3, after


@both_families
@cases(by=["ccp", RENO], ecn=[0, 1])
def test_ect_only_where_negotiated(lab: Lab, by: str, ecn: int, family: int) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    path.a.write("net/ipv4/tcp_ecn", 1)
    path.b.write("net/ipv4/tcp_ecn", ecn)
    capture = lab.keep(Capture(path.b, "b0", family))
    flow = lab.flow(path, "reno" if by == RENO else "ccp", family).start()
    time.sleep(2.5 * RTT)
    data = [p for p in capture.packets() if p.size > 0 and p.port == flow.receiver.port]
    assert len(data) >= 30
    marks = {p.ecn for p in data}
    assert marks == ({2} if ecn else {0}), f"ECN fields of data segments: {marks}"
