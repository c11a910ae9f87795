# SPDX-License-Identifier: GPL-2.0
"""Each algorithm that an agent offers is a congestion control of its own."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import time
from pathlib import Path

import isa
import net
from ccp import Client, Cmd, Reason
from lab import Lab, in_child, raises, wait_for
from net import Namespace
from netlink import attr, text
from traffic import MSS, TCP_CONGESTION, Flow, abort, connect

RTT = 0.1
CLONE_NEWUSER = 0x10000000
NOBODY = 65534
ALLOWED = Path("/proc/sys/net/ipv4/tcp_allowed_congestion_control")
POOL = 64


def available() -> list[str]:
    return Path("/proc/sys/net/ipv4/tcp_available_congestion_control").read_text().split()


def fresh(lab: Lab) -> None:
    """Names stay until the module goes."""
    lab.module.remove()
    lab.module.load()


def name_of(flow: Flow) -> str:
    raw = flow.sock.getsockopt(socket.IPPROTO_TCP, TCP_CONGESTION, 16)
    return raw.rstrip(b"\0").decode()


@contextlib.contextmanager
def allowed(name: str):
    """To unprivileged programs, and to other namespaces."""
    before = ALLOWED.read_text()
    ALLOWED.write_text(f"{before.strip()} {name}")
    try:
        yield
    finally:
        ALLOWED.write_text(before)


def refused(ns: Namespace, name: str) -> int:
    with ns.socket() as sock:
        try:
            sock.setsockopt(socket.IPPROTO_TCP, TCP_CONGESTION, name.encode())
        except OSError as error:
            return error.errno or 0
    return 0


def settled(flow: Flow, cwnd: int) -> None:
    """The program that keeps this window is at work."""
    time.sleep(3 * RTT)
    assert flow.info().cwnd == cwnd, flow.info()


def test_names_come_and_stay(lab: Lab) -> None:
    fresh(lab)
    path = lab.path(delay_ms=RTT * 1000)
    assert refused(path.a, "ccp_one") == errno.ENOENT
    before = available()
    agent = lab.agent(path.a, "agent", "one", "t-w_0", "x" * 11)
    assert set(available()) - set(before) == {"ccp_one", "ccp_t-w_0", "ccp_" + "x" * 11}
    again = lab.agent(path.a, "again", "one")
    assert available().count("ccp_one") == 1
    again.close()
    agent.close()
    # A name without an agent is as good as "ccp" without one.
    assert "ccp_one" in available()
    flow = lab.flow(path, "ccp_one").start()
    settled(flow, 80)
    (info,) = lab.client(path.a).flows()
    assert (info.algorithm, info.agent_id, info.program_id) == ("ccp_one", None, 0)
    assert info.fallback_reason == Reason.NO_AGENT
    flow.stop()
    wait_for("end of the module's use", lambda: lab.module.references == 0, 20, 0.1)
    lab.module.remove()
    assert not [name for name in available() if name.startswith("ccp")]
    lab.module.load()
    assert [name for name in available() if name.startswith("ccp")] == ["ccp"]


def test_flows_go_to_the_agent_that_offers_it(lab: Lab) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    first = lab.agent(path.a, "first", "one", "two")
    second = lab.agent(path.a, "second", "three")
    third = lab.agent(path.a, "third", "two", "three")
    flows = {name: lab.flow(path, name) for name in ("ccp", "ccp_one", "ccp_two", "ccp_three")}
    windows = {"ccp": 11, "ccp_one": 12, "ccp_two": 13, "ccp_three": 14}
    by = {"ccp": first, "ccp_one": first, "ccp_two": first, "ccp_three": second}
    for name, flow in flows.items():
        agent = by[name]
        created = agent.wait(Cmd.FLOW_CREATED, cookie=flow.cookie)
        assert (created.algorithm, created.agent_id) == (name, agent.info.id)
        assert name_of(flow) == name
        program = agent.install(name, isa.fixed_cwnd(windows[name] * MSS))
        agent.set_program(created.id, program.id)
        flow.start()
    time.sleep(3 * RTT)
    assert {name: flow.info().cwnd for name, flow in flows.items()} == windows
    assert third.drain() == []
    # The first one dies: its flows go to who offers their algorithm, or stay
    # with the fallback program.
    cookies = {flow.cookie: name for name, flow in flows.items()}
    first.close()
    time.sleep(3 * RTT)
    watcher = lab.client(path.a)
    agents = {cookies[info.cookie]: info.agent_id for info in watcher.flows()}
    assert agents == {
        "ccp": second.info.id,
        "ccp_one": None,
        "ccp_two": third.info.id,
        "ccp_three": second.info.id,
    }
    reasons = {cookies[info.cookie]: info.fallback_reason for info in watcher.flows()}
    assert reasons["ccp_one"] == Reason.AGENT_GONE
    assert flows["ccp_one"].info().cwnd > windows["ccp_one"]
    # It comes back.
    back = lab.agent(path.a, "back", "one")
    claim = back.wait(Cmd.FLOW_CREATED)
    assert (claim.cookie, claim.adopted) == (flows["ccp_one"].cookie, True)
    back.set_program(claim.id, back.install("p", isa.fixed_cwnd(20 * MSS)).id)
    settled(flows["ccp_one"], 20)
    assert watcher.flow(claim.id).fallback_reason == Reason.NONE


def test_a_socket_changes_its_mind(lab: Lab) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    one, two = lab.agent(path.a, "1", "one"), lab.agent(path.a, "2", "two")
    flow = lab.flow(path, "ccp_one").start()
    first = one.wait(Cmd.FLOW_CREATED)
    for name, agent in (("ccp_two", two), ("ccp_one", one)):
        flow.sock.setsockopt(socket.IPPROTO_TCP, TCP_CONGESTION, name.encode())
        created = agent.wait(Cmd.FLOW_CREATED)
        assert (created.algorithm, created.cookie) == (name, first.cookie)
        assert created.id > first.id
    flow.sock.setsockopt(socket.IPPROTO_TCP, TCP_CONGESTION, b"reno")
    assert one.flows() == []


def test_sysctl(lab: Lab) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    agent = lab.agent(path.a, "agent", "one")
    # In a namespace that is not the first one: as for any, it must be allowed.
    with allowed("ccp_one"):
        path.a.write("net/ipv4/tcp_congestion_control", "ccp_one")
    receiver = lab.receiver(path.b)
    sock = path.a.socket()
    flow = Flow(sock)
    lab.ends.callback(flow.stop)
    sock.connect((path.server(), receiver.port))
    assert agent.wait(Cmd.FLOW_CREATED).algorithm == "ccp_one"
    # The default keeps the module, and outlives the agent.
    agent.close()
    flow.stop()
    assert lab.module.references > 0
    try:
        lab.module.remove()
    except RuntimeError as error:
        assert "in use" in str(error), error
    else:
        raise AssertionError("removed under a sysctl")
    other = path.a.socket()
    assert other.getsockopt(socket.IPPROTO_TCP, TCP_CONGESTION, 16).startswith(b"ccp_one\0")
    other.close()
    path.a.write("net/ipv4/tcp_congestion_control", "reno")


def test_route(lab: Lab) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    agent = lab.agent(path.a, "agent", "one")
    # The network the receiver is in, by this algorithm; all else as before.
    path.a.write("net/ipv4/tcp_congestion_control", "reno")
    path.a.run("ip", "route", "add", "10.0.2.0/24", "via", "10.0.1.254", "congctl", "ccp_one")
    assert "congctl ccp_one" in path.a.run("ip", "route", "show", "10.0.2.0/24")
    receiver = lab.receiver(path.b)

    def connected() -> Flow:
        sock = path.a.socket()
        flow = Flow(sock)
        lab.ends.callback(flow.stop)
        sock.connect((path.server(), receiver.port))
        return flow

    flow = connected()
    assert name_of(flow) == "ccp_one"
    assert agent.wait(Cmd.FLOW_CREATED).cookie == flow.cookie
    agent.close()
    # The route stays as it is, and so does what it says.
    assert name_of(connected()) == "ccp_one"


def test_rmmod_under_a_named_flow(lab: Lab) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    agent = lab.agent(path.a, "agent", "one")
    flow = lab.flow(path, "ccp_one").start()
    agent.wait(Cmd.FLOW_CREATED)
    try:
        lab.module.remove()
    except RuntimeError as error:
        assert "in use" in str(error), error
    else:
        raise AssertionError("removed under a flow")
    flow.stop()
    wait_for("end of its use", lambda: lab.module.references == 0, 20, 0.1)
    lab.module.remove()
    assert "ccp_one" not in available()
    assert refused(path.a, "ccp_one") == errno.ENOENT
    lab.module.load()


def test_flows_without_memory_keep_their_name(lab: Lab) -> None:
    """Over max_flows it is the kernel's reno, under the name that was asked for."""
    path = lab.path(delay_ms=RTT * 1000)
    lab.agent(path.a, "agent", "one", "two")
    parameter = Path("/sys/module/ccp_rs/parameters/max_flows")
    before = parameter.read_text()
    kept = lab.flow(path, "ccp_one")
    parameter.write_text("1")
    try:
        flow = lab.flow(path, "ccp_two").start()
        settled(flow, 80)
        assert name_of(flow) == "ccp_two"
        client = lab.client(path.a)
        assert [info.cookie for info in client.flows()] == [kept.cookie]
        assert client.stats().flows_refused == 1
    finally:
        parameter.write_text(before)
    flow.stop()


def test_bad_names(lab: Lab) -> None:
    fresh(lab)
    (ns,) = lab.namespaces("n")
    client = lab.client(ns)
    before = available()
    bad = ("x" * 12, "x" * 15, "UPPER", "two words", "a/b", "../x", "a.b", "%s%n", "a,b", "é", "'")
    for name in bad:
        with raises(errno.EINVAL, "algorithm", "1 to 11"):
            client.attach("agent", "good", name)
    for raw in (b"\0", b"a\0b\0", b"\x1b[31m\0"):
        with raises(errno.EINVAL, "algorithm"):
            client.do(Cmd.AGENT_ATTACH, text(2, "x"), attr(3, raw))
    # All or nothing.
    assert available() == before
    assert client.agents() == []


def warned(client: Client, *algorithms: str) -> str:
    """Attaches; what the kernel says beside its ACK."""
    client.attach("agent", *algorithms)
    return client.nl.warning


def test_no_room_for_names(lab: Lab) -> None:
    """A pool that is full: who wants one more attaches without, and takes no room."""
    fresh(lab)
    (ns,) = lab.namespaces("n")
    before = len(available())
    taken = 1
    while taken + 15 <= POOL:
        with lab.client(ns) as client:
            assert warned(client, *(f"n{taken + k}" for k in range(15))) == ""
        taken += 15
    left = POOL - taken
    for word in ("m", "l", "m"):
        with lab.client(ns) as client:
            said = warned(client, "n1", *(f"{word}{k}" for k in range(left + 1)))
            assert f"no room for {left + 1} names" in said and "64" in said, said
            (agent,) = client.agents()
            assert len(agent.algorithm) == left + 2
    assert len(available()) - before == taken - 1
    log = net.run("dmesg")
    assert f"no room for {left + 1} names" in log
    # What was refused kept no places; a name is counted once.
    with lab.client(ns) as client:
        assert warned(client, *(f"k{k % left}" for k in range(left + 5))) == ""
    assert len(available()) - before == POOL - 1
    # What is there can be offered by anybody.
    with lab.client(ns) as client:
        assert warned(client, "n1", "n2", "k0") == ""
        assert "no room for 1 names" in warned(lab.client(ns), "n1", "one-more")
    fresh(lab)


def test_only_the_machines_root_brings_names(lab: Lab) -> None:
    """Names are the machine's; an agent of a container may offer an algorithm,
    and serve flows of a name that is there, but not bring a new one."""
    fresh(lab)
    (ns,) = lab.namespaces("n")
    lab.agent(ns, "agent", "known")

    def own() -> str:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        os.unshare(CLONE_NEWUSER | net.CLONE_NEWNET)
        with Client() as client:
            client.attach("mine", "known", "unknown")
            return " ".join(client.agents()[0].algorithm)

    assert in_child(own) == "known unknown"
    assert "ccp_known" in available()
    assert "ccp_unknown" not in available()


def test_unprivileged_use(lab: Lab) -> None:
    """As for "ccp": only what the machine's root has allowed."""
    path = lab.path(delay_ms=RTT * 1000)
    lab.agent(path.a, "agent", "one", "two")
    def nobody() -> str:
        os.setns(path.a.fd, net.CLONE_NEWNET)
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        found = []
        for name in ("ccp", "ccp_one", "ccp_two"):
            found.append(errno.errorcode.get(chosen(name), "ok"))
        return " ".join(found)

    def chosen(name: str) -> int:
        with socket.socket() as sock:
            try:
                sock.setsockopt(socket.IPPROTO_TCP, TCP_CONGESTION, name.encode())
            except OSError as error:
                return error.errno or 0
        return 0

    assert in_child(nobody) == "EPERM EPERM EPERM"
    with allowed("ccp_one"):
        assert in_child(nobody) == "EPERM ok EPERM"


def test_accepted_sockets_have_the_listeners_choice(lab: Lab) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    agent = lab.agent(path.b, "agent", "one")
    listener = path.b.socket()
    listener.setsockopt(socket.IPPROTO_TCP, TCP_CONGESTION, b"ccp_one")
    listener.bind(("", 0))
    listener.listen(5)
    flow = connect(path, listener.getsockname()[1], "reno")
    lab.ends.callback(flow.stop)
    sock, _ = listener.accept()
    kinds = [event.algorithm for event in agent.flows()]
    assert set(kinds) == {"ccp_one"}, kinds
    abort(sock)
    sock.close()
    listener.close()


def test_two_of_ours_side_by_side(lab: Lab) -> None:
    """`ccpctl run` twice: each flow is steered by what it asked for."""
    path = lab.path(delay_ms=40, rate_mbit=8, queue=60)
    for name in ("reno", "vegas"):
        lab.run_algorithm(path.a, name)
    watcher = lab.client(path.a)
    flows = {name: lab.flow(path, f"ccp_{name}").start() for name in ("vegas", "reno")}

    def steered() -> bool:
        found = {info.algorithm: info.fallback_reason for info in watcher.flows()}
        return found == {"ccp_vegas": Reason.NONE, "ccp_reno": Reason.NONE}

    wait_for("both agents' programs", steered)
    time.sleep(2)
    programs = {program.id: program.name for program in watcher.programs()}
    for info in watcher.flows():
        assert programs[info.program_id].startswith(info.algorithm.removeprefix("ccp_"))
    assert all(flow.info().bytes_acked > 100 * MSS for flow in flows.values())
