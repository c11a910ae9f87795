# SPDX-License-Identifier: GPL-2.0
"""Agents and Portus clients that come all the time, also while the module is
being loaded. If its init fails it is freed, whoever has got hold of something
of it: nobody may have."""

from __future__ import annotations

import collections
import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import isa
import portus
from ccp import Client
from netlink import NetlinkError
from portus import NLMSG

AVAILABLE = Path("/proc/sys/net/ipv4/tcp_available_congestion_control")
STEP = 0.02


def attach() -> None:
    with Client() as client:
        client.attach("agent", "early")


def open_device() -> None:
    os.close(os.open(portus.DEVICE, os.O_RDWR))


def install() -> None:
    """What a client says that was called by the module before."""
    raw = portus.install(1, isa.empty())
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, portus.NETLINK_USERSOCK) as sock:
        sock.bind((0, 0))
        sock.setsockopt(270, 1, portus.GROUP)
        sock.send(NLMSG.pack(NLMSG.size + len(raw), 0, 0, 0, 0) + raw)


@contextlib.contextmanager
def meanwhile(*works: Callable[[], None]) -> Iterator[collections.Counter]:
    """Each of the works again and again; counts how they end."""
    seen: collections.Counter = collections.Counter()
    end = threading.Event()

    def repeat(work: Callable[[], None]) -> None:
        while not end.is_set():
            try:
                work()
                seen[work.__name__, 0] += 1
            except NetlinkError as error:
                seen[work.__name__, error.code] += 1
            except OSError as error:
                seen[work.__name__, error.errno] += 1
            time.sleep(STEP)

    threads = [threading.Thread(target=repeat, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        end.set()
        for thread in threads:
            thread.join()


def names() -> list[str]:
    """Looks at all congestion controls that TCP knows."""
    return [name for name in AVAILABLE.read_text().split() if name.startswith("ccp")]
