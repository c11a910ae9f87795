# SPDX-License-Identifier: GPL-2.0
"""ccpctl mptcp against the path manager: what its commands do, and what
connections get from its daemon."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import struct
import threading
import time
import zlib

import netlink
from lab import Lab, Tool, both_families, wait_for
from mptcp import Client, Cmd, Hosts, Pair, ends, pack
from netlink import attr, genl, u32
from rtnl import (
    IFF_UP,
    RT_TABLE_MAIN,
    RTA_GATEWAY,
    RTA_OIF,
    RTM_NEWLINK,
    RTM_NEWROUTE,
    RTN_UNICAST,
    RTPROT_STATIC,
    Rtnl,
    family_of,
    packed,
)

MODULE_PARAMS = "mptcp_join_limit=8"

FAST, SLOW = 6, 5
"""Mbit/s of the two links."""

DELAY_MS = 20

RTA_PRIORITY = 6

FLOOD = 30_000
"""Events, more than the daemon's buffer takes."""


def shape(hosts: Hosts, rates: tuple[float, ...] = (FAST, SLOW)) -> None:
    """Bottlenecks from a to b, and a delay on the way back."""
    for link, rate in enumerate(rates, 1):
        with hosts.a, Rtnl() as rtnl:
            rtnl.tbf(socket.if_nametoindex(f"a{link}"), rate, 3100, 60 * 1514)
        with hosts.b, Rtnl() as rtnl:
            rtnl.netem(socket.if_nametoindex(f"b{link}"), DELAY_MS)


def route(hosts: Hosts, number: int) -> None:
    """A's default route over a link, behind those of links before it."""
    with hosts.a, Rtnl() as rtnl:
        index = socket.if_nametoindex(f"a{number}")
        for via in (hosts.address("b", number), hosts.address("b", number, socket.AF_INET6)):
            body = struct.pack(
                "=BBBBBBBBI", family_of(via), 0, 0, 0, RT_TABLE_MAIN, RTPROT_STATIC, 0, RTN_UNICAST, 0
            )  # fmt: skip
            parts = attr(RTA_GATEWAY, packed(via)) + u32(RTA_OIF, index)
            rtnl.make(RTM_NEWROUTE, body + parts + u32(RTA_PRIORITY, 100 + number))


def two_paths(lab: Lab) -> Hosts:
    hosts = lab.keep(Hosts())
    shape(hosts)
    for number in (1, 2):
        route(hosts, number)
    return hosts


def link(hosts: Hosts, number: int, up: bool) -> None:
    """A's device of a link. IPv6 addresses, neighbours and routes go with it."""
    with hosts.a, Rtnl() as rtnl:
        index = socket.if_nametoindex(f"a{number}")
        body = struct.pack("=BxHiII", 0, 0, index, IFF_UP if up else 0, IFF_UP)
        rtnl.nl.exchange(RTM_NEWLINK, body)
        if up:
            rtnl.address(index, hosts.address("a", number, socket.AF_INET6), 64)
    if up:
        route(hosts, number)


def spread(hosts: Hosts) -> None:
    """A's network takes even source ports over link 2 and odd ones over link 1, as
    one does that hashes ports or maps them (ECMP, LISP)."""
    hosts.b.run("ip", "link", "set", "b2", "address", "02:00:00:00:01:02")
    for ns in (hosts.a, hosts.b):
        ns.write("net/ipv4/conf/all/rp_filter", 0)
    for line in (
        "qdisc add dev a1 clsact",
        "filter add dev a1 egress protocol ip u32 match ip sport 0 1 "
        "action mirred egress redirect dev a2",
    ):
        hosts.a.run("tc", *line.split())
    hosts.b.run("tc", "qdisc", "add", "dev", "b2", "clsact")
    # A dead subflow is given up after seconds, not after a quarter of an hour.
    hosts.a.write("net/ipv4/tcp_retries2", 3)


def cut_silently(hosts: Hosts, off: bool) -> None:
    """Link 2 loses everything, which no host is told."""
    if off:
        hosts.b.run(*"tc filter add dev b2 ingress matchall action drop".split())
    else:
        hosts.b.run(*"tc filter del dev b2 ingress".split())


def daemon(lab: Lab, ns, *args: str) -> Tool:
    """ccpctl mptcp daemon, up to the point where it listens."""
    tool = lab.start(ns, "mptcp", "daemon", *args)

    def listens() -> bool:
        assert tool.process.poll() is None, f"the daemon ended: {tool.output}"
        return "address " in tool.output

    wait_for("the daemon", listens, 20, 0.05)
    # It reads what there is before it waits for events.
    time.sleep(0.3)
    return tool


def subflows(lab: Lab, hosts: Hosts, at: str = "a") -> list[dict]:
    """Of the only connection."""
    ns = hosts.a if at == "a" else hosts.b
    found = lab.ccpctl_json(ns, "-j", "mptcp", "show")
    assert len(found) == 1, found
    return found[0]["subflows"]


def locals_of(found: list[dict]) -> list[str]:
    return sorted(subflow["local"].rpartition(":")[0].strip("[]") for subflow in found)


def wait_subflows(
    lab: Lab, hosts: Hosts, number: int, *tools: Tool, timeout: float = 20
) -> list[dict]:
    end = time.monotonic() + timeout
    while len(found := subflows(lab, hosts)) != number:
        logs = [tool.output for tool in tools]
        assert time.monotonic() < end, f"{found} instead of {number} subflows: {logs}"
        time.sleep(0.2)
    # They are listed before they work.
    time.sleep(0.5)
    return found


class Transfer:
    """Bytes from a to b as fast as they go; in the end they must be the same."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.sent = self.received = 0
        self.sent_sum = self.received_sum = 0
        self.stop = False
        self.threads = [threading.Thread(target=work, daemon=True) for work in (self.send, self.receive)]
        for thread in self.threads:
            thread.start()

    def send(self) -> None:
        block = os.urandom(1 << 16)
        with contextlib.suppress(OSError):
            while not self.stop:
                start = self.sent % 251
                self.pair.sock.sendall(block[start:])
                self.sent_sum = zlib.crc32(block[start:], self.sent_sum)
                self.sent += len(block) - start
            self.pair.sock.shutdown(socket.SHUT_WR)

    def receive(self) -> None:
        assert self.pair.peer
        with contextlib.suppress(OSError):
            while data := self.pair.peer.recv(1 << 18):
                self.received_sum = zlib.crc32(data, self.received_sum)
                self.received += len(data)

    def rate(self, seconds: float = 4) -> float:
        """Mbit/s of payload over the next `seconds`."""
        start, before = time.monotonic(), self.received
        time.sleep(seconds)
        return (self.received - before) * 8 / (time.monotonic() - start) / 1e6

    def finish(self) -> None:
        self.stop = True
        for thread in self.threads:
            thread.join(30)
            assert not thread.is_alive(), "the transfer does not end"
        assert (self.sent, self.sent_sum) == (self.received, self.received_sum)


def transfer(lab: Lab, hosts: Hosts, family: int = socket.AF_INET) -> Transfer:
    pair = lab.keep(Pair(hosts, family))
    pair.talk()
    return Transfer(pair)


@both_families
def test_fullmesh_takes_the_sum_of_both_paths(lab: Lab, family: int) -> None:
    hosts = two_paths(lab)
    alone = transfer(lab, hosts, family)
    time.sleep(1)
    rate = alone.rate()
    assert 0.85 * FAST < rate < FAST, f"{rate:.1f} Mbit/s over one path"
    alone.finish()
    alone.pair.close()
    server = daemon(lab, hosts.b)
    client = daemon(lab, hosts.a)
    both = transfer(lab, hosts, family)
    # From each of two addresses to each of two. An IPv6 socket takes both.
    number = 4 if family == socket.AF_INET else 8
    found = wait_subflows(lab, hosts, number, client, server)
    time.sleep(3)
    rate = both.rate(8)
    assert 0.8 * (FAST + SLOW) < rate < FAST + SLOW, f"{rate:.1f} Mbit/s: {found}: {client.output}"
    both.finish()
    for tool in (client, server):
        assert tool.kill(signal.SIGINT) == 0, tool.output
    assert "announces" in client.output, client.output
    assert "refused" in client.output.splitlines()[-1], client.output


@both_families
def test_a_cut_is_survived_and_healed(lab: Lab, family: int) -> None:
    """Either link may go, that of the first subflow as well."""
    hosts = two_paths(lab)
    tool = daemon(lab, hosts.a)
    flow = transfer(lab, hosts, family)
    wait_subflows(lab, hosts, 2)
    for cut, left in ((2, FAST), (1, SLOW)):
        link(hosts, cut, up=False)
        # What the lost path had is sent again first.
        time.sleep(5)
        rate = flow.rate(4)
        assert 0.7 * left < rate < left, f"{rate:.1f} Mbit/s without link {cut}: {tool.output}"
        assert len(subflows(lab, hosts)) == 1, f"{subflows(lab, hosts)}: {tool.output}"
        link(hosts, cut, up=True)
        wait_subflows(lab, hosts, 2, tool)
        time.sleep(3)
        rate = flow.rate(8)
        assert rate > 0.75 * (FAST + SLOW), f"{rate:.1f} Mbit/s with link {cut} back: {tool.output}"
    flow.finish()


@both_families
def test_ports_of_simulate_differ_modulo_their_number(lab: Lab, family: int) -> None:
    hosts = two_paths(lab)
    daemon(lab, hosts.a, "--simulate", "3")
    flow = transfer(lab, hosts, family)
    found = wait_subflows(lab, hosts, 3)
    ports = [int(subflow["local"].rpartition(":")[2]) for subflow in found]
    assert {port % 3 for port in ports} == {0, 1, 2}, ports
    assert len(set(locals_of(found))) == 1, found
    time.sleep(3)
    rate = flow.rate(8)
    assert 0.75 * FAST < rate < 1.05 * FAST, f"{rate:.1f} Mbit/s"
    flow.finish()


def test_simulate_where_the_network_spreads_by_port(lab: Lab) -> None:
    """Its subflows use both paths. That of the first one dies unseen: it is made
    again, with a port that the network takes the same way."""
    hosts = lab.keep(Hosts())
    shape(hosts)
    spread(hosts)
    tool = daemon(lab, hosts.a, "--simulate", "2")
    flow = transfer(lab, hosts)

    def parities() -> list[int]:
        found = subflows(lab, hosts)
        return sorted(int(subflow["local"].rpartition(":")[2]) % 2 for subflow in found)

    for _ in range(2):
        wait_for("both paths", lambda: parities() == [0, 1], 30)
        time.sleep(3)
        rate = flow.rate(8)
        assert rate > 0.75 * (FAST + SLOW), f"{rate:.1f} Mbit/s over both: {tool.output}"
        cut_silently(hosts, off=True)
        wait_for("the dead subflow's end", lambda: parities() == [1], 30)
        rate = flow.rate(4)
        assert 0.7 * FAST < rate < FAST, f"{rate:.1f} Mbit/s over one: {tool.output}"
        cut_silently(hosts, off=False)
    flow.finish()


@both_families
def test_backups_wait(lab: Lab, family: int) -> None:
    hosts = two_paths(lab)
    tool = daemon(lab, hosts.a, "--policy", "backup")
    flow = transfer(lab, hosts, family)
    found = wait_subflows(lab, hosts, 2)
    assert [subflow["backup"] for subflow in found] == [False, True], found
    time.sleep(1)
    rate = flow.rate()
    assert 0.85 * FAST < rate < FAST, f"{rate:.1f} Mbit/s"
    link(hosts, 1, up=False)
    time.sleep(5)
    rate = flow.rate(4)
    assert 0.7 * SLOW < rate < SLOW, f"{rate:.1f} Mbit/s over the backup: {tool.output}"
    (left,) = subflows(lab, hosts)
    assert not left["backup"], f"{left}: {tool.output}"
    link(hosts, 1, up=True)
    wait_subflows(lab, hosts, 2, tool)
    wait_for(
        "the backup to be one again",
        lambda: {s["local_id"]: s["backup"] for s in subflows(lab, hosts)} == {0: False, 1: True},
        20,
        0.2,
    )
    flow.finish()


def test_a_daemon_that_is_killed_is_replaced(lab: Lab) -> None:
    hosts = two_paths(lab)
    first = daemon(lab, hosts.a)
    flow = transfer(lab, hosts)
    before = wait_subflows(lab, hosts, 2)
    first.kill(signal.SIGKILL)
    time.sleep(1)
    second = daemon(lab, hosts.a)
    assert "listed: 1 connections, 2 subflows" in second.output, second.output
    time.sleep(2)
    assert subflows(lab, hosts) == before, "the new daemon changed something"
    link(hosts, 2, up=False)
    time.sleep(2)
    link(hosts, 2, up=True)
    wait_subflows(lab, hosts, 2, second)
    # What ended while no daemon was there is made again as well.
    second.kill(signal.SIGKILL)
    with hosts.a, Client() as client:
        token = client.connections()[0].token
        (extra,) = (found for found in client.subflows(token) if found.loc_id)
        extra.token = token
        client.destroy(extra)
    third = daemon(lab, hosts.a)
    wait_subflows(lab, hosts, 2, third)
    flow.finish()


def test_lost_events_are_noticed(lab: Lab) -> None:
    """The daemon sleeps while more happens than its buffer takes."""
    hosts = two_paths(lab)
    tool = daemon(lab, hosts.a, "--quiet")
    server = daemon(lab, hosts.b, "--quiet", "--policy", "none")
    flow = transfer(lab, hosts)
    wait_subflows(lab, hosts, 2)
    tool.process.send_signal(signal.SIGSTOP)
    with hosts.b, Client() as client:
        token = client.connections()[0].token
        found = client.subflows(token)[0]
        pair = ends(found.saddr, found.daddr, found.sport, found.dport)
        given = {"token": token, "backup": 0, **pair}
        body = genl(Cmd.SUB_PRIORITY, *(pack(name, value) for name, value in given.items()))
        message = client.nl.header(client.family.id, netlink.NLM_F_REQUEST, len(body)) + body
        for _ in range(FLOOD // 100):
            client.nl.send_raw(message * 100)
            time.sleep(0.001)
    with hosts.a, Client() as client:
        token = client.connections()[0].token
        (extra,) = (found for found in client.subflows(token) if found.loc_id)
        extra.token = token
        client.destroy(extra)
    assert len(subflows(lab, hosts)) == 1
    tool.process.send_signal(signal.SIGCONT)
    wait_subflows(lab, hosts, 2, tool, timeout=20)
    assert "events were lost" in tool.output, tool.output[-2000:]
    server.kill(signal.SIGINT)
    flow.finish()


@both_families
def test_commands(lab: Lab, family: int) -> None:
    """subflow, address, priority, show and monitor, without a daemon."""
    hosts = two_paths(lab)
    monitor = lab.start(hosts.a, "mptcp", "monitor")
    far = lab.start(hosts.b, "-j", "mptcp", "monitor")
    time.sleep(0.5)
    pair = lab.keep(Pair(hosts, family))
    pair.talk()
    (connection,) = lab.ccpctl_json(hosts.a, "-j", "mptcp", "show")
    token = connection["token"]
    assert connection["phase"] == "established", connection
    assert connection["server_side"] is False, connection

    def good(*args: str) -> None:
        done = lab.ccpctl(hosts.a, "mptcp", *args)
        assert (done.returncode, done.stderr) == (0, ""), f"{args}: {done.stderr}"

    near2 = hosts.address("a", 2, family)
    good("subflow", "add", token, "--local", near2, "--backup")
    found = wait_subflows(lab, hosts, 2)
    assert locals_of(found)[1] == near2, found
    assert found[1]["backup"], found
    good("priority", token, near2, "--set", "normal")
    wait_for("an ordinary subflow", lambda: not subflows(lab, hosts)[1]["backup"])
    good("subflow", "del", token, near2)
    wait_subflows(lab, hosts, 1)

    good("address", "add", token, near2)
    shown = lab.ccpctl(hosts.a, "mptcp", "show", token).stdout
    assert f"address {near2} id 1 announced" in shown, shown
    good("address", "del", token, near2)
    time.sleep(1)
    heard = [json.loads(line) for line in far.output.splitlines()]
    kinds = [event["event"] for event in heard]
    for kind in ("created", "established", "subflow-established", "subflow-priority",
                 "subflow-closed", "announced", "removed"):  # fmt: skip
        assert kind in kinds, f"no {kind} in {kinds}"
    (announced,) = (event for event in heard if event["event"] == "announced")
    assert announced["remote"] == near2, announced
    port = pair.sock.getsockname()[1]
    pair.close()
    time.sleep(1)
    lines = monitor.output.splitlines()
    digit = 4 if family == socket.AF_INET else 6
    local, remote = (hosts.address(host, 1, family) for host in "ab")
    assert lines[0].startswith(
        f"[       CREATED] token={token} remid=0 locid=0 saddr{digit}={local} daddr{digit}={remote}"
        f" sport={port} dport={pair.port}"
    ), lines
    assert lines[-1].startswith(f"[        CLOSED] token={token}"), lines
    assert any(line.startswith("[    SF_CREATED] ") for line in lines), lines
    for tool in (monitor, far):
        assert tool.kill(signal.SIGINT) == 0, tool.output


def test_mistakes_are_explained(lab: Lab) -> None:
    hosts = lab.keep(Hosts(managed=""))

    def bad(status: int, *args: str) -> str:
        done = lab.ccpctl(hosts.a, "mptcp", *args)
        assert (done.returncode, done.stdout) == (status, ""), f"{args}: {done}"
        assert "panicked" not in done.stderr, done.stderr
        return done.stderr

    assert "sysctl -w net.mptcp" in bad(2, "daemon")
    hosts.a.write("net/mptcp/path_manager", "netlink")
    assert "there is no MPTCP connection 0000abcd" in bad(1, "subflow", "del", "abcd", "10.0.1.1")
    assert "hexadecimal" in bad(1, "show", "xyz")
    assert "/tmp/none.toml" in bad(1, "daemon", "--config", "/tmp/none.toml")
    assert "ndiffports" in bad(1, "daemon", "--simulate", "2", "--policy", "fullmesh")
    with hosts.a:
        family = Client()
    lab.keep(family)
    pair = lab.keep(Pair(hosts))
    pair.talk()
    token = f"{family.connections()[0].token:08x}"
    assert "no such subflow" in bad(1, "subflow", "del", token, "10.0.9.9")
    assert "does not know" in bad(1, "address", "del", token, "10.0.9.9")
    assert "announce" in bad(2, "address", "add", token, "10.0.2.1", "--id", "0")


def test_limits_without_and_with_a_daemon(lab: Lab) -> None:
    hosts = two_paths(lab)
    daemon(lab, hosts.a, "--simulate", "5", "--subflows", "5")
    flow = transfer(lab, hosts)
    wait_subflows(lab, hosts, 5)
    with hosts.a, Client() as client:
        token = client.connections()[0].token
        assert client.connection(token).extra_subflows == 4
    flow.finish()
