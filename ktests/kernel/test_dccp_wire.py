# SPDX-License-Identifier: GPL-2.0
"""What CCID 5 puts into packets, as a router sees it."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager

import net
from dccp import ONE, SIZE, Connection, set_flows
from lab import Lab
from net import Route

RTT = 0.05
ETH_P_IP = 0x0800
DATA, ACK, DATAACK = 2, 3, 4
ACK_VECTORS = {38, 39}
PADDING, LAST_WITHOUT_LENGTH = 0, 31


def options(packet: bytes) -> dict[int, bytes]:
    """Of a DCCP packet in IPv4: values by number."""
    header = packet[(packet[0] & 15) * 4 :]
    at = 16 if header[8] >> 1 & 15 == DATA else 24
    found = {}
    rest = header[at : header[4] * 4]
    while rest:
        if rest[0] <= LAST_WITHOUT_LENGTH:
            rest = rest[1:]
            continue
        found[rest[0]] = rest[2 : rest[1]]
        rest = rest[rest[1] :]
    return found


@contextmanager
def watching(path: Route) -> Iterator:
    """Yields a function: options of the data and reports that passed since, as
    (from a, from b)."""
    kind = socket.htons(ETH_P_IP)
    with path.r, socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, kind) as tap:
        tap.setblocking(False)

        def seen() -> tuple[list[dict], list[dict]]:
            ways: dict[str, list[dict]] = {"r0": [], "r1": []}
            while True:
                try:
                    packet, where = tap.recvfrom(2048)
                except BlockingIOError:
                    return ways["r0"], ways["r1"]
                if where[2] == socket.PACKET_HOST and packet[9] == 33:
                    if packet[28] >> 1 & 15 in (DATA, ACK, DATAACK):
                        ways[where[0]].append(options(packet))

        yield seen


def test_options(lab: Lab) -> None:
    """N goes with data until a report shows that it came. Reports have p, X_recv
    and j. Acknowledgments have no Ack Vectors."""
    path = lab.path(delay_ms=RTT * 1000)
    connection = lab.keep(Connection(path, client=(5,), server=(5,)))
    set_flows(connection.a, 4)
    with watching(path) as seen:
        for _ in range(4):
            connection.a.send(bytes(SIZE))
            time.sleep(2 * RTT)
        data, reports = seen()
    told = [packet[184] for packet in data if 184 in packet]
    assert told and set(told) == {struct.pack("!I", 4 * ONE)}, data
    assert 184 in data[0] and 184 not in data[-1], data
    assert len(reports) >= 4, reports
    for report in reports:
        assert {192, 194, 248, 249} <= set(report), reports
        assert not ACK_VECTORS & set(report), reports
        # Nothing was lost.
        assert report[192] == b"\xff" * 4 and report[249] == b"\xff" * 6, report
        assert report[248] == bytes(4), report
    rate = struct.unpack("!I", reports[-1][194])[0]
    assert 0.5 * SIZE / (2 * RTT) < rate < 2 * SIZE / RTT, rate


def test_it_registers_with_dccp(lab: Lab) -> None:
    assert "Activated CCID 5 (MulTFRC)" in net.run("dmesg")
