# SPDX-License-Identifier: GPL-2.0
# Flavours: uml
# Guest memory: 1G
# Guest seconds: 600
"""What j is for: CCID 5 beside flows of TCP Reno with N times the rate of TFRC
(parameter ccid5_tfrc), which doesn't look at how many packets are lost at once.
At a tail-drop queue that takes several times the share; the packet-level model
gave 4.6 where N = 6 with j had 1.5."""

from __future__ import annotations

import dccp
from lab import Lab, cases
from test_dccp_share import share

QUEUE = ("pfifo", "limit", "107")


def test_with_and_without_j(lab: Lab) -> None:
    """32 Mb/s, eight Reno flows, a queue of a round trip, N = 6: with j it is at
    most half of what it is without."""
    dccp.module_parameter("ccid5_tfrc", 1)
    lab.ends.callback(dccp.module_parameter, "ccid5_tfrc", 0)
    naive, _ = share(lab, 32, 6, 8, *QUEUE)
    lab.close()
    found, _ = share(lab, 32, 6, 8, *QUEUE)
    assert 0.8 <= found <= 1.7, found
    assert found <= naive / 2, (found, naive)


@cases(flows=[1, 6])
def test_as_many_flows(lab: Lab, flows: int) -> None:
    """N against N Reno flows and nothing else: within the factor of two of RFC
    5348. Of one flow, a minute gave 0.98 with a standard deviation of 0.13."""
    found, _ = share(lab, 32, flows, flows, *QUEUE, seconds=240)
    assert 0.5 <= found <= 2, found
