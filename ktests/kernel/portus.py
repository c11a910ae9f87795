# SPDX-License-Identifier: GPL-2.0
"""Portus clients, by hand: libccp's protocol on NETLINK_USERSOCK and on
/dev/ccpkp. Can send what no client would."""

from __future__ import annotations

import itertools
import os
import select
import socket
import struct
import time
from dataclasses import dataclass, field
from enum import IntEnum

import isa
from net import Namespace

NETLINK_USERSOCK = 2
GROUP = 22
DEVICE = "/dev/ccpkp"
RECEIVE = 1024
"""The room portus has for what it receives."""

HEADER = struct.Struct("<HHI")
NLMSG = struct.Struct("=IHHII")
NLMSG_DONE = 3
UPDATE = struct.Struct("<BIQ")

numbers = itertools.count(20000)


class Kind(IntEnum):
    CREATE = 0
    MEASURE = 1
    INSTALL = 2
    UPDATE = 3
    CHANGE = 4
    READY = 5


@dataclass
class Message:
    kind: Kind
    sid: int
    body: bytes

    @classmethod
    def parse(cls, raw: bytes) -> Message:
        kind, length, sid = HEADER.unpack_from(raw)
        assert length == len(raw), f"header says {length} of {len(raw)} bytes"
        assert length % 4 == 0, "portus reads numbers in place"
        return cls(Kind(kind), sid, raw[HEADER.size :])

    @property
    def is_close(self) -> bool:
        return self.kind == Kind.MEASURE and struct.unpack_from("<I", self.body, 4) == (0,)

    @property
    def uid(self) -> int:
        return struct.unpack_from("<I", self.body)[0]

    @property
    def fields(self) -> list[int]:
        count = struct.unpack_from("<I", self.body, 4)[0]
        found = [value for (value,) in struct.iter_unpack("<Q", self.body[8:])]
        assert count == len(found)
        return found


def message(kind: int, sid: int, body: bytes, length: int | None = None) -> bytes:
    """A message; `length` overrides the true length."""
    size = HEADER.size + len(body) if length is None else length
    return HEADER.pack(kind, size & 0xFFFF, sid) + body


def install(uid: int, program: isa.Program | isa.Raw) -> bytes:
    events, instructions = len(program.events) // 16, len(program.instructions) // 16
    head = struct.pack("<III", uid, events, instructions)
    return message(Kind.INSTALL, 0, head + program.events + program.instructions)


def updates(*sets: tuple[isa.Operand, int]) -> bytes:
    return struct.pack("<I", len(sets)) + b"".join(
        UPDATE.pack(*register, value) for register, value in sets
    )


def change(sid: int, uid: int, *sets: tuple[isa.Operand, int]) -> bytes:
    return message(Kind.CHANGE, sid, struct.pack("<I", uid) + updates(*sets))


def update(sid: int, *sets: tuple[isa.Operand, int]) -> bytes:
    return message(Kind.UPDATE, sid, updates(*sets))


@dataclass
class Portus:
    """A client; what it was told and not asked for yet is in `queued`."""

    ns: Namespace
    queued: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.open()

    def open(self) -> None:
        raise NotImplementedError

    def fileno(self) -> int:
        raise NotImplementedError

    def read(self) -> bytes:
        raise NotImplementedError

    def send(self, raw: bytes) -> None:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError

    def receive(self, timeout: float) -> bool:
        if not select.select([self.fileno()], [], [], max(timeout, 0))[0]:
            return False
        self.queued.append(Message.parse(self.read()))
        return True

    def wait(self, kind: Kind, timeout: float = 5, **wanted: object) -> Message:
        """The first message of this kind with these attributes."""
        end = time.monotonic() + timeout
        while True:
            for at, found in enumerate(self.queued):
                if found.kind == kind and all(getattr(found, k) == v for k, v in wanted.items()):
                    return self.queued.pop(at)
            if not self.receive(end - time.monotonic()):
                raise AssertionError(f"no {kind.name} {wanted}, but {self.queued}")

    def drain(self, seconds: float = 0) -> list[Message]:
        """All that comes within a time."""
        end = time.monotonic() + seconds
        while self.receive(end - time.monotonic()):
            pass
        found, self.queued = self.queued, []
        return found

    def serve(self, *programs: isa.Program) -> None:
        """Waits to be called, and installs programs as 1, 2, ..."""
        self.wait(Kind.READY)
        for uid, program in enumerate(programs, 1):
            self.send(install(uid, program))


class NetlinkPortus(Portus):
    def open(self) -> None:
        with self.ns:
            self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_USERSOCK)
        # Tests often let messages wait.
        self.sock.setsockopt(socket.SOL_SOCKET, 33, 4 << 20)
        self.port = next(numbers)
        self.sock.bind((self.port, 0))
        self.sock.setsockopt(270, 1, GROUP)

    def fileno(self) -> int:
        return self.sock.fileno()

    def read(self) -> bytes:
        raw = self.sock.recv(RECEIVE)
        length, kind, flags, _, port = NLMSG.unpack_from(raw)
        assert (length, kind, flags, port) == (len(raw), NLMSG_DONE, 0, 0)
        return raw[NLMSG.size :]

    def send(self, raw: bytes) -> None:
        self.raw(NLMSG.pack(NLMSG.size + len(raw), 0, 0, 0, 0) + raw)

    def raw(self, datagram: bytes) -> None:
        assert self.sock.send(datagram) == len(datagram)

    def close(self) -> None:
        self.sock.close()


class DevicePortus(Portus):
    def open(self) -> None:
        with self.ns:
            self.fd = os.open(DEVICE, os.O_RDWR | os.O_NONBLOCK)

    def fileno(self) -> int:
        return self.fd

    def read(self) -> bytes:
        return os.read(self.fd, RECEIVE)

    def send(self, raw: bytes) -> None:
        assert os.write(self.fd, raw) == len(raw)

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


TRANSPORTS = {"netlink": NetlinkPortus, "char": DevicePortus}
