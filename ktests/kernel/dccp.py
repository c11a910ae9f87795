# SPDX-License-Identifier: GPL-2.0
"""DCCP connections for tests."""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import net
from net import Namespace, Route
from traffic import abort

SOCK_DCCP, IPPROTO_DCCP, SOL_DCCP = 6, 33, 269
CCID, TX_CCID, RX_CCID, TXQLEN, AVAILABLE = 13, 14, 15, 17, 12
RX_INFO, TX_INFO, FLOWS = 128, 192, 193
SIZE = 1000
"""Payload of a packet."""
ONE = 1 << 16
DEFAULTS = Path("/proc/sys/net/dccp/default")


def prefer(tx: int, rx: int | None = None) -> None:
    """The sysctls: they are of all network namespaces."""
    (DEFAULTS / "tx_ccid").write_text(str(tx))
    (DEFAULTS / "rx_ccid").write_text(str(tx if rx is None else rx))


def make(ns: Namespace, family: int = socket.AF_INET) -> socket.socket:
    with ns:
        sock = socket.socket(family, SOCK_DCCP, IPPROTO_DCCP)
    # Unbounded: send() blocks on the socket's buffer instead of failing.
    sock.setsockopt(SOL_DCCP, TXQLEN, 0)
    return sock


def offer(sock: socket.socket, *ccids: int) -> None:
    if ccids:
        sock.setsockopt(SOL_DCCP, CCID, bytes(ccids))


def chosen(sock: socket.socket) -> tuple[int, int]:
    """The CCIDs of its sender and its receiver."""
    return sock.getsockopt(SOL_DCCP, TX_CCID), sock.getsockopt(SOL_DCCP, RX_CCID)


@dataclass
class Sender:
    """struct ccp_dccp_tx_info in bytes per second and seconds."""

    x: float
    x_recv: float
    x_calc: int
    rtt: float
    p: float
    rto: float
    ipi: float
    n: float
    j: float
    size: int
    state: int

    @classmethod
    def of(cls, sock: socket.socket) -> Sender:
        raw = sock.getsockopt(SOL_DCCP, TX_INFO, 256)
        assert len(raw) == 72, len(raw)
        values = struct.unpack("=QQIIIIIIIIQQII", raw)
        x, x_recv, x_calc, rtt, _, rto, _, n, j, size, interval, ipi, state, _ = values
        p = ONE / interval if interval else 0.0
        return cls(
            x / 64, x_recv / 64, x_calc, rtt / 1e6, p, rto / 1e6, ipi / 1e9, n / ONE, j / ONE,
            size, state,
        )  # fmt: skip


@dataclass
class Receiver:
    """struct ccp_dccp_rx_info in bytes per second and seconds."""

    x_recv: int
    rtt: float
    p: float
    n: float
    j: float
    size: int
    events: int
    lost_total: int
    state: int

    @classmethod
    def of(cls, sock: socket.socket | None) -> Receiver:
        assert sock
        raw = sock.getsockopt(SOL_DCCP, RX_INFO, 256)
        assert len(raw) == 56, len(raw)
        x_recv, rtt, _, n, j, size, interval, events, lost, state, _ = struct.unpack(
            "=IIIIIIQQQII", raw
        )
        p = ONE / interval if interval else 0.0
        return cls(x_recv, rtt / 1e6, p, n / ONE, j / ONE, size, events, lost, state)


class Connection:
    """From a to b, which swallows what comes."""

    def __init__(
        self,
        path: Route,
        family: int = socket.AF_INET,
        client: tuple[int, ...] = (),
        server: tuple[int, ...] = (),
    ) -> None:
        self.stopping = False
        self.received = 0
        self.threads: list[threading.Thread] = []
        listener = make(path.b, family)
        offer(listener, *server)
        listener.bind(("::" if family == socket.AF_INET6 else "", 0))
        listener.listen(8)
        self.a = make(path.a, family)
        offer(self.a, *client)
        self.a.settimeout(20)
        self.b: socket.socket | None = None
        try:
            self.a.connect((path.server(family), listener.getsockname()[1]))
            listener.settimeout(5)
            self.b, _ = listener.accept()
        except OSError:
            self.a.close()
            raise
        finally:
            listener.close()
        self.a.settimeout(None)
        self.b.settimeout(None)
        self.b.setsockopt(SOL_DCCP, TXQLEN, 0)

    def run(self, work) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self.threads.append(thread)
        thread.start()

    def swallow(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while not self.stopping:
                got = len(sock.recv(2048))
                if not got:
                    return
                if sock is self.b:
                    self.received += got

    def pump(self, sock: socket.socket, size: int, pause: float = 0) -> None:
        data = bytes(size)
        with contextlib.suppress(OSError):
            while not self.stopping:
                try:
                    sock.send(data)
                    if pause:
                        time.sleep(pause)
                except OSError as error:
                    if error.errno != errno.EAGAIN:
                        raise
                    time.sleep(0.001)

    def start(self, pause: float = 0, size: int = SIZE) -> Connection:
        """a sends as fast as it may, or a packet every `pause` seconds."""
        assert self.b
        self.run(lambda: self.swallow(self.b))
        self.run(lambda: self.pump(self.a, size, pause))
        return self

    def both_ways(self, pause: float) -> Connection:
        """b sends too, a packet every `pause` seconds."""
        self.start()
        self.run(lambda: self.swallow(self.a))
        self.run(lambda: self.pump(self.b, SIZE, pause))
        return self

    def measure(self, seconds: float) -> tuple[float, float]:
        """Bytes per second that arrive, and the mean of what is allowed."""
        begin, got, allowed, samples = time.monotonic(), self.received, 0.0, 0
        while time.monotonic() < begin + seconds:
            time.sleep(0.05)
            allowed += Sender.of(self.a).x
            samples += 1
        return (self.received - got) / (time.monotonic() - begin), allowed / samples

    def close(self) -> None:
        self.stopping = True
        for sock in (self.a, self.b):
            if sock and sock.fileno() >= 0:
                abort(sock)
        for thread in self.threads:
            thread.join(10)
        for sock in (self.a, self.b):
            if sock:
                sock.close()


def refused(code: int, work: Callable[[], object]) -> None:
    """work() fails with that errno."""
    try:
        work()
    except OSError as error:
        assert error.errno == code, f"{error} instead of {errno.errorcode[code]}"
    else:
        raise AssertionError(f"no {errno.errorcode[code]}")


def set_flows(sock: socket.socket, flows: float) -> None:
    sock.setsockopt(SOL_DCCP, FLOWS, struct.pack("=I", round(flows * ONE)))


def module_parameter(name: str, value: object) -> None:
    Path(f"/sys/module/ccp_rs/parameters/{name}").write_text(f"{value}\n")


def has_ccid5() -> bool:
    return "dccp yes" in net.run("dmesg")


def checksum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def inject(path: Route, connection: Connection, kind: int, options: bytes) -> None:
    """b seems to send a packet with these options; ack numbers and the like
    are those of its last one."""
    assert connection.b
    with path.a, socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800)) as tap:
        tap.settimeout(5)
        connection.a.send(bytes(100))
        while True:
            packet, where = tap.recvfrom(2048)
            # An Ack that came to a.
            if where[2] == socket.PACKET_HOST and packet[9] == 33 and packet[28] >> 1 & 15 == 3:
                break
    header = packet[20:44]
    # A number that b has used: a reset must acknowledge one.
    sequence = header[10:16]
    acknowledged = header[16:24] if kind != 2 else b""
    options += bytes(-len(options) % 4)
    offset = (16 + len(acknowledged) + len(options)) // 4
    made = header[:4] + struct.pack("!BBHBB", offset, 0, 0, kind << 1 | 1, 0)
    made += sequence + acknowledged + options
    made += b"data" if kind == 2 else b""
    pseudo = packet[12:20] + struct.pack("!BBH", 0, 33, len(made))
    made = made[:6] + struct.pack("!H", checksum(pseudo + made)) + made[8:]
    with path.b, socket.socket(socket.AF_INET, socket.SOCK_RAW, 33) as raw:
        raw.sendto(made, ("10.0.1.1", 0))
