# SPDX-License-Identifier: GPL-2.0
# Flavours: uml
# Guest memory: 1G
"""CCID 5 beside N flows of TCP Reno where losses are random: all of them meet
the same p, and nobody's rate matters to another. That is what the equation is
of, so the bounds are narrow.

Numbers are of packets: DCCP's have a little less payload.
"""

from __future__ import annotations

import time

from dccp import Connection, Sender, set_flows
from lab import Lab, cases
from test_dccp_share import PAYLOAD

RTT_MS = 100
WARM_UP, MEASURED = 20, 150


@cases(at=[(1, 0.5), (4, 0.5), (1, 1), (4, 1), (6, 1), (1, 3), (4, 3), (6, 3)])
def test_random_loss(lab: Lab, at: tuple[int, float]) -> None:
    """N against N at p percent: a ratio of 0.85 to 1.15."""
    flows, percent = at
    path = lab.path(delay_ms=RTT_MS)
    loss = ("netem", "loss", "random", f"{percent}%", "seed", "7", "limit", "10000")
    path.r.run("tc", "qdisc", "add", "dev", "r1", "root", *loss)
    renos = [lab.flow(path, "reno") for _ in range(flows)]
    connection = lab.keep(Connection(path, client=(5,), server=(5,)))
    set_flows(connection.a, flows)
    for reno in renos:
        reno.start()
    connection.start(size=PAYLOAD)
    time.sleep(WARM_UP)
    acked = [reno.info().bytes_acked for reno in renos]
    got = connection.received
    time.sleep(MEASURED)
    theirs = sum(
        reno.info().bytes_acked - before for reno, before in zip(renos, acked, strict=True)
    )
    ratio = (connection.received - got) / PAYLOAD / (theirs / renos[0].info().mss)
    print(f"# N={flows} p={percent} %: ratio {ratio:.3f}", flush=True)
    assert 0.85 <= ratio <= 1.15, (ratio, Sender.of(connection.a))
