# SPDX-License-Identifier: GPL-2.0
"""Who may do what: network namespaces and privileges."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import isa
import net
from ccp import FLOW, PROGRAM, Client, Cmd, Update, install_request, of
from lab import Lab, in_child, raises
from netlink import GENL, NLM_F_DUMP, Netlink, NetlinkError, genl, text, u32, uint
from traffic import MSS

RTT = 0.1
CLONE_NEWUSER = 0x10000000
NOBODY = 65534


def test_namespaces_are_apart(lab: Lab) -> None:
    one, two = lab.path(delay_ms=RTT * 1000), lab.path(delay_ms=RTT * 1000)
    agent, stranger = lab.agent(one.a, "agent"), lab.agent(two.a, "stranger")
    listener = lab.client(two.a)
    listener.join()
    flow = lab.flow(one)
    flow_id = agent.wait(Cmd.FLOW_CREATED, cookie=flow.cookie).id
    # Both have a program 1.
    agent.install("first", isa.empty())
    program = agent.install("p", isa.reporter(isa.NOW))
    theirs = stranger.install("p", isa.empty())
    agent.set_program(flow_id, program.id)
    flow.start()
    time.sleep(5 * RTT)
    # Nothing of one is seen in the other.
    assert [a.name for a in stranger.agents()] == ["stranger"]
    assert [p.id for p in stranger.programs()] == [theirs.id]
    assert stranger.flows() == []
    assert stranger.drain() == []
    assert listener.drain() == []
    stats = stranger.stats()
    assert (stats.flows, stats.flows_created, stats.invocations, stats.reports) == (0, 0, 0, 0)
    assert (stats.agents, stats.programs) == (1, 1)
    # And nothing can be done to it from there.
    for refused in (
        lambda: stranger.flow(flow_id),
        lambda: stranger.set_program(flow_id, theirs.id),
        lambda: stranger.update(flow_id, Update(isa.CONTROL, 0, 1)),
    ):
        with raises(errno.ENOENT, str(flow_id)):
            refused()
    for refused in (
        lambda: stranger.set_program(flow_id, program.id),
        lambda: stranger.program(program.id),
        lambda: stranger.remove(program.id),
        lambda: stranger.set_fallback(program.id),
    ):
        with raises(errno.ENOENT, str(program.id)):
            refused()
    assert agent.flow(flow_id).program_id == program.id


def test_receiver_has_flows_of_its_own(lab: Lab) -> None:
    """Each end of a connection is a flow of its own namespace."""
    # A namespace takes the default of the first one when it is made.
    default = Path("/proc/sys/net/ipv4/tcp_congestion_control")
    before = default.read_text()
    default.write_text("ccp")
    path = lab.path(delay_ms=RTT * 1000)
    default.write_text(before)
    here, there = lab.client(path.a), lab.client(path.b)
    flow = lab.flow(path).start()
    time.sleep(3 * RTT)
    (mine,), (other,) = here.flows(), there.flows()
    assert mine.id != other.id
    assert (mine.local_port, mine.remote_port) == (other.remote_port, other.local_port)
    assert (mine.local_addr, mine.remote_addr) == (other.remote_addr, other.local_addr)
    assert mine.local_port == flow.port
    assert mine.cookie == flow.cookie


def every_command() -> dict[str, tuple[bytes, int]]:
    """A well-formed request for each command, and its flags."""
    program, flow = u32(of(PROGRAM, "id"), 1), uint(of(FLOW, "id"), 1)
    return {
        "agent-attach": (genl(Cmd.AGENT_ATTACH, text(2, "evil"), text(3, "evil")), 0),
        "agent-detach": (genl(Cmd.AGENT_DETACH), 0),
        "agent-heartbeat": (genl(Cmd.AGENT_HEARTBEAT), 0),
        "agent-get dump": (genl(Cmd.AGENT_GET), NLM_F_DUMP),
        "program-install": (install_request("evil", isa.empty()), 0),
        "program-remove": (genl(Cmd.PROGRAM_REMOVE, program), 0),
        "program-get": (genl(Cmd.PROGRAM_GET, program), 0),
        "program-get dump": (genl(Cmd.PROGRAM_GET), NLM_F_DUMP),
        "fallback-set": (genl(Cmd.FALLBACK_SET), 0),
        "flow-get": (genl(Cmd.FLOW_GET, flow), 0),
        "flow-get dump": (genl(Cmd.FLOW_GET), NLM_F_DUMP),
        "flow-set-program": (genl(Cmd.FLOW_SET_PROGRAM, flow, u32(3, 1)), 0),
        "flow-update": (genl(Cmd.FLOW_UPDATE, flow), 0),
        "stats-get": (genl(Cmd.STATS_GET), 0),
    }


def try_all() -> str:
    """What happens to each command and to joining, one per line."""
    with Client() as client:
        lines = []
        for name, (body, flags) in every_command().items():
            lines.append(f"{name}: {attempt(lambda: client.raw(body, flags))}")  # noqa: B023
        lines.append(f"join: {attempt(client.join)}")
        return "\n".join(lines)


def attempt(work) -> str:
    try:
        work()
    except NetlinkError as error:
        return errno.errorcode[error.code]
    except OSError as error:
        return errno.errorcode[error.errno]
    return "ok"


def test_unprivileged_is_refused(lab: Lab) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    agent = lab.agent(path.a)
    before = agent.stats()

    def nobody() -> str:
        os.setns(path.a.fd, net.CLONE_NEWNET)
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        return try_all()

    said = in_child(nobody)
    refused = [line for line in said.splitlines() if not line.endswith(": EPERM")]
    assert not refused, said
    assert len(said.splitlines()) == 15
    after = agent.stats()
    assert (after.agents, after.programs) == (before.agents, before.programs) == (1, 0)


def test_root_of_a_user_namespace(lab: Lab) -> None:
    """CAP_NET_ADMIN counts in the user namespace that owns the network
    namespace: its root may do all there, and nothing elsewhere."""
    path = lab.path(delay_ms=RTT * 1000)
    lab.agent(path.a)

    def own() -> str:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        os.unshare(CLONE_NEWUSER | net.CLONE_NEWNET)
        with Client() as client:
            client.join()
            client.attach("mine")
            client.install("p", isa.empty())
            names = [a.name for a in client.agents()]
            return f"{names} {len(client.programs())} {len(client.flows())}"

    assert in_child(own) == "['mine'] 1 0"

    def foreign() -> str:
        os.setns(path.a.fd, net.CLONE_NEWNET)
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        os.unshare(CLONE_NEWUSER)
        return try_all()

    said = in_child(foreign)
    assert said.count(": EPERM") == 15, said


def test_events_need_privilege_not_only_a_socket(lab: Lab) -> None:
    """A socket opened by root and handed to nobody can't be used to command."""
    path = lab.path(delay_ms=RTT * 1000)
    lab.agent(path.a)
    with path.a:
        client = Client()
    body = genl(Cmd.STATS_GET)

    def nobody() -> str:
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        return attempt(lambda: client.raw(body))

    assert in_child(nobody) == "EPERM"
    client.close()


def test_only_listeners_hear(lab: Lab) -> None:
    """Events go to the flow's agent and to those who joined."""
    path = lab.path(delay_ms=RTT * 1000)
    agent = lab.agent(path.a)
    listener, other = lab.client(path.a), lab.client(path.a)
    listener.join()
    flow = lab.flow(path)
    flow_id = agent.wait(Cmd.FLOW_CREATED).id
    agent.set_program(flow_id, agent.install("p", isa.reporter(isa.NOW)).id)
    flow.start(20 * MSS).wait()
    time.sleep(1)
    flow.stop()
    time.sleep(1)
    heard = [(e.event, getattr(e, "seq", None)) for e in listener.drain()]
    assert heard[0] == (Cmd.FLOW_CREATED, None)
    assert heard[-1] == (Cmd.FLOW_CLOSED, None)
    assert [e.event for e in agent.drain()] == [kind for kind, _ in heard[1:]]
    assert len(heard) >= 10
    assert other.drain() == []


def test_family_is_what_it_says(lab: Lab) -> None:
    (ns,) = lab.namespaces("n")
    client = lab.client(ns)
    assert list(client.family.groups) == ["events"]
    with ns:
        nl = Netlink()
    # Unknown commands and an event sent as a command.
    for command in (0, 13, 16, 17, 255):
        with raises(errno.EOPNOTSUPP):
            nl.exchange(client.family.id, GENL.pack(command, 1, 0))
    nl.close()


def test_ids_are_of_the_namespace(lab: Lab) -> None:
    """What one uses up is no other's loss, and what has the same number isn't the same."""
    one, two = lab.namespaces("one", "two")
    first = lab.agent(one)
    for _ in range(3):
        with lab.client(one) as client:
            client.attach("passing")
            client.install("p", isa.empty())
    program = first.install("p", isa.empty())
    assert (first.info.id, program.id) == (1, 4)
    second = lab.agent(two)
    mine = second.install("q", isa.empty())
    assert (second.info.id, mine.id) == (1, 1)
    with raises(errno.ENOENT, "no program 4 here"):
        second.remove(4)
    second.remove(1)
    assert [p.id for p in first.programs()] == [4]
    assert lab.agent(one).info.id == 5
