# SPDX-License-Identifier: GPL-2.0
"""Malformed messages and impossible commands: right errno, a text that names
the culprit, and nothing changed."""

from __future__ import annotations

import errno
import random

import isa
from ccp import FLOW, PROGRAM, Client, Cmd, Update, install_request, of
from lab import Lab, raises, wait_for
from netlink import (
    GENL, HEADER, NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NetlinkError, attr, genl, nest, text,
    u8, u32, u64, uint,
)  # fmt: skip
from test_bad_programs import unchanged
from traffic import MSS

EINVAL, ENOENT, ERANGE = errno.EINVAL, errno.ENOENT, errno.ERANGE
FLOW_ID, PROGRAM_ID = of(FLOW, "id"), of(FLOW, "program_id")
UPDATES = of(FLOW, "updates")
RTT = 0.1


class Scene:
    """An agent with a program and a flow that runs it."""

    def __init__(self, lab: Lab) -> None:
        self.path = lab.path(delay_ms=RTT * 1000)
        self.agent = lab.agent(self.path.a)
        self.flow = lab.flow(self.path)
        self.id = self.agent.wait(Cmd.FLOW_CREATED).id
        program = isa.fixed_cwnd(20 * MSS).define((isa.VOLATILE_CONTROL, 1), 3)
        self.program = self.agent.install("held", program)
        self.agent.set_program(self.id, self.program.id)

    def same(self):
        return unchanged(self.agent)

    def refused(self, code: int, *words: str):
        """Refused, and nothing changed."""
        return Refused(self, code, words)


class Refused:
    def __init__(self, scene: Scene, code: int, words: tuple[str, ...]) -> None:
        self.checks = [scene.same(), raises(code, *words)]

    def __enter__(self) -> None:
        for check in self.checks:
            check.__enter__()

    def __exit__(self, *error) -> bool:
        expected = self.checks[1].__exit__(*error)
        self.checks[0].__exit__(None, None, None)
        return expected


def test_missing_attributes(lab: Lab) -> None:
    scene = Scene(lab)
    agent = scene.agent
    whole = {
        Cmd.AGENT_ATTACH: {"name": text(2, "x")},
        Cmd.PROGRAM_INSTALL: {
            "name": text(3, "x"),
            "events": attr(4, isa.empty().events),
            "instructions": attr(5, isa.empty().instructions),
        },
        Cmd.PROGRAM_REMOVE: {"id": u32(1, scene.program.id)},
        Cmd.PROGRAM_GET: {"id": u32(1, scene.program.id)},
        Cmd.FLOW_GET: {"id": uint(1, scene.id)},
        Cmd.FLOW_SET_PROGRAM: {"id": uint(1, scene.id), "program-id": u32(3, scene.program.id)},
        Cmd.FLOW_UPDATE: {
            "id": uint(1, scene.id),
            "updates": Update(isa.CONTROL, 0, 1).wire(),
        },
    }
    for command, parts in whole.items():
        for left_out in parts:
            with scene.refused(EINVAL, left_out):
                agent.do(command, *(part for name, part in parts.items() if name != left_out))


def test_lengths_of_attributes(lab: Lab) -> None:
    scene = Scene(lab)
    agent = scene.agent
    flow, program = uint(1, scene.id), u32(3, scene.program.id)
    wrong = [
        # Integers too short, too long.
        genl(Cmd.FLOW_SET_PROGRAM, flow, attr(3, b"\1\0")),
        genl(Cmd.FLOW_SET_PROGRAM, flow, attr(3, b"\1\0\0\0\0")),
        genl(Cmd.FLOW_SET_PROGRAM, attr(1, b"\1\0\0"), program),
        genl(Cmd.FLOW_SET_PROGRAM, attr(1, b""), program),
        genl(Cmd.FLOW_GET, attr(1, bytes(12))),
        genl(Cmd.PROGRAM_GET, attr(1, b"")),
        genl(Cmd.FLOW_UPDATE, flow, nest(UPDATES, attr(1, b"\0\0"), u32(2, 0), uint(3, 1))),
        genl(Cmd.FLOW_UPDATE, flow, nest(UPDATES, u8(1, 0), attr(2, b"\0"), uint(3, 1))),
        genl(Cmd.FLOW_UPDATE, flow, nest(UPDATES, u8(1, 0), u32(2, 0), attr(3, b"\0" * 7))),
        # An attribute that says it is longer than the message, or shorter
        # than its own header.
        genl(Cmd.FLOW_SET_PROGRAM, flow, attr(3, b"\1\0\0\0", length=64)),
        genl(Cmd.FLOW_SET_PROGRAM, flow, attr(3, b"\1\0\0\0", length=3)),
        genl(Cmd.FLOW_SET_PROGRAM, flow, attr(3, b"\1\0\0\0", length=0)),
        genl(Cmd.FLOW_UPDATE, flow, attr(UPDATES | 0x8000, attr(1, b"\0", length=60))),
        # Nests that aren't.
        genl(Cmd.FLOW_UPDATE, flow, attr(UPDATES, Update(0, 0, 1).wire()[4:])),
        genl(Cmd.FLOW_UPDATE, flow, attr(UPDATES | 0x8000, b"\1")),
        # Bytes after the last attribute.
        genl(Cmd.FLOW_SET_PROGRAM, flow, program) + b"\0\0",
        # Strings: without NUL, with more than one, empty.
        install_request("x" * 32, isa.empty()),
        genl(Cmd.AGENT_ATTACH, attr(2, b"x")),
        genl(Cmd.AGENT_ATTACH, attr(2, b"")),
        genl(Cmd.AGENT_ATTACH, text(2, "x" * 32)),
        genl(Cmd.AGENT_ATTACH, text(2, "x"), text(3, "a" * 17)),
        # Types of another command, and of none.
        genl(Cmd.FLOW_GET, flow, u32(3, 1)),
        genl(Cmd.FLOW_GET, flow, u32(31, 1)),
        genl(Cmd.FLOW_GET, flow, u32(9999, 1)),
        genl(Cmd.FLOW_GET, u32(0, 1)),
        # Commands without attributes that get some.
        genl(Cmd.AGENT_HEARTBEAT, u32(1, 1)),
        genl(Cmd.STATS_GET, u32(1, 1)),
    ]
    with scene.same():
        for body in wrong:
            try:
                agent.raw(body)
            except NetlinkError as error:
                assert error.code in (EINVAL, ERANGE), f"{body.hex()}: {error}"
                assert error.text, f"no reason for {body.hex()}: {error}"
            else:
                raise AssertionError(f"accepted: {body.hex()}")
    assert scene.agent.flow(scene.id).program_id == scene.program.id


def test_messages_cut_short(lab: Lab) -> None:
    """Each prefix of a good message, with a header that tells the truth, and
    with one that doesn't. No answer may be the wrong one: silence and errors
    are both right."""
    scene = Scene(lab)
    nl = scene.agent.nl
    body = genl(Cmd.FLOW_UPDATE, uint(1, scene.id), Update(isa.CONTROL, 7, 1).wire())
    flags = NLM_F_REQUEST | NLM_F_ACK
    with scene.same():
        for cut in range(len(body)):
            # Honest.
            nl.send_raw(nl.header(scene.agent.family.id, flags, cut) + body[:cut])
            try:
                nl.answers(b"")
            except NetlinkError as error:
                assert error.code in (EINVAL, ERANGE, ENOENT, errno.EOPNOTSUPP), error
            else:
                raise AssertionError(f"accepted at {cut} bytes")
            # The header promises more than comes: not a message at all.
            nl.send_raw(nl.header(scene.agent.family.id, flags, len(body)) + body[:cut])
            assert nl.receive(0) == []
            # The header says less than its own size.
            nl.send_raw(HEADER.pack(cut % 16, scene.agent.family.id, flags, 1, 0) + body[:cut])
            assert nl.receive(0) == []
    assert scene.agent.flow(scene.id).program_id == scene.program.id


def test_oversized(lab: Lab) -> None:
    scene = Scene(lab)
    agent = scene.agent
    with scene.refused(ERANGE):
        agent.do(
            Cmd.PROGRAM_INSTALL, text(3, "x"), attr(4, isa.empty().events), attr(5, bytes(40000))
        )
    with scene.refused(errno.E2BIG, "instructions", "4096"):
        chunk = attr(5, isa.empty().instructions * 1000)
        agent.do(Cmd.PROGRAM_INSTALL, text(3, "x"), attr(4, isa.empty().events), *[chunk] * 5)
    # Far more than any limit: 200 KiB in one message.
    with scene.refused(errno.E2BIG, "instructions"):
        agent.do(
            Cmd.PROGRAM_INSTALL, text(3, "x"), attr(4, isa.empty().events),
            *[attr(5, bytes(32000))] * 6,
        )  # fmt: skip
    with scene.refused(errno.E2BIG, "updates"):
        agent.update(scene.id, *[Update(isa.CONTROL, 0, 1)] * 1000)
    other = lab.client(scene.path.a)
    with scene.refused(errno.E2BIG, "algorithms"):
        other.attach("many", *(f"a{k}" for k in range(1000)))


def test_fuzzed(lab: Lab) -> None:
    """Good messages with a few wrong bytes, by a fixed seed. The module may
    answer what it likes and must go on."""
    scene = Scene(lab)
    agent = scene.agent
    dice = random.Random(5)
    seeds = [
        install_request("f", isa.reporter(isa.NOW, isa.MSS)),
        genl(Cmd.FLOW_SET_PROGRAM, uint(1, scene.id), u32(3, 1), Update(0, 0, 9).wire()),
        genl(Cmd.FLOW_UPDATE, u64(1, scene.id), Update(2, 4, 9).wire(), Update(8, 1, 9).wire()),
        genl(Cmd.AGENT_ATTACH, text(2, "f"), text(3, "g"), text(3, "h")),
        genl(Cmd.PROGRAM_GET, u32(1, 1)),
        genl(Cmd.FLOW_GET, uint(1, scene.id)),
    ]
    for _ in range(600):
        body = bytearray(dice.choice(seeds))
        for _ in range(dice.randrange(1, 4)):
            # Not the command itself, so that nothing legal happens to agents.
            body[dice.randrange(GENL.size, len(body))] = dice.choice((0, 1, 4, 0x7F, 0x80, 0xFF))
        for flags in (0, NLM_F_DUMP) if dice.randrange(8) == 0 else (0,):
            try:
                agent.raw(bytes(body), flags)
            except NetlinkError as error:
                assert error.code in errno.errorcode
    assert agent.flow(scene.id).id == scene.id
    scene.flow.start(50 * MSS).wait()


def test_updates(lab: Lab) -> None:
    scene = Scene(lab)
    agent = scene.agent
    good = Update(isa.CONTROL, 0, 30 * MSS)
    bad = {
        "unknown control": (Update(isa.CONTROL, 2, 1), ("control", "2")),
        "control far out": (Update(isa.CONTROL, 0xFFFFFFFF, 1), ("4294967295",)),
        "volatile control far out": (Update(isa.VOLATILE_CONTROL, 16, 1), ("16",)),
        "immediate": (Update(isa.IMMEDIATE, 0, 1), ("class 1",)),
        "local": (Update(isa.LOCAL, 0, 1), ("class 3",)),
        "primitive": (Update(isa.PRIMITIVE, 0, 1), ("class 4",)),
        "volatile report": (Update(isa.VOLATILE_REPORT, 0, 1), ("class 5",)),
        "report": (Update(isa.REPORT, 0, 1), ("class 6",)),
        "tmp": (Update(isa.TMP, 0, 1), ("class 7",)),
        "event flag": (Update(isa.IMPLICIT, 0, 1), ("implicit", "0")),
        "micros": (Update(isa.IMPLICIT, 3, 1), ("implicit", "3")),
        "implicit far out": (Update(isa.IMPLICIT, 6, 1), ("implicit", "6")),
    }
    for update, words in bad.values():
        # All or none: the good one before it has no effect either.
        with scene.refused(EINVAL, *words):
            agent.update(scene.id, good, update)
        with scene.refused(EINVAL, *words):
            agent.set_program(scene.id, scene.program.id, good, update)
    with scene.same():
        for kind in (9, 255):
            try:
                agent.update(scene.id, Update(kind, 0, 1))
            except NetlinkError as error:
                assert error.code in (EINVAL, ERANGE), error
                assert error.text
            else:
                raise AssertionError(f"class {kind} accepted")
    for parts in (
        (u32(2, 0), uint(3, 1)),
        (u8(1, 0), uint(3, 1)),
        (u8(1, 0), u32(2, 0)),
        (),
    ):
        with scene.refused(EINVAL, "update"):
            agent.do(Cmd.FLOW_UPDATE, uint(FLOW_ID, scene.id), nest(UPDATES, *parts))
    scene.flow.start(200 * MSS)
    wait_for("traffic", lambda: scene.flow.info().bytes_acked > 50 * MSS)
    assert scene.flow.info().cwnd == 20


def test_commands_without_attach(lab: Lab) -> None:
    scene = Scene(lab)
    other = lab.client(scene.path.a)
    for work in (
        lambda: other.install("x", isa.empty()),
        lambda: other.remove(scene.program.id),
        lambda: other.set_program(scene.id, scene.program.id),
        lambda: other.update(scene.id, Update(isa.CONTROL, 0, 1)),
        other.heartbeat,
        other.detach,
    ):
        with scene.refused(errno.ENOTCONN, "attach"):
            work()


def test_attach_twice(lab: Lab) -> None:
    scene = Scene(lab)
    with scene.refused(errno.EEXIST, f"agent {scene.agent.info.id}"):
        scene.agent.attach("again")


def test_names(lab: Lab) -> None:
    scene = Scene(lab)
    agent = scene.agent
    with scene.refused(errno.EEXIST, f"program {scene.program.id}", "name"):
        agent.install("held", isa.empty())
    for name in ("", "two words", "line\n", "tab\t", "\x7f", "gr\u00fc\u00df"):
        with scene.refused(EINVAL, "name"):
            agent.install(name, isa.empty())
        with scene.refused(EINVAL, "name"):
            lab.agent(scene.path.a, name)
    # Another agent's programs have names of their own.
    other = lab.agent(scene.path.a, "other")
    assert other.install("held", isa.empty()).name == "held"
    assert agent.install("x" * 31, isa.empty()).name == "x" * 31


def test_dead_and_foreign(lab: Lab) -> None:
    scene = Scene(lab)
    agent, gone = scene.agent, scene.id + 1000
    update = Update(isa.CONTROL, 0, 1)
    for flow in (0, gone, 1 << 63, (1 << 64) - 1):
        for work in (
            lambda: agent.flow(flow),  # noqa: B023
            lambda: agent.update(flow, update),  # noqa: B023
            lambda: agent.set_program(flow, scene.program.id),  # noqa: B023
        ):
            with scene.refused(ENOENT, f"flow {flow}"):
                work()
    for program in (scene.program.id + 1000, 0xFFFFFFFF):
        for work in (
            lambda: agent.program(program),  # noqa: B023
            lambda: agent.remove(program),  # noqa: B023
            lambda: agent.set_program(scene.id, program),  # noqa: B023
            lambda: agent.set_fallback(program),  # noqa: B023
        ):
            with scene.refused(ENOENT, f"program {program}"):
                work()
    scene.flow.stop()
    agent.wait(Cmd.FLOW_CLOSED, id=scene.id)
    for work in (
        lambda: agent.flow(scene.id),
        lambda: agent.update(scene.id, update),
        lambda: agent.set_program(scene.id, scene.program.id),
    ):
        with scene.refused(ENOENT, f"flow {scene.id}"):
            work()


def test_program_in_use(lab: Lab) -> None:
    scene = Scene(lab)
    agent = scene.agent
    with scene.refused(errno.EBUSY, f"program {scene.program.id}", "1 flow"):
        agent.remove(scene.program.id)
    other = agent.install("other", isa.empty())
    agent.set_program(scene.id, other.id)
    agent.remove(scene.program.id)
    with scene.refused(ENOENT, f"program {scene.program.id}"):
        agent.set_program(scene.id, scene.program.id)
    assert agent.flow(scene.id).program_id == other.id
    # Not those of another agent, either.
    thief = lab.agent(scene.path.a, "thief")
    with scene.refused(errno.EPERM, f"program {other.id}"):
        thief.remove(other.id)
    with scene.refused(errno.EPERM, f"flow {scene.id}"):
        thief.update(scene.id, Update(isa.CONTROL, 0, 1))
    own = thief.install("own", isa.empty())
    with scene.refused(errno.EPERM, f"flow {scene.id}"):
        thief.set_program(scene.id, own.id)


def test_dumps_with_attributes(lab: Lab) -> None:
    """Dumps take none, in strict checking."""
    scene = Scene(lab)
    client: Client = scene.agent
    for command in (Cmd.AGENT_GET, Cmd.PROGRAM_GET, Cmd.FLOW_GET):
        assert client.dump(command)
        with scene.refused(EINVAL):
            client.raw(genl(command, u32(of(PROGRAM, "id"), 1)), NLM_F_DUMP)
    # Commands that have no dump.
    with scene.refused(errno.EOPNOTSUPP):
        client.raw(genl(Cmd.STATS_GET), NLM_F_DUMP)
