# SPDX-License-Identifier: GPL-2.0
# Flavours: uml-debug
"""CCID 5 while allocations fail, by fault injection: handshakes fail and reports
are missed, nothing breaks and nothing leaks."""

from __future__ import annotations

import contextlib
import time

from dccp import Connection, Sender
from lab import Lab
from test_memory import failing

RTT = 0.02


def test_handshakes(lab: Lab) -> None:
    """Some work; after those that don't nothing is left."""
    path = lab.path(delay_ms=RTT * 1000)
    made = 0
    for _ in range(40):
        with failing(2), contextlib.suppress(OSError):
            connection = Connection(path, client=(5,), server=(5,))
            made += 1
            connection.close()
    assert 0 < made < 40, made
    lab.keep(Connection(path, client=(5,), server=(5,)))


def test_traffic(lab: Lab) -> None:
    path = lab.path(delay_ms=RTT * 1000, rate_mbit=4, queue=50)
    connection = lab.keep(Connection(path, client=(5,), server=(5,)).both_ways(0.01))
    with failing(10):
        time.sleep(10)
    got = connection.received
    time.sleep(20)
    assert connection.received > got, Sender.of(connection.a)
