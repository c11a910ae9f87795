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
from dataclasses import dataclass

CLONE_NEWNET = 0x40000000

FORTH_MS = 5
"""Delay from sender to receiver: a drop filter at the receiver can be removed
after the data has come to it, and before a retransmission can."""


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
        self.fd = os.open(f"/run/netns/{name}", os.O_RDONLY | os.O_CLOEXEC)

    def __enter__(self) -> Namespace:
        self.home.append(os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC))
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
        with self, open(f"/proc/sys/{path}", "w") as file:
            file.write(f"{value}\n")

    def socket(self, family: int = socket.AF_INET, kind: int = socket.SOCK_STREAM) -> socket.socket:
        with self:
            return socket.socket(family, kind)


def create(*names: str) -> list[Namespace]:
    run("ip", "-batch", "-", stdin="".join(f"netns add {name}\n" for name in names))
    made = [Namespace(name) for name in names]
    for ns in made:
        with ns:
            run("ip", "link", "set", "lo", "up")
        # New flows start from the defaults, not from what an earlier flow of
        # the same pair of addresses learned.
        ns.write("net/ipv4/tcp_no_metrics_save", 1)
    return made


def delete(*namespaces: Namespace) -> None:
    for ns in namespaces:
        ns.close()
    run("ip", "-batch", "-", stdin="".join(f"netns del {ns.name}\n" for ns in namespaces))


@dataclass
class Path:
    """Sender a, router r, receiver b. Data queues on r's device to b; the
    delay is on the way back, except for FORTH_MS."""

    a: Namespace
    r: Namespace
    b: Namespace
    delay_ms: float
    rate_mbit: float | None
    queue: int

    def server(self, family: int = socket.AF_INET) -> str:
        return "10.0.2.2" if family == socket.AF_INET else "fd00:2::2"

    def client(self, family: int = socket.AF_INET) -> str:
        return "10.0.1.1" if family == socket.AF_INET else "fd00:1::1"

    def tc(self, ns: Namespace, command: str) -> None:
        ns.run("tc", "-batch", "-", stdin=command + "\n")

    def gate(self, how: str = "") -> None:
        """netem on the sender's device: "loss 100%" drops data, "" lets it pass."""
        self.tc(self.a, f"qdisc change dev a0 root netem limit 100000 delay {FORTH_MS}ms {how}")

    @property
    def rtt(self) -> float:
        """Seconds, without queueing."""
        return self.delay_ms / 1000

    def delay(self, delay_ms: float) -> None:
        self.delay_ms = delay_ms
        back = delay_ms - FORTH_MS
        self.tc(self.r, f"qdisc change dev r0 root netem limit 100000 delay {back}ms")

    def drop(self, *sequence: int, family: int = socket.AF_INET) -> None:
        """The receiver's device drops TCP segments that start at `sequence`."""
        kin, at = ("ip", 24) if family == socket.AF_INET else ("ipv6", 44)
        lines = ["qdisc add dev b0 ingress"]
        for start in sequence:
            lines.append(
                f"filter add dev b0 parent ffff: protocol {kin} u32"
                f" match u32 {start:#x} 0xffffffff at {at} action drop"
            )
        self.tc(self.b, "\n".join(lines))

    def drop_no_more(self) -> None:
        self.tc(self.b, "qdisc del dev b0 ingress")

    def close(self) -> None:
        delete(self.a, self.r, self.b)


def path(
    delay_ms: float = 50,
    rate_mbit: float | None = None,
    queue: int = 100_000,
    gso: bool = False,
    tag: str = "",
    bottleneck: str = "",
) -> Path:
    """`queue` is the bottleneck's room in packets of 1,514 bytes. Without
    `gso` every packet on the wire is one segment, so that counts are exact.
    `bottleneck` replaces the queue at the bottleneck, e.g. by an AQM."""
    a, r, b = create(f"a{tag}", f"r{tag}", f"b{tag}")
    one = "" if gso else "gso_max_segs 1"
    ends = {"a0": "02:00:00:00:00:0a", "r0": "02:00:00:00:01:0a"}
    ends |= {"b0": "02:00:00:00:00:0b", "r1": "02:00:00:00:01:0b"}
    for end, ns, far in (("a0", a, "r0"), ("b0", b, "r1")):
        link = f"link add {end} address {ends[end]} netns {ns.name} type veth"
        run("ip", *link.split(), *f"peer name {far} address {ends[far]} netns {r.name}".split())
    r.write("net/ipv4/ip_forward", 1)
    r.write("net/ipv6/conf/all/forwarding", 1)
    # Neighbours are known: no packet waits or gets lost for their discovery.
    sides = [
        (a, "a0", "10.0.1.1", "fd00:1::1", "r0", "10.0.1.254", "fd00:1::fe"),
        (b, "b0", "10.0.2.2", "fd00:2::2", "r1", "10.0.2.254", "fd00:2::fe"),
        (r, "r0", "10.0.1.254", "fd00:1::fe", "a0", "10.0.1.1", "fd00:1::1"),
        (r, "r1", "10.0.2.254", "fd00:2::fe", "b0", "10.0.2.2", "fd00:2::2"),
    ]
    for ns, dev, v4, v6, far, far4, far6 in sides:
        lines = [
            f"link set {dev} {one} up",
            f"addr add {v4}/24 dev {dev}",
            f"addr add {v6}/64 dev {dev} nodad",
            f"neigh add {far4} lladdr {ends[far]} dev {dev}",
            f"neigh add {far6} lladdr {ends[far]} dev {dev}",
        ]
        if ns is not r:
            lines += [f"route add default via {far4}", f"route add ::/0 via {far6}"]
        ns.run("ip", "-batch", "-", stdin="\n".join(lines) + "\n")
    made = Path(a, r, b, delay_ms, rate_mbit, queue)
    made.tc(a, f"qdisc add dev a0 root netem limit 100000 delay {FORTH_MS}ms")
    made.tc(r, f"qdisc add dev r0 root netem limit 100000 delay {delay_ms - FORTH_MS}ms")
    if rate_mbit:
        # A bucket of two packets: they leave one by one, at the given rate.
        forth = f"tbf rate {rate_mbit}mbit burst 3100 limit {queue * 1514}"
        inner = bottleneck and f"\nqdisc add dev r1 parent 1:1 handle 2: {bottleneck}"
        made.tc(r, f"qdisc add dev r1 root handle 1: {forth}{inner}")
    return made
