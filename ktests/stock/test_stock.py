# SPDX-License-Identifier: GPL-2.0
"""The module in a stock kernel, under qemu and in real time: does what works
in the lab kernel work here, on two processors. Numbers are for a slow, busy
host: only what is wrong by a factor fails."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import mmap
import os
import signal
import socket
import struct
import threading
import time
from pathlib import Path

import isa
from ccp import Cmd, Reason
from lab import Lab, both_families, cases, raises, wait_for
from mptcp import Hosts, Pair
from net import Namespace
from portus_clients import bridge, start
from rtnl import IFF_UP, RTM_NEWLINK, Rtnl
from traffic import MSS

RATE = 8
# What a starved emulator still has to reach: a window of a few segments.
SLOW = 0.15
RTT = 0.04


def bottleneck(lab: Lab):
    return lab.path(delay_ms=RTT * 1000, rate_mbit=RATE, queue=27)


def goodput(flow, seconds: float) -> float:
    """Mbit/s of payload over the next `seconds`."""
    start, before = time.monotonic(), flow.info().bytes_acked
    time.sleep(seconds)
    return (flow.info().bytes_acked - before) * 8 / (time.monotonic() - start) / 1e6


def test_loaded(lab: Lab) -> None:
    available = Path("/proc/sys/net/ipv4/tcp_available_congestion_control").read_text()
    assert "ccp" in available.split()
    assert lab.module.references == 0


@both_families
def test_transfer_under_ccpctl(lab: Lab, family: int) -> None:
    path = bottleneck(lab)
    lab.run_algorithm(path.a, "reno")
    watcher = lab.client(path.a)
    flow = lab.flow(path, family=family).start()
    time.sleep(2)
    got = goodput(flow, 5)
    (info,) = watcher.flows()
    assert got > SLOW * RATE, f"{got:.1f} of {RATE} Mbit/s: {flow.info()}, {info}"
    assert (info.fallback_reason, info.aborts) == (Reason.NONE, 0), info
    assert info.family == family
    assert info.reports > 0


def test_transfer_under_the_fallback(lab: Lab) -> None:
    path = bottleneck(lab)
    flow = lab.flow(path).start()
    time.sleep(2)
    got = goodput(flow, 4)
    assert got > SLOW * RATE, f"{got:.1f} of {RATE} Mbit/s"
    (info,) = lab.client(path.a).flows()
    assert (info.program_id, info.fallback_reason) == (0, Reason.NO_AGENT)


def test_agent_killed_and_back(lab: Lab) -> None:
    path = bottleneck(lab)
    watcher = lab.client(path.a)
    watcher.join()
    tool = lab.run_algorithm(path.a, "reno")
    flow = lab.flow(path).start()
    wait_for("the agent's program", lambda: watcher.flows()[0].fallback_reason == Reason.NONE, 20)
    time.sleep(2)
    tool.kill(signal.SIGKILL)
    assert watcher.wait(Cmd.FLOW_FALLBACK).fallback_reason == Reason.AGENT_GONE
    got = goodput(flow, 3)
    assert got > SLOW * RATE, f"{got:.1f} of {RATE} Mbit/s"
    lab.run_algorithm(path.a, "reno")
    wait_for("adoption", lambda: watcher.flows()[0].fallback_reason == Reason.NONE, 20)
    assert watcher.flows()[0].fallbacks == 1


def test_each_algorithm_has_a_name(lab: Lab) -> None:
    """Two agents: flows choose by the congestion control they ask for."""
    path = bottleneck(lab)
    for name in ("reno", "bbr"):
        lab.run_algorithm(path.a, name)
    available = Path("/proc/sys/net/ipv4/tcp_available_congestion_control").read_text()
    assert {"ccp", "ccp_reno", "ccp_bbr"} <= set(available.split())
    watcher = lab.client(path.a)
    flows = {name: lab.flow(path, name).start() for name in ("ccp_bbr", "ccp_reno")}

    def steered() -> bool:
        found = {info.algorithm: info.fallback_reason for info in watcher.flows()}
        return found == dict.fromkeys(flows, Reason.NONE)

    wait_for("both agents' programs", steered, 20)
    programs = {program.id: program.name for program in watcher.programs()}
    for info in watcher.flows():
        assert f"ccp_{programs[info.program_id]}" == info.algorithm
    path.a.run("ip", "route", "add", "10.0.2.0/24", "via", "10.0.1.254", "congctl", "ccp_bbr")
    sock = path.a.socket()
    sock.connect((path.server(), flows["ccp_bbr"].receiver.port))
    assert sock.getsockopt(socket.IPPROTO_TCP, 13, 16).startswith(b"ccp_bbr\0")
    sock.close()
    time.sleep(2)
    got = [goodput(flow, 2) for flow in flows.values()]
    assert sum(got) > SLOW * RATE, got


def test_many_flows(lab: Lab) -> None:
    """Flows on both processors, with an agent that gets every report."""
    ns: Namespace
    (ns,) = lab.namespaces("n")
    agent = lab.agent(ns)
    program = agent.install("p", isa.reporter(isa.NOW))
    listener = ns.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(512)
    seen: set[int] = set()
    for _ in range(2):
        pairs = []
        for _ in range(100):
            sock = ns.socket()
            sock.setsockopt(socket.IPPROTO_TCP, 13, b"ccp")
            sock.connect(listener.getsockname())
            pairs.append((sock, listener.accept()[0]))
        created = [agent.wait(Cmd.FLOW_CREATED).id for _ in pairs]
        assert not seen & set(created)
        seen |= set(created)
        for flow in created:
            agent.set_program(flow, program.id)
        for sock, peer in pairs:
            sock.send(bytes(5 * MSS))
            assert peer.recv(1 << 20)
        for sock, peer in pairs:
            peer.close()
            sock.close()
    listener.close()
    wait_for("end of the flows", lambda: agent.stats().flows == 0, 30)
    assert agent.stats().reports >= 200


class Missing:
    """A page that isn't there until supply(): who touches it waits."""

    USERFAULTFD = 323  # system call, x86_64
    UFFDIO_API, UFFDIO_REGISTER, UFFDIO_ZEROPAGE = 0xC018AA3F, 0xC020AA00, 0xC020AA04

    def __init__(self) -> None:
        self.fd = ctypes.CDLL(None).syscall(self.USERFAULTFD, os.O_CLOEXEC)
        assert self.fd >= 0
        fcntl.ioctl(self.fd, self.UFFDIO_API, bytearray(struct.pack("=QQQ", 0xAA, 0, 0)))
        self.page = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self.at = ctypes.addressof(ctypes.c_char.from_buffer(self.page))
        how = bytearray(struct.pack("=QQQQ", self.at, 4096, 1, 0))
        fcntl.ioctl(self.fd, self.UFFDIO_REGISTER, how)

    def supply(self) -> None:
        what = bytearray(struct.pack("=QQQq", self.at, 4096, 0, 0))
        fcntl.ioctl(self.fd, self.UFFDIO_ZEROPAGE, what)


def test_process_that_keeps_its_socket(lab: Lab) -> None:
    """Sending from memory that doesn't come holds the socket's lock: nobody
    else may have to wait for that."""
    path = bottleneck(lab)
    old = lab.agent(path.a, "old")
    kept, free = lab.flow(path), lab.flow(path)
    for flow in (kept, free):
        old.wait(Cmd.FLOW_CREATED, cookie=flow.cookie)
    ids = {flow.cookie: flow.id for flow in old.flows()}
    missing = Missing()
    send = ctypes.CDLL(None).send
    page = ctypes.c_void_p(missing.at)
    stuck = threading.Thread(target=lambda: send(kept.sock.fileno(), page, 4096, 0))
    stuck.start()
    try:
        time.sleep(1)
        old.close()
        new = lab.agent(path.a, "new")
        created = new.wait(Cmd.FLOW_CREATED, cookie=free.cookie)
        assert created.adopted
        start = time.monotonic()
        with raises(errno.EBUSY, f"flow {ids[kept.cookie]}"):
            new.flow(ids[kept.cookie])
        assert time.monotonic() - start < 3
        shown = {flow.cookie: flow for flow in new.flows()}
        assert shown[kept.cookie].id == ids[kept.cookie]
        assert shown[kept.cookie].cwnd is None
        assert shown[free.cookie].cwnd > 0
    finally:
        missing.supply()
        stuck.join()
    # With its next ACK it goes to the new agent, too.
    new.wait(Cmd.FLOW_CREATED, cookie=kept.cookie)
    assert new.flow(ids[kept.cookie]).agent_id == new.info.id


def test_refusals(lab: Lab) -> None:
    (ns,) = lab.namespaces("n")
    agent = lab.agent(ns)
    with raises(errno.EINVAL, "instruction 1", "opcode 99"):
        agent.install("p", isa.Program().always(isa.ins(99, isa.CWND, isa.imm(1), isa.imm(2))))
    with raises(errno.ENOENT, "flow 424242"):
        agent.flow(424242)


def test_rmmod(lab: Lab) -> None:
    path = bottleneck(lab)
    agent = lab.agent(path.a)
    flow = lab.flow(path).start()
    try:
        lab.module.remove()
    except RuntimeError as error:
        assert "in use" in str(error), error
    else:
        raise AssertionError("removed under a flow")
    flow.stop()
    wait_for("end of its use", lambda: lab.module.references == 0, 30)
    lab.module.remove()
    with raises(errno.ENOENT):
        agent.heartbeat()
    lab.module.load()


@cases(over=["netlink", "char", "unix"])
def test_portus_client(lab: Lab, over: str) -> None:
    """An unmodified one, killed and started again."""
    lab.module.remove()
    lab.module.load("portus=1")
    path = bottleneck(lab)
    watcher = lab.client(path.a)
    watcher.join()
    tool = start(lab, path.a, "reno", "--ipc", over)
    flow = lab.flow(path).start()

    def served() -> bool:
        said = [tool.output, *(each.output for each in bridge)]
        assert tool.process.poll() is None, f"the client ended: {said}"
        return watcher.flows()[0].fallback_reason == Reason.NONE

    wait_for("a program", served, 30)
    time.sleep(2)
    got = goodput(flow, 5)
    assert got > SLOW * RATE, f"{got:.1f} of {RATE} Mbit/s: {flow.info()}"
    tool.kill(signal.SIGKILL)
    assert watcher.wait(Cmd.FLOW_FALLBACK, timeout=30).fallback_reason == Reason.AGENT_GONE
    tool = start(lab, path.a, "reno", "--ipc", over)
    wait_for("adoption", served, 30)


def test_mptcp_fullmesh(lab: Lab) -> None:
    """The daemon through the kernel's own path manager: a mesh, an address
    that goes and comes back, and a daemon that starts later."""
    hosts = lab.keep(Hosts(managed=""))
    for ns in (hosts.a, hosts.b):
        ns.write("net/mptcp/path_manager", "userspace")
    tools = [lab.start(ns, "mptcp", "daemon") for ns in (hosts.a, hosts.b)]

    def log() -> str:
        return " | ".join(tool.output for tool in tools)

    wait_for("daemons", lambda: all("listed: " in tool.output for tool in tools), 30, 0.2)
    pair = lab.keep(Pair(hosts))
    pair.talk()

    def locals_of_subflows() -> list[str]:
        (connection,) = lab.ccpctl_json(hosts.a, "-j", "mptcp", "show")
        ends = [subflow["local"].rpartition(":")[0] for subflow in connection["subflows"]]
        return sorted(ends)

    def reached(expected: list[str]) -> None:
        end = time.monotonic() + 60
        while (found := locals_of_subflows()) != expected:
            assert time.monotonic() < end, f"{found} instead of {expected}: {log()}"
            time.sleep(0.5)

    mesh = ["10.0.1.1", "10.0.1.1", "10.0.2.1", "10.0.2.1"]
    reached(mesh)
    pair.talk()
    with hosts.a, Rtnl() as rtnl:
        index = socket.if_nametoindex("a2")
        rtnl.nl.exchange(RTM_NEWLINK, struct.pack("=BxHiII", 0, 0, index, 0, IFF_UP))
    # B's address of that link is gone with it.
    reached(["10.0.1.1"])
    pair.talk()
    tools[0].kill(signal.SIGKILL)
    tools[0] = lab.start(hosts.a, "mptcp", "daemon")
    # What B announces before that, nobody hears.
    wait_for("list", lambda: "listed: 1 connections" in tools[0].output, 30, 0.2)
    with hosts.a, Rtnl() as rtnl:
        rtnl.up(index)
    reached(mesh)
    pair.talk()
    assert all(tool.kill(signal.SIGINT) == 0 for tool in tools), log()
