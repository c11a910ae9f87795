#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Stands in for the kernel selftests' pm_nl_ctl: what names a token goes to
family "mptcp", events come from there, and the rest is the real tool's, which
is $PM_NL_CTL.

The selftests were written for the upstream family, so this fills in what the
old family doesn't tell: an announced address without a port has the one the
connection was made to.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "kernel"))

from netlink import Family, Message, Netlink, attr, attrs, genl, number, u8, u32  # noqa: E402

TOKEN, FAMILY, LOC_ID, REM_ID, SADDR4, SADDR6, DADDR4, DADDR6 = range(1, 9)
SPORT, DPORT, BACKUP, ERROR, FLAGS, _TIMEOUT, IF_IDX = range(9, 16)
SERVER_SIDE, DENY_JOIN_ID0, LOCAL, ANNOUNCED = 67, 68, 73, 74
CMD_ANNOUNCE, CMD_REMOVE, CMD_SUB_CREATE, CMD_SUB_DESTROY, CMD_SUB_PRIORITY = 4, 5, 8, 9, 12
CMD_GET_CONN = 66
EVENT_CREATED, EVENT_CLOSED, EVENT_ANNOUNCED = 1, 3, 6
LISTENER_CREATED, LISTENER_CLOSED = 15, 16


def u16(kind: int, value: int) -> bytes:
    return attr(kind, struct.pack("=H", value))


def packed(text: str) -> bytes:
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    return socket.inet_pton(family, text)


def mapped(address: bytes) -> bytes:
    """An IPv4 address as IPv6 has it."""
    return address if len(address) == 16 else bytes(10) + b"\xff\xff" + address


def end(address: bytes, four: int) -> bytes:
    """The attribute that follows `four` is its IPv6 twin."""
    return attr(four if len(address) == 4 else four + 1, address)


def family_of(address: bytes) -> int:
    return socket.AF_INET if len(address) == 4 else socket.AF_INET6


def options(words: list[str]) -> dict[str, str]:
    return dict(zip(words[::2], words[1::2], strict=True))


def interface(given: dict[str, str]) -> list[bytes]:
    if "dev" not in given:
        return []
    return [attr(IF_IDX, struct.pack("=i", socket.if_nametoindex(given["dev"])))]


def announce(address: str, given: dict[str, str]) -> tuple[int, list[bytes]]:
    local = packed(address)
    parts = [u16(FAMILY, family_of(local)), u8(LOC_ID, int(given["id"])), end(local, SADDR4)]
    if "port" in given:
        parts.append(u16(SPORT, int(given["port"])))
    return CMD_ANNOUNCE, parts + interface(given)


def create(given: dict[str, str]) -> tuple[int, list[bytes]]:
    local, remote = packed(given["lip"]), packed(given["rip"])
    if len(local) != len(remote):
        local, remote = mapped(local), mapped(remote)
    return CMD_SUB_CREATE, [
        u16(FAMILY, family_of(remote)),
        u8(LOC_ID, int(given.get("lid", 0))),
        # The real one is learnt from the SYN/ACK.
        u8(REM_ID, 0),
        end(local, SADDR4),
        end(remote, DADDR4),
        u16(DPORT, int(given["rport"])),
        *interface(given),
    ]


def tuple4(lip: str, lport: str, rip: str, rport: str) -> list[bytes]:
    local, remote = packed(lip), packed(rip)
    if len(local) != len(remote):
        local, remote = mapped(local), mapped(remote)
    return [
        u16(FAMILY, family_of(local)),
        end(local, SADDR4),
        end(remote, DADDR4),
        u16(SPORT, int(lport)),
        u16(DPORT, int(rport)),
    ]


def priority(address: str, given: dict[str, str]) -> tuple[int, list[bytes]]:
    flow = tuple4(address, given["port"], given["rip"], given["rport"])
    return CMD_SUB_PRIORITY, [*flow, u8(BACKUP, given["flags"] == "backup")]


def command(verb: str, words: list[str]) -> tuple[int, list[bytes]] | None:
    """What to send, and the token last; None: not ours."""
    if "token" not in words:
        return None
    if verb in ("ann", "set"):
        address, given = words[0], options(words[1:])
        code, parts = (announce if verb == "ann" else priority)(address, given)
    elif verb == "rem":
        given = options(words)
        code, parts = CMD_REMOVE, [u8(LOC_ID, int(given["id"]))]
    elif verb == "csf":
        given = options(words)
        code, parts = create(given)
    elif verb == "dsf":
        given = options(words)
        flow = tuple4(given["lip"], given["lport"], given["rip"], given["rport"])
        code, parts = CMD_SUB_DESTROY, flow
    else:
        return None
    return code, [u32(TOKEN, int(given["token"])), *parts]


def addresses(nl: Netlink, family: Family, token: int) -> Iterator[str]:
    """A connection's local addresses as the real tool prints them, but for
    that of its first subflow."""
    for answer in nl.exchange(family.id, genl(CMD_GET_CONN, u32(TOKEN, token))):
        for kind, payload in attrs(answer.payload):
            if kind != LOCAL:
                continue
            local = dict(attrs(payload))
            four = local.get(SADDR4)
            address = (
                socket.inet_ntop(socket.AF_INET, four)
                if four
                else socket.inet_ntop(socket.AF_INET6, local[SADDR6])
            )
            flags = "signal" if number(local[ANNOUNCED]) else "subflow"
            if number(local.get(BACKUP, b"\0")):
                flags += ",backup"
            yield f"id {number(local[LOC_ID])} flags {flags} {address}"


def show(verb: str, words: list[str]) -> int:
    nl = Netlink()
    family = Family.resolve(nl, "mptcp")
    wanted = f"id {words[0]} " if verb == "get" else "id "
    token = int(words[words.index("token") + 1])
    for line in addresses(nl, family, token):
        if line.startswith(wanted):
            print(line)
    return 0


class Events:
    """Prints events as the real tool does, on stderr."""

    def __init__(self) -> None:
        # Where each connection was made to.
        self.peers: dict[int, int] = {}

    def fields(self, message: Message) -> Iterator[str]:
        found = dict(attrs(message.payload))
        token = number(found.get(TOKEN, b""))
        if message.command == EVENT_CREATED:
            self.peers[token] = number(found[DPORT])
        if message.command == EVENT_ANNOUNCED and not number(found.get(DPORT, b"")):
            found[DPORT] = struct.pack("=H", self.peers.get(token, 0))
        yield f"type:{message.command}"
        names = {TOKEN: "token", FAMILY: "family", LOC_ID: "loc_id", REM_ID: "rem_id"}
        names |= {SPORT: "sport", DPORT: "dport", BACKUP: "backup", ERROR: "error"}
        names |= {SERVER_SIDE: "server_side"}
        ends = {SADDR4: "saddr4", SADDR6: "saddr6", DADDR4: "daddr4", DADDR6: "daddr6"}
        for kind, payload in found.items():
            if kind in names:
                yield f"{names[kind]}:{number(payload)}"
            elif kind in ends:
                family = socket.AF_INET if len(payload) == 4 else socket.AF_INET6
                yield f"{ends[kind]}:{socket.inet_ntop(family, payload)}"
            elif kind == DENY_JOIN_ID0 and number(payload):
                yield "deny_join_id0:1"

    def show(self, message: Message) -> None:
        print(",".join(self.fields(message)), file=sys.stderr, flush=True)

    def listener(self, message: Message) -> None:
        """Upstream's family tells of listeners, whatever the path manager."""
        if message.command not in (LISTENER_CREATED, LISTENER_CLOSED):
            return
        found = dict(attrs(message.payload))
        found[SPORT] = found[SPORT][::-1]
        whole = b"".join(attr(kind, payload) for kind, payload in found.items())
        body = genl(message.command, whole)
        self.show(Message(message.kind, message.flags, message.seq, message.port, body))

    def follow(self) -> int:
        ours, upstream = Netlink(), Netlink()
        ours.join(Family.resolve(ours, "mptcp").groups["mptcp_events"])
        upstream.join(Family.resolve(upstream, "mptcp_pm").groups["mptcp_pm_events"])
        while True:
            ready, _, _ = select.select([ours, upstream], [], [])
            for nl in ready:
                tell = self.show if nl is ours else self.listener
                for message in nl.receive(0):
                    tell(message)


def main(words: list[str]) -> int:
    verb, rest = words[0], words[1:]
    if verb == "events":
        return Events().follow()
    if verb in ("dump", "get") and "token" in rest:
        return show(verb, rest)
    request = command(verb, rest)
    if request is None:
        real = os.environ["PM_NL_CTL"]
        os.execv(real, [real, *words])
    code, parts = request
    nl = Netlink()
    nl.exchange(Family.resolve(nl, "mptcp").id, genl(code, *parts))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Exception as error:
        sys.exit(f"pm_nl_ctl: {error}")
