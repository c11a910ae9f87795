# SPDX-License-Identifier: GPL-2.0
# Flavours: uml-debug
"""The module's init fails, late or for want of memory, while agents and Portus
clients come."""

from __future__ import annotations

import ctypes
import errno
import os

import early
from lab import DEBUGFS, Lab

MODULE_PARAMS = "portus=1"
FAILSLAB = DEBUGFS / "failslab"
SYS_FINIT_MODULE = 313
MANY = 100_000
PORTUS = range(180, 250, 3)
"""Allocations of what Portus clients come to, counted from the last one of init.
Without some others the kernel itself leaks or complains."""

LIBC = ctypes.CDLL(None, use_errno=True)


def load(module: int, fails: int) -> tuple[int, int]:
    """Loads it with an allocation that fails: the errno, and how many more
    allocations it would have taken to get to that one."""
    nth = os.open("/proc/thread-self/fail-nth", os.O_RDWR)
    try:
        os.write(nth, str(fails).encode())
        failed = LIBC.syscall(SYS_FINIT_MODULE, module, MODULE_PARAMS.encode(), 0)
        code = ctypes.get_errno() if failed else 0
        left = int(os.pread(nth, 16, 0).rstrip(b"\n\0"))
        os.write(nth, b"0")
        return code, left
    finally:
        os.close(nth)


def test_init_that_fails_late(lab: Lab) -> None:
    """CCID 5 has a number that can't be: the hooks before it are there by then."""
    lab.module.remove()
    lab.ends.callback(lab.module.load, MODULE_PARAMS)
    with early.meanwhile(early.attach, early.open_device, early.install) as seen:
        for _ in range(20):
            try:
                lab.module.load(f"{MODULE_PARAMS} ccid5_number=3")
            except RuntimeError as error:
                assert "Invalid" in str(error), error
            else:
                raise AssertionError("loaded")
            assert not lab.module.loaded
            assert early.names() == []
    # They came while init was undone, and were sent away.
    assert seen["attach", errno.EAGAIN] >= 20, seen
    assert seen["open_device", errno.ENXIO] > 0, seen
    assert seen["attach", 0] == seen["open_device", 0] == 0, seen


def test_clients_while_init_fails(lab: Lab) -> None:
    lab.module.remove()
    (FAILSLAB / "ignore-gfp-wait").write_text("N")
    (FAILSLAB / "verbose").write_text("0")
    module = os.open(lab.module.path, os.O_RDONLY)
    lab.ends.callback(lab.module.load, MODULE_PARAMS)
    refused = 0
    try:
        code, left = load(module, MANY)
        assert code == 0, os.strerror(code)
        lab.module.remove()
        with early.meanwhile(early.attach, early.open_device, early.install):
            for before_last in PORTUS:
                code, _ = load(module, MANY - left - before_last)
                refused += code != 0
                if code == 0:
                    lab.module.remove()
                assert not lab.module.loaded
                assert early.names() == []
    finally:
        os.close(module)
        (FAILSLAB / "ignore-gfp-wait").write_text("Y")
    assert refused > 5, refused
