# SPDX-License-Identifier: GPL-2.0
# Flavours: uml
"""CCID 5 with the equation of CCID 3, beside the kernel's CCID 3."""

from __future__ import annotations

import time

import dccp
import nft
from dccp import Connection
from lab import Lab, cases

RTT_MS = 50


@cases(lost=[1, 3])
def test_with_the_equation_of_tfrc_it_is_ccid_3(lab: Lab, lost: int) -> None:
    """Parameter ccid5_tfrc, N = 1: the rate is that of TFRC however many packets
    an event takes, and that of the kernel's CCID 3 as well as that does it."""
    dccp.module_parameter("ccid5_tfrc", 1)
    lab.ends.callback(dccp.module_parameter, "ccid5_tfrc", 0)
    wanted = 1.79732e6 / 8 * (1 - lost / 100)
    rates = []
    for ccid in (5, 3):
        path = lab.path(delay_ms=RTT_MS)
        nft.drop(path.r, lost, 100)
        connection = lab.keep(Connection(path, client=(ccid,), server=(ccid,)).start())
        time.sleep(30)
        got = connection.received
        time.sleep(30)
        rates.append((connection.received - got) / 30)
    assert abs(rates[0] / wanted - 1) < 0.03, (rates, wanted)
    assert abs(rates[0] / rates[1] - 1) < 0.1, rates
