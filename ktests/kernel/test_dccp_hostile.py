# SPDX-License-Identifier: GPL-2.0
"""CCID 5 with peers that lie, and with ends that come at a bad time."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import struct
import time

import dccp
from dccp import SIZE, SOL_DCCP, Connection, Sender, chosen, refused, set_flows
from lab import Lab, cases, debug_kernel, in_child, wait_for
from net import Route

RTT = 0.02
ACK, DATAACK = 3, 4


def connect(lab: Lab) -> tuple[Route, Connection]:
    path = lab.path(delay_ms=RTT * 1000)
    return path, lab.keep(Connection(path, client=(5,), server=(5,)))


def report(interval: int, rate: int, lost: int, exact: int) -> bytes:
    """A receiver's options."""
    values = {
        192: struct.pack("!I", interval),
        194: struct.pack("!I", rate),
        248: struct.pack("!I", lost),
        249: struct.pack("!Q", exact)[2:],
    }
    return b"".join(bytes([number, len(v) + 2]) + v for number, v in values.items())


MOST32, MOST48 = (1 << 32) - 1, (1 << 48) - 1


@cases(
    said=[
        # Nothing lost, and all the world's packets received.
        (MOST32, MOST32, 0, MOST48),
        (MOST32, MOST32, MOST32, MOST48),
        # Everything lost.
        (0, 0, 0, 0),
        (1, 0, MOST32, 1),
        # No sense.
        (MOST32 - 1, MOST32, 1, MOST48 - 1),
        (0, MOST32, MOST32, 1 << 16),
    ]
)
def test_reports_that_lie(lab: Lab, said: tuple[int, int, int, int]) -> None:
    """The rate is within what the report allows: doubled in slow start, never
    twice the receive rate, never less than a packet per 64 s."""
    path, connection = connect(lab)
    for _ in range(5):
        connection.a.send(bytes(SIZE))
        time.sleep(RTT)
    time.sleep(0.5)
    before = Sender.of(connection.a)
    dccp.inject(path, connection, ACK, report(*said))
    time.sleep(RTT)
    info = Sender.of(connection.a)
    assert info.state == 2 and info.size / 64 <= info.x + 1, info
    assert info.x <= max(2 * before.x, 2 * info.x_recv) + 1, (before, info)
    if said[3] == MOST48:
        # One report more or two since: each doubles the rate once.
        assert info.p == 0 and info.x <= 4.01 * before.x, (before, info)
    elif said[3] <= 1 << 16:
        assert info.p == 1 and abs(info.x * 64 / info.size - 1) < 0.2, info
    for sock in (connection.a, connection.b):
        assert sock and sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0


def test_a_receiver_that_never_tells_of_losses(lab: Lab) -> None:
    """Half the packets are lost and it says that none is: the rate is bound to
    twice what it says it got, as in RFC 5348. Then it tells the truth."""
    path, connection = connect(lab)
    for _ in range(20):
        with contextlib.suppress(OSError):
            dccp.inject(path, connection, ACK, report(MOST32, 100_000, 0, MOST48))
        time.sleep(RTT)
    info = Sender.of(connection.a)
    assert info.p == 0, info
    # W_init/R is what a flow may have in any case (RFC 5348, section 4.3).
    assert info.x <= max(200_000, 4.1 * info.size / info.rtt), info


@cases(ends=[((5,), (3,)), ((3,), (5,)), ((5,), (2,)), ((2,), (5, 3))])
def test_no_ccid_in_common(lab: Lab, ends: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    """The handshake fails, both ends are told, and the next one works."""
    client, server = ends
    path = lab.path(delay_ms=RTT * 1000)
    refused(errno.EILSEQ, lambda: Connection(path, client=client, server=server))
    connection = lab.keep(Connection(path, client=(5,), server=(5,)))
    assert chosen(connection.a) == (5, 5)


def test_lists_cannot_change_later(lab: Lab) -> None:
    _, connection = connect(lab)
    for option in (dccp.CCID, dccp.TX_CCID, dccp.RX_CCID):
        refused(
            errno.EISCONN,
            lambda option=option: connection.a.setsockopt(SOL_DCCP, option, bytes([3])),
        )
    assert chosen(connection.a) == (5, 5)


def test_lengths_of_socket_options(lab: Lab) -> None:
    """Less than an int is refused by DCCP, more than the struct isn't written."""
    _, connection = connect(lab)
    for length in (1, 2, 3):
        for option in (dccp.TX_INFO, dccp.RX_INFO, dccp.FLOWS):
            refused(
                errno.EINVAL,
                lambda option=option, length=length: connection.a.getsockopt(
                    SOL_DCCP, option, length
                ),
            )
    assert len(connection.a.getsockopt(SOL_DCCP, dccp.TX_INFO, 1024)) == 72
    assert len(connection.a.getsockopt(SOL_DCCP, dccp.RX_INFO, 1024)) == 56
    assert len(connection.a.getsockopt(SOL_DCCP, dccp.FLOWS, 1024)) == 4
    for option in range(128, 256):
        if option not in (dccp.TX_INFO, dccp.RX_INFO, dccp.FLOWS):
            refused(
                errno.ENOPROTOOPT,
                lambda option=option: connection.a.getsockopt(SOL_DCCP, option, 4),
            )


def test_who_may_look(lab: Lab) -> None:
    connect(lab)

    def work() -> str:
        os.setgid(1000)
        os.setuid(1000)
        try:
            with open("/proc/net/ccp_dccp") as file:
                return file.read()
        except OSError as error:
            return errno.errorcode[error.errno]

    said = in_child(work)
    assert said == "EACCES", said


def test_sockets_are_closed_while_they_are_shown(lab: Lab) -> None:
    """A reader of /proc/net/ccp_dccp waits for sockets that end meanwhile."""
    path = lab.path(delay_ms=RTT * 1000)
    for _ in range(20):
        connection = Connection(path, client=(5,), server=(5,)).start()
        with path.a:
            file = open("/proc/net/ccp_dccp")  # noqa: SIM115
        with file:
            first = file.readline()
            connection.close()
            rest = file.read()
        assert "dir=" in first, (first, rest)


@cases(how=["close", "abort", "both"])
def test_namespaces_end_with_timers_armed(lab: Lab, how: str) -> None:
    """Data wait in the queue, the timers for pacing and for reports run, and the
    path goes. Then the module can be removed."""
    for _ in range(3 if debug_kernel() else 10):
        path = Route(delay_ms=RTT * 1000)
        connection = Connection(path, client=(5,), server=(5,))
        with contextlib.suppress(OSError):
            for _ in range(50):
                connection.a.send(bytes(SIZE))
        assert connection.b
        path.gate(drop=True)
        if how == "abort":
            connection.close()
        else:
            connection.a.close()
            if how == "both":
                connection.b.close()
            else:
                dccp.abort(connection.b)
                connection.b.close()
        path.close()
    wait_for("end of the module's use", lambda: lab.module.references == 0, 600, 1)
    lab.module.remove()
    lab.module.load()


def test_reconnecting_a_socket(lab: Lab) -> None:
    """A socket that was disconnected has a CCID again, of the start."""
    path = lab.path(delay_ms=RTT * 1000)
    listener = dccp.make(path.b)
    lab.keep(listener)
    dccp.offer(listener, 5)
    listener.bind(("", 0))
    listener.listen(8)
    client = dccp.make(path.a)
    lab.keep(client)
    dccp.offer(client, 5)
    for flows in (2, 3, 4):
        client.connect((path.server(), listener.getsockname()[1]))
        peer, _ = listener.accept()
        assert Sender.of(client).n == 1 and Sender.of(client).state == 0
        set_flows(client, flows)
        client.send(bytes(SIZE))
        assert len(peer.recv(2048)) == SIZE
        refused(errno.EBUSY, lambda: set_flows(client, 5))
        dccp.abort(client)
        peer.close()
