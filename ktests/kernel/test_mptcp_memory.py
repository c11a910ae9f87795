# SPDX-License-Identifier: GPL-2.0
# Flavours: uml-debug
"""MPTCP connections while allocations fail: nothing breaks, nothing leaks (the
guest's end looks for leaks), what is lost shows."""

from __future__ import annotations

import contextlib
import time

from lab import Lab
from mptcp import Client, Event, Hosts, Pair
from netlink import NetlinkError
from test_memory import failing


def use(where: Hosts, client: Client, number: int) -> None:
    """A connection that is told to do something, and ends."""
    pair = Pair(where, accept=False)
    try:
        pair.sock.settimeout(5)
        pair.listener.settimeout(5)
        pair.accept()
        pair.peer.settimeout(5)
        pair.talk()
        for connection in client.connections():
            # Without memory anything may be said to fail.
            with contextlib.suppress(NetlinkError):
                client.announce(connection.token, 9, f"10.7.{number % 256}.1")
                for _ in range(10):
                    client.create(
                        connection.token, "10.0.2.1", "10.0.2.2", pair.port, loc_id=10
                    )
        pair.talk()
    finally:
        pair.close()


def test_allocations_fail(lab: Lab) -> None:
    where = lab.keep(Hosts())
    with where.a:
        client, listener = lab.keep(Client()), lab.keep(Client().join())
    listener.filter(*Event)
    for number in range(40):
        # What fails in TCP itself is not the subject.
        with contextlib.suppress(OSError, TimeoutError, NetlinkError), failing(5):
            use(where, client, number)
    time.sleep(70)
    found, _ = listener.drain()
    last: dict[int, int] = {}
    ended: set[int] = set()
    for event in found:
        assert event.seq > last.get(event.cmd, 0), "numbers arrive in their order"
        last[event.cmd] = event.seq
        assert event.token not in ended, f"{Event(event.cmd).name} after CLOSED"
        if event.cmd == Event.CLOSED:
            ended.add(event.token)
    counters = client.counters()
    counts = {entry.kind: entry.seq for entry in counters.events}
    assert counts[Event.CREATED] == counts[Event.CLOSED]
    assert sum(counts.values()) >= len(found) + counters.drops
    assert client.connections() == []
    # And without failures all is as ever.
    pair = lab.keep(Pair(where))
    pair.talk()
    listener.wait(Event.ESTABLISHED)
