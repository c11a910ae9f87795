# SPDX-License-Identifier: GPL-2.0
"""The examples in the simulator."""

from __future__ import annotations

import unittest

import pyccp

import aimd
import aimd_portus
import sample


class Examples(unittest.TestCase):
    def test_aimd_fills_the_link(self):
        r = pyccp.simulate(aimd.Aimd, seconds=30)
        self.assertGreater(r.utilisation, 0.95)
        self.assertGreater(r.flows[0].lost, 0)
        self.assertTrue(0.04 <= r.mean_rtt <= 0.082, r.mean_rtt)

    def test_aimd_shares_the_link(self):
        r = pyccp.simulate(aimd.Aimd, seconds=120, warmup=60, flows=2)
        self.assertGreater(r.utilisation, 0.97)
        a, b = (flow.throughput for flow in r.flows)
        self.assertLess(max(a, b) / min(a, b), 1.5)

    def test_later_form(self):
        self.assertGreater(pyccp.simulate(aimd_portus.Aimd(), seconds=30).utilisation, 0.9)
        # A class will do as well as an object of it.
        self.assertGreater(pyccp.simulate(aimd_portus.Aimd, seconds=30).utilisation, 0.9)

    def test_the_sample(self):
        # It keeps two segments at least, which is more than this path holds.
        r = pyccp.simulate(sample.SampleCCAlg, rate=2e6, rtt=0.01, queue=20)
        self.assertGreater(r.utilisation, 0.9)
