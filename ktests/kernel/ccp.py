# SPDX-License-Identifier: GPL-2.0
"""Generic netlink family "ccp", written by hand from docs/netlink/specs/ccp.yaml."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from types import SimpleNamespace

import isa
import netlink
from netlink import attr, attrs, genl, nest, number, text, u8, u32, uint


class Cmd(IntEnum):
    AGENT_ATTACH = 1
    AGENT_DETACH = 2
    AGENT_HEARTBEAT = 3
    AGENT_GET = 4
    PROGRAM_INSTALL = 5
    PROGRAM_REMOVE = 6
    PROGRAM_GET = 7
    FALLBACK_SET = 8
    FLOW_GET = 9
    FLOW_SET_PROGRAM = 10
    FLOW_UPDATE = 11
    STATS_GET = 12
    FLOW_CREATED = 13
    FLOW_CLOSED = 14
    FLOW_FALLBACK = 15
    REPORT = 16


class Reason(IntEnum):
    NONE = 0
    NO_AGENT = 1
    AGENT_GONE = 2
    AGENT_SILENT = 3
    PROGRAM_ABORTED = 4


def table(names: str) -> dict[int, str]:
    """Attribute numbers: from 1, in the order of the specification."""
    return dict(enumerate(names.split(), 1))


AGENT = table(
    "id name algorithm port_id timeout_ms silent flows programs isa_version"
    " max_instructions max_events"
)
PROGRAM = table(
    "id agent_id name events instructions cost report_fields registers bytes flows fallback"
)
UPDATE = table("class index value")
FLOW = table(
    "id agent_id program_id fallback_reason algorithm cookie family local_addr local_port"
    " remote_addr remote_port mss init_cwnd cwnd ssthresh rate srtt_us min_rtt_us in_flight"
    " delivered lost retransmits bytes_acked reports report_drops invocations aborts fallbacks"
    " updates age_ms adopted mptcp_token mptcp_subflow"
)
REPORT = table("flow_id program_id seq time_us fields cwnd rate")
STATS = table(
    "flows flows_created flows_refused invocations aborts reports report_drops events_dropped"
    " fallbacks commands command_errors agents programs"
)

SETS = {
    **dict.fromkeys((1, 2, 3, 4), AGENT),
    **dict.fromkeys((5, 6, 7, 8), PROGRAM),
    **dict.fromkeys((9, 10, 11, 13, 14, 15), FLOW),
    12: STATS,
    16: REPORT,
}

TEXT = {"name", "algorithm"}
ADDRESS = {"local_addr", "remote_addr"}
FLAGS = {"silent", "fallback", "adopted"}

NAME_MAX = 31
SO_RCVBUFFORCE = 33
CHUNK_MAX = 32752
MAX_INSTRUCTIONS = 4096
MAX_EVENTS = 256


def of(names: dict[int, str], name: str) -> int:
    return next(kind for kind, known in names.items() if known == name)


def decode(message: netlink.Message) -> SimpleNamespace:
    """A message as an object; what it doesn't carry is None (flags: False)."""
    names = SETS[message.command]
    values: dict[str, object] = {
        name: False if name in FLAGS else None for name in names.values()
    }
    for kind, payload in attrs(message.payload):
        name = names[kind]
        if name in TEXT:
            value: object = payload.rstrip(b"\0").decode()
        elif name in ADDRESS:
            kin = socket.AF_INET if len(payload) == 4 else socket.AF_INET6
            value = socket.inet_ntop(kin, payload)
        elif name in FLAGS:
            value = True
        elif name == "fields":
            value = [v for (v,) in struct.iter_unpack("=Q", payload)]
        elif name in ("events", "instructions"):
            value = payload
        else:
            value = number(payload)
        if name == "algorithm" and names is AGENT:
            values[name] = [*(values[name] or ()), value]  # type: ignore[misc]
        else:
            values[name] = value
    return SimpleNamespace(event=Cmd(message.command), **values)


@dataclass
class Update:
    kind: int
    index: int
    value: int

    def wire(self) -> bytes:
        return nest(
            of(FLOW, "updates"), u8(1, self.kind), u32(2, self.index), uint(3, self.value)
        )


CWND = (isa.IMPLICIT, 4)
RATE = (isa.IMPLICIT, 5)


def install_request(name: str, program: isa.Program) -> bytes:
    code = program.instructions
    chunks = [code[at : at + CHUNK_MAX] for at in range(0, len(code), CHUNK_MAX)]
    return genl(
        Cmd.PROGRAM_INSTALL,
        text(of(PROGRAM, "name"), name),
        attr(of(PROGRAM, "events"), program.events),
        *(attr(of(PROGRAM, "instructions"), chunk) for chunk in chunks),
    )


@dataclass
class Client:
    """One netlink socket that speaks to the module. Made in the network
    namespace the calling thread is in."""

    strict: bool = True
    queued: list[SimpleNamespace] = field(default_factory=list)
    info: SimpleNamespace | None = None

    def __post_init__(self) -> None:
        self.nl = netlink.Netlink(self.strict)
        # Tests often let events wait; those of overruns choose their own size.
        with contextlib.suppress(PermissionError):
            self.nl.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
        self.family = netlink.Family.resolve(self.nl, "ccp")

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.nl.close()

    def do(self, command: int, *parts: bytes) -> list[netlink.Message]:
        return self.nl.exchange(self.family.id, genl(command, *parts))

    def raw(self, body: bytes, flags: int = 0) -> list[netlink.Message]:
        return self.nl.exchange(self.family.id, body, flags)

    def dump(self, command: int) -> list[SimpleNamespace]:
        """A whole dump; `nl.interrupted` says whether the kernel flagged it."""
        found = self.nl.exchange(self.family.id, genl(command), netlink.NLM_F_DUMP)
        return [decode(message) for message in found]

    def dump_stepwise(self, command: int) -> Iterator[SimpleNamespace]:
        """A dump that goes on only as its objects are taken: the kernel fills
        the next buffer when the one before is read."""
        body = genl(command)
        flags = netlink.NLM_F_DUMP | netlink.NLM_F_REQUEST
        self.nl.send_raw(self.nl.header(self.family.id, flags, len(body)) + body)
        while True:
            for message in self.nl.receive():
                if message.kind == netlink.NLMSG_DONE:
                    return
                assert message.kind == self.family.id, message
                yield decode(message)

    def one(self, command: int, *parts: bytes) -> SimpleNamespace:
        (answer,) = self.do(command, *parts)
        return decode(answer)

    # Commands.

    def attach(self, name: str = "test", *algorithms: str) -> SimpleNamespace:
        return self.one(
            Cmd.AGENT_ATTACH,
            text(of(AGENT, "name"), name),
            *(text(of(AGENT, "algorithm"), a) for a in algorithms or ("test",)),
        )

    def detach(self) -> None:
        self.do(Cmd.AGENT_DETACH)

    def heartbeat(self) -> None:
        self.do(Cmd.AGENT_HEARTBEAT)

    def agents(self) -> list[SimpleNamespace]:
        return self.dump(Cmd.AGENT_GET)

    def install(self, name: str, program: isa.Program) -> SimpleNamespace:
        (answer,) = self.raw(install_request(name, program))
        return decode(answer)

    def remove(self, program: int) -> None:
        self.do(Cmd.PROGRAM_REMOVE, u32(of(PROGRAM, "id"), program))

    def program(self, program: int) -> SimpleNamespace:
        return self.one(Cmd.PROGRAM_GET, u32(of(PROGRAM, "id"), program))

    def programs(self) -> list[SimpleNamespace]:
        return self.dump(Cmd.PROGRAM_GET)

    def set_fallback(self, program: int | None) -> None:
        parts = [] if program is None else [u32(of(PROGRAM, "id"), program)]
        self.do(Cmd.FALLBACK_SET, *parts)

    def flow(self, flow: int) -> SimpleNamespace:
        return self.one(Cmd.FLOW_GET, uint(of(FLOW, "id"), flow))

    def flows(self) -> list[SimpleNamespace]:
        return self.dump(Cmd.FLOW_GET)

    def set_program(self, flow: int, program: int, *updates: Update) -> None:
        self.do(
            Cmd.FLOW_SET_PROGRAM,
            uint(of(FLOW, "id"), flow),
            u32(of(FLOW, "program_id"), program),
            *(u.wire() for u in updates),
        )

    def update(self, flow: int, *updates: Update) -> None:
        self.do(Cmd.FLOW_UPDATE, uint(of(FLOW, "id"), flow), *(u.wire() for u in updates))

    def stats(self) -> SimpleNamespace:
        return self.one(Cmd.STATS_GET)

    # Events.

    def join(self) -> None:
        self.nl.join(self.family.groups["events"])

    def next_event(self, timeout: float = 10.0) -> SimpleNamespace | None:
        """The next event, or None after `timeout` seconds without one."""
        if self.nl.events:
            return decode(self.nl.events.pop(0))
        batch = self.nl.receive(timeout)
        if not batch:
            return None
        self.nl.events += batch[1:]
        return decode(batch[0])

    def wait(
        self, event: Cmd, timeout: float = 10.0, **match: object
    ) -> SimpleNamespace:
        """The first event of that kind whose attributes match; those before
        it are kept in `queued`."""
        end = time.monotonic() + timeout
        while (left := end - time.monotonic()) >= 0:
            found = self.next_event(left)
            if found is None:
                break
            if found.event == event and all(
                getattr(found, name) == value for name, value in match.items()
            ):
                return found
            self.queued.append(found)
        seen = [e.event.name for e in self.queued[-20:]]
        raise AssertionError(f"no {event.name} {match} within {timeout} s; last seen: {seen}")

    def drain_overrun(self) -> tuple[list[SimpleNamespace], int]:
        return netlink.drain_overrun(lambda: self.next_event(0))

    def drain(self, wait: float = 0.0) -> list[SimpleNamespace]:
        return [decode(message) for message in netlink.drained(self.nl, wait)]
