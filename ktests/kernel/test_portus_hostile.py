# SPDX-License-Identifier: GPL-2.0
"""Messages that no Portus client sends, and senders who may not: everything is
refused and changes nothing. ccp-kernel believed all of it, libccp
most."""

from __future__ import annotations

import contextlib
import errno
import os
import random
import socket
import struct
import time
from pathlib import Path

import isa
import portus
from ccp import Reason
from lab import TRACEFS, Lab, cases, in_child, wait_for
from portus import NLMSG, Kind, message
from traffic import MSS

MODULE_PARAMS = "portus=1"
RTT = 0.1
CLONE_NEWUSER = 0x10000000
NOBODY = 65534

each_transport = cases(over=list(portus.TRANSPORTS))

GOOD = isa.fixed_cwnd(12 * MSS, isa.NOW)


def head(uid: int, events: int, instructions: int) -> bytes:
    return struct.pack("<III", uid, events, instructions)


def change_head(count: int) -> bytes:
    return struct.pack("<II", 1, count)


def bad_messages(sid: int) -> dict[str, bytes]:
    """By what is wrong. Program 1 is there and flow `sid` runs it."""
    code = GOOD.events + GOOD.instructions
    events, instructions = len(GOOD.events) // 16, len(GOOD.instructions) // 16
    set_cwnd = portus.UPDATE.pack(*isa.CWND, 2 * MSS)
    return {
        "empty": b"",
        "one byte": b"\2",
        "half a header": portus.install(2, GOOD)[:5],
        "only a header": message(Kind.CHANGE, sid, b""),
        "shorter than its header says": portus.install(2, GOOD)[:-1],
        "longer than its header says": portus.change(sid, 1) + bytes(4),
        "two in one": portus.change(sid, 1) * 2,
        "length 0": message(Kind.CHANGE, sid, change_head(0), length=0),
        "length 65535": message(Kind.CHANGE, sid, change_head(0), length=65535),
        "type 0": message(Kind.CREATE, sid, bytes(88)),
        "type 1": message(Kind.MEASURE, sid, bytes(8)),
        "type 5": message(Kind.READY, 0, bytes(4)),
        "type 0x102": message(0x102, 0, head(2, events, instructions) + code),
        "type 0xff": message(0xFF, 0, bytes(16)),
        "install 0": message(Kind.INSTALL, 0, head(0, events, instructions) + code),
        "more instructions than there are": message(
            Kind.INSTALL, 0, head(2, events, instructions + 1) + code
        ),
        "more events than there are": message(
            Kind.INSTALL, 0, head(2, events + 1, instructions) + code
        ),
        "fewer than there are": message(Kind.INSTALL, 0, head(2, events, 0) + code),
        "counts that wrap": message(Kind.INSTALL, 0, head(2, 1 << 28, 1 << 28)),
        "counts of 2^32 - 1": message(Kind.INSTALL, 0, head(2, 2**32 - 1, 2**32 - 1) + code),
        "no event": message(Kind.INSTALL, 0, head(2, 0, instructions) + GOOD.instructions),
        "events that point behind the end": portus.install(
            2, isa.Raw(isa.EVENT.pack(2, 1, 2**31, 2**31), GOOD.instructions)
        ),
        "unknown opcode": portus.install(
            2, isa.Program().always(isa.ins(99, isa.CWND, isa.imm(1), isa.imm(2)))
        ),
        "register 100000": portus.install(
            2, isa.Program().always(isa.bind((isa.CONTROL, 100000), isa.imm(1)))
        ),
        "unknown program": portus.change(sid, 99),
        "more updates than there are": message(Kind.UPDATE, sid, struct.pack("<I", 2) + set_cwnd),
        "fewer updates than there are": message(Kind.UPDATE, sid, bytes(4) + set_cwnd),
        "257 updates, 1 there": message(Kind.UPDATE, sid, struct.pack("<I", 257) + set_cwnd),
        "2^32 - 1 updates": message(Kind.UPDATE, sid, struct.pack("<I", 2**32 - 1) + set_cwnd),
        "update of register 100000": portus.update(sid, ((isa.CONTROL, 100000), 1)),
        "update of a report": portus.update(sid, ((isa.REPORT, 0), 1)),
        "update of Micros": portus.update(sid, (isa.MICROS, 1)),
        "update of a flag": portus.update(sid, (isa.FLAG, 1)),
        "update of a primitive": portus.update(sid, (isa.NOW, 1)),
        "update of class 255": portus.update(sid, ((255, 0), 1)),
        "a good and a bad update": portus.update(sid, (isa.CWND, 2 * MSS), ((isa.CONTROL, 9), 1)),
        "change with a bad update": portus.change(sid, 1, ((isa.CONTROL, 16), 1)),
        "change with half an update": message(
            Kind.CHANGE, sid, change_head(1) + set_cwnd[:12]
        ),
    }


STALE = {
    "flow 0": portus.change(0, 1),
    "flow 99999": portus.change(99999, 1),
    "flow 2^32 - 1": portus.update(2**32 - 1, (isa.CWND, 2 * MSS)),
}


@each_transport
def test_bad_messages(lab: Lab, over: str) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    watcher = lab.client(path.a)
    agent = lab.keep(portus.TRANSPORTS[over](path.a))
    agent.serve(GOOD)
    flow = lab.flow(path).start()
    sid = agent.wait(Kind.CREATE).sid
    agent.send(portus.change(sid, 1))
    time.sleep(2 * RTT)
    before = watcher.stats().command_errors
    bad = bad_messages(sid)
    for count, (what, raw) in enumerate(bad.items(), 1):
        if over == "netlink":
            agent.send(raw)
        else:
            try:
                agent.send(raw)
            except OSError as error:
                assert error.errno in (errno.EINVAL, errno.ENOENT, errno.E2BIG), f"{what}: {error}"
            else:
                raise AssertionError(f"{what}: written")
        errors = watcher.stats().command_errors - before
        assert errors == count, f"{what}: {errors} errors"
    # These may be late: they are refused, and the client isn't told.
    for count, (what, raw) in enumerate(STALE.items(), 1):
        agent.send(raw)
        assert watcher.stats().command_errors - before == len(bad) + count, what
    time.sleep(2 * RTT)
    assert flow.info().cwnd == 12
    (info,) = watcher.flows()
    assert info.fallback_reason == Reason.NONE
    assert [program.name for program in watcher.programs()] == ["uid1"]
    agent.send(portus.update(sid, ((isa.CONTROL, 0), 13 * MSS)))
    time.sleep(2 * RTT)
    assert flow.info().cwnd == 13


@each_transport
def test_random_bytes(lab: Lab, over: str) -> None:
    (ns,) = lab.namespaces("n")
    watcher = lab.client(ns)
    agent = lab.keep(portus.TRANSPORTS[over](ns))
    agent.serve(GOOD)
    dice = random.Random(7)
    good = [portus.install(2, GOOD), portus.change(1, 1, (isa.CWND, 1)), portus.update(1)]
    for _ in range(2000):
        raw = bytearray(dice.choice(good))
        for _ in range(dice.randrange(1, 6)):
            at = dice.randrange(len(raw))
            # The length stays true more often than not: else nothing else is tested.
            if at not in (2, 3) or dice.random() < 0.2:
                raw[at] = dice.randrange(256)
        with contextlib.suppress(OSError):
            agent.send(bytes(raw))
    assert not watcher.agents()[0].silent
    agent.send(portus.install(1, isa.empty()))


def test_netlink_headers(lab: Lab) -> None:
    """libccp got 16 bytes too many, and as many as the header said."""
    (ns,) = lab.namespaces("n")
    watcher = lab.client(ns)
    agent = lab.keep(portus.NetlinkPortus(ns))
    good = portus.install(1, GOOD)
    size = NLMSG.size + len(good)
    before = watcher.stats().command_errors
    bad = [
        bytes(1),
        bytes(15),
        NLMSG.pack(0, 0, 0, 0, 0) + good,
        NLMSG.pack(15, 0, 0, 0, 0) + good,
        NLMSG.pack(16, 0, 0, 0, 0) + good,
        NLMSG.pack(size - 1, 0, 0, 0, 0) + good,
        NLMSG.pack(size + 1, 0, 0, 0, 0) + good,
        NLMSG.pack(2**32 - 1, 0, 0, 0, 0) + good,
        NLMSG.pack(size, 16, 0, 0, 0) + good,
        NLMSG.pack(size, 0, 1, 0, 0) + good,
        (NLMSG.pack(size, 0, 0, 0, 0) + good) * 2,
    ]
    for count, raw in enumerate(bad, 1):
        agent.raw(raw)
        assert watcher.stats().command_errors - before == count, raw[:16]
    assert watcher.agents() == []
    agent.send(good)
    assert len(watcher.agents()) == 1


def test_device_sizes(lab: Lab) -> None:
    (ns,) = lab.namespaces("n")
    agent = lab.keep(portus.DevicePortus(ns))
    with contextlib.suppress(OSError):
        os.write(agent.fd, bytes(70000))
        raise AssertionError("written")
    # What doesn't fit is there to be read again.
    try:
        os.read(agent.fd, 4)
    except OSError as error:
        assert error.errno == errno.EMSGSIZE
    else:
        raise AssertionError("read a part")
    assert agent.wait(Kind.READY).sid == 0
    try:
        os.read(agent.fd, 1024)
    except OSError as error:
        assert error.errno == errno.EAGAIN
    else:
        raise AssertionError("read something")


def unprivileged(ns, work) -> str:
    def go() -> str:
        ns.enter()()
        os.setgroups([])
        os.setresuid(NOBODY, NOBODY, NOBODY)
        return work()

    return in_child(go)


def usersock() -> socket.socket:
    return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, portus.NETLINK_USERSOCK)


def send_to_kernel(sock: socket.socket, raw: bytes) -> None:
    sock.sendto(NLMSG.pack(NLMSG.size + len(raw), 0, 0, 0, 0) + raw, (0, 0))


def test_unprivileged_senders(lab: Lab) -> None:
    """Everybody could speak to ccp-kernel."""
    path = lab.path(delay_ms=RTT * 1000)
    watcher = lab.client(path.a)
    agent = lab.keep(portus.NetlinkPortus(path.a))
    agent.serve(GOOD)
    lab.flow(path).start()
    sid = agent.wait(Kind.CREATE).sid
    agent.send(portus.change(sid, 1))
    before = watcher.stats()

    def speak() -> str:
        sock = usersock()
        for raw in (portus.install(1, isa.empty()), portus.change(sid, 1), b"x"):
            send_to_kernel(sock, raw)
        try:
            sock.setsockopt(270, 1, portus.GROUP)
        except PermissionError:
            return "refused"
        return "joined"

    assert unprivileged(path.a, speak) == "refused"
    after = watcher.stats()
    assert after.command_errors - before.command_errors == 3
    assert len(watcher.agents()) == 1
    assert len(watcher.programs()) == 1

    def open_device() -> str:
        try:
            os.open(portus.DEVICE, os.O_RDWR)
        except OSError as error:
            return errno.errorcode[error.errno]
        return "opened"

    assert unprivileged(path.a, open_device) == "EACCES"
    # Nor one who could open it, without privilege in the namespace.
    os.chmod(portus.DEVICE, 0o666)
    lab.ends.callback(os.chmod, portus.DEVICE, 0o600)
    assert unprivileged(path.a, open_device) == "EPERM"

    # A device that was given away.
    device = lab.keep(portus.DevicePortus(path.a))

    def write() -> str:
        try:
            os.write(device.fd, portus.install(1, GOOD))
        except OSError as error:
            return errno.errorcode[error.errno]
        return "written"

    assert unprivileged(path.a, write) == "EPERM"
    # And a socket that was: its maker had the privilege, its user hasn't.
    before = watcher.stats().command_errors

    def send() -> str:
        agent.send(portus.update(sid, (isa.CWND, 2 * MSS)))
        return "sent"

    assert unprivileged(path.a, send) == "sent"
    assert watcher.stats().command_errors == before + 1


def test_root_of_a_user_namespace(lab: Lab) -> None:
    """Who is root in a user namespace of his own is nobody here."""
    (ns,) = lab.namespaces("n")
    watcher = lab.client(ns)

    def go() -> str:
        ns.enter()()
        os.unshare(CLONE_NEWUSER)
        send_to_kernel(usersock(), portus.install(1, GOOD))
        try:
            os.open(portus.DEVICE, os.O_RDWR)
        except PermissionError:
            return "refused"
        return "opened"

    assert in_child(go) == "refused"
    assert watcher.agents() == []
    assert watcher.stats().command_errors == 1


@each_transport
def test_namespaces_are_apart(lab: Lab, over: str) -> None:
    """A client sees and steers the flows of its own namespace."""
    one, two = lab.path(delay_ms=RTT * 1000), lab.path(delay_ms=RTT * 1000)
    agent = lab.keep(portus.TRANSPORTS[over](one.a))
    agent.serve(GOOD)
    watcher, here = lab.client(two.a), lab.client(one.a)
    flow = lab.flow(two).start()
    time.sleep(3 * RTT)
    (info,) = watcher.flows()
    assert agent.drain(RTT) == []
    assert watcher.agents() == []
    agent.send(portus.change(info.id, 1))
    agent.send(portus.update(info.id, (isa.CWND, 2 * MSS)))
    assert here.stats().command_errors == 2
    assert watcher.stats().command_errors == 0
    (info,) = watcher.flows()
    assert (info.program_id, info.fallback_reason) == (0, Reason.NO_AGENT)
    assert flow.info().cwnd > 12


def test_limits_of_the_module(lab: Lab) -> None:
    (ns,) = lab.namespaces("n")
    watcher = lab.client(ns)
    limit = Path("/sys/module/ccp_rs/parameters/max_programs")
    before = limit.read_text()
    limit.write_text("3")
    lab.ends.callback(limit.write_text, before)
    agent = lab.keep(portus.NetlinkPortus(ns))
    for uid in range(1, 6):
        agent.send(portus.install(uid, GOOD))
    assert [p.name for p in watcher.programs()] == ["uid1", "uid2", "uid3"]
    # One of its own can still be replaced.
    errors = watcher.stats().command_errors
    agent.send(portus.install(2, isa.empty()))
    assert watcher.stats().command_errors == errors
    assert len(watcher.programs()) == 3


@each_transport
def test_clients_that_leave_at_any_time(lab: Lab, over: str) -> None:
    path = lab.path(delay_ms=RTT * 1000)
    watcher = lab.client(path.a)
    flow = lab.flow(path).start()
    for step in range(4):
        agent = portus.TRANSPORTS[over](path.a)
        if step > 0:
            agent.serve(GOOD)
        if step > 1:
            sid = agent.wait(Kind.CREATE).sid
        if step > 2:
            agent.send(portus.change(sid, 1))
            time.sleep(RTT)
        agent.close()
        wait_for("its end", lambda: watcher.agents() == [])
        assert watcher.programs() == [] or step > 2
    wait_for("the end of the program", lambda: watcher.programs() == [])
    assert flow.failed is None


def test_parameter(lab: Lab) -> None:
    """Off unless asked for, with bounds, and not to be changed."""
    lab.module.remove()
    lab.module.load()
    try:
        assert lab.module.parameter("portus") == "0"
        assert not os.path.exists(portus.DEVICE)
        try:
            send_to_kernel(usersock(), portus.install(1, GOOD))
        except OSError as error:
            assert error.errno == errno.ECONNREFUSED
        else:
            raise AssertionError("sent")
    finally:
        lab.module.remove()
        for wrong in ("2", "-1", "yes"):
            try:
                lab.module.load(f"portus={wrong}")
            except RuntimeError:
                continue
            raise AssertionError(f"portus={wrong}")
        lab.module.load(MODULE_PARAMS)
    assert os.stat(portus.DEVICE).st_mode & 0o777 == 0o600
    try:
        with open("/sys/module/ccp_rs/parameters/portus", "w") as file:
            file.write("0")
    except PermissionError:
        return
    raise AssertionError("changed")


def test_nobody_is_called_often(lab: Lab) -> None:
    """One worker for all namespaces, that looks less often without clients."""
    spaces = lab.namespaces("a", "b", "c", "d")
    event = TRACEFS / "events/workqueue/workqueue_execute_start/enable"

    def passes(seconds: float) -> int:
        (TRACEFS / "trace").write_text("")
        event.write_text("1")
        try:
            time.sleep(seconds)
        finally:
            event.write_text("0")
        return (TRACEFS / "trace").read_text().count("ccp_portus_watch")

    time.sleep(3)
    assert 8 <= passes(10) <= 11
    client = lab.keep(portus.NetlinkPortus(spaces[2]))
    client.serve(GOOD)
    assert 45 <= passes(10) <= 51
    client.close()
    time.sleep(3)
    assert 8 <= passes(10) <= 11
