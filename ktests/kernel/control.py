# SPDX-License-Identifier: GPL-2.0
"""Who is in control of a flow in tests that hold for several controllers."""

from __future__ import annotations

import socket

from lab import Lab, cases
from net import Path
from traffic import MSS, MSS6, Flow

RENO = "kernel-reno"
"""The control group: the model and the path are right if it passes."""
FALLBACK = "fallback"
"""The module's built-in fallback program: no agent."""
AGENT = "agent-reno"
"""`ccpctl run reno`."""

each_controller = cases(by=[RENO, FALLBACK, AGENT])


def flow_by(lab: Lab, path: Path, by: str, family: int = socket.AF_INET) -> Flow:
    """A flow over `path`, not sending yet, controlled as `by` says."""
    if by == AGENT:
        lab.run_algorithm(path.a, "reno")
    return lab.flow(path, "reno" if by == RENO else "ccp", family)


def mss(family: int) -> int:
    return MSS if family == socket.AF_INET else MSS6
