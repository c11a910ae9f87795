# SPDX-License-Identifier: GPL-2.0
"""What a test is given: the module, paths, flows, agents, and their end."""

from __future__ import annotations

import contextlib
import errno
import functools
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import net
import traffic
from ccp import Client
from net import Namespace
from netlink import NetlinkError

DEBUGFS = Path("/sys/kernel/debug")
TRACEFS = DEBUGFS / "tracing"
MODULE = "ccp_rs"


def cases(**sets: list) -> Callable:
    """Run a test once per value: @cases(family=[AF_INET, AF_INET6])."""

    def mark(test: Callable) -> Callable:
        test.cases = [*getattr(test, "cases", []), sets]  # type: ignore[attr-defined]
        return test

    return mark


both_families = cases(family=[socket.AF_INET, socket.AF_INET6])


def debug_kernel() -> bool:
    """Is this the kernel with KASAN, lockdep and so on?"""
    return (DEBUGFS / "kmemleak").exists()


def wait_for(what: str, test: Callable[[], object], timeout: float = 5, step: float = 0.01):
    """The first true value of test(), within `timeout` seconds."""
    end = time.monotonic() + timeout
    while True:
        value = test()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"no {what} within {timeout} s (last: {value!r})")
        time.sleep(step)


class Tool:
    """A running ccpctl."""

    def __init__(self, argv: list[str], ns: Namespace, log: Path) -> None:
        self.log = log
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                argv, stdout=out, stderr=subprocess.STDOUT, preexec_fn=ns.enter()
            )

    def kill(self, how: int = signal.SIGKILL) -> int:
        self.process.send_signal(how)
        return self.process.wait(10)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace")


class Module:
    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def loaded(self) -> bool:
        return Path(f"/sys/module/{MODULE}").exists()

    @property
    def references(self) -> int:
        return int(Path(f"/sys/module/{MODULE}/refcnt").read_text())

    def parameter(self, name: str) -> str:
        return Path(f"/sys/module/{MODULE}/parameters/{name}").read_text().strip()

    def load(self, params: str = "") -> None:
        net.run("insmod", str(self.path), *params.split())

    def remove(self) -> None:
        """rmmod; fails like rmmod while something uses the module."""
        net.run("rmmod", MODULE)


class Lab:
    def __init__(self, module: Module, tools: Path, ynl: Path) -> None:
        self.module = module
        self.tools = tools
        self.ynl = ynl
        self.ends = contextlib.ExitStack()
        self.logs = 0

    def close(self) -> None:
        """End what the test started, last first; then nothing may be left."""
        self.ends.close()
        self.ends = contextlib.ExitStack()
        if self.module.loaded:
            # Resets take an RCU grace period and netns removal to settle.
            wait_for("end of the module's use", lambda: self.module.references == 0, 20, 0.1)

    def keep(self, thing):
        """`thing` is closed when the test ends."""
        self.ends.callback(thing.close)
        return thing

    def path(self, **how) -> net.Route:
        return self.keep(net.Route(**how))

    def namespaces(self, *names: str) -> list[Namespace]:
        return [self.keep(Namespace(name)) for name in names]

    def receiver(self, ns: Namespace, family: int = socket.AF_INET, **how) -> traffic.Receiver:
        return self.keep(traffic.Receiver(ns, family, **how))

    def flow(
        self, path: net.Route, cc: str = "ccp", family: int = socket.AF_INET, **how
    ) -> traffic.Flow:
        """A flow over `path` to a receiver of its own, not sending yet."""
        receiver = self.receiver(path.b, family)
        flow = traffic.connect(path, receiver.port, cc, family, **how)
        flow.receiver = receiver
        self.ends.callback(flow.stop)
        return flow

    def client(self, ns: Namespace, strict: bool = True) -> Client:
        with ns:
            return self.keep(Client(strict=strict))

    def agent(self, ns: Namespace, name: str = "test", *algorithms: str) -> Client:
        """A client that has attached."""
        client = self.client(ns)
        client.info = client.attach(name, *algorithms)
        return client

    # ccpctl.

    def start(self, ns: Namespace, *args: str) -> Tool:
        """ccpctl in the background."""
        return self.run_beside(ns, str(self.tools / "ccpctl"), *args)

    def run_beside(self, ns: Namespace, *argv: str) -> Tool:
        """Any program in the background."""
        self.logs += 1
        return self.keep(Tool([*argv], ns, Path(f"/tmp/program.{self.logs}")))

    def ccpctl(self, ns: Namespace, *args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.tools / "ccpctl"), *args],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            preexec_fn=ns.enter(),
        )

    def ccpctl_json(self, ns: Namespace, *args: str):
        done = self.ccpctl(ns, *args)
        assert done.returncode == 0, f"ccpctl {' '.join(args)}: {done.stderr}"
        return json.loads(done.stdout)

    def run_algorithm(self, ns: Namespace, name: str) -> Tool:
        """`ccpctl run NAME`, up to the point where it has attached."""
        tool = self.start(ns, "run", name)
        watcher = self.client(ns)

        def attached() -> bool:
            assert tool.process.poll() is None, f"ccpctl run {name} ended: {tool.output}"
            return any(a.port_id and name in a.algorithm for a in watcher.agents())

        wait_for(f"agent {name}", attached)
        return tool

    @contextlib.contextmanager
    def trace(self, *events: str):
        """Trace events of the module; yields a function that reads them."""
        (TRACEFS / "trace").write_text("")
        chosen = [TRACEFS / "events/ccp" / event / "enable" for event in events]
        for file in chosen:
            file.write_text("1")
        try:
            yield lambda: [
                line
                for line in (TRACEFS / "trace").read_text().splitlines()
                if not line.startswith("#")
            ]
        finally:
            for file in chosen:
                file.write_text("0")

    @functools.cached_property
    def spec(self) -> Path:
        return Path(__file__).resolve().parents[2] / "docs/netlink/specs/ccp.yaml"


@contextlib.contextmanager
def raises(code: int, *texts: str):
    """The kernel refuses with that errno, and a text with these words."""
    try:
        yield
    except NetlinkError as error:
        name = errno.errorcode[code]
        assert error.code == code, f"{error} instead of {name}"
        for text in texts:
            assert text.lower() in error.text.lower(), f"{text!r} is not in {error.text!r}"
    else:
        raise AssertionError(f"no {errno.errorcode[code]} ({', '.join(texts)})")


def in_child(work: Callable[[], str]) -> str:
    """work() in a forked process; its result, or its exception's text."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001
            result = f"{type(error).__name__}: {error}"
        os.write(writer, result.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as file:
        result = file.read()
    os.waitpid(child, 0)
    return result
