# SPDX-License-Identifier: GPL-2.0
"""pictures.py MODULE OUT ALG...: inside the guest of pictures.sh. Leaves in OUT,
for each algorithm, ALG.csv (what ccpctl record wrote) and ALG.title."""

from __future__ import annotations

import socket
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "kernel"))

from lab import Lab, Module, Tool, wait_for  # noqa: E402
from net import Namespace  # noqa: E402
from test_lia import DELAY_MS, RATE, Bulk, Paths, connection  # noqa: E402

MBIT, RTT_MS, QUEUE = 8, 40, 27
SECONDS = 30
PARAMETERS = {"const": ["cwnd=40"]}
FLOWS = {"bbr": 2}


def record(lab: Lab, ns: Namespace, trace: Path) -> Tool:
    tool = lab.start(ns, "record", "-o", str(trace), "--seconds", str(SECONDS))
    wait_for("the recording", trace.exists)
    return tool


def alone(lab: Lab, name: str, trace: Path) -> str:
    path = lab.path(delay_ms=RTT_MS, rate_mbit=MBIT, queue=QUEUE)
    command = ["run", name, *PARAMETERS.get(name, [])]
    recorder = record(lab, path.a, trace)
    agent = lab.start(path.a, *command)
    client = lab.client(path.a)
    wait_for(f"agent {name}: {agent.output}", client.agents)
    for _ in range(FLOWS.get(name, 1)):
        lab.flow(path).start()
    assert recorder.process.wait() == 0, recorder.output
    return f"ccpctl {' '.join(command)}: {MBIT} Mbit/s, {RTT_MS} ms, {QUEUE} packets of queue"


def coupled(lab: Lab, trace: Path) -> str:
    """Two subflows and a flow under our reno in one bottleneck."""
    paths = lab.keep(Paths())
    policy = ["--policy", "ndiffports", "--simulate", "2"]
    recorder = record(lab, paths.a, trace)
    connection(lab, paths, "lia", *policy)
    lab.run_algorithm(paths.a, "reno")
    lab.keep(Bulk(paths, socket.IPPROTO_TCP, "ccp_reno"))
    assert recorder.process.wait() == 0, recorder.output
    return f"two subflows under lia beside a flow under reno: {RATE} Mbit/s, {DELAY_MS} ms"


def main(module: Path, out: Path, *names: str) -> int:
    lab = Lab(Module(module), Path("/ccp/build/bin"), Path("/"))
    lab.module.load()
    for name in names:
        trace = out / f"{name}.csv"
        trace.unlink(missing_ok=True)
        title = coupled(lab, trace) if name == "lia" else alone(lab, name, trace)
        (out / f"{name}.title").write_text(title)
        lab.close()
        time.sleep(1)
    lab.module.remove()
    return 0


sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:]))
