# SPDX-License-Identifier: GPL-2.0
# Flavours: uml
"""CCID 5 when packets overtake each other. In the debug kernel the sender's
packets are not spaced well enough to say what overtakes what."""

from __future__ import annotations

import time

from dccp import SIZE, Connection, Sender
from lab import Lab


def test_slight_reordering_is_no_loss(lab: Lab) -> None:
    """Of packets 5 ms apart, or less after a late one, some overtake one or two;
    three would tell of a loss."""
    path = lab.path(delay_ms=100)
    connection = lab.keep(Connection(path, client=(5,), server=(5,)))
    connection.start(pause=0.005)
    # Until what waited in the beginning has gone.
    time.sleep(4)
    reorder = ("netem", "delay", "7ms", "reorder", "10%")
    path.r.run("tc", "qdisc", "add", "dev", "r1", "root", *reorder)
    got = connection.received
    time.sleep(5)
    assert connection.received - got > 900 * SIZE
    assert Sender.of(connection.a).p == 0, Sender.of(connection.a)
    reorder = ("netem", "delay", "32ms", "reorder", "10%")
    path.r.run("tc", "qdisc", "change", "dev", "r1", "root", *reorder)
    time.sleep(5)
    assert Sender.of(connection.a).p > 0, Sender.of(connection.a)
