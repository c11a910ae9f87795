# SPDX-License-Identifier: GPL-2.0
"""Packets on a device, as far as tests look at them."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from net import Namespace

ETH_P_ALL = 3
PACKET_OUTGOING = 4
SO_RCVBUFFORCE = 33


@dataclass
class Packet:
    outgoing: bool
    ecn: int
    port: int
    """Destination port."""
    sequence: int
    ack: int
    flags: int
    size: int
    """Bytes of TCP payload."""


class Capture:
    """All TCP packets that a device sends or receives, from now on."""

    def __init__(self, ns: Namespace, device: str, family: int = socket.AF_INET) -> None:
        self.family = family
        with ns:
            self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        self.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        self.sock.bind((device, ETH_P_ALL))
        self.sock.setblocking(False)

    def close(self) -> None:
        self.sock.close()

    def packets(self) -> Iterator[Packet]:
        """Those captured since the last call."""
        while True:
            try:
                data, address = self.sock.recvfrom(128, socket.MSG_TRUNC)
            except BlockingIOError:
                return
            found = self.parse(data, address[2] == PACKET_OUTGOING)
            if found:
                yield found

    def parse(self, data: bytes, outgoing: bool) -> Packet | None:
        if self.family == socket.AF_INET:
            if data[0] >> 4 != 4 or data[9] != socket.IPPROTO_TCP:
                return None
            header = (data[0] & 15) * 4
            ecn = data[1] & 3
            total = struct.unpack_from("!H", data, 2)[0]
        else:
            if data[0] >> 4 != 6 or data[6] != socket.IPPROTO_TCP:
                return None
            header = 40
            ecn = (data[1] >> 4) & 3
            total = 40 + struct.unpack_from("!H", data, 4)[0]
        _, port, sequence, ack, offset, flags = struct.unpack_from("!HHIIBB", data, header)
        size = total - header - (offset >> 4) * 4
        return Packet(outgoing, ecn, port, sequence, ack, flags, size)
