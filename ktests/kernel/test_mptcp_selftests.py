# SPDX-License-Identifier: GPL-2.0
# Guest memory: 1G
# Guest seconds: 900
# Flavours: uml
"""The kernel's own tests of its userspace path manager, against ours: see
ktests/mptcp/selftests.sh."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from lab import Lab

SCRIPT = Path(__file__).resolve().parent.parent / "mptcp" / "selftests.sh"
RESULT = re.compile(r"^(not ok|ok) \d+ - (?:\S+: )?(.*?)(?: # .*)?$", re.MULTILINE)
CHECK = re.compile(r"^ {6}(\S.*?) +\[FAIL\]", re.MULTILINE)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")

# Upstream's refuses all joins while nobody listens.
MODULE_PARAMS = "mptcp_join_limit=0"


def run(script: str, *args: str) -> str:
    done = subprocess.run(
        [str(SCRIPT), os.environ["CCP_SELFTESTS"], script, *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return COLOUR.sub("", done.stdout)


def failed(output: str, tests: int) -> list[str]:
    """The tests that failed, from the summary at the end, of at least so many."""
    found = {name: outcome == "ok" for outcome, name in RESULT.findall(output)}
    assert len(found) >= tests, output[-2000:]
    return [name for name, good in found.items() if not good]


def expect(output: str, found: list[str], expected: list[str]) -> None:
    if found != expected:
        print(output)
    assert found == expected, found


def test_userspace_pm(lab: Lab) -> None:
    output = run("userspace_pm.sh")
    expect(output, failed(output, 37), [])


def test_mptcp_join(lab: Lab) -> None:
    """Two tests expect of upstream's path manager what ours does otherwise: an
    announced address is listed until it is withdrawn, and id 0 stays the first
    address'. All else in these two is as expected."""
    output = run("mptcp_join.sh", "-u")
    tests = ["userspace pm add & remove address", "userspace pm create id 0 subflow"]
    expect(output, failed(output, 12), tests)
    checks = ["after rm_sf 10", "after rm_addr 20", "id 0 subflow"]
    expect(output, CHECK.findall(output), [f"dump addrs {check}" for check in checks])
