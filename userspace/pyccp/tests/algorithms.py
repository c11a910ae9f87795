# SPDX-License-Identifier: GPL-2.0
"""Algorithms that several tests use."""

from __future__ import annotations

import pyccp

PER_RTT = """
(def (Report (volatile acked 0) (volatile lost 0)) (level 7) (half false))
(when true
    (:= Report.acked (+ Report.acked Ack.bytes_acked))
    (:= Report.lost (+ Report.lost Ack.lost_pkts_sample))
    (fallthrough))
(when (> Micros Flow.srtt_us)
    (:= Micros 0)
    (report))
"""


def on_each_report(do):
    """A class that installs PER_RTT and calls do(flow, report)."""

    class Each(pyccp.AlgBase):
        def on_create(self):
            self.datapath.install(PER_RTT)

        def on_report(self, r):
            do(self, r)

    return Each


def quick(alg, **how):
    """Half a second of a short path."""
    return pyccp.simulate(alg, **{"rate": 5e6, "rtt": 0.01, "seconds": 0.5, **how})
