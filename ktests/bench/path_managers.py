# SPDX-License-Identifier: GPL-2.0
"""In a lab kernel, in real time: what path managers cost connections.

Three of them take turns on the client's side: the kernel's own, upstream's
userspace path manager with `ccpctl mptcp daemon`, and "netlink" with the same
daemon. Each gives a connection one more subflow; the server accepts them.

path_managers.py TOOLS ROUNDS CONNECTIONS HELD: the numbers of connections are for each
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

from mptcp import IPPROTO_MPTCP, NUMBERS, SO_RCVBUFFORCE, Event, Hosts  # noqa: E402
from net import Namespace, run  # noqa: E402
from netlink import Family, Message, Netlink, attrs, number  # noqa: E402

PATH_MANAGERS = ("kernel", "userspace", "netlink")
PORT = 5000
CLIENTS = 8
"""At once, so that the processor has always something to do."""
HOLD = 0.02
"""Seconds that a connection stays, in which every path manager gets its subflow
joined: a rate is worth nothing where fewer are."""


class Paths(Hosts):
    """Clients at a, the server at b, which lets subflows join."""

    def __init__(self) -> None:
        super().__init__(managed="")
        self.b.run("ip", "mptcp", "limits", "set", "subflow", "8", "add_addr_accepted", "8")
        # The second link leads to the server's first address, too.
        for ns in (self.a, self.b):
            ns.write("net/ipv4/conf/all/rp_filter", 0)
        self.a.run("ip", "rule", "add", "from", "10.0.2.1", "table", "2")
        self.a.run("ip", "route", "add", "default", "via", "10.0.2.2", "table", "2")
        self.a.run("ip", "mptcp", "limits", "set", "subflow", "1")
        self.a.run("ip", "mptcp", "endpoint", "add", "10.0.2.1", "dev", "a2", "subflow")

    def joined(self) -> int:
        """Subflows the server has accepted so far."""
        return self.b.counter("MPTcpExt", "MPJoinAckRx")


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
def selected(paths: Paths, name: str, tools: Path) -> Iterator[None]:
    """The client's connections are under this path manager."""
    paths.a.write("net/mptcp/path_manager", name)
    if name == "kernel":
        yield
        return
    words = [str(tools / "ccpctl"), "mptcp", "daemon", "--quiet", "--policy", "fullmesh"]
    with open(f"/tmp/daemon.{name}", "wb") as log:
        daemon = subprocess.Popen(
            words, stdout=log, stderr=subprocess.STDOUT, preexec_fn=paths.a.enter()
        )
    try:
        # It has joined the events when the first connection is taken on.
        end = time.monotonic() + 10
        before = paths.joined()
        while paths.joined() == before:
            if time.monotonic() > end:
                sys.exit(f"the daemon does nothing: {Path(log.name).read_text()}")
            with connect(paths) as connection:
                exchange(connection)
                time.sleep(0.1)
        yield
    finally:
        daemon.terminate()
        daemon.wait(10)


def connect(paths: Paths) -> socket.socket:
    with paths.a:
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP)
    connection.connect((paths.address("b", 1), PORT))
    return connection


def exchange(connection: socket.socket) -> None:
    """The first one also lets the client have more subflows."""
    connection.send(b"ping" * 16)
    connection.recv(4096)


def short(paths: Paths, connections: int) -> tuple[float, float]:
    """Connections a second of connect, two exchanges, a while and close; the share
    of them, in %, whose second subflow was there in time."""
    left = iter(range(connections))

    def client() -> None:
        for _ in left:
            with connect(paths) as connection:
                exchange(connection)
                exchange(connection)
                time.sleep(HOLD)

    before, start = paths.joined(), time.monotonic()
    clients = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    elapsed = time.monotonic() - start
    return connections / elapsed, 100 * (paths.joined() - before) / connections


def token(message: Message) -> int:
    """The one attribute that upstream's events have in common with ours."""
    return number(dict(attrs(message.payload))[NUMBERS["token"]])


class Watch(threading.Thread):
    """When connections and their second subflows were established, as upstream's
    family tells it for every path manager."""

    def __init__(self, ns: Namespace) -> None:
        super().__init__(daemon=True)
        with ns:
            self.nl = Netlink()
        self.nl.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
        self.nl.join(Family.resolve(self.nl, "mptcp_pm").groups["mptcp_pm_events"])
        self.first: dict[int, int] = {}
        self.second: dict[int, int] = {}

    def run(self) -> None:
        while True:
            for message in self.nl.receive(None):
                now = time.monotonic_ns()
                if message.command == Event.ESTABLISHED:
                    self.first[token(message)] = now
                elif message.command == Event.SUB_ESTABLISHED:
                    self.second.setdefault(token(message), now)

    def take(self) -> list[float]:
        """Microseconds between the two, of what was seen since last time."""
        time.sleep(0.5)
        both = self.first.keys() & self.second.keys()
        found = [(self.second[one] - self.first[one]) / 1000 for one in both]
        self.first.clear()
        self.second.clear()
        return found


def held(paths: Paths, watch: Watch, connections: int) -> list[float]:
    """Latencies of connections that stay open for a while."""
    watch.take()
    with contextlib.ExitStack() as stack:
        for _ in range(connections):
            exchange(stack.enter_context(connect(paths)))
            time.sleep(0.005)
        return watch.take()


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def main(tools: Path, rounds: int, connections: int, open_at_once: int) -> None:
    run("ip", "link", "set", "lo", "up")
    paths = Paths()
    Server(paths.b).start()
    watch = Watch(paths.a)
    watch.start()
    rates: dict[str, list[float]] = {name: [] for name in PATH_MANAGERS}
    shares: dict[str, list[float]] = {name: [] for name in PATH_MANAGERS}
    latencies: dict[str, list[float]] = {name: [] for name in PATH_MANAGERS}
    for turn in range(rounds):
        # Guests get slower as they age: nobody is always first.
        for name in PATH_MANAGERS[:: -1 if turn % 2 else 1]:
            with selected(paths, name, tools):
                rate, share = short(paths, connections)
                rates[name].append(rate)
                shares[name].append(share)
                latencies[name] += held(paths, watch, open_at_once)
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
