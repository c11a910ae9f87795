# SPDX-License-Identifier: GPL-2.0
"""dccp.py MODULE OUT: inside the guest of demo-dccp.sh. Prints the shares each
second, and leaves OUT/trace.csv and OUT/result.txt."""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "kernel"))

from dccp import Connection, Sender, set_flows  # noqa: E402
from lab import Lab, Module  # noqa: E402
from test_dccp_share import PAYLOAD, RTT_MS, bottleneck  # noqa: E402

FLOWS, RENOS = 4, 4
MBIT = 20
SECONDS = 60
WARM_UP = 15
"""Left out of the result."""
RED = (
    "red limit 402000 min 25000 max 75000 avpkt 1500 burst 20"
    f" bandwidth {MBIT}mbit probability 0.1"
).split()
COLUMNS = "time_s,flow,event,detail,goodput_bps,rate_bps,srtt_us\n"


def main(module: Path, out: Path) -> int:
    lab = Lab(Module(module), Path("/ccp/build/bin"), Path("/"))
    lab.module.load()
    path = lab.path(delay_ms=RTT_MS)
    bottleneck(path, MBIT, *RED)
    renos = [lab.flow(path, "reno").start() for _ in range(RENOS)]
    connection = lab.keep(Connection(path, client=(5,), server=(5,)))
    set_flows(connection.a, FLOWS)
    connection.start(size=PAYLOAD)

    print(f"   {MBIT} Mbit/s, {RTT_MS} ms, RED; Mbit/s of each, {SECONDS} s:")
    print("   p is the loss event rate, j the packets lost per event, as MulTFRC measures them.")
    print(f"    s  MulTFRC N={FLOWS}  p %      j  {RENOS} Reno flows     all of them")
    begin = time.monotonic()
    before = at_warm_up = (connection.received, [reno.info().bytes_acked for reno in renos])
    with (out / "trace.csv").open("w") as trace:
        trace.write(COLUMNS)
        for second in range(1, SECONDS + 1):
            time.sleep(max(0.0, begin + second - time.monotonic()))
            now = (connection.received, [reno.info().bytes_acked for reno in renos])
            ours = (now[0] - before[0]) * 8
            theirs = [(a - b) * 8 for a, b in zip(now[1], before[1], strict=True)]
            info = Sender.of(connection.a)
            rows = [(1, ours, info.x * 8, info.rtt * 1e6)]
            for number, (rate, reno) in enumerate(zip(theirs, renos, strict=True), 2):
                rows.append((number, rate, rate, reno.info().rtt * 1e6))
            for flow, goodput, rate, rtt in rows:
                trace.write(f"{second},{flow},sample,,{goodput:.0f},{rate:.0f},{rtt:.0f}\n")
            before = now
            if second == WARM_UP:
                at_warm_up = now
            each = " ".join(f"{rate / 1e6:4.1f}" for rate in theirs)
            print(
                f"   {second:2} {ours / 1e6:12.1f} {info.p * 100:5.2f} {info.j:6.2f}"
                f"  {each}  {sum(theirs) / 1e6:12.1f}"
            )
    ours = before[0] - at_warm_up[0]
    theirs = sum(before[1]) - sum(at_warm_up[1])
    share = ours / theirs
    used = (ours + theirs) * 8 / (SECONDS - WARM_UP) / (MBIT * 1e6)
    lab.close()
    lab.module.remove()
    if not 0.5 <= share <= 2:
        print(f"the share is {share:.3f}, out of the factor of two of RFC 5348")
        return 1
    rates = [sent * 8e-6 / (SECONDS - WARM_UP) for sent in (ours, theirs)]
    (out / "result.txt").write_text(
        f"From second {WARM_UP} on MulTFRC had {rates[0]:.1f} Mbit/s, the {RENOS} Reno flows"
        f" {rates[1]:.1f} together.\n"
        f"demo-dccp: ok N={FLOWS} share={share:.3f} utilisation={used:.3f}\n"
    )
    return 0


sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
