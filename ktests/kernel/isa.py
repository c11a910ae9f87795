# SPDX-License-Identifier: GPL-2.0
"""Programs in wire form, assembled by hand.

The layout is libccp's: 16-byte event descriptors, 16-byte instructions, all
DEF instructions first.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

INSTRUCTION = struct.Struct("<BBIBIBI")
EVENT = struct.Struct("<IIII")

ADD, BIND, DEF, DIV, EQUIV, EWMA, GT, IF, LT, MAX, MAXWRAP, MIN, MUL, NOTIF, SUB = range(15)

CONTROL, IMMEDIATE, IMPLICIT, LOCAL, PRIMITIVE = range(5)
VOLATILE_REPORT, REPORT, TMP, VOLATILE_CONTROL = range(5, 9)

Operand = tuple[int, int]

FLAG: Operand = (IMPLICIT, 0)
CONTINUE: Operand = (IMPLICIT, 1)
SHOULD_REPORT: Operand = (IMPLICIT, 2)
MICROS: Operand = (IMPLICIT, 3)
CWND: Operand = (IMPLICIT, 4)
RATE: Operand = (IMPLICIT, 5)

BYTES_ACKED: Operand = (PRIMITIVE, 0)
ECN_PACKETS: Operand = (PRIMITIVE, 3)
LOST_PACKETS: Operand = (PRIMITIVE, 4)
NOW: Operand = (PRIMITIVE, 5)
PACKETS_ACKED: Operand = (PRIMITIVE, 6)
BYTES_IN_FLIGHT: Operand = (PRIMITIVE, 8)
RATE_INCOMING: Operand = (PRIMITIVE, 11)
RATE_OUTGOING: Operand = (PRIMITIVE, 12)
RTT_SAMPLE: Operand = (PRIMITIVE, 13)
WAS_TIMEOUT: Operand = (PRIMITIVE, 14)
SRTT: Operand = (PRIMITIVE, 15)
MIN_RTT: Operand = (PRIMITIVE, 16)
MSS: Operand = (PRIMITIVE, 17)


def imm(value: int) -> Operand:
    return (IMMEDIATE, value)


def tmp(index: int) -> Operand:
    return (TMP, index)


def ins(opcode: int, result: Operand, left: Operand, right: Operand) -> bytes:
    return INSTRUCTION.pack(opcode, *result, *left, *right)


def bind(result: Operand, value: Operand) -> bytes:
    return ins(BIND, result, result, value)


@dataclass
class Program:
    """`define` registers first, then `when` for each event."""

    defs: list[bytes] = field(default_factory=list)
    clauses: list[tuple[list[bytes], list[bytes]]] = field(default_factory=list)

    def define(self, register: Operand, value: int = 0) -> Program:
        self.defs.append(ins(DEF, register, register, imm(value)))
        return self

    def when(self, condition: list[bytes], body: list[bytes]) -> Program:
        self.clauses.append((condition, body))
        return self

    def always(self, *body: bytes) -> Program:
        return self.when([bind(FLAG, imm(1))], list(body))

    @property
    def instructions(self) -> bytes:
        code = list(self.defs)
        for condition, body in self.clauses:
            code += condition + body
        return b"".join(code)

    @property
    def events(self) -> bytes:
        at = len(self.defs)
        out = b""
        for condition, body in self.clauses:
            out += EVENT.pack(at, len(condition), at + len(condition), len(body))
            at += len(condition) + len(body)
        return out


def reporter(*values: Operand, every: int = 1) -> Program:
    """Leaves cwnd alone and reports `values` on every ACK."""
    program = Program()
    for index, _ in enumerate(values):
        program.define((VOLATILE_REPORT, index))
    body = [bind((VOLATILE_REPORT, index), value) for index, value in enumerate(values)]
    return program.always(*body, bind(SHOULD_REPORT, imm(every)))


def counter(*values: Operand) -> Program:
    """Adds `values` up in non-volatile registers, reports on every ACK."""
    program = Program()
    body = []
    for index, value in enumerate(values):
        program.define((REPORT, index))
        body.append(ins(ADD, (REPORT, index), (REPORT, index), value))
    return program.always(*body, bind(SHOULD_REPORT, imm(1)))


def fixed_cwnd(cwnd: int, *values: Operand) -> Program:
    """Holds cwnd at the value of control register 0 (`cwnd` bytes at first)."""
    program = Program().define((CONTROL, 0), cwnd)
    for index, _ in enumerate(values):
        program.define((VOLATILE_REPORT, index))
    body = [bind((VOLATILE_REPORT, index), value) for index, value in enumerate(values)]
    return program.always(bind(CWND, (CONTROL, 0)), *body, bind(SHOULD_REPORT, imm(1)))


def empty() -> Program:
    """The shortest program: one event that does nothing."""
    return Program().always()

SKIPZ = 38
CONST = 39
DEF64 = 40


def skip(condition: Operand, count: int) -> bytes:
    """Skips the next `count` instructions when `condition` is 0."""
    return ins(SKIPZ, FLAG, condition, imm(count))


@dataclass
class Raw:
    """A program as bytes, however wrong."""

    events: bytes
    instructions: bytes
