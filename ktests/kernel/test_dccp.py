# SPDX-License-Identifier: GPL-2.0
"""CCID 5: negotiation, socket options, options on the wire, and the module's
end."""

from __future__ import annotations

import errno
import os
import re
import socket
import time

import dccp
import net
from dccp import ONE, SOL_DCCP, Connection, Sender, chosen, prefer, refused, set_flows
from lab import Lab, both_families, cases, debug_kernel, wait_for

RTT_MS = 20
MBIT = 8
"""Nothing is lost without a bottleneck, and the rate would grow for ever."""


def make_path(lab: Lab) -> net.Route:
    return lab.path(delay_ms=RTT_MS, rate_mbit=MBIT, queue=100)


def connect(lab: Lab, **how) -> Connection:
    return lab.keep(Connection(make_path(lab), **how))


def test_ccid_is_available(lab: Lab) -> None:
    ns = lab.namespaces("c")[0]
    with dccp.make(ns) as sock:
        assert sorted(sock.getsockopt(SOL_DCCP, dccp.AVAILABLE, 16)) == [2, 3, 5]
        refused(errno.EINVAL, lambda: dccp.offer(sock, 6))
    assert dccp.has_ccid5()


@cases(ccid=[5, 3, 2])
def test_negotiation_by_sysctl(lab: Lab, ccid: int) -> None:
    prefer(ccid)
    lab.ends.callback(prefer, 2)
    connection = connect(lab)
    assert chosen(connection.a) == (ccid, ccid)
    assert connection.b and chosen(connection.b) == (ccid, ccid)
    connection.start()
    time.sleep(1)
    assert connection.received > 0


@cases(
    ends=[
        ((5,), (5,), 5),
        ((5, 2), (5, 3, 2), 5),
        ((5, 2), (3, 2), 2),
        # The order of the server's list decides.
        ((5, 3, 2), (3, 5, 2), 3),
        ((2, 5), (5, 2), 5),
    ]
)
def test_peers_with_lists(lab: Lab, ends: tuple[tuple[int, ...], tuple[int, ...], int]) -> None:
    client, server, ccid = ends
    connection = connect(lab, client=client, server=server)
    assert chosen(connection.a) == (ccid, ccid)
    assert connection.b and chosen(connection.b) == (ccid, ccid)


@both_families
def test_data_arrives(lab: Lab, family: int) -> None:
    connection = connect(lab, family=family, client=(5,), server=(5,))
    connection.start()
    time.sleep(0.1)
    info = Sender.of(connection.a)
    assert info.state == 2 and info.p == 0, info
    assert abs(info.rtt - RTT_MS / 1000) < 0.005, info
    # It doubles each round trip until the queue is full.
    time.sleep(3)
    assert Sender.of(connection.a).p > 0
    rate, _ = connection.measure(10)
    assert 0.8 < rate * 8 / (MBIT * 1e6) < 1, (rate, Sender.of(connection.a))


def test_two_way_traffic(lab: Lab) -> None:
    connection = connect(lab, client=(5,), server=(5,)).both_ways(0.004)
    time.sleep(2)
    assert connection.b
    for sock in (connection.a, connection.b):
        info = Sender.of(sock)
        assert info.state == 2 and info.x_recv > 100_000, info
        # What the queue of a's way adds is in both.
        assert RTT_MS / 1000 - 0.001 < info.rtt < RTT_MS / 1000 + 0.2, info


def test_old_readers_get_the_beginning(lab: Lab) -> None:
    """struct tfrc_tx_info of CCID 3 has 40 bytes, tfrc_rx_info 12."""
    connection = connect(lab, client=(5,), server=(5,)).start()
    time.sleep(1)
    whole = connection.a.getsockopt(SOL_DCCP, dccp.TX_INFO, 256)
    part = connection.a.getsockopt(SOL_DCCP, dccp.TX_INFO, 40)
    assert len(part) == 40 and len(whole) == 72
    assert connection.b and len(connection.b.getsockopt(SOL_DCCP, dccp.RX_INFO, 12)) == 12


def test_debug_messages(lab: Lab) -> None:
    connection = connect(lab, client=(5,), server=(5,)).start()
    dccp.module_parameter("ccid5_debug", 1)
    time.sleep(0.5)
    dccp.module_parameter("ccid5_debug", 0)
    time.sleep(0.1)
    said = net.run("dmesg").count("ccid5")
    assert said > 0
    time.sleep(0.5)
    assert net.run("dmesg").count("ccid5") == said
    assert connection.received


def test_trace_has_a_line_per_packet(lab: Lab) -> None:
    with lab.trace("ccp_dccp_sent") as lines:
        connection = connect(lab, client=(5,), server=(5,))
        set_flows(connection.a, 4)
        for _ in range(5):
            connection.a.send(bytes(500))
            time.sleep(0.3)
        seen = lines()
    assert len(seen) == 5, seen
    last = dict(re.findall(r"(\w+)=(\d+)", seen[-1]))
    assert (last["size"], last["n"], last["p"]) == ("500", str(4 * ONE), "0"), last
    assert abs(int(last["rtt"]) - RTT_MS * 1000) < 1000, last
    assert abs(int(last["x"]) / Sender.of(connection.a).x - 1) < 0.6, last


def test_show(lab: Lab) -> None:
    path = make_path(lab)
    connection = lab.keep(Connection(path, client=(5,), server=(5,)))
    set_flows(connection.a, 4)
    connection.start()
    time.sleep(1)
    halves = lab.ccpctl_json(path.a, "-j", "dccp", "show")
    # a's sender and receiver; what b has is in another namespace.
    assert sorted(half["direction"] for half in halves) == ["rx", "tx"], halves
    tx = next(half for half in halves if half["direction"] == "tx")
    assert tx["n"] == 4 and tx["rate"] > 0 and tx["rtt"] > 0.9 * RTT_MS / 1000, tx
    shown = lab.ccpctl(path.a, "dccp", "show")
    assert shown.returncode == 0 and "10.0.2.2" in shown.stdout, shown
    watched = lab.ccpctl(path.a, "dccp", "monitor", "--seconds", "1", "--interval", "500")
    assert watched.stdout.count("RECEIVED") >= 2, watched


def option(number: int, length: int) -> bytes:
    return bytes([number, length + 2]) + bytes(length)


@cases(
    bad=[
        (192, 2), (192, 0), (192, 6), (194, 3), (248, 3), (248, 8), (249, 4), (249, 0),
        # b as a sender tells a its N: too short, and 0.
        (184, 2), (184, 4),
    ]
)  # fmt: skip
def test_malformed_options_reset(lab: Lab, bad: tuple[int, int]) -> None:
    path = make_path(lab)
    connection = lab.keep(Connection(path, client=(5,), server=(5,)))
    dccp.inject(path, connection, 3, option(*bad))
    assert connection.b
    error = wait_for("a reset", lambda: connection.b.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
    assert error == errno.EILSEQ, os.strerror(error)


@cases(
    good=[
        # Not ours.
        (3, 200, 5),
        (3, 150, 5),
        # Without an acknowledgment nothing is looked at.
        (2, 192, 2),
        (2, 248, 3),
    ]
)
def test_other_options_are_ignored(lab: Lab, good: tuple[int, int, int]) -> None:
    path = make_path(lab)
    connection = lab.keep(Connection(path, client=(5,), server=(5,)))
    kind, number, length = good
    dccp.inject(path, connection, kind, option(number, length))
    time.sleep(0.2)
    assert connection.b
    for sock in (connection.a, connection.b):
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
    if kind == 2:
        assert connection.a.recv(16) == b"data"
    before = connection.received
    connection.start()
    time.sleep(0.5)
    assert connection.received > before


def test_rmmod(lab: Lab) -> None:
    """Refused under a connection, allowed under a listener."""
    path = make_path(lab)
    connection = lab.keep(Connection(path, client=(5,), server=(5,)).start())
    time.sleep(0.5)
    try:
        lab.module.remove()
    except RuntimeError as error:
        assert "in use" in str(error), error
    else:
        raise AssertionError("removed under a connection")
    connection.close()
    wait_for("end of its use", lambda: lab.module.references == 0, 20, 0.1)
    listener = dccp.make(path.b)
    lab.keep(listener)
    dccp.offer(listener, 5)
    listener.bind(("", 0))
    listener.listen(8)
    lab.module.remove()
    client = dccp.make(path.a)
    lab.keep(client)
    client.settimeout(5)
    try:
        client.connect((path.server(), listener.getsockname()[1]))
    except OSError:
        pass
    else:
        raise AssertionError("connected without a CCID")
    lab.module.load()
    with dccp.make(path.a) as again:
        dccp.offer(again, 5)
        again.settimeout(5)
        again.connect((path.server(), listener.getsockname()[1]))
        assert chosen(again) == (5, 5)


def test_sysctl_without_the_module_is_ccid_2(lab: Lab) -> None:
    prefer(5)
    lab.ends.callback(prefer, 2)
    lab.module.remove()
    connection = connect(lab)
    assert chosen(connection.a) == (2, 2)
    connection.close()
    lab.module.load()


def test_another_number(lab: Lab) -> None:
    lab.module.remove()
    lab.module.load("ccid5_number=250")
    connection = connect(lab, client=(250,), server=(250,))
    assert chosen(connection.a) == (250, 250)
    connection.close()
    wait_for("end of its use", lambda: lab.module.references == 0, 20, 0.1)
    lab.module.remove()
    for bad in (0, 2, 3):
        try:
            lab.module.load(f"ccid5_number={bad}")
        except RuntimeError:
            assert not lab.module.loaded
        else:
            raise AssertionError(f"loaded as CCID {bad}")
    lab.module.load()


def test_connect_and_close_often(lab: Lab) -> None:
    path = lab.path(delay_ms=1 + net.FORTH_MS)
    listener = dccp.make(path.b)
    lab.keep(listener)
    dccp.offer(listener, 5)
    listener.bind(("", 0))
    listener.listen(64)
    for _ in range(1_000 if debug_kernel() else 10_000):
        with dccp.make(path.a) as client:
            dccp.offer(client, 5)
            client.connect((path.server(), listener.getsockname()[1]))
            server, _ = listener.accept()
            client.send(b"x")
            assert server.recv(16) == b"x"
            server.close()
    wait_for("end of the module's use", lambda: lab.module.references == 0, 130, 0.5)
