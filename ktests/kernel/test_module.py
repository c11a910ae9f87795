# SPDX-License-Identifier: GPL-2.0
"""The module as a whole: loading, unloading, and what it shows."""

from __future__ import annotations

import errno
import re
import time

import isa
import net
from ccp import Cmd
from lab import DEBUGFS, TRACEFS, Lab, raises, wait_for
from traffic import CA_LOSS, MSS

RTT = 0.1


def test_rmmod_is_refused_while_flows_exist(lab: Lab) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    flow = lab.flow(path).start()
    assert lab.module.references == 1
    try:
        lab.module.remove()
    except RuntimeError as error:
        assert "in use" in str(error), error
    else:
        raise AssertionError("removed under a flow")
    before = flow.info().bytes_acked
    time.sleep(5 * RTT)
    assert flow.info().bytes_acked > before
    flow.stop()
    wait_for("end of its use", lambda: lab.module.references == 0)
    lab.module.remove()
    assert not lab.module.loaded
    lab.module.load()


def test_rmmod_under_an_agent(lab: Lab) -> None:
    """An attached agent keeps nothing: its socket outlives the family."""
    path = lab.path(delay_ms=RTT * 1000)
    agent = lab.agent(path.a)
    agent.install("p", isa.empty())
    agent.set_fallback(agent.install("fallback", isa.reporter(isa.NOW)).id)
    agent.join()
    lab.module.remove()
    with raises(errno.ENOENT):
        agent.heartbeat()
    lab.module.load()
    # A new family: the old attachment is gone with the old module.
    fresh = lab.client(path.a)
    assert fresh.agents() == []
    assert fresh.programs() == []
    assert fresh.stats().flows_created == 0


def test_load_and_unload_often(lab: Lab) -> None:
    for _ in range(20):
        lab.module.remove()
        lab.module.load()
    path = lab.path(delay_ms=RTT * 1000)
    lab.flow(path).start(20 * MSS).wait()


def test_namespace_goes_with_everything_in_it(lab: Lab) -> None:
    """Agents, programs and flows still there when their namespace goes."""
    for _ in range(3):
        path = lab.path(delay_ms=RTT * 1000)
        agent = lab.agent(path.a)
        agent.set_fallback(agent.install("f", isa.empty()).id)
        flow = lab.flow(path)
        agent.set_program(
            agent.wait(Cmd.FLOW_CREATED).id, agent.install("p", isa.reporter(isa.NOW)).id
        )
        flow.start()
        time.sleep(3 * RTT)
        path.a.run("ip", "link", "set", "a0", "down")
        lab.close()


def test_kernel_says_what_works(lab: Lab) -> None:
    lab.module.remove()
    lab.module.load()
    said = [line for line in net.run("dmesg", "-t").splitlines() if "ccp_rs: " in line]
    assert re.search(r"ccp_rs: tcp yes, mptcp (yes|no).*, dccp (yes|no)", said[-1]), said


def test_ss_shows_state(lab: Lab) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    agent = lab.agent(path.a)
    flow = lab.flow(path)
    flow_id = agent.wait(Cmd.FLOW_CREATED).id
    program = agent.install("p", isa.fixed_cwnd(20 * MSS))
    agent.set_program(flow_id, program.id)
    flow.start()
    time.sleep(3 * RTT)
    shown = path.a.run("ss", "-tinH", "dst", path.server())
    assert " ccp " in shown, shown
    assert "cwnd:20" in shown, shown
    # Rate and minimum RTT as ss decodes them from a congestion control.
    assert re.search(r"bbr:\(bw:\d+bps,mrtt:100,", shown), shown


def test_debugfs_stats(lab: Lab) -> None:
    one, two = lab.path(delay_ms=RTT * 1000), lab.path(delay_ms=RTT * 1000)

    def read() -> dict[str, int]:
        lines = (DEBUGFS / "ccp_rs/stats").read_text().splitlines()
        return {name: int(value) for name, value in (line.split() for line in lines)}

    # Namespaces of earlier tests go in the background, with their counters.
    time.sleep(1)
    before = read()
    flows = [lab.flow(path).start(20 * MSS) for path in (one, two)]
    for flow in flows:
        flow.wait()
    time.sleep(1)
    after = read()
    here, there = lab.client(one.a).stats(), lab.client(two.a).stats()
    assert after["flows"] - before["flows"] == 2
    for name in ("flows-created", "invocations"):
        attribute = name.replace("-", "_")
        total = getattr(here, attribute) + getattr(there, attribute)
        assert after[name] - before[name] == total > 0, name
    assert set(after) == {
        "flows", "agents", "programs", "flows-created", "flows-refused", "invocations", "aborts",
        "reports", "report-drops", "events-dropped", "fallbacks", "commands", "command-errors",
        "mptcp-connections", "mptcp-refused", "mptcp-joins-refused", "mptcp-events",
    }  # fmt: skip
    assert (DEBUGFS / "ccp_rs/stats").stat().st_mode & 0o077 == 0


def test_tracepoints(lab: Lab) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    events = {p.name for p in (TRACEFS / "events/ccp").iterdir() if p.is_dir()}
    # On kernels that let modules have CCIDs there is one more.
    events -= {"ccp_dccp_sent"}
    assert events == {"ccp_invoke", "ccp_command", "ccp_fallback"}
    with lab.trace(*events) as lines:
        agent = lab.agent(path.a)
        flow = lab.flow(path)
        flow_id = agent.wait(Cmd.FLOW_CREATED).id
        program = agent.install("p", isa.fixed_cwnd(20 * MSS))
        agent.set_program(flow_id, program.id)
        with raises(errno.ENOENT):
            agent.remove(12345)
        flow.start()
        time.sleep(3.5 * RTT)
        path.gate(drop=True)
        flow.until("retransmission timeout", lambda i: i.ca_state == CA_LOSS)
        invocations = agent.flow(flow_id).invocations
        port = agent.nl.port
        agent.close()
        path.gate()
        flow.until("recovery", lambda i: i.ca_state == 0, timeout=20)
        seen = lines()
    commands = [line for line in seen if "ccp_command:" in line]
    assert [re.search(r"command=(\S+)", c).group(1) for c in commands][:4] == [
        "agent-attach",
        "program-install",
        "flow-set-program",
        "program-remove",
    ]
    assert f"command=program-remove port={port} err=-2" in commands[3]
    ran = [line for line in seen if "ccp_invoke:" in line]
    ours = [line for line in ran if f"flow={flow_id} program={program.id} " in line]
    assert len(ours) == invocations
    assert sum("on=timeout" in line for line in ours) == 1
    assert "outcome=ok cwnd=20" in ours[5]
    fell = [line for line in seen if "ccp_fallback:" in line]
    assert len(fell) == 1
    assert f"flow={flow_id} " in fell[0]
    assert "reason=agent-gone" in fell[0]
