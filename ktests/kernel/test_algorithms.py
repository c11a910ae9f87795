# SPDX-License-Identifier: GPL-2.0
"""Our algorithms over a real flow, each as the congestion control of its own
name: what its README promises, seen from TCP. 8 Mbit/s, 40 ms, and more buffer
than any algorithm should need: what a queue adds to the RTT is its own doing.

The numbers of the papers are tested in the simulator, without the receiver's
delayed ACKs, which a few packets of queue cannot be told from."""

from __future__ import annotations

import time
from statistics import fmean

from ccp import Reason
from lab import Lab, cases
from net import FORTH_MS, Route
from traffic import Flow, Info

RATE = 8
RTT = 0.04
PACKET = 1514 * 8 / (RATE * 1e6)
"""Seconds that the bottleneck takes for a packet."""
BDP = RTT / PACKET
MOST = RATE * 1448 / 1514
"""Mbit/s of payload."""
SETTLED, WATCHED = 5, 20


def bottleneck(lab: Lab, queue: float = 4) -> Route:
    return lab.path(delay_ms=RTT * 1000, rate_mbit=RATE, queue=round(queue * BDP))


def steered(lab: Lab, path: Route, name: str) -> Flow:
    lab.run_algorithm(path.a, name)
    return lab.flow(path, f"ccp_{name}").start()


def watch(flow: Flow) -> tuple[float, list[Info]]:
    """Share of the bottleneck that the flow gets, and what TCP says meanwhile."""
    time.sleep(SETTLED)
    before = flow.info().bytes_acked
    samples = flow.watch(WATCHED, 0.02)
    got = (samples[-1].bytes_acked - before) * 8 / WATCHED / 1e6
    return got / MOST, samples


def queued(samples: list[Info]) -> float:
    """Packets in the queue, on average, by the RTT."""
    return fmean(sample.rtt - RTT for sample in samples) / PACKET


def healthy(lab: Lab, path: Route, name: str) -> None:
    """No abort, and the agent was in charge all the time."""
    client = lab.client(path.a)
    (info,) = client.flows()
    assert info.algorithm == f"ccp_{name}"
    assert (info.fallback_reason, info.fallbacks, info.aborts) == (Reason.NONE, 0, 0), info
    assert info.report_drops == 0, info


QUEUES = {"vegas": 10, "copa": 10, "nimbus": 16}
"""Packets, on average. Two to four, two, and 12.5 ms are what they aim at; ACKs
for two packets at a time, the packet on the wire, and pulses add as many."""


@cases(name=list(QUEUES))
def test_small_queue_at_full_rate(lab: Lab, name: str) -> None:
    path = bottleneck(lab)
    flow = steered(lab, path, name)
    used, samples = watch(flow)
    assert 0.95 <= used <= 1.01, used
    assert queued(samples) <= QUEUES[name], queued(samples)
    assert samples[-1].total_retrans == 0
    healthy(lab, path, name)


def test_bbr_models_the_path(lab: Lab) -> None:
    path = bottleneck(lab)
    flow = steered(lab, path, "bbr")
    used, samples = watch(flow)
    assert 0.95 <= used <= 1.01, used

    # Between probes for bandwidth the queue is empty.
    assert queued(samples) <= 0.4 * BDP, queued(samples)
    # The window is a cap at twice the BDP and three bursts, not what limits it.
    windows = sorted(sample.cwnd for sample in samples)
    assert 1.8 * BDP <= windows[len(windows) // 2] <= 2.4 * BDP + 10, windows
    assert fmean(sample.unacked for sample in samples) <= 1.5 * BDP
    assert samples[-1].total_retrans == 0
    healthy(lab, path, "bbr")


def test_bbr_looks_at_the_rtt(lab: Lab) -> None:
    """Two flows keep a queue, so that none sees the path empty in passing."""
    path = bottleneck(lab)
    flow = steered(lab, path, "bbr")
    lab.flow(path, "ccp_bbr").start()
    time.sleep(1)
    samples = flow.watch(34, 0.02)
    low = [sample.at for sample in samples if sample.cwnd <= 4]
    looks = [at for k, at in enumerate(low) if k == 0 or at - low[k - 1] > 1]
    assert 2 <= len(looks) <= 4, looks
    for k, at in enumerate(looks):
        assert k == 0 or at - looks[k - 1] >= 10, looks
        length = 0.02 * sum(at <= one < at + 1 for one in low)
        assert 0.2 <= length <= 0.4, length


def test_bbr_is_not_slowed_by_losses(lab: Lab) -> None:
    """One packet of fifty, at random: Reno gets a fifth of the link."""
    path = bottleneck(lab)
    path.a.run(
        "tc", "qdisc", "replace", "dev", "a0", "root", "netem",
        "delay", f"{FORTH_MS}ms", "limit", "100000", "loss", "random", "2%",
    )  # fmt: skip
    flow = steered(lab, path, "bbr")
    used, samples = watch(flow)
    assert samples[-1].total_retrans > 100, samples[-1]
    assert used > 0.8, used
    healthy(lab, path, "bbr")


def test_aimd_is_a_sawtooth(lab: Lab) -> None:
    path = bottleneck(lab, queue=1)
    lab.start(path.a, "run", "aimd", "a=2", "b=0.25")
    watcher = lab.client(path.a)
    deadline = time.monotonic() + 5
    while not any("aimd" in agent.algorithm for agent in watcher.agents()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    flow = lab.flow(path, "ccp_aimd").start()
    used, samples = watch(flow)
    assert used >= 0.95, used
    # Two BDP fit; a loss takes a quarter of what was there.
    windows = [sample.cwnd for sample in samples if sample.ca_state == 0]
    peak, trough = max(windows), min(windows)
    assert 1.8 * BDP <= peak <= 2.4 * BDP, (peak, BDP)
    assert 0.68 * peak <= trough <= 0.8 * peak, (trough, peak)
    healthy(lab, path, "aimd")


def test_copa_beside_reno(lab: Lab) -> None:
    """In competitive mode it isn't starved by who fills the queue."""
    path = bottleneck(lab, queue=1)
    ours = steered(lab, path, "copa")
    rival = lab.flow(path, "reno").start()
    time.sleep(15)
    before = [flow.info().bytes_acked for flow in (ours, rival)]
    time.sleep(60)
    got = [flow.info().bytes_acked - b for flow, b in zip((ours, rival), before, strict=True)]
    assert 0.2 <= got[0] / sum(got) <= 0.8, got
    healthy(lab, path, "copa")
