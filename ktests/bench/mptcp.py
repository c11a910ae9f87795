# SPDX-License-Identifier: GPL-2.0
"""In a lab kernel, in real time: what path managers cost connections.

Three of them take turns on the client's side: the kernel's own, upstream's
userspace path manager with `ccpctl mptcp daemon`, and "netlink" with the same
daemon. Each gives a connection one more subflow; the server accepts them.

mptcp.py TOOLS ROUNDS CONNECTIONS HELD: the numbers of connections are for each
path manager and round.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "kernel"))

from net import MAC, Namespace, run  # noqa: E402
from netlink import Family, Netlink, attrs, number  # noqa: E402
from rtnl import Rtnl  # noqa: E402

IPPROTO_MPTCP = 262
PATH_MANAGERS = ("kernel", "userspace", "netlink")
TOKEN, ESTABLISHED, SUB_ESTABLISHED = 1, 2, 10
PORT = 5000
SERVER = "10.0.1.2"


class Pair:
    """Client and server with two links."""

    def __init__(self) -> None:
        self.client, self.server = Namespace("client"), Namespace("server")
        with Rtnl() as rtnl:
            for link in (1, 2):
                near, far = (bytes([2, 0, 0, 0, link, end]) for end in (1, 2))
                ends = [(f"c{link}", self.client.fd, near), (f"s{link}", self.server.fd, far)]
                rtnl.veth(ends)
                assert near not in MAC.values()
        for ns, letter, host in ((self.client, "c", 1), (self.server, "s", 2)):
            for link in (1, 2):
                with ns, Rtnl() as rtnl:
                    index = socket.if_nametoindex(f"{letter}{link}")
                    rtnl.up(index)
                    rtnl.address(index, f"10.0.{link}.{host}", 24)
        self.server.run("ip", "mptcp", "limits", "set", "subflow", "8", "add_addr_accepted", "8")
        # The second link leads to the server's first address, too.
        for ns, via, far in ((self.client, "10.0.2.2", "10.0.1.2"), (self.server, "10.0.2.1", "")):
            ns.write("net/ipv4/conf/all/rp_filter", 0)
            if far:
                ns.run("ip", "rule", "add", "from", "10.0.2.1", "table", "2")
                ns.run("ip", "route", "add", "default", "via", via, "table", "2")
        self.client.run("ip", "mptcp", "limits", "set", "subflow", "1")
        self.client.run("ip", "mptcp", "endpoint", "add", "10.0.2.1", "dev", "c2", "subflow")

    def joined(self) -> int:
        """Subflows the server has accepted so far."""
        with self.server:
            lines = Path("/proc/thread-self/net/netstat").read_text().splitlines()
        for names, values in zip(lines[::2], lines[1::2], strict=True):
            if names.startswith("MPTcpExt:"):
                return int(dict(zip(names.split(), values.split(), strict=True))["MPJoinAckRx"])
        raise AssertionError("no MPTCP counters")


class Server(threading.Thread):
    """Echoes what it gets."""

    def __init__(self, ns: Namespace) -> None:
        super().__init__(daemon=True)
        with ns:
            self.listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("0.0.0.0", PORT))
        self.listener.listen(1024)

    def run(self) -> None:
        poll = select.epoll()
        poll.register(self.listener, select.EPOLLIN)
        open_ones: dict[int, socket.socket] = {}
        while True:
            for fd, _ in poll.poll():
                if fd == self.listener.fileno():
                    connection, _ = self.listener.accept()
                    open_ones[connection.fileno()] = connection
                    poll.register(connection, select.EPOLLIN)
                    continue
                data = b""
                with contextlib.suppress(OSError):
                    data = open_ones[fd].recv(4096)
                    open_ones[fd].send(data)
                if not data:
                    poll.unregister(fd)
                    open_ones.pop(fd).close()


@contextlib.contextmanager
def selected(pair: Pair, name: str, tools: Path) -> Iterator[None]:
    """The client's connections are under this path manager."""
    pair.client.write("net/mptcp/path_manager", name)
    if name == "kernel":
        yield
        return
    words = [str(tools / "ccpctl"), "mptcp", "daemon", "--quiet", "--policy", "fullmesh"]
    with open(f"/tmp/daemon.{name}", "wb") as log:
        daemon = subprocess.Popen(
            words, stdout=log, stderr=subprocess.STDOUT, preexec_fn=pair.client.enter()
        )
    try:
        # It has joined the events when the first connection is taken on.
        end = time.monotonic() + 10
        before = pair.joined()
        while pair.joined() == before:
            if time.monotonic() > end:
                sys.exit(f"the daemon does nothing: {Path(log.name).read_text()}")
            with connect(pair) as connection:
                exchange(connection)
                time.sleep(0.1)
        yield
    finally:
        daemon.terminate()
        daemon.wait(10)


def connect(pair: Pair) -> socket.socket:
    with pair.client:
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP)
    connection.connect((SERVER, PORT))
    return connection


def exchange(connection: socket.socket) -> None:
    """The first one also lets the client have more subflows."""
    connection.send(b"ping" * 16)
    connection.recv(4096)


def short(pair: Pair, connections: int) -> tuple[float, float]:
    """Connections a second of connect, two exchanges and close; the share of
    them, in %, whose second subflow was there in time."""
    before, start = pair.joined(), time.monotonic()
    for _ in range(connections):
        with connect(pair) as connection:
            exchange(connection)
            exchange(connection)
    elapsed = time.monotonic() - start
    return connections / elapsed, 100 * (pair.joined() - before) / connections


class Watch(threading.Thread):
    """When connections and their second subflows were established, as upstream's
    family tells it for every path manager."""

    def __init__(self, ns: Namespace) -> None:
        super().__init__(daemon=True)
        with ns:
            self.nl = Netlink()
        self.nl.sock.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)
        self.nl.join(Family.resolve(self.nl, "mptcp_pm").groups["mptcp_pm_events"])
        self.first: dict[int, int] = {}
        self.second: dict[int, int] = {}

    def run(self) -> None:
        while True:
            for message in self.nl.receive(None):
                now = time.monotonic_ns()
                token = number(dict(attrs(message.payload)).get(TOKEN, b""))
                if message.command == ESTABLISHED:
                    self.first[token] = now
                elif message.command == SUB_ESTABLISHED:
                    self.second.setdefault(token, now)

    def take(self) -> list[float]:
        """Microseconds between the two, of what was seen since last time."""
        time.sleep(0.5)
        both = self.first.keys() & self.second.keys()
        found = [(self.second[token] - self.first[token]) / 1000 for token in both]
        self.first.clear()
        self.second.clear()
        return found


def held(pair: Pair, watch: Watch, connections: int) -> list[float]:
    """Latencies of connections that stay open for a while."""
    watch.take()
    with contextlib.ExitStack() as stack:
        for _ in range(connections):
            exchange(stack.enter_context(connect(pair)))
            time.sleep(0.005)
        return watch.take()


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def main(tools: Path, rounds: int, connections: int, open_at_once: int) -> None:
    run("ip", "link", "set", "lo", "up")
    pair = Pair()
    Server(pair.server).start()
    watch = Watch(pair.client)
    watch.start()
    rates: dict[str, list[float]] = {name: [] for name in PATH_MANAGERS}
    shares: dict[str, list[float]] = {name: [] for name in PATH_MANAGERS}
    latencies: dict[str, list[float]] = {name: [] for name in PATH_MANAGERS}
    for _ in range(rounds):
        for name in PATH_MANAGERS:
            with selected(pair, name, tools):
                rate, share = short(pair, connections)
                rates[name].append(rate)
                shares[name].append(share)
                latencies[name] += held(pair, watch, open_at_once)
    print("path manager     connections/s   joined %   latency us: p50      p99")
    for name in PATH_MANAGERS:
        print(
            f"{name:15} {statistics.median(rates[name]):14.0f} {statistics.mean(shares[name]):10.1f}"
            f" {percentile(latencies[name], 0.5):17.0f} {percentile(latencies[name], 0.99):8.0f}"
        )
    rate = statistics.median(
        ours / theirs for ours, theirs in zip(rates["netlink"], rates["kernel"], strict=True)
    )
    latency = percentile(latencies["netlink"], 0.5) / percentile(latencies["kernel"], 0.5)
    print(
        f"mptcp-pm: conn-ratio={rate:.2f} latency-p50-ratio={latency:.2f}"
        f" joined={statistics.mean(shares['netlink']):.0f}%"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), *(int(word) for word in sys.argv[2:5]))
    # Threads that wait for ever.
    sys.stdout.flush()
    os._exit(0)
