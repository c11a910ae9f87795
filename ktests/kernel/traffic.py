# SPDX-License-Identifier: GPL-2.0
"""TCP flows for tests: blocking senders, and what TCP says about them."""

from __future__ import annotations

import contextlib
import ctypes
import socket
import struct
import threading
import time
from dataclasses import dataclass

from net import Namespace, Route

TCP_CONGESTION = 13
TCP_INFO = 11
TCP_CC_INFO = 26
TCP_REPAIR, TCP_REPAIR_QUEUE, TCP_QUEUE_SEQ = 19, 20, 21
TCP_SEND_QUEUE = 2
TCP_REPAIR_OFF_NO_WP = -1
SO_SNDBUFFORCE = 32
SO_RCVBUFFORCE = 33
SO_COOKIE = 57
SO_MAX_PACING_RATE = 47

CA_OPEN, CA_DISORDER, CA_CWR, CA_RECOVERY, CA_LOSS = range(5)

CHUNK = 1 << 20
LIBC = ctypes.CDLL(None)

MSS = 1448
"""Of IPv4 over Ethernet with timestamps; 1428 with IPv6."""
MSS6 = 1428


@dataclass
class Info:
    """The part of struct tcp_info that tests look at. cwnd and ssthresh are
    packets, times are seconds, rates bytes per second."""

    at: float
    ca_state: int
    mss: int
    unacked: int
    lost: int
    retrans: int
    rtt: float
    ssthresh: int
    cwnd: int
    total_retrans: int
    pacing_rate: int
    bytes_acked: int
    delivered: int
    delivered_ce: int

    @classmethod
    def of(cls, sock: socket.socket) -> Info:
        raw = sock.getsockopt(socket.IPPROTO_TCP, TCP_INFO, 232)

        def u32(at: int) -> int:
            return struct.unpack_from("=I", raw, at)[0]

        def u64(at: int) -> int:
            return struct.unpack_from("=Q", raw, at)[0]

        return cls(
            at=time.monotonic(),
            ca_state=raw[1],
            mss=u32(16),
            unacked=u32(24),
            lost=u32(32),
            retrans=u32(36),
            rtt=u32(68) / 1e6,
            ssthresh=u32(76),
            cwnd=u32(80),
            total_retrans=u32(100),
            pacing_rate=u64(104),
            bytes_acked=u64(120),
            delivered=u32(192),
            delivered_ce=u32(196),
        )


def cookie(sock: socket.socket) -> int:
    return struct.unpack("=Q", sock.getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8))[0]


def abort(sock: socket.socket) -> None:
    """connect(AF_UNSPEC) resets a connection and wakes who is blocked in it."""
    LIBC.connect(sock.fileno(), bytes(16), 16)


class Receiver:
    """Accepts flows and swallows what they send."""

    def __init__(self, ns: Namespace, family: int = socket.AF_INET, rcvbuf: int = 0) -> None:
        self.listener = ns.socket(family)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Few wake-ups: they are what a virtual-time kernel spends its time on.
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1 << 17)
        self.listener.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, rcvbuf or 32 << 20)
        self.listener.bind(("::" if family == socket.AF_INET6 else "", 0))
        self.listener.listen(4096)
        self.port: int = self.listener.getsockname()[1]
        self.accepted: list[socket.socket] = []
        self.threads = [threading.Thread(target=self.accept, daemon=True)]
        self.threads[0].start()

    def accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self.listener.accept()
                self.accepted.append(sock)
                thread = threading.Thread(target=self.swallow, args=(sock,), daemon=True)
                self.threads.append(thread)
                thread.start()

    def swallow(self, sock: socket.socket) -> None:
        room = bytearray(CHUNK)
        with contextlib.suppress(OSError):
            while sock.recv_into(room):
                pass
            sock.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        # shutdown wakes the thread in accept(), close alone does not.
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.threads[0].join(10)
        # No reset may come any more when the path goes away first.
        for sock in self.accepted:
            abort(sock)
        for thread in self.threads:
            thread.join(10)
        for sock in self.accepted:
            sock.close()


@dataclass
class Flow:
    """One TCP flow from a to b that sends as fast as it may, until stopped."""

    sock: socket.socket
    sent: int = 0
    failed: OSError | None = None
    stopping: bool = False
    thread: threading.Thread | None = None
    receiver: Receiver | None = None

    @property
    def cookie(self) -> int:
        return cookie(self.sock)

    @property
    def port(self) -> int:
        return self.sock.getsockname()[1]

    def info(self) -> Info:
        return Info.of(self.sock)

    @property
    def next_sequence(self) -> int:
        """Of the first byte not yet written; for a flow with nothing in flight."""
        tcp = socket.IPPROTO_TCP
        self.sock.setsockopt(tcp, TCP_REPAIR, 1)
        self.sock.setsockopt(tcp, TCP_REPAIR_QUEUE, TCP_SEND_QUEUE)
        sequence = self.sock.getsockopt(tcp, TCP_QUEUE_SEQ)
        self.sock.setsockopt(tcp, TCP_REPAIR, TCP_REPAIR_OFF_NO_WP)
        return sequence & 0xFFFFFFFF

    def start(self, amount: int | None = None) -> Flow:
        """Send `amount` bytes more, or until stop(), from a thread."""
        end = None if amount is None else self.sent + amount
        self.thread = threading.Thread(target=self.pump, args=(end,), daemon=True)
        self.thread.start()
        return self

    def pump(self, end: int | None) -> None:
        data = memoryview(bytes(CHUNK))
        try:
            while not self.stopping and (end is None or self.sent < end):
                size = CHUNK if end is None else min(CHUNK, end - self.sent)
                self.sent += self.sock.send(data[:size])
        except OSError as error:
            if not self.stopping:
                self.failed = error

    def wait(self, timeout: float = 60) -> None:
        """Until all is sent and acknowledged."""
        assert self.thread
        self.thread.join(timeout)
        assert not self.thread.is_alive(), f"still sending after {timeout} s: {self.info()}"
        if self.failed:
            raise self.failed
        # The SYN counts as one.
        self.until("end", lambda i: i.bytes_acked > self.sent, timeout, step=0.01)

    def watch(self, until: float, step: float) -> list[Info]:
        """TCP_INFO every `step` seconds for `until` seconds of virtual time."""
        start = time.monotonic()
        found = []
        count = 1
        while count * step <= until + 1e-9:
            sleep_until(start + count * step)
            found.append(self.info())
            count += 1
        return found

    def until(self, what: str, test, timeout: float = 30, step: float = 0.001) -> Info:
        """Poll TCP_INFO until `test(info)` holds."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            info = self.info()
            if test(info):
                return info
            time.sleep(step)
        raise AssertionError(f"no {what} within {timeout} s; last: {self.info()}")

    def stop(self) -> None:
        """End it by a reset."""
        if self.sock.fileno() < 0:
            return
        self.stopping = True
        abort(self.sock)
        if self.thread:
            self.thread.join(10)
        self.sock.close()

    def finish(self) -> None:
        """An orderly end: FIN, and wait for the other side's."""
        self.sock.shutdown(socket.SHUT_WR)
        self.sock.settimeout(30)
        assert self.sock.recv(1) == b""
        self.sock.close()


def sleep_until(when: float) -> None:
    left = when - time.monotonic()
    if left > 0:
        time.sleep(left)


def connect(
    path: Route,
    port: int,
    cc: str,
    family: int = socket.AF_INET,
    sndbuf: int = 4 << 20,
) -> Flow:
    """A flow whose socket uses congestion control `cc`, not sending yet."""
    sock = path.a.socket(family)
    sock.setsockopt(socket.IPPROTO_TCP, TCP_CONGESTION, cc.encode())
    # Enough for any window of these tests; more would be memory pressure.
    sock.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, sndbuf)
    sock.connect((path.server(family), port))
    return Flow(sock)
