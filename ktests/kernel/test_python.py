# SPDX-License-Identifier: GPL-2.0
"""Agents in Python: the examples of userspace/pyccp, and scripts that fail."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from ccp import Client, Reason
from lab import Lab, Tool, wait_for
from net import Namespace, Route
from test_share import RATE, RTT, bottleneck, goodputs
from traffic import MSS, Flow

TOP = Path(__file__).resolve().parents[2]
EXAMPLES = TOP / "userspace/pyccp/examples"
os.environ["PYTHONPATH"] = str(TOP / "build/python")

PROGRAM = """
(def (Report (volatile acked 0)) (n 0))
(when true
    (:= Report.acked (+ Report.acked Ack.bytes_acked))
    (fallthrough))
(when (> Micros 50000)
    (:= Micros 0)
    (report))
"""

PLAIN = f"""
import pyccp, time

PROGRAM = {PROGRAM!r}

class Plain(pyccp.AlgBase):
    def on_create(self):
        self.datapath.install(PROGRAM)
        print("made", self.datapath_info.src, self.datapath_info.dst, flush=True)

    def on_report(self, r):
        HANDLER

    def close(self):
        print("closed", self.datapath_info.sock_id, flush=True)

print("done", pyccp.connect("netlink", Plain), flush=True)
"""


def python(lab: Lab, ns: Namespace, script: Path) -> Tool:
    lab.logs += 1
    log = Path(f"/tmp/python.{lab.logs}")
    return lab.keep(Tool(["python3", str(script)], ns, log))


def agent(lab: Lab, ns: Namespace, script: Path) -> Tool:
    """A script, up to the point where it has attached."""
    tool = python(lab, ns, script)
    watcher = lab.client(ns)

    def attached() -> bool:
        assert tool.process.poll() is None, f"{script} ended: {tool.output}"
        return bool(watcher.agents())

    wait_for("an agent", attached)
    return tool


def plain(handler: str) -> Path:
    """PLAIN with these lines as its handler."""
    script = Path("/tmp/plain.py")
    script.write_text(PLAIN.replace("HANDLER", handler.replace("\n", "\n        ")))
    return script


def ends(tool: Tool, how: int = signal.SIGINT) -> str:
    """Ctrl-C is a clean end within a second: the agent looks for it five times
    a second."""
    begin = time.monotonic()
    assert tool.kill(how) == 0, tool.output
    assert time.monotonic() - begin < 1, "Ctrl-C took too long"
    assert "detached" in tool.output, tool.output
    return tool.output


def steered(lab: Lab, path: Route) -> Flow:
    flow = lab.flow(path).start()
    watcher = lab.client(path.a)
    wait_for("the agent's program", lambda: state(watcher, flow).fallback_reason == Reason.NONE)
    return flow


def state(watcher: Client, flow: Flow):
    """What the kernel says of it."""
    return next(f for f in watcher.flows() if f.local_port == flow.port)


def test_aimd(lab: Lab) -> None:
    path = bottleneck(lab)
    tool = agent(lab, path.a, EXAMPLES / "aimd.py")
    flow = lab.flow(path).start()
    time.sleep(3)
    (got,) = goodputs([flow], 15)
    # As for reno: with a BDP of buffer half the window still fills the path.
    most = RATE * MSS / 1514
    assert 0.95 * most <= got <= 1.01 * most, f"{got:.2f} of {most:.2f} Mbit/s: {tool.output}"
    assert "Traceback" not in ends(tool)


def test_later_form_of_portus(lab: Lab) -> None:
    path = bottleneck(lab)
    tool = agent(lab, path.a, EXAMPLES / "aimd_portus.py")
    flow = lab.flow(path).start()
    time.sleep(3)
    (got,) = goodputs([flow], 15)
    most = RATE * MSS / 1514
    assert 0.9 * most <= got <= 1.01 * most, f"{got:.2f} of {most:.2f} Mbit/s: {tool.output}"
    assert "Traceback" not in ends(tool)


def test_sample_of_portus(lab: Lab) -> None:
    """It keeps two segments at least, more than this path holds."""
    path = lab.path(delay_ms=10, rate_mbit=2, queue=20)
    tool = agent(lab, path.a, EXAMPLES / "sample.py")
    flow = lab.flow(path).start()
    time.sleep(3)
    (got,) = goodputs([flow], 15)
    most = 2 * MSS / 1514
    assert 0.9 * most <= got <= 1.01 * most, f"{got:.2f} of {most:.2f} Mbit/s: {tool.output}"
    said = ends(tool)
    assert "Traceback" not in said, said
    # It asks for debug: reports and commands are in the log.
    assert "report rtt=" in said, said
    assert "update Cwnd=" in said, said


def test_flows_come_and_go(lab: Lab) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    tool = agent(lab, path.a, plain("pass"))
    flow = steered(lab, path)
    sock = flow.sock.getsockname()
    assert f"made {sock[0]}:{sock[1]} {path.server()}:" in tool.output, tool.output
    flow.stop()
    wait_for("its end", lambda: "closed " in tool.output)
    assert "'flows': 1" in ends(tool)


def test_exceptions_stay_in_their_flow(lab: Lab) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    handler = """
if r.seq > 1 and self.datapath_info.src_port == int(open("/tmp/bad").read()):
    raise ArithmeticError("out of luck")
self.datapath.update_field("Cwnd", 20 * self.datapath_info.mss)
"""
    Path("/tmp/bad").write_text("0")
    tool = agent(lab, path.a, plain(handler))
    good, bad = steered(lab, path), steered(lab, path)
    Path("/tmp/bad").write_text(str(bad.port))
    wait_for("an exception", lambda: tool.output.count("ArithmeticError: out of luck") > 3)
    before = [f.info().bytes_acked for f in (good, bad)]
    time.sleep(2)
    # Twenty segments per RTT, also of the one whose handler fails.
    for flow, start in zip((good, bad), before, strict=True):
        got = flow.info().bytes_acked - start
        assert abs(got / (2 / RTT * 20 * MSS) - 1) < 0.15, got
    assert "Traceback (most recent call last):" in tool.output
    assert 'in on_report\n    raise ArithmeticError("out of luck")' in tool.output, tool.output
    ends(tool)


def test_compile_error(lab: Lab) -> None:
    (ns,) = lab.namespaces("n")
    script = Path("/tmp/bad.py")
    script.write_text(
        "import portus\n"
        "class Bad(portus.AlgBase):\n"
        "    def datapath_programs(self):\n"
        "        return {'p': '(def (Report (a 0)))\\n(when true\\n    (:= Report.b 1))'}\n"
        "    def new_flow(self, datapath, datapath_info):\n"
        "        return None\n"
        "portus.start('netlink', Bad())\n"
    )
    tool = python(lab, ns, script)
    assert tool.process.wait(20) == 1, tool.output
    assert "CompileError: error[E0201]" in tool.output, tool.output
    assert "3 |     (:= Report.b 1))\n  |         ^^^^^^^^" in tool.output, tool.output
    assert not lab.client(ns).agents()


def test_ctrl_c(lab: Lab) -> None:
    """While waiting, and in the middle of a handler; SIGTERM is the same."""
    path = lab.path(delay_ms=RTT * 1000)
    for how in (signal.SIGINT, signal.SIGTERM):
        ends(agent(lab, path.a, plain("pass")), how)
    tool = agent(lab, path.a, plain("print('asleep', flush=True)\ntime.sleep(0.7)"))
    steered(lab, path)
    wait_for("a report", lambda: "asleep" in tool.output)
    ends(tool)
    (flow,) = lab.client(path.a).flows()
    assert flow.fallback_reason != Reason.NONE


def test_other_threads_go_on(lab: Lab) -> None:
    """The interpreter's lock is free while the agent waits."""
    (ns,) = lab.namespaces("n")
    script = plain("pass")
    script.write_text(
        "import threading, time\n"
        "def tick():\n"
        "    while True:\n"
        "        print('tick', flush=True)\n"
        "        time.sleep(0.05)\n"
        "threading.Thread(target=tick, daemon=True).start()\n" + script.read_text()
    )
    tool = agent(lab, ns, script)
    before = tool.output.count("tick")
    time.sleep(5)
    # Ticks are 50 ms apart, or a little more.
    assert tool.output.count("tick") - before > 80
    ends(tool)


def test_programs_made_on_the_way(lab: Lab) -> None:
    """They go when no flow runs them: the kernel has at most the 64 the agent
    keeps and those that run."""
    path = lab.path(delay_ms=RTT * 1000)
    handler = """
self.count = getattr(self, "count", 0) + 1
self.datapath.install(PROGRAM.replace("50000", str(10000 + self.count)))
print("made", self.count, flush=True)
"""
    tool = agent(lab, path.a, plain(handler))
    steered(lab, path)
    wait_for("many programs", lambda: "made 150" in tool.output, 30)
    programs = lab.client(path.a).programs()
    assert 10 < len(programs) <= 66, len(programs)
    assert "Traceback" not in ends(tool)
    assert "'failures': 0" in tool.output, tool.output
