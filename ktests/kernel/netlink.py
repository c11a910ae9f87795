# SPDX-License-Identifier: GPL-2.0
"""Netlink and generic netlink at the level of structs.

Written by hand from the UAPI headers, so that it shares no code with the
module or the project's own client, and can send what no client would.
"""

from __future__ import annotations

import errno
import select
import socket
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

NETLINK_GENERIC = 16
SOL_NETLINK = 270
NETLINK_ADD_MEMBERSHIP = 1
NETLINK_NO_ENOBUFS = 5
NETLINK_CAP_ACK = 10
NETLINK_EXT_ACK = 11
NETLINK_GET_STRICT_CHK = 12

NLMSG_ERROR = 2
NLMSG_DONE = 3
NLMSG_OVERRUN = 4

NLM_F_REQUEST = 0x01
NLM_F_MULTI = 0x02
NLM_F_ACK = 0x04
NLM_F_DUMP_INTR = 0x10
NLM_F_DUMP = 0x300
NLM_F_CAPPED = 0x100
NLM_F_ACK_TLVS = 0x200

NLMSGERR_ATTR_MSG = 1
NLMSGERR_ATTR_OFFS = 2
NLMSGERR_ATTR_MISS_TYPE = 5

NLA_F_NESTED = 0x8000
NLA_TYPE_MASK = 0x3FFF

GENL_ID_CTRL = 16
CTRL_CMD_GETFAMILY = 3
CTRL_ATTR_FAMILY_ID = 1
CTRL_ATTR_FAMILY_NAME = 2
CTRL_ATTR_MCAST_GROUPS = 7

HEADER = struct.Struct("=IHHII")
GENL = struct.Struct("=BBH")
NLA = struct.Struct("=HH")


def attr(kind: int, payload: bytes, length: int | None = None) -> bytes:
    """One attribute; `length` overrides the true length."""
    size = NLA.size + len(payload) if length is None else length
    return NLA.pack(size, kind) + payload + bytes(-len(payload) % 4)


def u8(kind: int, value: int) -> bytes:
    return attr(kind, struct.pack("=B", value))


def u32(kind: int, value: int) -> bytes:
    return attr(kind, struct.pack("=I", value))


def u64(kind: int, value: int) -> bytes:
    return attr(kind, struct.pack("=Q", value))


def uint(kind: int, value: int) -> bytes:
    """YNL's variable-width unsigned integer."""
    return u32(kind, value) if value < 1 << 32 else u64(kind, value)


def text(kind: int, value: str) -> bytes:
    return attr(kind, value.encode() + b"\0")


def nest(kind: int, *parts: bytes) -> bytes:
    return attr(kind | NLA_F_NESTED, b"".join(parts))


def attrs(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The attributes in `data`, as (type, payload)."""
    while len(data) >= NLA.size:
        size, kind = NLA.unpack_from(data)
        if size < NLA.size or size > len(data):
            raise ValueError(f"attribute {kind} of length {size} in {len(data)} bytes")
        yield kind & NLA_TYPE_MASK, data[NLA.size : size]
        data = data[(size + 3) & ~3 :]


def number(payload: bytes) -> int:
    return int.from_bytes(payload, "little")


@dataclass
class Message:
    kind: int
    flags: int
    seq: int
    port: int
    body: bytes

    @property
    def command(self) -> int:
        return self.body[0]

    @property
    def payload(self) -> bytes:
        return self.body[GENL.size :]


@dataclass
class NetlinkError(Exception):
    """The kernel's refusal: errno, extack text, and what it points at."""

    code: int
    text: str = ""
    offset: int | None = None
    missing: int | None = None
    request: bytes = field(default=b"", repr=False)

    def __str__(self) -> str:
        return f"{errno.errorcode.get(self.code, self.code)}: {self.text!r}"


def messages(data: bytes) -> Iterator[Message]:
    while len(data) >= HEADER.size:
        size, kind, flags, seq, port = HEADER.unpack_from(data)
        yield Message(kind, flags, seq, port, data[HEADER.size : size])
        data = data[(size + 3) & ~3 :]


def refusal(message: Message, request: bytes) -> NetlinkError:
    code = -struct.unpack_from("=i", message.body)[0]
    error = NetlinkError(code, request=request)
    if message.flags & NLM_F_ACK_TLVS:
        start = 4
        if message.kind == NLMSG_ERROR:
            # With NETLINK_CAP_ACK only the header of the request comes back.
            echoed = HEADER.unpack_from(message.body, 4)[0]
            start += HEADER.size if message.flags & NLM_F_CAPPED else (echoed + 3) & ~3
        for kind, payload in attrs(message.body[start:]):
            if kind == NLMSGERR_ATTR_MSG:
                error.text = payload.rstrip(b"\0").decode()
            elif kind == NLMSGERR_ATTR_OFFS:
                error.offset = number(payload)
            elif kind == NLMSGERR_ATTR_MISS_TYPE:
                error.missing = number(payload)
    return error


class Netlink:
    """A netlink socket. Events that come between a request and its
    answer wait in `events`."""

    room = 1 << 20
    """For a datagram; the kernel fills messages of a list up to that, or to
    32 KiB."""

    def __init__(self, strict: bool = True, protocol: int = NETLINK_GENERIC) -> None:
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
        self.sock.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
        self.sock.setsockopt(SOL_NETLINK, NETLINK_CAP_ACK, 1)
        if strict:
            self.sock.setsockopt(SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1)
        self.sock.bind((0, 0))
        self.port = self.sock.getsockname()[0]
        self.seq = 0
        self.events: list[Message] = []
        self.interrupted = False
        self.warning = ""
        """Text of the last request that wasn't refused."""

    def close(self) -> None:
        self.sock.close()

    def fileno(self) -> int:
        return self.sock.fileno()

    def send_raw(self, data: bytes) -> None:
        self.sock.send(data)

    def header(self, kind: int, flags: int, size: int) -> bytes:
        self.seq += 1
        return HEADER.pack(HEADER.size + size, kind, flags, self.seq, 0)

    def receive(self, timeout: float | None = 10.0) -> list[Message]:
        """What one datagram holds; [] after `timeout` seconds without any."""
        if timeout is not None and not select.select([self.sock], [], [], timeout)[0]:
            return []
        return list(messages(self.sock.recv(self.room)))

    def exchange(self, kind: int, body: bytes, flags: int = 0) -> list[Message]:
        """Send a request; its answers, or NetlinkError."""
        request = self.header(kind, flags | NLM_F_REQUEST | NLM_F_ACK, len(body)) + body
        self.send_raw(request)
        return self.answers(request, dump=flags & NLM_F_DUMP == NLM_F_DUMP)

    def answers(self, request: bytes, dump: bool = False) -> list[Message]:
        found: list[Message] = []
        self.interrupted = False
        while True:
            batch = self.receive()
            if not batch:
                raise TimeoutError("no answer from the kernel in 10 s")
            done = False
            for message in batch:
                if message.seq != self.seq or message.port != self.port:
                    self.events.append(message)
                    continue
                self.interrupted |= bool(message.flags & NLM_F_DUMP_INTR)
                if message.kind == NLMSG_ERROR or (message.kind == NLMSG_DONE and dump):
                    error = refusal(message, request)
                    if error.code:
                        raise error
                    self.warning = error.text
                    done = True
                else:
                    found.append(message)
            if done:
                return found

    def join(self, group: int) -> None:
        self.sock.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group)


@dataclass
class Family:
    id: int
    groups: dict[str, int]

    @classmethod
    def resolve(cls, nl: Netlink, name: str) -> Family:
        body = GENL.pack(CTRL_CMD_GETFAMILY, 1, 0) + text(CTRL_ATTR_FAMILY_NAME, name)
        (answer,) = nl.exchange(GENL_ID_CTRL, body)
        top = dict(attrs(answer.payload))
        groups = {}
        for _, entry in attrs(top.get(CTRL_ATTR_MCAST_GROUPS, b"")):
            parts = dict(attrs(entry))
            groups[parts[1].rstrip(b"\0").decode()] = number(parts[2])
        return cls(number(top[CTRL_ATTR_FAMILY_ID]), groups)


def genl(command: int, *parts: bytes, version: int = 1) -> bytes:
    return GENL.pack(command, version, 0) + b"".join(parts)


def drain_overrun(take: Callable[[], object | None]) -> tuple[list, int]:
    """What `take` gives until there is nothing, and how often the kernel says
    that it lost some."""
    found = []
    losses = 0
    while True:
        try:
            event = take()
        except OSError as error:
            assert error.errno == errno.ENOBUFS, error  # noqa: PT017
            losses += 1
            continue
        if event is None:
            return found, losses
        found.append(event)


def drained(nl: Netlink, wait: float = 0.0) -> Iterable[Message]:
    """Everything queued now or within `wait` seconds of silence."""
    yield from nl.events
    nl.events.clear()
    while batch := nl.receive(wait):
        yield from batch
