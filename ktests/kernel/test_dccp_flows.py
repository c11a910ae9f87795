# SPDX-License-Identifier: GPL-2.0
"""N of CCID 5: who chooses it, and what bounds the sum of all."""

from __future__ import annotations

import errno
import os
import re
import socket
import struct
import time
from pathlib import Path

import dccp
from dccp import FLOWS, ONE, SOL_DCCP, Connection, Receiver, Sender, refused, set_flows
from lab import Lab, in_child, wait_for
from net import Namespace, Route

SYSCTL = "net/dccp/ccid5_flows"
UNPRIVILEGED = 1000


def read(ns: Namespace) -> str:
    with ns:
        return Path("/proc/sys", SYSCTL).read_text().strip()


def limit(lab: Lab, name: str, value: str, default: str) -> None:
    dccp.module_parameter(name, value)
    lab.ends.callback(dccp.module_parameter, name, default)


def connect(lab: Lab) -> Connection:
    path = lab.path(delay_ms=20, rate_mbit=8, queue=100)
    return lab.keep(Connection(path, client=(5,), server=(5,)))


def test_flows_are_chosen_before_data(lab: Lab) -> None:
    connection = connect(lab)
    assert Sender.of(connection.a).n == 1
    for value in (0, 64 * ONE + 1):
        refused(
            errno.ERANGE,
            lambda value=value: connection.a.setsockopt(
                SOL_DCCP, FLOWS, struct.pack("=I", value)
            ),
        )
    refused(errno.EINVAL, lambda: connection.a.setsockopt(SOL_DCCP, FLOWS, bytes(8)))
    refused(errno.ENOPROTOOPT, lambda: connection.a.setsockopt(SOL_DCCP, 194, bytes(4)))
    refused(errno.ENOPROTOOPT, lambda: connection.a.setsockopt(SOL_DCCP, 128, bytes(4)))
    for flows in (0.5, 64, 2.5):
        set_flows(connection.a, flows)
        assert Sender.of(connection.a).n == flows
        got = struct.unpack("=I", connection.a.getsockopt(SOL_DCCP, FLOWS, 4))[0]
        assert got == flows * ONE
    connection.start()
    time.sleep(0.5)
    refused(errno.EBUSY, lambda: set_flows(connection.a, 3))
    assert Sender.of(connection.a).n == 2.5
    # The receiver was told.
    assert Receiver.of(connection.b).n == 2.5


def test_sum_of_flows_is_bounded(lab: Lab) -> None:
    dccp.module_parameter("ccid5_max_flows", "4.5")
    lab.ends.callback(dccp.module_parameter, "ccid5_max_flows", "1024")
    # Each connection has two senders, of N = 1.
    first = connect(lab)
    refused(errno.ENOSPC, lambda: set_flows(first.a, 4))
    set_flows(first.a, 3.5)
    # The third sender doesn't fit any more.
    try:
        connect(lab)
    except OSError:
        pass
    else:
        raise AssertionError("admitted")
    set_flows(first.a, 1)
    connect(lab)


def test_default_flows(lab: Lab) -> None:
    for good, shown in (("0.5", "0.500000"), ("64", "64.000000"), ("2.25", "2.250000")):
        dccp.module_parameter("ccid5_flows", good)
        assert lab.module.parameter("ccid5_flows") == shown
    lab.ends.callback(dccp.module_parameter, "ccid5_flows", "1")
    for bad in ("0", "-1", "64.1", "x", "1.2.3", "", "1e2", "9" * 30):
        refused(errno.EINVAL, lambda bad=bad: dccp.module_parameter("ccid5_flows", bad))
    assert Sender.of(connect(lab).a).n == 2.25


def test_a_namespace_has_its_own_default(lab: Lab) -> None:
    path = lab.path(delay_ms=10)
    path.a.write(SYSCTL, "2.5")
    connection = lab.keep(Connection(path, client=(5,), server=(5,)))
    # b's namespace has the module's.
    assert (read(path.a), read(path.b)) == ("2.500000", "1.000000")
    assert connection.b
    assert (Sender.of(connection.a).n, Sender.of(connection.b).n) == (2.5, 1)
    # What doesn't write a number chooses nothing.
    with path.b:
        fd = os.open(f"/proc/sys/{SYSCTL}", os.O_WRONLY)
    assert os.write(fd, b"") == 0
    refused(errno.EINVAL, lambda: os.pwrite(fd, b"5", 4))
    refused(errno.EINVAL, lambda: os.pwrite(fd, b"5", 400))
    os.close(fd)
    limit(lab, "ccid5_flows", "0.5", "1")
    assert (read(path.a), read(path.b)) == ("2.500000", "0.500000")
    path.b.write(SYSCTL, "64")
    again = lab.keep(Connection(path, client=(5,), server=(5,)))
    assert again.b
    assert (Sender.of(again.a).n, Sender.of(again.b).n) == (2.5, 64)
    # What was there stays as it was, and a socket's choice goes first.
    assert Sender.of(connection.b).n == 1
    set_flows(again.a, 4)
    assert Sender.of(again.a).n == 4


def test_a_default_is_a_number_in_range(lab: Lab) -> None:
    ns = lab.namespaces("c")[0]
    for good, shown in (("0.25", "0.250000"), ("64", "64.000000"), ("1", "1.000000")):
        ns.write(SYSCTL, good)
        assert read(ns) == shown
    for bad in ("0", "-1", "64.001", "0.000001", "x", "1.2.3", "1e2", ".5", "", "9" * 30,
                "1." + "0" * 29, "1." + "0" * 60 + "x"):  # fmt: skip
        refused(errno.EINVAL, lambda bad=bad: ns.write(SYSCTL, bad))
        assert read(ns) == "1.000000", bad


def test_an_unprivileged_user_changes_no_default(lab: Lab) -> None:
    ns = lab.namespaces("c")[0]

    def work() -> str:
        os.setns(ns.fd, 0x40000000)
        os.setuid(UNPRIVILEGED)
        try:
            Path("/proc/sys", SYSCTL).write_text("64\n")
        except OSError as error:
            return errno.errorcode[error.errno]
        return "written"

    assert in_child(work) == "EACCES"
    assert read(ns) == "1.000000"


def test_the_default_counts_towards_the_sum(lab: Lab) -> None:
    limit(lab, "ccid5_max_flows", "4.5", "1024")
    path = lab.path(delay_ms=10)
    path.a.write(SYSCTL, "4")
    # Each connection has two senders: 4 and 1 are more than 4.5.
    try:
        Connection(path, client=(5,), server=(5,))
    except OSError:
        pass
    else:
        raise AssertionError("admitted")
    path.a.write(SYSCTL, "3.5")
    connection = lab.keep(Connection(path, client=(5,), server=(5,)))
    assert Sender.of(connection.a).n == 3.5
    refused(errno.ENOSPC, lambda: set_flows(connection.a, 3.75))
    connection.close()
    # The ends of both are counted out.
    path.a.write(SYSCTL, "1")
    wait_for("room", lambda: fits(path, 3.5), 20, 0.5)


def fits(path: Route, flows: float) -> bool:
    try:
        connection = Connection(path, client=(5,), server=(5,))
    except OSError:
        return False
    try:
        set_flows(connection.a, flows)
    except OSError:
        return False
    finally:
        connection.close()
    return True


def test_a_user_cannot_take_all(lab: Lab) -> None:
    """Sockets of uid 1000 add up to 6 at most, those of root have the rest."""
    limit(lab, "ccid5_max_flows", "20", "1024")
    limit(lab, "ccid5_user_flows", "6", "256")
    path = lab.path(delay_ms=10)
    server = dccp.make(path.b)
    lab.keep(server)
    dccp.offer(server, 5)
    server.bind(("", 0))
    server.listen(16)
    port = server.getsockname()[1]
    accepted = []

    def client(uid: int) -> socket.socket:
        sock = dccp.make(path.a)
        lab.keep(sock)
        # What socket() would have noted, had that user called it.
        os.fchown(sock.fileno(), uid, -1)
        dccp.offer(sock, 5)
        sock.settimeout(5)
        sock.connect((path.server(), port))
        accepted.append(lab.keep(server.accept()[0]))
        return sock

    theirs = client(UNPRIVILEGED)
    refused(errno.ENOSPC, lambda: set_flows(theirs, 6.5))
    set_flows(theirs, 5)
    more = client(UNPRIVILEGED)
    refused(errno.ENOSPC, lambda: set_flows(more, 1.5))
    try:
        client(UNPRIVILEGED)
    except OSError:
        pass
    else:
        raise AssertionError("a seventh flow")
    # Another user isn't hindered, up to the same bound.
    another = client(UNPRIVILEGED + 1)
    set_flows(another, 6)
    # 1 and 1 of root's servers, 6, and 6.
    set_flows(theirs, 1)
    set_flows(more, 5)
    # Given away, it counts where it began.
    os.fchown(more.fileno(), UNPRIVILEGED + 2, -1)
    refused(errno.ENOSPC, lambda: set_flows(more, 5.5))
    set_flows(more, 1)
    set_flows(theirs, 5)


def test_bounds_are_numbers(lab: Lab) -> None:
    for name, default in (("ccid5_max_flows", "1024"), ("ccid5_user_flows", "256")):
        assert lab.module.parameter(name) == f"{default}.000000"
        limit(lab, name, "0.5", default)
        for bad in ("0", "65536", "-3", "many", ""):
            refused(errno.EINVAL, lambda name=name, bad=bad: dccp.module_parameter(name, bad))
        assert lab.module.parameter(name) == "0.500000"


def test_n_of_a_socket_without_a_connection(lab: Lab) -> None:
    ns = lab.namespaces("c")[0]
    with dccp.make(ns) as sock:
        dccp.offer(sock, 5)
        refused(errno.ENOPROTOOPT, lambda: set_flows(sock, 2))
        refused(errno.ENOPROTOOPT, lambda: sock.getsockopt(SOL_DCCP, FLOWS, 4))
        sock.bind(("", 0))
        sock.listen(1)
        refused(errno.ENOPROTOOPT, lambda: set_flows(sock, 2))
        refused(errno.ENOPROTOOPT, lambda: sock.getsockopt(SOL_DCCP, dccp.TX_INFO, 72))


def test_ccpctl_chooses(lab: Lab) -> None:
    """ccpctl dccp set: for sockets of others, like one that was just accepted."""
    path = lab.path(delay_ms=20, rate_mbit=8, queue=100)
    connection = lab.keep(Connection(path, client=(5,), server=(5,)))

    def half(direction: str) -> str:
        found = lab.ccpctl_json(path.a, "-j", "dccp", "show")
        # Nobody has sent: what N the other end has isn't known.
        assert [h["n"] is None for h in found] == [h["direction"] == "rx" for h in found], found
        return str(next(h["id"] for h in found if h["direction"] == direction))

    def refuses(word: str, *args: str) -> None:
        done = lab.ccpctl(path.a, "dccp", "set", *args)
        assert done.returncode != 0 and word in done.stderr, done

    tx = half("tx")
    for n in ("2.5", "64", "0.5"):
        done = lab.ccpctl(path.a, "dccp", "set", tx, n)
        assert done.returncode == 0, done
        assert Sender.of(connection.a).n == float(n)
    refuses("at most 64", tx, "64.5")
    refuses("not above 0", tx, "0")
    refuses("is a receiver", half("rx"), "2")
    refuses("no sender", "4000000000", "2")
    done = lab.ccpctl(path.b, "dccp", "set", tx, "2")
    assert "no sender" in done.stderr, done
    limit(lab, "ccid5_user_flows", "8", "256")
    refuses("ccid5_user_flows", tx, "20")
    connection.start()
    time.sleep(0.2)
    refuses("has sent packets", tx, "2")
    assert Sender.of(connection.a).n == 0.5


def test_what_is_written_to_proc(lab: Lab) -> None:
    path = lab.path(delay_ms=20)
    connection = lab.keep(Connection(path, client=(5,), server=(5,)))
    with path.a, open("/proc/net/ccp_dccp") as file:
        ids = dict(re.findall(r"half=(\d+) dir=(\w+)", file.read()))
    tx = next(number for number, direction in ids.items() if direction == "tx")

    def write(text: str) -> None:
        with path.a:
            fd = os.open("/proc/net/ccp_dccp", os.O_WRONLY)
        try:
            os.write(fd, text.encode())
        finally:
            os.close(fd)

    write(f" {tx} 3\n")
    assert Sender.of(connection.a).n == 3
    for bad in ("", " ", tx, f"{tx} ", f"{tx} 0", f"{tx} 65", f"{tx} 2 2", f"-{tx} 2",
                f"{tx} 2\0 ", f"x{tx} 2", "4294967296 2", "9" * 4000):  # fmt: skip
        if bad:
            refused(errno.EINVAL, lambda bad=bad: write(bad))
    refused(errno.ENOENT, lambda: write("0 2"))
    rx = next(number for number, direction in ids.items() if direction == "rx")
    refused(errno.EOPNOTSUPP, lambda: write(f"{rx} 2"))
    assert Sender.of(connection.a).n == 3
