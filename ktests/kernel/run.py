# SPDX-License-Identifier: GPL-2.0
"""run.py TEST_FILE [NAME...]: in a guest, run the tests of one file, those
with one of the words NAME in their name.

Loads the module (with the file's MODULE_PARAMS), runs each test_*, removes
the module. One line per test, `ok NAME` or `not ok NAME: reason`, and one for
the removal. The exit status says only that all of it was reached.
"""

from __future__ import annotations

import importlib
import itertools
import os
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from lab import Lab, Module  # noqa: E402


def label(value: object) -> str:
    if isinstance(value, socket.AddressFamily):
        return "ipv4" if value == socket.AF_INET else "ipv6"
    return str(value)


def variants(test: Callable) -> Iterator[tuple[str, dict]]:
    """A test's cases, as (suffix of its name, arguments)."""
    sets: dict[str, list] = {}
    for more in getattr(test, "cases", []):
        sets = {**more, **sets}
    for values in itertools.product(*sets.values()):
        suffix = "".join(f"[{label(value)}]" for value in values)
        yield suffix, dict(zip(sets, values, strict=True))


def reason(error: BaseException) -> str:
    """One line: where in the test, and what."""
    steps = traceback.extract_tb(error.__traceback__)
    where = next((s for s in reversed(steps) if "/test_" in s.filename), steps[-1])
    said = " ".join(str(error).split()) or where.line
    return f"{Path(where.filename).name}:{where.lineno}: {type(error).__name__}: {said}"


def attempt(name: str, work: Callable[[], None], lab: Lab | None = None) -> None:
    start = time.monotonic()
    failed: BaseException | None = None
    try:
        work()
    except Exception as error:  # noqa: BLE001
        failed = error
    if lab:
        try:
            lab.close()
        except Exception as error:  # noqa: BLE001
            failed = failed or error
    if failed:
        if os.environ.get("CCP_TRACEBACK"):
            traceback.print_exception(failed)
        print(f"not ok {name}: {reason(failed)}", flush=True)
    else:
        print(f"ok {name} # {time.monotonic() - start:.1f} virtual s", flush=True)


def removed(module: Module) -> None:
    if module.loaded:
        module.remove()
    assert not module.loaded
    available = Path("/proc/sys/net/ipv4/tcp_available_congestion_control").read_text()
    assert "ccp" not in available.split(), available


def main(argv: list[str]) -> int:
    file, wanted = Path(argv[1]), argv[2:]
    sys.path.insert(0, str(file.resolve().parent))
    tests = importlib.import_module(file.stem)
    module = Module(Path(os.environ["CCP_MODULE"]))
    lab = Lab(module, Path(os.environ["CCP_TOOLS"]), Path(os.environ.get("CCP_YNL", "/")))
    topic = file.stem.removeprefix("test_")
    module.load(getattr(tests, "MODULE_PARAMS", ""))
    found = [(n, t) for n, t in vars(tests).items() if n.startswith("test_") and callable(t)]
    for name, test in found:
        for suffix, arguments in variants(test):
            short = name.removeprefix("test_") + suffix
            if wanted and not any(w in short for w in wanted):
                continue
            attempt(f"{topic}.{short}", lambda: test(lab, **arguments), lab)  # noqa: B023
    attempt(f"{topic}.module_removed", lambda: removed(module))
    return 0


sys.exit(main(sys.argv))
