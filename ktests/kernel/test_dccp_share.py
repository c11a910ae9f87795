# SPDX-License-Identifier: GPL-2.0
# Flavours: uml
# Guest memory: 1G
# Guest seconds: 600
"""CCID 5 beside flows of TCP Reno: what N flows get.

The share is the rate divided by N, divided by the mean rate of a Reno flow. A
packet-level model of both gave 0.82 to 0.98 with RED, and 1.08 to 1.54 with a
tail-drop queue, at which a smooth flow meets fewer losses. Here eight runs of a
minute each gave 0.99 and 0.88 with RED (one flow and six; standard deviation
0.04 and 0.02), 1.07 and 1.63 at the tail (one and four; 0.01 and 0.06). The
bounds are six deviations from that.
"""

from __future__ import annotations

import time

from dccp import Connection, Sender, set_flows
from lab import Lab, cases
from net import Route

PAYLOAD = 1424
"""With DCCP's headers a packet is about as large as TCP's."""
WARM_UP = 20
RTT_MS = 40


def bottleneck(path: Route, mbit: int, *queue: str) -> None:
    for line in (
        "qdisc add dev r1 root handle 1: htb default 10",
        f"class add dev r1 parent 1: classid 1:10 htb rate {mbit}mbit burst 3k cburst 3k",
        "qdisc add dev r1 parent 1:10 " + " ".join(queue),
    ):
        path.r.run("tc", *line.split())


def share(
    lab: Lab, mbit: int, flows: float, tcp: int, *queue: str, seconds: int = 60
) -> tuple[float, float]:
    """The share, and how much of the bottleneck all use."""
    path = lab.path(delay_ms=RTT_MS)
    bottleneck(path, mbit, *queue)
    renos = [lab.flow(path, "reno") for _ in range(tcp)]
    connection = lab.keep(Connection(path, client=(5,), server=(5,)))
    set_flows(connection.a, flows)
    for reno in renos:
        reno.start()
        time.sleep(0.2)
    connection.start(size=PAYLOAD)
    time.sleep(WARM_UP)
    acked = [reno.info().bytes_acked for reno in renos]
    got = connection.received
    time.sleep(seconds)
    reno_rate = sum(
        reno.info().bytes_acked - before for reno, before in zip(renos, acked, strict=True)
    )
    ours = connection.received - got
    used = (reno_rate + ours) * 8 / seconds / (mbit * 1e6)
    print(f"# N={flows}: share {ours / flows / (reno_rate / tcp):.3f}, used {used:.3f}", flush=True)
    assert used > 0.8, (used, Sender.of(connection.a))
    return ours / flows / (reno_rate / tcp), used


@cases(flows=[1, 2, 4, 6])
def test_red(lab: Lab, flows: float) -> None:
    """20 Mb/s, four Reno flows."""
    found, _ = share(
        lab, 20, flows, 4,
        "red", "limit", "402000", "min", "25000", "max", "75000", "avpkt", "1500",
        "burst", "20", "bandwidth", "20mbit", "probability", "0.1",
        seconds=120,
    )  # fmt: skip
    assert 0.75 <= found <= 1.25, found


@cases(flows=[1, 4])
def test_tail_drop(lab: Lab, flows: float) -> None:
    """32 Mb/s, eight Reno flows, a queue of a round trip."""
    found, _ = share(lab, 32, flows, 8, "pfifo", "limit", "107", seconds=240)
    assert 0.8 <= found <= 1.8, found
