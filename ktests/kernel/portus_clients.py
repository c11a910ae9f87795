# SPDX-License-Identifier: GPL-2.0
"""Portus clients as they are, which ktests/lab/portus.sh has built."""

from __future__ import annotations

from pathlib import Path

from lab import Lab, Tool, wait_for

CLIENTS = Path(__file__).resolve().parents[2] / "build/portus"

bridge: list[Tool] = []
"""The running `ccpctl portus`: one serves the clients that come in a test."""


def start(lab: Lab, ns, *argv: str) -> Tool:
    """A client, up to the point where it has attached."""
    watcher = lab.client(ns)
    before = {agent.id for agent in watcher.agents()}
    if "unix" in argv and not (bridge and bridge[0].process.poll() is None):
        bridge[:] = [lab.start(ns, "portus")]
    tool = lab.run_beside(ns, str(CLIENTS / argv[0]), *argv[1:])

    def attached() -> bool:
        assert tool.process.poll() is None, f"{argv} ended: {tool.output}"
        return any(agent.id not in before and agent.programs for agent in watcher.agents())

    wait_for("the client", attached, 20)
    return tool
