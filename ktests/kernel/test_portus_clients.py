# SPDX-License-Identifier: GPL-2.0
"""Portus clients as they are: reno and cubic of generic_cong_avoid 0.4.0 (on
portus 0.7), and a program on portus 0.9, over each transport."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from ccp import Reason
from lab import Lab, cases, wait_for
from net import Route
from portus_clients import bridge, start

MODULE_PARAMS = "portus=1"

RATE = 10
RTT = 0.05
QUEUE = 42
"""The bandwidth-delay product: half a window is enough to keep the link busy."""

each_transport = cases(over=["netlink", "char", "unix"])
each_in_kernel = cases(over=["netlink", "char"])
each_algorithm = cases(name=["reno", "cubic"])

def congested(lab: Lab) -> Route:
    return lab.path(delay_ms=RTT * 1000, rate_mbit=RATE, queue=QUEUE)


def utilisation(flow, seconds: float = 20) -> float:
    """Of the payload a full link would carry."""
    time.sleep(5)
    before = flow.info().bytes_acked
    time.sleep(seconds)
    return (flow.info().bytes_acked - before) * 8 * 1514 / 1448 / seconds / (RATE * 1e6)


def served(lab: Lab, path: Route) -> float:
    """A transfer under the agent that is there."""
    flow = lab.flow(path).start()
    watcher = lab.client(path.a)
    wait_for("a program", lambda: watcher.flows()[0].fallback_reason == Reason.NONE, 20)
    used = utilisation(flow)
    (info,) = watcher.flows()
    assert (info.fallback_reason, info.aborts, info.fallbacks) == (Reason.NONE, 0, 0), info
    assert info.reports > 100
    assert info.report_drops == 0
    assert watcher.stats().command_errors == 0
    return used


def test_our_reno(lab: Lab) -> None:
    """The control group."""
    path = congested(lab)
    lab.run_algorithm(path.a, "reno")
    used = served(lab, path)
    assert used > 0.97, f"{used:.3f}"


@each_transport
@each_algorithm
def test_utilisation(lab: Lab, name: str, over: str) -> None:
    path = congested(lab)
    start(lab, path.a, name, "--ipc", over)
    used = served(lab, path)
    assert used > 0.95, f"{used:.3f}"


@each_transport
def test_portus_0_9(lab: Lab, over: str) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    tool = start(lab, path.a, "portus-hold", over, "12")
    flow = lab.flow(path).start()
    wait_for("the window", lambda: flow.info().cwnd == 12, 20)
    wait_for("the other program", lambda: flow.info().cwnd == 6, 20)
    time.sleep(1)
    flow.stop()
    wait_for("the close", lambda: "closed" in tool.output, 20)
    lines = tool.output.splitlines()
    assert lines[0].split()[2:] == ["14480", "1448"], lines[0]
    reports = [line.split() for line in lines if line.startswith("report")]
    assert len(reports) > 15
    for _, _, acked, rtt in reports[1:]:
        assert int(acked) % 1448 == 0, lines
        assert 49_000 < int(rtt) < 60_000, lines


@each_transport
def test_client_killed_and_back(lab: Lab, over: str) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    watcher = lab.client(path.a)
    first = start(lab, path.a, "portus-hold", over, "12")
    flow = lab.flow(path).start()
    wait_for("the window", lambda: flow.info().cwnd == 12, 20)
    first.kill(signal.SIGKILL)
    wait_for("growth without it", lambda: flow.info().cwnd > 24, 20)
    assert watcher.flows()[0].fallback_reason == Reason.AGENT_GONE
    second = start(lab, path.a, "portus-hold", over, "16")
    wait_for("the window", lambda: flow.info().cwnd == 16, 20)
    assert len(watcher.agents()) == 1
    assert second.process.poll() is None, second.output


@each_transport
def test_client_stopped_and_continued(lab: Lab, over: str) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    timeout = Path("/sys/module/ccp_rs/parameters/agent_timeout_ms")
    timeout.write_text("1000")
    lab.ends.callback(timeout.write_text, "10000")
    watcher = lab.client(path.a)
    tool = start(lab, path.a, "portus-hold", over, "12")
    flow = lab.flow(path).start()
    wait_for("the window", lambda: flow.info().cwnd == 12, 20)
    tool.process.send_signal(signal.SIGSTOP)
    wait_for("growth without it", lambda: flow.info().cwnd > 24, 20)
    # The bridge leaves when its client doesn't read.
    silent = Reason.AGENT_GONE if over == "unix" else Reason.AGENT_SILENT
    assert watcher.flows()[0].fallback_reason == silent
    tool.process.send_signal(signal.SIGCONT)
    # It is told of the flow anew, or has answered reports of before already.
    wait_for("its return", lambda: watcher.flows()[0].fallback_reason == Reason.NONE, 20)
    wait_for("the window", lambda: flow.info().cwnd in (12, 6), 20)


@each_transport
def test_flows_that_come_and_go(lab: Lab, over: str) -> None:
    """Late commands to flows that have ended must not end the client."""
    path = lab.path(delay_ms=RTT * 1000)
    watcher = lab.client(path.a)
    tool = start(lab, path.a, "reno", "--ipc", over)
    for _ in range(5):
        flows = [lab.flow(path).start(40 * 1448) for _ in range(8)]
        for flow in flows:
            flow.wait()
            flow.stop()
    assert tool.process.poll() is None, tool.output
    (agent,) = watcher.agents()
    assert not agent.silent
    flow = lab.flow(path).start()
    wait_for("a program", lambda: watcher.flows()[0].fallback_reason == Reason.NONE, 20)
    assert flow.failed is None


@each_in_kernel
def test_module_removed_and_back(lab: Lab, over: str) -> None:
    """On netlink a client waits for the module; the device holds it."""
    path = lab.path(delay_ms=RTT * 1000)
    tool = start(lab, path.a, "portus-hold", over, "12")
    if over == "char":
        try:
            lab.module.remove()
        except RuntimeError as error:
            assert "in use" in str(error), error
        else:
            raise AssertionError("removed while the device is open")
        tool.kill()
        wait_for("the end of its use", lambda: lab.module.references == 0)
    lab.module.remove()
    lab.module.load(MODULE_PARAMS)
    if over == "char":
        return
    watcher = lab.client(path.a)
    wait_for("the client", lambda: any(a.programs == 2 for a in watcher.agents()), 20)
    flow = lab.flow(path).start()
    wait_for("the window", lambda: flow.info().cwnd == 12, 20)
    assert tool.process.poll() is None, tool.output


def test_bridge(lab: Lab) -> None:
    """It leaves with its client and comes back with the next; its socket is
    nobody else's to write to."""
    path = lab.path(delay_ms=RTT * 1000)
    watcher = lab.client(path.a)
    first = start(lab, path.a, "portus-hold", "unix", "12")
    wait_for("both programs", lambda: watcher.agents()[0].programs == 2)
    assert watcher.agents()[0].name == "portus-unix"
    socket_file = Path("/tmp/ccp/portus.ccp_rs")
    assert socket_file.stat().st_mode & 0o777 == 0o600
    first.kill(signal.SIGKILL)
    wait_for("its end", lambda: watcher.agents() == [], 20)
    assert watcher.programs() == []
    start(lab, path.a, "portus-hold", "unix", "14")
    flow = lab.flow(path).start()
    wait_for("the window", lambda: flow.info().cwnd == 14, 20)
    (tool,) = bridge
    assert tool.kill(signal.SIGINT) == 0, tool.output
    assert "2 clients" in tool.output, tool.output
    assert not socket_file.exists()
    wait_for("growth without it", lambda: flow.info().cwnd > 14, 20)
    done = lab.ccpctl(path.a, "portus", "--client", "a/b")
    assert done.returncode == 1, done.stderr


def test_bridge_where_others_write(lab: Lab) -> None:
    """Who owns the directory could take the place of the client."""
    (ns,) = lab.namespaces("n")
    directory = Path("/tmp/ccp")
    directory.mkdir(exist_ok=True)
    before = directory.stat()
    for owner, mode in ((65534, 0o755), (0, 0o777)):
        os.chown(directory, owner, owner)
        directory.chmod(mode)
        done = lab.ccpctl(ns, "portus")
        assert done.returncode == 2, done.stderr
        assert "/tmp/ccp" in done.stderr, done.stderr
    os.chown(directory, before.st_uid, before.st_gid)
    directory.chmod(before.st_mode)
