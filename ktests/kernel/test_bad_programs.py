# SPDX-License-Identifier: GPL-2.0
"""Programs the kernel must refuse: right errno, a text that names the culprit,
and nothing changed."""

from __future__ import annotations

import contextlib
import errno
import random
import struct
from collections.abc import Iterator

import isa
from ccp import Client, Cmd, install_request
from isa import EVENT, Raw, bind, imm, ins, tmp
from lab import Lab, cases, raises
from netlink import NetlinkError, attr, genl, text

REPORT0 = (isa.VOLATILE_REPORT, 0)
GOOD = bind(isa.CWND, imm(14480))
TRUE = bind(isa.FLAG, imm(1))


def body(*code: bytes) -> Raw:
    """One event, always true, with this body. The first instruction of the
    body is number 1."""
    program = isa.Program().always(*code)
    return Raw(program.events, program.instructions)


def condition(*code: bytes) -> Raw:
    program = isa.Program().when(list(code), [GOOD])
    return Raw(program.events, program.instructions)


def defs(*code: bytes) -> Raw:
    program = isa.Program(list(code)).always(GOOD)
    return Raw(program.events, program.instructions)


def event(*numbers: int, code: bytes = TRUE + GOOD) -> Raw:
    return Raw(EVENT.pack(*numbers), code)


def define(register: isa.Operand, value: isa.Operand = (isa.IMMEDIATE, 0)) -> bytes:
    return ins(isa.DEF, register, register, value)


E2BIG, EINVAL = errno.E2BIG, errno.EINVAL

BAD: dict[str, tuple[Raw, int, tuple[str, ...]]] = {
    # Sizes and counts.
    "no_events": (Raw(b"", TRUE + GOOD), EINVAL, ("event",)),
    "no_instructions": (event(0, 1, 1, 1, code=b""), EINVAL, ("instructions",)),
    "events_cut": (Raw(EVENT.pack(0, 1, 1, 1)[:-1], TRUE + GOOD), EINVAL, ("15 bytes", "16")),
    "events_and_a_byte": (Raw(EVENT.pack(0, 1, 1, 1) + b"\0", TRUE + GOOD), EINVAL, ("17 bytes",)),
    "instructions_cut": (event(0, 1, 1, 1, code=(TRUE + GOOD)[:-1]), EINVAL, ("31 bytes",)),
    "too_many_events": (
        Raw(b"".join(EVENT.pack(2 * k, 1, 2 * k + 1, 1) for k in range(257)), (TRUE + GOOD) * 257),
        E2BIG, ("257 events", "256"),
    ),
    "too_many_instructions": (
        event(0, 1, 1, 4096, code=TRUE + GOOD * 4096), E2BIG, ("instructions", "4096"),
    ),
    # Ranges.
    "condition_past_end": (event(0, 3, 3, 0), EINVAL, ("event 0", "past")),
    "body_past_end": (event(0, 1, 1, 2), EINVAL, ("event 0", "past")),
    "counts_that_wrap": (event(0, 0xFFFFFFFF, 0, 2), EINVAL, ("event 0",)),
    "start_that_wraps": (event(0xFFFFFFFF, 1, 1, 1), EINVAL, ("event 0", "4294967295")),
    "body_start_elsewhere": (event(0, 1, 0, 1), EINVAL, ("event 0", "body")),
    "empty_condition": (event(0, 0, 0, 2), EINVAL, ("event 0", "condition")),
    "events_overlap": (
        Raw(EVENT.pack(0, 1, 1, 1) * 2, TRUE + GOOD), EINVAL, ("event 1", "condition"),
    ),
    "code_of_no_event": (event(0, 1, 1, 1, code=TRUE + GOOD * 2), EINVAL, ("from 2",)),
    "condition_without_flag": (condition(bind(tmp(0), imm(1))), EINVAL, ("instruction 0", "flag")),
    # Opcodes and classes.
    "unknown_opcode_15": (body(ins(15, isa.CWND, imm(1), imm(2))), EINVAL,
                          ("instruction 1", "opcode 15")),
    "unknown_opcode_255": (body(GOOD, ins(255, isa.CWND, imm(1), imm(2))), EINVAL,
                           ("instruction 2", "opcode 255")),
    "unknown_result_class": (body(bind((9, 0), imm(1))), EINVAL, ("instruction 1", "class 9")),
    "unknown_left_class": (body(ins(isa.ADD, isa.CWND, (200, 0), imm(1))), EINVAL,
                           ("instruction 1", "left", "class 200")),
    "unknown_right_class": (body(ins(isa.ADD, isa.CWND, imm(1), (77, 0))), EINVAL,
                            ("instruction 1", "right", "class 77")),
    "write_to_immediate": (body(bind(imm(3), imm(1))), EINVAL, ("instruction 1", "immediate")),
    "write_to_primitive": (body(bind(isa.NOW, imm(1))), EINVAL, ("instruction 1", "primitive")),
    # Indices, of each class and place.
    **{
        f"index_of_{name}": (body(bind((kind, limit), imm(1))), EINVAL,
                             ("instruction 1", "result", str(limit)))
        for name, kind, limit in (
            ("control", isa.CONTROL, 16), ("volatile_control", isa.VOLATILE_CONTROL, 16),
            ("report", isa.REPORT, 16), ("volatile_report", isa.VOLATILE_REPORT, 16),
            ("local", isa.LOCAL, 8), ("tmp", isa.TMP, 16), ("implicit", isa.IMPLICIT, 6),
        )
    },
    "index_read": (body(bind(isa.CWND, (isa.PRIMITIVE, 32))), EINVAL,
                   ("instruction 1", "right", "32")),
    "index_read_huge": (body(ins(isa.ADD, isa.CWND, (isa.LOCAL, 0xFFFFFFFF), imm(1))), EINVAL,
                        ("instruction 1", "left", "4294967295")),
    "index_of_implicit_huge": (body(bind((isa.IMPLICIT, 1 << 31), imm(1))), EINVAL,
                               ("instruction 1", "2147483648")),
    "tmp_never_written": (body(bind(isa.CWND, tmp(3))), EINVAL, ("instruction 1", "tmp", "3")),
    "tmp_of_the_condition": (
        Raw(EVENT.pack(0, 2, 2, 1), bind(tmp(0), imm(1)) + TRUE + bind(isa.CWND, tmp(0))),
        EINVAL, ("instruction 2", "tmp"),
    ),
    # Definitions.
    "def_in_body": (body(define(REPORT0)), EINVAL, ("instruction 1", "DEF")),
    "def_of_local": (defs(define((isa.LOCAL, 0))), EINVAL, ("instruction 0", "local")),
    "def_of_primitive": (defs(define(isa.NOW)), EINVAL, ("instruction 0", "primitive")),
    "def_by_register": (defs(define(REPORT0, isa.NOW)), EINVAL, ("instruction 0", "immediate")),
    "def_of_two": (defs(ins(isa.DEF, REPORT0, (isa.REPORT, 1), imm(0))), EINVAL,
                   ("instruction 0", "DEF")),
    "def_twice": (defs(define(REPORT0), define((isa.REPORT, 0))), EINVAL,
                  ("instruction 1", "twice")),
    # Skips only go forward, and not out of their range.
    "skip_of_nothing": (body(isa.skip(imm(0), 0), GOOD), EINVAL, ("instruction 1", "skip")),
    "skip_backward": (body(GOOD, isa.skip(imm(0), 0xFFFFFFFE), GOOD), EINVAL,
                      ("instruction 2", "past the end")),
    "skip_past_body": (body(isa.skip(imm(0), 3), GOOD), EINVAL, ("instruction 1", "past the end")),
    "skip_past_condition": (condition(isa.skip(imm(0), 2), TRUE), EINVAL, ("instruction 0",)),
    "skip_of_the_flag": (condition(isa.skip(imm(0), 1), TRUE), EINVAL, ("instruction",)),
    "skip_by_register": (body(ins(isa.SKIPZ, isa.FLAG, imm(0), isa.NOW), GOOD), EINVAL,
                         ("instruction 1", "immediate")),
    "tmp_after_skip": (
        body(isa.skip(isa.NOW, 1), bind(tmp(0), imm(1)), bind(isa.CWND, tmp(0))),
        EINVAL, ("instruction 3", "tmp"),
    ),
}  # fmt: skip


@contextlib.contextmanager
def unchanged(client: Client) -> Iterator[None]:
    before = (client.agents(), client.programs(), client.flows(), client.stats())
    yield
    after = (client.agents(), client.programs(), client.flows(), client.stats())
    assert before[:3] == after[:3]
    assert (before[3].programs, before[3].agents) == (after[3].programs, after[3].agents)


def agent_with_one(lab: Lab) -> Client:
    # In the first namespace: to make another takes longer than the test.
    agent = lab.keep(Client())
    agent.attach()
    agent.install("good", isa.empty())
    return agent


@cases(what=list(BAD))
def test_refused(lab: Lab, what: str) -> None:
    program, code, words = BAD[what]
    agent = agent_with_one(lab)
    with unchanged(agent), raises(code, *words):
        agent.raw(install_request("bad", program))
    # The agent goes on as if nothing had been.
    made = agent.install("fine", isa.reporter(isa.NOW))
    agent.remove(made.id)


def test_one_instruction_too_few_and_just_enough(lab: Lab) -> None:
    """The limits themselves are allowed."""
    agent = agent_with_one(lab)
    most = agent.raw(install_request("most", event(0, 1, 1, 4095, code=TRUE + GOOD * 4095)))
    assert most
    many = Raw(b"".join(EVENT.pack(k, 1, k + 1, 0) for k in range(256)), TRUE * 256)
    assert agent.raw(install_request("many", many))
    by_name = {p.name: p for p in agent.programs()}
    assert by_name["most"].cost == 4096
    assert by_name["many"].cost == 256


def test_chunks(lab: Lab) -> None:
    """Instructions may come in several attributes, cut anywhere."""
    agent = agent_with_one(lab)
    program = isa.reporter(isa.NOW, isa.MSS)
    code = program.instructions
    whole = agent.install("whole", program)
    cut = genl(
        Cmd.PROGRAM_INSTALL, text(3, "cut"), attr(4, program.events),
        attr(5, code[:7]), attr(5, code[7:40]), attr(5, b""), attr(5, code[40:]),
    )  # fmt: skip
    agent.raw(cut)
    parts = {p.name: (p.cost, p.registers, p.report_fields, p.bytes) for p in agent.programs()}
    assert parts["cut"] == parts["whole"]
    assert whole.report_fields == 2


def test_random_programs(lab: Lab) -> None:
    """Whatever the bytes, the answer is yes or a reason."""
    agent = agent_with_one(lab)
    dice = random.Random(20)
    refused = 0
    for round_ in range(300):
        count = dice.randrange(1, 12)
        code = b"".join(
            struct.pack(
                "<BBIBIBI",
                dice.choice([dice.randrange(15), dice.randrange(32, 44), dice.randrange(256)]),
                *(v for _ in range(3) for v in (dice.randrange(10), dice.randrange(18))),
            )
            for _ in range(count)
        )
        split = dice.randrange(1, count + 1)
        program = Raw(EVENT.pack(0, split, split, count - split), code)
        try:
            agent.raw(install_request(f"r{round_}", program))
        except NetlinkError as error:
            refused += 1
            assert error.code in (EINVAL, E2BIG), error
            assert error.text, f"no reason for {program}"
    assert refused > 200
