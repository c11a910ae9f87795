# SPDX-License-Identifier: GPL-2.0
"""Serving flows: `start`, and `connect` as the seed of this API calls it."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator
from typing import Any

from . import _pyccp, algorithm
from .errors import CompileError

TRANSPORTS = ("netlink", "genl", "generic netlink", "unix", "char", "chardev")
"""Ways to the datapath that agents of portus can choose; all are taken, and
mean the generic netlink family "ccp"."""


def log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


@contextlib.contextmanager
def ended_by(number: int) -> Iterator[None]:
    """A signal that would end the process is like Ctrl-C meanwhile."""
    try:
        default = signal.getsignal(number) == signal.SIG_DFL
        if default:
            signal.signal(number, signal.default_int_handler)
    except ValueError:  # Only the main thread may.
        default = False
    try:
        yield
    finally:
        if default:
            signal.signal(number, signal.SIG_DFL)


def start(
    ipc: str,
    alg: Any,
    identifier: str | None = None,
    *,
    debug: bool = False,
    blocking: bool = True,
    name: str | None = None,
) -> dict[str, int]:
    """Serves every flow that is given to the algorithm, until Ctrl-C or SIGTERM.

    `alg` is a class or an object (see AlgBase), `name` what the algorithm is
    called, by default its attribute `name` or its class's. With `debug` reports
    and commands are logged. `identifier` and `blocking` have no meaning here.

    Gives what was done, in numbers.
    """
    del identifier, blocking
    if ipc not in TRANSPORTS:
        raise ValueError(f"no such ipc type: {ipc!r}; there are {', '.join(TRANSPORTS)}")
    found = algorithm.of(alg, name)
    with ended_by(signal.SIGTERM):
        return _pyccp.run(found.name, found.programs, found.new_flow, log, debug)


def connect(
    ipc: str, cls: Any, debug: bool = False, blocking: bool = True, *, name: str | None = None
) -> dict[str, int]:
    """`start`, with the arguments in the order of portus's first Python API."""
    return start(ipc, cls, debug=debug, blocking=blocking, name=name)


def try_compile(source: str) -> str:
    """What is wrong with a datapath program; nothing is the empty string."""
    try:
        _pyccp.compile(source)
    except CompileError as error:
        return error.message
    return ""
