# SPDX-License-Identifier: GPL-2.0
"""Flows over a simulated bottleneck, for tests of an algorithm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from . import _pyccp, algorithm

PACKET = 1514
"""Bytes of a full packet on the link."""
MSS = 1448
"""Bytes of payload in it."""


class Sample(NamedTuple):
    """A flow just after its program ran."""

    time: float
    """Seconds since the start."""
    cwnd: int
    """Bytes."""
    rtt: float
    """Smoothed, seconds."""
    in_flight: int
    """Packets."""
    delivered: int
    """Packets so far."""
    lost: int
    """Packets so far."""
    timeout: bool
    """This was a retransmission timeout."""
    recovery: bool
    """Lost packets are being repaired."""


@dataclass(frozen=True)
class FlowResult:
    """What became of one flow."""

    series: list[Sample]
    """One sample per run of its program: per ACK and timeout."""
    mean_rtt: float
    """Seconds, over the samples after the warm-up."""
    throughput: float
    """Bits of payload per second, after the warm-up."""
    delivered: int
    """Packets."""
    lost: int
    """Packets."""


@dataclass(frozen=True)
class Result:
    """What became of a simulation."""

    utilisation: float
    """Share of the time after the warm-up in which the link was busy."""
    flows: list[FlowResult]
    errors: list[str]
    """Tracebacks of handlers, and programs' aborts; empty unless `check=False`."""

    @property
    def mean_rtt(self) -> float:
        """Seconds, the mean of all flows."""
        return sum(flow.mean_rtt for flow in self.flows) / len(self.flows)

    @property
    def series(self) -> list[Sample]:
        """The first flow's."""
        return self.flows[0].series


def simulate(
    alg: Any,
    *,
    rate: float = 20e6,
    rtt: float = 0.04,
    queue: int | None = None,
    seconds: float = 10,
    warmup: float = 0,
    flows: int = 1,
    app_rate: float | None = None,
    loss: float = 0,
    seed: int = 1,
    mark: int | None = None,
    agent_delay: float = 200e-6,
    check: bool = True,
) -> Result:
    """Runs flows of an algorithm for `seconds` of simulated time.

    They share a link of `rate` bits per second, `rtt` seconds with nothing in
    the queue, and room for `queue` packets (as many as fill the link when not
    given). `loss` is the probability that a packet is lost whatever the queue,
    with `seed` to have others lost; above `mark` packets in the queue, ECN marks
    are set. `app_rate` is what each application writes, in bits per second, if
    not all that fits. A report and its answer each take `agent_delay` seconds.

    Results leave out the first `warmup` seconds. An exception in a handler is
    raised here, unless `check` is false.

    The flows run the very code of the kernel module; the same arguments give
    the same result.
    """
    if flows < 1:
        raise ValueError(f"{flows} flows: at least one is needed")
    if rate < 1 or seconds <= 0 or not 0 <= warmup < seconds:
        raise ValueError("rate, seconds and seconds - warmup must be above 0")
    found = algorithm.of(alg)
    if queue is None:
        queue = max(1, round(rate * rtt / (PACKET * 8)))
    scene = {
        "rate": int(rate),
        "rtt": rtt,
        "queue": queue,
        "mark": mark,
        "loss": loss,
        "seed": seed,
        "agent_delay": agent_delay,
        "seconds": seconds,
        "warmup": warmup,
        "flows": flows,
        "app_rate": None if app_rate is None else int(app_rate),
        "check": check,
    }
    utilisation, rows, errors = _pyccp.simulate(found.name, found.programs, found.new_flow, scene)
    done = [flow_result([Sample(*row) for row in flow], warmup, seconds) for flow in rows]
    return Result(utilisation, done, errors)


def flow_result(series: list[Sample], warmup: float, seconds: float) -> FlowResult:
    later = [sample for sample in series if sample.time >= warmup]
    before = max((sample.delivered for sample in series if sample.time < warmup), default=0)
    last = series[-1] if series else Sample(0, 0, 0, 0, 0, 0, False, False)
    return FlowResult(
        series=series,
        mean_rtt=sum(sample.rtt for sample in later) / len(later) if later else 0.0,
        throughput=(last.delivered - before) * MSS * 8 / (seconds - warmup),
        delivered=last.delivered,
        lost=last.lost,
    )
