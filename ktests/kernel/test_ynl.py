# SPDX-License-Identifier: GPL-2.0
"""The kernel's own YNL client, driven by the specification alone."""

from __future__ import annotations

import socket
import sys
import time

import isa
from lab import Lab
from mptcp import Hosts, Pair
from traffic import MSS

RTT = 0.1


def ynl(lab: Lab, ns, family: str = "ccp"):
    """A client of a family in `ns`, from tools/net/ynl of the kernel tree."""
    if str(lab.ynl) not in sys.path:
        sys.path.insert(0, str(lab.ynl))
    from lib import YnlFamily

    # Without a schema: that of 6.12 doesn't know the display hint ipv4-or-v6.
    with ns:
        return YnlFamily(str(lab.spec.with_name(f"{family}.yaml")), schema="")


def events(client, wait: float) -> list[tuple[str, dict]]:
    """What comes within `wait` seconds."""
    time.sleep(wait)
    client.check_ntf()
    found = []
    queue = client.async_msg_queue
    while queue:
        entry = queue.pop(0)
        found.append((entry["name"], entry["msg"]))
    return found


def test_agent(lab: Lab) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    agent, watcher = ynl(lab, path.a), ynl(lab, path.a)
    watcher.ntf_subscribe("events")
    attached = agent.do("agent-attach", {"name": "ynl", "algorithm": ["one", "two"]})
    assert attached["isa-version"] == 1
    (listed,) = watcher.dump("agent-get", {})
    assert (listed["name"], listed["algorithm"]) == ("ynl", ["one", "two"])

    program = isa.fixed_cwnd(20 * MSS, isa.MSS, isa.PACKETS_ACKED)
    made = agent.do(
        "program-install",
        {"name": "p", "events": program.events, "instructions": [program.instructions]},
    )
    assert (made["report-fields"], made["agent-id"]) == (2, attached["id"])
    (found,) = watcher.dump("program-get", {})
    assert found == watcher.do("program-get", {"id": made["id"]}) == made

    flow = lab.flow(path)
    ((name, created),) = events(watcher, RTT)
    assert name == "flow-created"
    assert created["fallback-reason"] == "no-agent"
    assert created["remote-addr"] in (path.server(), socket.inet_aton(path.server()))
    assert created["remote-port"] == flow.receiver.port
    # 6.12's client stumbles over events that come before an answer.
    agent.check_ntf()
    agent.do(
        "flow-set-program",
        {
            "id": created["id"],
            "program-id": made["id"],
            "updates": [{"class": "nonvolatile-control", "index": 0, "value": 30 * MSS}],
        },
    )
    flow.start(100 * MSS).wait()
    reports = [message for name, message in events(watcher, 1) if name == "report"]
    assert reports
    assert [r["seq"] for r in reports] == list(range(1, len(reports) + 1))
    for report in reports:
        assert report["flow-id"] == created["id"]
        assert report["program-id"] == made["id"]
        assert report["cwnd"] == 30 * MSS
        fields = decoded(report["fields"])
        assert fields[0] == MSS
    assert sum(decoded(r["fields"])[1] for r in reports) == 100

    agent.check_ntf()
    (shown,) = watcher.dump("flow-get", {})
    assert shown["program-id"] == made["id"]
    assert shown["fallback-reason"] == "none"
    agent.do(
        "flow-update",
        {"id": created["id"], "updates": [{"class": "implicit", "index": 4, "value": 7 * MSS}]},
    )
    stats = watcher.do("stats-get", {})
    assert (stats["agents"], stats["programs"], stats["flows"]) == (1, 1, 1)
    agent.do("agent-heartbeat", {})
    agent.do("agent-detach", {})
    seen = dict(events(watcher, RTT))
    assert seen["flow-fallback"]["fallback-reason"] == "agent-gone"


def decoded(fields) -> list[int]:
    """A binary attribute with a sub-type comes as a list from some versions of
    the client, as bytes from others."""
    if isinstance(fields, bytes):
        return [int.from_bytes(fields[k : k + 8], "little") for k in range(0, len(fields), 8)]
    return list(fields)


def test_error_text(lab: Lab) -> None:
    from lib import NlError

    (ns,) = lab.namespaces("n")
    client = ynl(lab, ns)
    try:
        client.do("flow-get", {"id": 99})
    except NlError as error:
        assert "99" in error.nl_msg.extack["msg"]
    else:
        raise AssertionError("flow 99 exists")


def test_path_manager(lab: Lab) -> None:
    where = lab.keep(Hosts())
    watcher, daemon = ynl(lab, where.a, "mptcp"), ynl(lab, where.a, "mptcp")
    watcher.ntf_subscribe("mptcp_events")
    pair = lab.keep(Pair(where))
    pair.talk()
    (_, created), (name, established) = events(watcher, RTT)
    assert name == "established"
    assert (created["sport"], created["dport"]) == (pair.sock.getsockname()[1], pair.port)
    assert (created["seq"], created["server-side"], created["loc-id"]) == (1, 0, 0)
    token = established["token"]
    (connection,) = daemon.dump("get-conn", {})
    assert connection == daemon.do("get-conn", {"token": token})
    assert (connection["state"], connection["extra-subflows"]) == ("established", 0)
    assert [local["refs"] for local in connection["local"]] == [1]
    daemon.do("set-filter", {"flags": 1 << 9})
    daemon.do("announce", {"token": token, "family": 2, "loc-id": 9, "saddr4": 0x0102000A})
    subflows = daemon.dump("get-subflow", {"token": token})
    assert [(s["subflow-id"], s["initial-subflow"]) for s in subflows] == [(1, 1)]
    counters = daemon.do("get-counters", {})
    assert counters["drops"] == 0
    assert counters["events"][0] == {"kind": 1, "seq": 1}
    pair.close()
    ((name, closed),) = events(watcher, 1)
    assert (name, closed["token"]) == ("closed", token)
