# SPDX-License-Identifier: GPL-2.0
"""Network namespaces, links and bottlenecks.

Every path is sender - router - receiver: the bottleneck's queue must not be
in the sender's namespace, where TCP small queues would hide it from TCP.
"""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

from rtnl import Rtnl

CLONE_NEWNET = 0x40000000

FORTH_MS = 5
"""Delay from sender to receiver: a drop filter at the receiver can be removed
after the data has come to it, and before a retransmission can."""

MAC = {name: bytes([2, 0, 0, 0, 0, number]) for number, name in enumerate(("a0", "r0", "b0", "r1"))}


def run(*argv: str, stdin: str | None = None) -> str:
    """A command's output; its error text in the exception when it fails."""
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv)}: {done.stderr.strip()}\n{stdin or ''}")
    return done.stdout


class Namespace:
    """A network namespace; `with ns:` puts the calling thread into it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.home: list[int] = []
        home = here()
        os.unshare(CLONE_NEWNET)
        self.fd = here()
        with Rtnl() as rtnl:
            rtnl.up(1)
        # New flows start from the defaults, not from what an earlier flow of
        # the same pair of addresses learned.
        Path("/proc/sys/net/ipv4/tcp_no_metrics_save").write_text("1")
        os.setns(home, CLONE_NEWNET)
        os.close(home)

    def __enter__(self) -> Namespace:
        self.home.append(here())
        os.setns(self.fd, CLONE_NEWNET)
        return self

    def __exit__(self, *_: object) -> None:
        home = self.home.pop()
        os.setns(home, CLONE_NEWNET)
        os.close(home)

    def close(self) -> None:
        os.close(self.fd)

    def enter(self) -> Callable[[], None]:
        """For subprocess's preexec_fn."""
        return lambda: os.setns(self.fd, CLONE_NEWNET)

    def run(self, *argv: str, stdin: str | None = None) -> str:
        with self:
            return run(*argv, stdin=stdin)

    def write(self, path: str, value: object) -> None:
        """A sysctl of this namespace."""
        with self:
            Path("/proc/sys", path).write_text(f"{value}\n")

    def counter(self, group: str, name: str) -> int:
        """What the kernel counted here, as nstat(8) shows it: TcpExt TCPTimeouts."""
        with self:
            lines = Path("/proc/thread-self/net/netstat").read_text().splitlines()
        names, values = (line.split() for line in lines if line.startswith(f"{group}:"))
        return int(values[names.index(name)])

    def socket(self, family: int = socket.AF_INET, kind: int = socket.SOCK_STREAM) -> socket.socket:
        with self:
            return socket.socket(family, kind)


def here() -> int:
    """The network namespace the calling thread is in."""
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


class Route:
    """Sender a, router r, receiver b. Data queues on r's device to b; the
    delay is on the way back, except for FORTH_MS."""

    def __init__(
        self,
        delay_ms: float = 50,
        rate_mbit: float | None = None,
        queue: int = 100_000,
        gso: bool = False,
    ) -> None:
        """`queue` is the bottleneck's room in packets of 1,514 bytes. Without
        `gso` every packet on the wire is one segment: counts are exact."""
        self.a, self.r, self.b = (Namespace(name) for name in "arb")
        self.delay_ms = delay_ms
        segments = 0 if gso else 1
        with Rtnl() as rtnl:
            rtnl.veth([("a0", self.a.fd, MAC["a0"]), ("r0", self.r.fd, MAC["r0"])], segments)
            rtnl.veth([("b0", self.b.fd, MAC["b0"]), ("r1", self.r.fd, MAC["r1"])], segments)
        self.r.write("net/ipv4/ip_forward", 1)
        self.r.write("net/ipv6/conf/all/forwarding", 1)
        self.connect(self.a, "a0", 1, 1, "r0", 254)
        self.connect(self.b, "b0", 2, 2, "r1", 254)
        self.connect(self.r, "r0", 1, 254, "a0", 1)
        self.connect(self.r, "r1", 2, 254, "b0", 2)
        self.gate()
        self.delay(delay_ms)
        if rate_mbit:
            with self.r, Rtnl() as rtnl:
                # A bucket of two packets: they leave one by one, at the rate.
                rtnl.tbf(socket.if_nametoindex("r1"), rate_mbit, 3100, queue * 1514)

    def connect(self, ns: Namespace, dev: str, net: int, host: int, far: str, peer: int) -> None:
        """Addresses, and the neighbour: no packet waits for its discovery."""
        with ns, Rtnl() as rtnl:
            index = socket.if_nametoindex(dev)
            rtnl.up(index)
            rtnl.address(index, f"10.0.{net}.{host}", 24)
            rtnl.address(index, f"fd00:{net}::{host}", 64)
            for address in (f"10.0.{net}.{peer}", f"fd00:{net}::{peer}"):
                rtnl.neighbour(index, address, MAC[far])
                if ns is not self.r:
                    rtnl.default_route(index, address)

    def server(self, family: int = socket.AF_INET) -> str:
        return "10.0.2.2" if family == socket.AF_INET else "fd00:2::2"

    def client(self, family: int = socket.AF_INET) -> str:
        return "10.0.1.1" if family == socket.AF_INET else "fd00:1::1"

    @property
    def rtt(self) -> float:
        """Seconds, without queueing."""
        return self.delay_ms / 1000

    def gate(self, drop: bool = False, mark: bool = False) -> None:
        """From now on what the sender sends is dropped, or marked, or passes."""
        with self.a, Rtnl() as rtnl:
            rtnl.netem(socket.if_nametoindex("a0"), FORTH_MS, drop or mark, mark)

    def delay(self, delay_ms: float) -> None:
        """A round trip's delay, for what the receiver sends from now on."""
        with self.r, Rtnl() as rtnl:
            rtnl.netem(socket.if_nametoindex("r0"), delay_ms - FORTH_MS)

    def drop(self, *sequence: int, family: int = socket.AF_INET) -> None:
        """The receiver's device drops TCP segments that start at `sequence`."""
        kin, at = ("ip", 24) if family == socket.AF_INET else ("ipv6", 44)
        lines = ["qdisc add dev b0 ingress"]
        for start in sequence:
            lines.append(
                f"filter add dev b0 parent ffff: protocol {kin} u32"
                f" match u32 {start:#x} 0xffffffff at {at} action drop"
            )
        self.b.run("tc", "-batch", "-", stdin="\n".join(lines) + "\n")

    def drop_no_more(self) -> None:
        self.b.run("tc", "qdisc", "del", "dev", "b0", "ingress")

    def close(self) -> None:
        for ns in (self.a, self.r, self.b):
            ns.close()
