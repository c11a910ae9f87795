# SPDX-License-Identifier: GPL-2.0
"""The shapes an algorithm may have, the ways to serve it, the drop-in modules."""

from __future__ import annotations

import unittest
from typing import ClassVar

import portus
import pyccp
import pyportus
from pyccp import algorithm

from algorithms import PER_RTT, quick


class Plain:
    """No base class, no arguments."""

    def __init__(self):
        self.ready = True

    def on_create(self):
        assert self.ready
        self.datapath.install(PER_RTT)

    def on_report(self, r):
        self.datapath.update_field("Cwnd", 2 * self.datapath_info.mss)


class Listed(pyccp.AlgBase):
    """The form between the two, with programs in a list."""

    def init_programs(self):
        return [("default", PER_RTT)]

    def on_create(self):
        self.datapath.set_program("default", [("Cwnd", 2.0 * self.datapath_info.mss)])

    def on_report(self, r):
        pass


class LongNames(pyccp.AlgBase):
    """Programs with names that the kernel does not take."""

    seen: ClassVar[list] = []

    def datapath_programs(self):
        return {"the program with a long name": PER_RTT, "ünlike it": PER_RTT}

    def new_flow(self, datapath, datapath_info):
        return LongNamesFlow(datapath)


class LongNamesFlow:
    def __init__(self, datapath):
        self.datapath = datapath
        self.datapath.set_program("the program with a long name")

    def on_report(self, r):
        LongNames.seen.append(r.program)
        self.datapath.set_program("ünlike it")


class Shapes(unittest.TestCase):
    def test_names_of_programs(self):
        quick(LongNames)
        self.assertEqual(set(LongNames.seen), {"the program with a long name", "ünlike it"})

    def test_no_base_class(self):
        self.assertIn(2896, {s.cwnd for s in quick(Plain).series})

    def test_programs_in_a_list(self):
        self.assertEqual({s.cwnd for s in quick(Listed).series}, {2896})

    def test_names(self):
        class MyVery_LongNamedAlgorithm(Plain):
            pass

        self.assertEqual(algorithm.of(Plain).name, "plain")
        self.assertEqual(algorithm.of(MyVery_LongNamedAlgorithm).name, "myvery_long")
        MyVery_LongNamedAlgorithm.name = "mine"
        self.assertEqual(algorithm.of(MyVery_LongNamedAlgorithm).name, "mine")
        self.assertEqual(algorithm.of(MyVery_LongNamedAlgorithm, "other").name, "other")

    def test_what_is_missing_is_named(self):
        class Nothing(pyccp.AlgBase):
            pass

        class NoPrograms(pyccp.AlgBase):
            def new_flow(self, datapath, datapath_info):
                pass

        class Wrong(pyccp.AlgBase):
            def on_report(self):
                pass

        with self.assertRaisesRegex(NotImplementedError, r"Nothing lacks .*on_report\(self, r\)"):
            pyccp.simulate(Nothing)
        with self.assertRaisesRegex(NotImplementedError, "NoPrograms lacks .*datapath_programs"):
            pyccp.simulate(NoPrograms())
        with self.assertRaisesRegex(NotImplementedError, "new_flow"):
            pyccp.simulate(object())
        with self.assertRaisesRegex(NameError, r"Wrong.on_report must take \(self, r\)"):
            pyccp.simulate(Wrong)

    def test_programs_of_no_use(self):
        for given in (None, 3, {"a": 1}, [("a",)], "text"):
            with self.subTest(given=given), self.assertRaises((TypeError, ValueError)):
                algorithm.programs(given)
        with self.assertRaisesRegex(ValueError, "two programs of the name 'a'"):
            algorithm.programs([("a", "x"), ("a", "y")])

    def test_a_flow_must_hear_reports(self):
        class Gives(pyccp.AlgBase):
            def datapath_programs(self):
                return {"p": PER_RTT}

            def new_flow(self, datapath, datapath_info):
                return None

        with self.assertRaisesRegex(NotImplementedError, "NoneType lacks the method on_report"):
            quick(Gives())


class Serving(unittest.TestCase):
    def test_without_the_module(self):
        """Every transport means ours, which is not there on this machine."""
        for ipc in ("netlink", "unix", "char", "chardev", "genl", "generic netlink"):
            with self.subTest(ipc=ipc), self.assertRaisesRegex(pyccp.AgentError, "insmod"):
                pyccp.connect(ipc, Plain, debug=True, blocking=True)
        with self.assertRaisesRegex(pyccp.AgentError, "insmod"):
            pyccp.start("unix", Listed, "hello", debug=True)

    def test_unknown_transport(self):
        with self.assertRaisesRegex(ValueError, "no such ipc type: 'pigeon'; there are netlink, "):
            pyccp.connect("pigeon", Plain)

    def test_a_name_too_long(self):
        with self.assertRaisesRegex(pyccp.AgentError, "longer than"):
            pyccp.start("netlink", Plain, name="x" * 40)


class DropIn(unittest.TestCase):
    def test_names(self):
        for name in portus.__all__:
            with self.subTest(name=name):
                self.assertIs(getattr(pyportus, name), getattr(portus, name))
        self.assertIs(portus.AlgBase, pyccp.AlgBase)
        self.assertIs(portus.connect, pyccp.connect)
        self.assertIs(portus.start, pyccp.start)


class Simulations(unittest.TestCase):
    def test_same_arguments_same_result(self):
        one, two = (quick(Plain, loss=0.02, seed=9).series for _ in range(2))
        self.assertEqual(one, two)
        self.assertNotEqual(one, quick(Plain, loss=0.02, seed=10).series)

    def test_results(self):
        r = quick(Listed, seconds=2, warmup=1)
        # Two segments per round trip of 10 ms and their own 4.8 ms on the link.
        flow = r.flows[0]
        self.assertAlmostEqual(r.utilisation, 2 * 2.4224 / (10 + 2.4224), delta=0.03)
        self.assertAlmostEqual(flow.throughput / 5e6, r.utilisation * 1448 / 1514, delta=0.01)
        self.assertAlmostEqual(r.mean_rtt, 0.0124, delta=0.002)
        self.assertEqual(r.series, flow.series)
        self.assertEqual(flow.series[-1].delivered, flow.delivered)
        self.assertEqual((flow.lost, r.errors), (0, []))

    def test_limited_by_the_application(self):
        r = quick(Plain, seconds=4, warmup=1, app_rate=500e3)
        self.assertAlmostEqual(r.flows[0].throughput, 500e3, delta=50e3)

    def test_marks(self):
        seen = []

        class Marked(pyccp.AlgBase):
            def on_create(self):
                self.datapath.install(
                    "(def (Report (ecn 0))) (when true (:= Report.ecn Ack.ecn_packets) (report))",
                    {"Cwnd": 60 * 1448},
                )

            def on_report(self, r):
                seen.append(r.ecn)

        quick(Marked, queue=100, mark=5)
        self.assertIn(1, seen)

    def test_arguments_out_of_range(self):
        for how in (
            {"flows": 0},
            {"rate": 0},
            {"seconds": 0},
            {"seconds": 1, "warmup": 1},
            {"rtt": -1},
            {"agent_delay": -1},
            {"seconds": float("inf")},
        ):
            with self.subTest(how=how), self.assertRaises((ValueError, OverflowError)):
                quick(Plain, **how)
