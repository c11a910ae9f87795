# SPDX-License-Identifier: GPL-2.0
"""ccpctl against the module: what it shows, and how it fails."""

from __future__ import annotations

import csv
import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import termios
import time
from pathlib import Path

import net
from ccp import Reason
from control import flow_by
from lab import Lab, in_child, wait_for
from traffic import MSS

RTT = 0.1

BAD_SOURCES = {
    "not_a_program": "hello, world",
    "empty": "",
    "unbalanced": "(def (Report (acked 0))) (when true (report)",
    "unknown_operator": "(def (Report (acked 0))) (when true (frob 1 2))",
    "unknown_name": "(def (Report (acked 0))) (when true (:= Report.akced 1))",
    "write_to_a_primitive": "(def (Report (acked 0))) (when true (:= Ack.now 1))",
    "binary": "\x00\x01\x02\x7f" * 50,
    "too_many_reports": "(def (Report "
    + " ".join(f"(r{k} 0)" for k in range(20))
    + ")) (when true (report))",
}

GOOD = """
(def (Report (volatile acked 0)) (Control.window 0))
(when true
    (:= Report.acked (+ Report.acked Ack.bytes_acked))
    (report))
"""


def check(lab: Lab, ns, source: str, *args: str):
    file = Path("/tmp/program.ccp")
    file.write_text(source)
    return lab.ccpctl(ns, *args, "program", "check", str(file))


def test_text_that_is_no_program(lab: Lab) -> None:
    (ns,) = lab.namespaces("n")
    for what, source in BAD_SOURCES.items():
        done = check(lab, ns, source)
        assert done.returncode != 0, f"{what} is accepted: {done.stdout}"
        assert "error" in done.stderr.lower(), f"{what}: {done.stderr}"
        assert "panicked" not in done.stderr, f"{what}: {done.stderr}"
    done = check(lab, ns, GOOD)
    assert done.returncode == 0, done.stderr


def test_check_says_what_the_kernel_says(lab: Lab) -> None:
    """The figures of `program check` are those of the installed program."""
    (ns,) = lab.namespaces("n")
    lab.run_algorithm(ns, "reno")
    source = next(Path(lab.spec.parents[3], "userspace/algorithms/src/reno").glob("*.ccp"))
    done = lab.ccpctl(ns, "-j", "program", "check", str(source))
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    watcher = lab.client(ns)
    (found,) = wait_for("the program", watcher.programs)
    assert said["cost"] == found.cost
    assert said["registers"] == found.registers
    # The kernel counts what it keeps beside the code, too.
    assert said["program_bytes"] <= found.bytes <= said["program_bytes"] + 256
    assert len(said["report_fields"]) == found.report_fields


def test_shows(lab: Lab) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    lab.run_algorithm(path.a, "reno")
    flow = flow_by(lab, path, "fallback").start()
    watcher = lab.client(path.a)
    wait_for("the agent's program", lambda: watcher.flows()[0].fallback_reason == Reason.NONE)
    flows = lab.ccpctl_json(path.a, "-j", "flows", "show")
    assert len(flows) == 1
    assert flows[0]["id"] == watcher.flows()[0].id
    agents = lab.ccpctl_json(path.a, "-j", "agents", "show")
    assert [a["name"] for a in agents] == [a.name for a in watcher.agents()]
    programs = lab.ccpctl_json(path.a, "-j", "programs", "show")
    assert {p["id"] for p in programs} == {p.id for p in watcher.programs()}
    stats = lab.ccpctl_json(path.a, "-j", "stats")
    assert "flows" in json.dumps(stats)
    for noun in ("flows", "agents", "programs"):
        done = lab.ccpctl(path.a, noun, "show")
        assert done.returncode == 0
        assert done.stdout.strip()
    assert flow.failed is None


def test_monitor(lab: Lab) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    monitor = lab.start(path.a, "-j", "monitor")
    time.sleep(1)
    lab.run_algorithm(path.a, "reno")
    flow = lab.flow(path).start(50 * MSS)
    flow.wait()
    time.sleep(1)
    flow.stop()
    time.sleep(1)
    assert monitor.kill(signal.SIGINT) in (0, 130, -signal.SIGINT), monitor.output
    lines = [json.loads(line) for line in monitor.output.splitlines() if line.startswith("{")]
    kinds = [next(iter(line["event"])) for line in lines]
    assert kinds[0] == "flow-created", kinds[:5]
    assert kinds[-1] == "flow-closed", kinds[-5:]
    assert "report" in kinds


def test_record_and_plot(lab: Lab) -> None:
    """A trace of two flows has what each of them did, and can be drawn."""
    path = lab.path(rate_mbit=20, delay_ms=40, queue=100)
    lab.run_algorithm(path.a, "reno")
    trace, picture = Path("/tmp/flows.csv"), Path("/tmp/flows.svg")
    recorder = lab.start(path.a, "record", "-o", str(trace), "--seconds", "8")
    flows = [lab.flow(path).start() for _ in range(2)]
    wait_for("the end of the recording", lambda: recorder.process.poll() is not None, 20)
    assert recorder.process.returncode == 0, recorder.output
    for flow in flows:
        flow.stop()
    with trace.open() as lines:
        rows = [row for row in csv.DictReader(lines) if row["event"] == "sample"]
    last = {row["flow"]: row for row in rows}
    assert len(last) == 2, last.keys()
    for row in last.values():
        delivered = sum(float(r["goodput_bps"] or 0) for r in rows if r["flow"] == row["flow"])
        # Samples are a tenth of a second apart.
        assert abs(delivered / 80 - int(row["delivered"]) * MSS) < 0.1 * delivered / 80
        share = 1 - int(row["min_rtt_us"]) / int(row["srtt_us"])
        assert abs(float(row["queue_pkts"]) - int(row["in_flight"]) * share) <= 0.1, row
    done = lab.ccpctl(path.a, "plot", str(trace), "-o", str(picture))
    assert done.returncode == 0, done.stderr
    drawn = picture.read_text()
    for flow_id in last:
        assert f"flow {flow_id}" in drawn
    for panel in ("window", "RTT", "rate", "queue", "delivered"):
        assert f"{panel} (" in drawn, panel
    done = lab.ccpctl(path.a, "plot", str(trace), "-o", str(picture), "--panels", "rtt")
    assert "RTT (ms)" in picture.read_text() and "rate (" not in picture.read_text()


def screen(lab: Lab, ns, keys: bytes) -> tuple[int, str]:
    """`ccpctl top` on a terminal, with a key every second: its exit status and
    all that it wrote."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 120, 0, 0))
    before = termios.tcgetattr(slave)
    process = subprocess.Popen(
        [str(lab.tools / "ccpctl"), "top", "--interval", "200"],
        stdin=slave, stdout=slave, stderr=slave, preexec_fn=ns.enter(),
        env={**os.environ, "TERM": "xterm"},
    )  # fmt: skip
    os.set_blocking(master, False)
    written = b""
    for key in [*keys, None]:
        end = time.monotonic() + 1
        while time.monotonic() < end:
            time.sleep(0.05)
            try:
                written += os.read(master, 1 << 16)
            except BlockingIOError:
                continue
        if key is not None:
            os.write(master, bytes([key]))
    status = process.wait(5)
    assert termios.tcgetattr(slave) == before, "the terminal isn't as it was"
    os.close(master)
    os.close(slave)
    return status, written.decode()


def test_top(lab: Lab) -> None:
    path = lab.path(rate_mbit=20, delay_ms=40, queue=100)
    lab.run_algorithm(path.a, "reno")
    flows = [lab.flow(path).start() for _ in range(2)]
    time.sleep(2)
    status, text = screen(lab, path.a, b"sj q")
    assert status == 0, text
    # Only what changes is written again: here, what it is sorted by.
    for part in ("2 flows, 0 on fallback", "agents: reno", "GOODPUT", "PAUSED", "RTT)"):
        assert part in text, f"no '{part}' in {text}"
    status, _ = screen(lab, path.a, b"\x03")
    assert status == 0
    done = lab.ccpctl(path.a, "top")
    assert done.returncode == 1 and "terminal" in done.stderr, done
    for flow in flows:
        flow.stop()


def test_errors(lab: Lab) -> None:
    (ns,) = lab.namespaces("n")
    # What can't be typed: usage, status 1 or 2 and something on stderr.
    for args in (["frobnicate"], ["run", "no-such-algorithm"], ["flows", "show", "12345678"]):
        done = lab.ccpctl(ns, *args)
        assert done.returncode in (1, 2), (args, done)
        assert done.stderr.strip(), args
        assert "panicked" not in done.stderr, done.stderr

    def nobody() -> str:
        os.setns(ns.fd, net.CLONE_NEWNET)
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
        done = lab.ccpctl(NoNamespace(), "flows", "show")
        return f"{done.returncode} {done.stderr}"

    said = in_child(nobody)
    assert said[0] == "2", said
    assert "ermi" in said, f"no word about permissions: {said}"


class NoNamespace:
    """The namespace one is in."""

    def enter(self):
        return lambda: None


def test_without_module(lab: Lab) -> None:
    (ns,) = lab.namespaces("n")
    lab.module.remove()
    done = lab.ccpctl(ns, "flows", "show")
    lab.module.load()
    assert done.returncode == 2, done
    assert "insmod" in done.stderr or "load" in done.stderr, done.stderr


def test_dies_without_module_under_it(lab: Lab) -> None:
    """The module goes while an agent runs: it says so and ends, or waits."""
    (ns,) = lab.namespaces("n")
    tool = lab.run_algorithm(ns, "reno")
    lab.module.remove()
    time.sleep(30)
    lab.module.load()
    if tool.process.poll() is not None:
        assert tool.process.returncode in (1, 2), tool.output
        assert "panicked" not in tool.output, tool.output
