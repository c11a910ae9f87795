# SPDX-License-Identifier: GPL-2.0
# Guest memory: 1G
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


def results(script: str, *args: str) -> dict[str, bool]:
    """Outcomes by name, from the summary at the end."""
    done = subprocess.run(
        [str(SCRIPT), os.environ["CCP_SELFTESTS"], script, *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    found = {name: outcome == "ok" for outcome, name in RESULT.findall(done.stdout)}
    assert found, done.stdout[-2000:]
    if not all(found.values()):
        print(done.stdout)
    return found


def failed(found: dict[str, bool]) -> list[str]:
    return [name for name, good in found.items() if not good]


def test_userspace_pm(lab: Lab) -> None:
    found = results("userspace_pm.sh")
    assert len(found) >= 37, found
    assert not failed(found), failed(found)
