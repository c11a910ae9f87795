# SPDX-License-Identifier: GPL-2.0
"""Drops of exact packets by nf_tables, in a router's forward hook."""

from __future__ import annotations

import socket
import struct

import netlink
from net import Namespace
from netlink import attr, nest, text

NETLINK_NETFILTER = 12
SUBSYSTEM = 10
BATCH_BEGIN, BATCH_END = 16, 17
NEWTABLE, NEWCHAIN, NEWRULE, DELTABLE = 0, 3, 6, 2
NLM_F_CREATE = 0x400

INET, FORWARD, DROP = 1, 2, 0
META_IIFNAME, META_L4PROTO = 6, 16
TRANSPORT = 2
EQ, NEQ, LT = 0, 1, 2
HTON = 1

IPPROTO_DCCP = 33
NOT_DATA = (0, 1, 3, 5, 6, 7, 8, 9)
"""DCCP packet types without data."""


def be32(kind: int, value: int) -> bytes:
    return attr(kind, struct.pack("!I", value))


def expression(name: str, *parts: bytes) -> bytes:
    return nest(1, text(1, name), nest(2, *parts))


def data(kind: int, value: bytes) -> bytes:
    return nest(kind, attr(1, value))


def compare(how: int, value: bytes) -> bytes:
    return expression("cmp", be32(1, 1), be32(2, how), data(3, value))


def meta(key: int) -> bytes:
    return expression("meta", be32(1, 1), be32(2, key))


def rule(device: str, lost: int, period: int) -> bytes:
    parts = [
        meta(META_IIFNAME),
        compare(EQ, device.encode() + b"\0"),
        meta(META_L4PROTO),
        compare(EQ, bytes([IPPROTO_DCCP])),
        expression("payload", be32(1, 1), be32(2, TRANSPORT), be32(3, 8), be32(4, 1)),
        expression(
            "bitwise", be32(1, 1), be32(2, 1), be32(3, 1), data(4, b"\x1e"), data(5, b"\0")
        ),
        *(compare(NEQ, bytes([kind << 1])) for kind in NOT_DATA),
        expression("numgen", be32(1, 1), be32(2, period), be32(3, 0)),
        expression("byteorder", be32(1, 1), be32(2, 1), be32(3, HTON), be32(4, 4), be32(5, 4)),
        compare(LT, struct.pack("!I", lost)),
        expression("immediate", be32(1, 0), nest(2, nest(2, be32(1, DROP)))),
    ]
    return text(1, "t") + text(2, "c") + nest(4, *parts)


def commit(ns: Namespace, *requests: tuple[int, bytes]) -> None:
    """One transaction."""

    def message(kind: int, family: int, resource: int, body: bytes, sequence: int) -> bytes:
        flags = netlink.NLM_F_REQUEST | (NLM_F_CREATE if kind >> 8 else 0)
        if kind >> 8 and sequence == len(requests):
            flags |= netlink.NLM_F_ACK
        body = struct.pack("!BBH", family, 0, resource) + body
        return netlink.HEADER.pack(16 + len(body), kind, flags, sequence, 0) + body

    packed = message(BATCH_BEGIN, 0, SUBSYSTEM, b"", 0)
    for number, (kind, body) in zip(range(1, len(requests) + 1), requests, strict=True):
        packed += message(SUBSYSTEM << 8 | kind, INET, 0, body, number)
    packed += message(BATCH_END, 0, SUBSYSTEM, b"", len(requests) + 1)
    with ns, socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as sock:
        sock.bind((0, 0))
        sock.settimeout(5)
        sock.send(packed)
        answer = sock.recv(1 << 16)
    (error,) = struct.unpack_from("=i", answer, 16)
    assert error == 0, f"nf_tables: error {error} for request {answer[8:12]!r}"


def drop(ns: Namespace, lost: int, period: int, device: str = "r0") -> None:
    """Of every `period` data packets of DCCP that come in by `device`, the
    first `lost` are dropped."""
    hook = nest(4, be32(1, FORWARD), be32(2, 0))
    commit(
        ns,
        (NEWTABLE, text(1, "t")),
        (NEWCHAIN, text(1, "t") + text(3, "c") + hook + text(7, "filter")),
        (NEWRULE, rule(device, lost, period)),
    )


def drop_no_more(ns: Namespace) -> None:
    commit(ns, (DELTABLE, text(1, "t")))
