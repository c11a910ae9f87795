# SPDX-License-Identifier: GPL-2.0
"""mptcp.py MODULE OUT: inside the guest of demo-mptcp.sh. Prints what each path
carries each second, and leaves OUT/trace.csv, OUT/daemon.log and OUT/result.txt."""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "kernel"))

from lab import Lab, Module  # noqa: E402
from mptcp import Hosts  # noqa: E402
from test_mptcp_tools import DELAY_MS, cut_silently, daemon, shape, spread, subflows, transfer  # noqa: E402

RATES = (8, 12)
"""Mbit/s of the two paths."""

CUT, BACK, SECONDS = 15, 30, 50
SETTLE, SETTLE_BACK = 5, 10
"""Seconds after a change that count for nothing: what the lost path had is sent
again; the next try for a subflow comes, and its window opens."""

COLUMNS = "time_s,flow,event,detail,goodput_bps,rate_bps,srtt_us\n"


def arrived(hosts: Hosts) -> list[int]:
    """Bytes that b got over each path, headers included."""
    with hosts.b:
        lines = Path("/proc/thread-self/net/dev").read_text().splitlines()
    fields = dict(line.split(":") for line in lines[2:])
    counts = {name.strip(): int(rest.split()[0]) for name, rest in fields.items()}
    return [counts[f"b{number}"] for number in range(1, len(RATES) + 1)]


def judge(rates: list[list[float]]) -> tuple[list[float], str]:
    """Mbit/s of payload with both paths, with the first one only and with both
    again; and what is wrong with them."""
    spans = [(SETTLE, CUT), (CUT + SETTLE, BACK), (BACK + SETTLE_BACK, SECONDS)]
    found = []
    for first, last in spans:
        total = [rate[-1] for rate in rates[first:last]]
        found.append(sum(total) / len(total))
    bounds = (sum(RATES), RATES[0], sum(RATES))
    for rate, bound in zip(found, bounds, strict=True):
        if not 0.75 * bound < rate < bound:
            return found, f"{rate:.1f} Mbit/s where {bound} were there"
    return found, ""


def main(module: Path, out: Path) -> int:
    lab = Lab(Module(module), Path("/ccp/build/bin"), Path("/"))
    lab.module.load()
    hosts = lab.keep(Hosts())
    shape(hosts, RATES)
    spread(hosts)
    tool = daemon(lab, hosts.a, "--simulate", "2")
    flow = transfer(lab, hosts)
    print(f"   One connection, {DELAY_MS} ms. The network takes odd source ports over path 1,")
    print(f"   {RATES[0]} Mbit/s, and even ones, as of the first subflow, over path 2, {RATES[1]} Mbit/s.")
    print("   Mbit/s:")
    print("    s  path 1  path 2  payload  subflows")
    begin = time.monotonic()
    before = [*arrived(hosts), flow.received]
    rates = []
    with (out / "trace.csv").open("w") as trace:
        trace.write(COLUMNS)
        for second in range(1, SECONDS + 1):
            time.sleep(max(0.0, begin + second - time.monotonic()))
            now = [*arrived(hosts), flow.received]
            rates.append([(a - b) * 8e-6 for a, b in zip(now, before, strict=True)])
            before = now
            for number, rate in enumerate(rates[-1], 1):
                bits = rate * 1e6
                trace.write(f"{second},{number},sample,,{bits:.0f},{bits:.0f},\n")
            note = ""
            if second in (CUT, BACK):
                cut_silently(hosts, second == CUT)
                note = f"  path 2 is {'cut' if second == CUT else 'back'}"
            one, two, payload = rates[-1]
            print(
                f"   {second:2} {one:7.1f} {two:7.1f} {payload:8.1f} {len(subflows(lab, hosts)):9}{note}"
            )
    flow.finish()
    (out / "daemon.log").write_text(tool.output)
    lab.close()
    lab.module.remove()
    found, wrong = judge(rates)
    if wrong:
        print(wrong)
        return 1
    both, alone, again = found
    (out / "result.txt").write_text(
        f"demo-mptcp: ok both={both:.1f} one-cut={alone:.1f} again={again:.1f}"
        f" of {RATES[0]}+{RATES[1]} Mbit/s, every byte arrived\n"
    )
    return 0


sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
