# SPDX-License-Identifier: GPL-2.0
"""Who is in control of a flow in tests that hold for several controllers."""

from __future__ import annotations

import socket
import time

from lab import Lab, cases
from net import Route
from traffic import CA_OPEN, MSS, MSS6, Flow, Info

RENO = "kernel-reno"
"""The control group: the model and the path are right if it passes."""
FALLBACK = "fallback"
"""The module's built-in fallback program: no agent."""
AGENT = "agent-reno"
"""`ccpctl run reno`."""

each_controller = cases(by=[RENO, FALLBACK, AGENT])


def flow_by(lab: Lab, path: Route, by: str, family: int = socket.AF_INET) -> Flow:
    """A flow over `path`, not sending yet, controlled as `by` says."""
    if by == AGENT:
        lab.run_algorithm(path.a, "reno")
    return lab.flow(path, "reno" if by == RENO else "ccp", family)


def mss(family: int) -> int:
    return MSS if family == socket.AF_INET else MSS6


LOSS_AT = 76
"""The segment that is lost in the fourth window of slow start (70 to 149); the
six before it are acknowledged in pairs."""


def leave_slow_start(flow: Flow, path: Route, family: int, *lost: int) -> Info:
    """Start the flow, lose some segments of the fourth window (LOSS_AT unless
    given); its state after recovery."""
    first = flow.next_sequence
    lost = lost or (LOSS_AT,)
    path.drop(*((first + k * mss(family)) & 0xFFFFFFFF for k in lost), family=family)
    flow.start()
    # Those segments leave after 3 RTTs and are at the filter 5 ms later. They
    # are retransmitted after 4 RTTs.
    time.sleep(3.5 * path.rtt)
    path.drop_no_more()
    return flow.until(
        "end of recovery",
        lambda i: i.ca_state == CA_OPEN and i.total_retrans >= len(lost),
        step=path.rtt / 4,
    )
