# SPDX-License-Identifier: GPL-2.0
"""Judges what the demo's guest measured: prints the comparison and, last, the
one line that sums it up. The exit status tells whether all holds."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FALLBACKS = 1
"""The demo kills one agent that steers one flow."""


@dataclass
class Promise:
    """What an algorithm must do on this path, the kernel's reno being the
    measure: a link that is used, and a queue that is what it should be."""

    utilisation: float
    ratio: tuple[float, float]
    """To the kernel's reno, in utilisation."""
    rtt: float | None = None
    """Mean RTT of the flow that keeps its agent, at most, as a share of that of
    the kernel's reno."""


LIKE_RENO = Promise(0.90, (0.95, 1.05))
PROMISES = {
    "cubic": Promise(0.90, (0.93, 1.07)),
    # Without slow start the first seconds are slow.
    "aimd": Promise(0.85, (0.85, 1.05)),
    "vegas": Promise(0.85, (0.85, 1.10), rtt=0.85),
    "copa": Promise(0.85, (0.85, 1.10), rtt=0.85),
    "bbr": Promise(0.85, (0.85, 1.10), rtt=0.85),
    "nimbus": Promise(0.80, (0.80, 1.10), rtt=1.0),
}
"""By the last word of the agent's command; all others must be like reno."""


@dataclass
class Bottleneck:
    rate: float
    """Bits per second on the link."""
    packet: int
    """Bytes of a full packet on the link."""

    def goodput(self, mss: int) -> float:
        """Payload bits per second while the link is never idle."""
        return self.rate * mss / self.packet


@dataclass
class Flow:
    title: str
    congestion: str
    bytes: int
    seconds: float
    mss: int
    mean_rtt_ms: float
    p95_rtt_ms: float
    retransmits: int
    softirq_ms: float

    @classmethod
    def read(cls, results: Path, name: str, title: str) -> Flow:
        made: dict[str, Any] = json.loads((results / f"{name}.json").read_text())
        return cls(
            title=title,
            congestion=made["congestion"],
            bytes=made["bytes"],
            seconds=made["seconds"],
            mss=made["mss"],
            mean_rtt_ms=made["rtt_us"]["mean"] / 1e3,
            p95_rtt_ms=made["rtt_us"]["p95"] / 1e3,
            retransmits=made["retransmits"],
            softirq_ms=int((results / f"{name}.cpu").read_text()) / 1e6,
        )

    def utilisation(self, link: Bottleneck) -> float:
        return self.bytes * 8 / self.seconds / link.goodput(self.mss)

    def cells(self, link: Bottleneck) -> list[str]:
        return [
            f"{self.bytes / 1e6:.2f} MB in {self.seconds:.2f} s",
            f"{self.bytes * 8 / self.seconds / 1e6:.2f} Mbit/s",
            f"{self.utilisation(link):.4f}",
            f"{self.mean_rtt_ms:.1f} ms",
            f"{self.p95_rtt_ms:.1f} ms",
            str(self.retransmits),
            f"{self.softirq_ms / (self.bytes / 1e6):.1f} ms",
        ]


ROWS = ["delivered", "goodput", "utilisation", "RTT, mean", "RTT, 95th percentile", "retransmits", "softirq time per MB"]


def print_table(flows: list[Flow], link: Bottleneck) -> None:
    columns = [ROWS, *(flow.cells(link) for flow in flows)]
    heads = ["", *(flow.title for flow in flows)]
    widths = [max(map(len, [head, *column])) for head, column in zip(heads, columns)]
    for row in [heads, *map(list, zip(*columns))]:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        print("  " + "  ".join(cells).rstrip())


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("results", type=Path)
    parser.add_argument("--kernel", required=True)
    parser.add_argument("--agent", required=True, help="the command that ran the algorithm")
    parser.add_argument("--rate", type=float, required=True, help="bits per second on the link")
    parser.add_argument("--packet", type=int, required=True, help="bytes of a full packet on the link")
    args = parser.parse_args()
    algorithm = args.agent.split()[-1]
    promise = PROMISES.get(algorithm, LIKE_RENO)

    link = Bottleneck(args.rate, args.packet)
    ipv4 = Flow.read(args.results, "ccp4", f"{args.agent}, IPv4")
    ipv6 = Flow.read(args.results, "ccp6", "IPv6, agent killed")
    kernel = Flow.read(args.results, "reno4", "kernel reno, IPv4")
    stats: dict[str, int] = json.loads((args.results / "stats.json").read_text())

    print_table([ipv4, ipv6, kernel], link)
    print("  utilisation: payload delivered / (link rate x MSS / packet on the link), the whole flow with its slow start:")
    for flow in (ipv4, ipv6):
        print(
            f"    {flow.mss}-byte segments: of {link.rate / 1e6:g} Mbit/s"
            f" {link.goodput(flow.mss) / 1e6:.2f} Mbit/s can be payload"
        )

    utilisation = ipv4.utilisation(link)
    ratio = utilisation / kernel.utilisation(link)
    low, high = promise.ratio
    rtt = ipv4.mean_rtt_ms / kernel.mean_rtt_ms
    if promise is not LIKE_RENO:
        wanted = "" if promise.rtt is None else f", a mean RTT of at most {promise.rtt:g} of reno's"
        print(
            f"  {algorithm} need not do what reno does. It is asked for a utilisation of"
            f" {promise.utilisation:g}, {low:g} to {high:g} of reno's{wanted}"
        )
    wrong = [
        text
        for bad, text in [
            ([ipv4.congestion, ipv6.congestion, kernel.congestion] != ["ccp", "ccp", "reno"], "a flow ran another congestion control"),
            (utilisation < promise.utilisation, f"the IPv4 flow's utilisation {utilisation:.3f} is below {promise.utilisation}"),
            (
                ipv6.utilisation(link) < promise.utilisation,
                f"the IPv6 flow's utilisation {ipv6.utilisation(link):.3f} is below {promise.utilisation}",
            ),
            (not low <= ratio <= high, f"the ratio to the kernel's reno {ratio:.3f} is not within {low}..{high}"),
            (promise.rtt is not None and rtt > promise.rtt, f"the mean RTT is {rtt:.3f} of the kernel's reno's"),
            (stats["reports"] == 0, "no report came"),
            (stats["fallbacks"] != FALLBACKS, f"{stats['fallbacks']} fallbacks, the killed agent accounts for {FALLBACKS}"),
            (stats["aborts"] != 0, f"{stats['aborts']} invocations ended in an arithmetic error"),
            (stats["flows_refused"] != 0, f"{stats['flows_refused']} flows were refused state"),
        ]
        if bad
    ]
    for text in wrong:
        print(f"error: {text}", file=sys.stderr)
    if wrong:
        return 1
    print(
        f"\ndemo: ok kernel={args.kernel} utilisation={utilisation:.3f} vs-kernel-reno={ratio:.3f}"
        f" rtt-vs-kernel-reno={rtt:.3f} reports={stats['reports']} fallbacks={stats['fallbacks']} aborts={stats['aborts']}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
