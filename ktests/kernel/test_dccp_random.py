# SPDX-License-Identifier: GPL-2.0
# Flavours: uml
# Guest memory: 1G
# Guest seconds: 600
"""CCID 5 beside N flows of TCP Reno where losses are random: all of them meet
the same p, and nobody's rate matters to another. That is what the equation is
of, so the ratio is near one.

How near chance decides: forty runs over 450 s had standard deviations of 3.5 %
(one flow), 1.5 % (four) and 1 % (six) around 1.01. The bounds are six of them
off, at least.

Numbers are of packets: DCCP's have a little less payload.
"""

from __future__ import annotations

import time

from dccp import Connection, Sender, set_flows
from lab import Lab, cases
from test_dccp_share import PAYLOAD

RTT_MS = 100
WARM_UP = 20


@cases(at=[(1, 0.5), (4, 0.5), (1, 1), (4, 1), (6, 1), (1, 3), (4, 3), (6, 3)])
def test_random_loss(lab: Lab, at: tuple[int, float]) -> None:
    """N against N at p percent."""
    flows, percent = at
    # Few losses make the mean of few.
    seconds = 600 if flows == 1 or percent < 1 else 300
    low, high = (0.8, 1.25) if flows == 1 else (0.85, 1.17)
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
    time.sleep(seconds)
    theirs = sum(
        reno.info().bytes_acked - before for reno, before in zip(renos, acked, strict=True)
    )
    ratio = (connection.received - got) / PAYLOAD / (theirs / renos[0].info().mss)
    print(f"# N={flows} p={percent} %: ratio {ratio:.3f}", flush=True)
    assert low <= ratio <= high, (ratio, Sender.of(connection.a))
