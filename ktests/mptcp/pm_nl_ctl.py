#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Stands in for the kernel selftests' pm_nl_ctl: what names a token goes to
family "mptcp", events come from there, and the rest is the real tool's, which
is $PM_NL_CTL.

The selftests were written for the upstream family, so this fills in what the
old family doesn't tell: an announced address without a port has the one the
connection was made to.
"""

from __future__ import annotations

import os
import select
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "kernel"))

from mptcp import Client, Cmd, Event, decode, ends  # noqa: E402
from netlink import Family, Message, Netlink  # noqa: E402

# Events of upstream's family.
LISTENER_CREATED, LISTENER_CLOSED = 15, 16

FIELDS = (
    "token family loc_id rem_id saddr4 saddr6 daddr4 daddr6 sport dport backup error server_side"
).split()
"""What the real tool prints, in its order."""


def options(words: list[str]) -> dict[str, str]:
    return dict(zip(words[::2], words[1::2], strict=True))


def interface(given: dict[str, str]) -> dict[str, int]:
    return {"if_idx": socket.if_nametoindex(given["dev"])} if "dev" in given else {}


def subflow(local: str, remote: str, lport: str, rport: str) -> dict[str, int | str]:
    """Both ends as IPv6 where one of them is."""
    if (":" in local) != (":" in remote):
        local, remote = (end if ":" in end else f"::ffff:{end}" for end in (local, remote))
    return ends(local, remote, int(lport), int(rport))


def run(verb: str, words: list[str]) -> bool:
    """Carries a command out; false: not ours."""
    if "token" not in words or verb not in ("ann", "set", "rem", "csf", "dsf", "dump", "get"):
        return False
    place = words.pop(0) if verb in ("ann", "set", "get") else ""
    given = options(words)
    token = int(given["token"])
    client = Client()
    if verb == "ann":
        port = {"sport": int(given["port"])} if "port" in given else {}
        client.announce(token, int(given["id"]), place, **port, **interface(given))
    elif verb == "rem":
        client.remove(token, int(given["id"]))
    elif verb == "csf":
        pair = subflow(given["lip"], given["rip"], "0", given["rport"])
        # The remote id is learnt from the SYN/ACK.
        ids = {"loc_id": int(given.get("lid", 0)), "rem_id": 0}
        client.command(Cmd.SUB_CREATE, token=token, **ids, **pair, **interface(given))
    elif verb == "dsf":
        pair = subflow(given["lip"], given["rip"], given["lport"], given["rport"])
        client.command(Cmd.SUB_DESTROY, token=token, **pair)
    elif verb == "set":
        pair = subflow(place, given["rip"], given["port"], given["rport"])
        backup = int(given["flags"] == "backup")
        client.command(Cmd.SUB_PRIORITY, token=token, backup=backup, **pair)
    else:
        # Upstream's lists what the daemon gave: not the first subflow's address.
        for local in client.connection(token).local:
            if local.loc_id and (verb == "dump" or local.loc_id == int(place)):
                flags = "signal" if local.announced else "subflow"
                backup = ",backup" if local.backup else ""
                print(f"id {local.loc_id} flags {flags}{backup} {local.saddr}")
    return True


class Events:
    """Prints events as the real tool does, on stderr."""

    def __init__(self) -> None:
        # Where each connection was made to.
        self.peers: dict[int, int] = {}

    def fields(self, event: SimpleNamespace) -> Iterator[str]:
        yield f"type:{event.cmd}"
        for name in FIELDS:
            value = getattr(event, name)
            if value is not None:
                yield f"{name}:{value}"
        if event.deny_join_id0:
            yield "deny_join_id0:1"

    def show(self, message: Message) -> None:
        event = decode(message)
        if event.cmd == Event.CREATED:
            self.peers[event.token] = event.dport
        elif event.cmd == Event.ANNOUNCED and not event.dport:
            event.dport = self.peers.get(event.token, 0)
        print(",".join(self.fields(event)), file=sys.stderr, flush=True)

    def listener(self, message: Message) -> None:
        """Upstream's family tells of listeners, whatever the path manager."""
        if message.command in (LISTENER_CREATED, LISTENER_CLOSED):
            event = decode(message)
            event.sport = socket.ntohs(event.sport)
            print(",".join(self.fields(event)), file=sys.stderr, flush=True)

    def follow(self) -> None:
        ours, upstream = Client().join().nl, Netlink()
        upstream.join(Family.resolve(upstream, "mptcp_pm").groups["mptcp_pm_events"])
        while True:
            ready, _, _ = select.select([ours, upstream], [], [])
            for nl in ready:
                tell = self.show if nl is ours else self.listener
                for message in nl.receive(0):
                    tell(message)


def main(verb: str, *words: str) -> None:
    if verb == "events":
        Events().follow()
    elif not run(verb, list(words)):
        real = os.environ["PM_NL_CTL"]
        os.execv(real, [real, verb, *words])


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as error:
        sys.exit(f"pm_nl_ctl: {error}")
