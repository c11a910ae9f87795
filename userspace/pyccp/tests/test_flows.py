# SPDX-License-Identifier: GPL-2.0
"""What a flow's object is given, and what it may do."""

from __future__ import annotations

import unittest

import pyccp

from algorithms import PER_RTT, on_each_report, quick


class Reports(unittest.TestCase):
    def test_attributes(self):
        seen = []
        quick(on_each_report(lambda flow, r: seen.append(r)))
        first, second = seen[:2]
        self.assertGreater(first.acked, 0)
        self.assertEqual(first.lost, 0)
        self.assertEqual(first.Cwnd, 10 * 1448)
        self.assertIsInstance(first.Rate, int)
        self.assertEqual((first.seq, second.seq), (1, 2))
        self.assertEqual(first.missed, 0)
        self.assertFalse(first.stale)
        self.assertGreater(second.time_us, first.time_us)
        self.assertEqual(first.fields, {"acked": first.acked, "lost": 0})
        self.assertIn("acked", dir(first))
        self.assertIn(f"acked={first.acked} lost=0 Cwnd=14480", repr(first))
        with self.assertRaisesRegex(AttributeError, "does not report 'sent', only acked, lost"):
            _ = first.sent

    def test_a_field_hides_what_else_has_its_name(self):
        seen = []

        class Hides(pyccp.AlgBase):
            def on_create(self):
                self.datapath.install("(def (Report (seq 4242))) (when true (report))")

            def on_report(self, r):
                seen.append(r.seq)

        quick(Hides)
        self.assertEqual(set(seen), {4242})


class Info(unittest.TestCase):
    def test_fields(self):
        seen = []

        class Look(pyccp.AlgBase):
            def __init__(self, datapath, datapath_info):
                seen.append((datapath, datapath_info, self.datapath, self.datapath_info))

            def on_report(self, r):
                pass

        quick(Look)
        ((datapath, info, *attributes),) = seen
        self.assertEqual(attributes, [datapath, info])
        self.assertEqual(datapath.sock_id, info.sock_id)
        self.assertEqual((info.init_cwnd, info.mss), (10 * 1448, 1448))
        for name in ("src_ip", "src_port", "dst_ip", "dst_port"):
            self.assertEqual(getattr(info, name), 0)  # No addresses in the simulator.
        self.assertFalse(info.adopted)
        self.assertIn("mss 1448", repr(info))


class Commands(unittest.TestCase):
    def windows(self, do, **how):
        return {s.cwnd for s in quick(on_each_report(do), **how).series}

    def test_cwnd(self):
        seen = self.windows(lambda flow, r: flow.datapath.update_field("Cwnd", 4 * 1448))
        self.assertEqual(seen, {10 * 1448, 4 * 1448})

    def test_floats_are_cut(self):
        self.assertIn(
            5792, self.windows(lambda flow, r: flow.datapath.update_field("Cwnd", 5792.9))
        )

    def test_several_at_once(self):
        for fields in ([("Cwnd", 2896), ("level", 3)], {"Cwnd": 2896, "half": True}):
            with self.subTest(fields=fields):
                do = lambda flow, r, f=fields: flow.datapath.update_fields(f)  # noqa: E731
                self.assertIn(2896, self.windows(do))

    def test_rate(self):
        def do(flow, r):
            flow.datapath.update_fields([("Rate", 125_000), ("Cwnd", 100 * 1448)])

        r = quick(on_each_report(do), seconds=10, warmup=2)
        # 1 of 5 Mbit/s, of which the utilisation counts the headers too.
        self.assertTrue(0.19 < r.utilisation < 0.23, r.utilisation)

    def test_programs_made_on_the_way(self):
        names = []

        def do(flow, r):
            names.append((r.stale, sorted(r.fields)))
            flow.count = getattr(flow, "count", 0) + 1
            flow.datapath.install(
                f"(def (Report (n{flow.count} 0))) (when (> Micros 10000) (:= Micros 0) (report))"
            )

        quick(on_each_report(do), seconds=3)
        fresh = [fields for stale, fields in names if not stale]
        self.assertGreater(len(fresh), 100)
        self.assertEqual(fresh[:3], [["acked", "lost"], ["n1"], ["n2"]])

    def test_install_sets_fields_too(self):
        class Starts(pyccp.AlgBase):
            def on_create(self):
                self.datapath.install(PER_RTT, {"Cwnd": 3 * 1448})

            def on_report(self, r):
                pass

        self.assertEqual({s.cwnd for s in quick(Starts).series}, {3 * 1448})


class WrongCommands(unittest.TestCase):
    """Each raises in the handler, at its own line, and changes nothing."""

    def refused(self, kind, words, do):
        seen = []

        def attempt(flow, r):
            try:
                do(flow.datapath)
            except Exception as error:  # noqa: BLE001
                seen.append(error)

        series = quick(on_each_report(attempt)).series
        self.assertEqual({s.cwnd for s in series}, {14480})
        self.assertTrue(seen)
        self.assertIsInstance(seen[0], kind)
        self.assertRegex(str(seen[0]), words)

    def test_unknown_variable(self):
        words = "no variable 'cwnd' to set, only Cwnd, Rate, half, level"
        self.refused(ValueError, words, lambda d: d.update_field("cwnd", 1))
        self.refused(ValueError, "'Report.acked'", lambda d: d.update_field("Report.acked", 1))

    def test_all_or_none(self):
        self.refused(ValueError, "'x'", lambda d: d.update_fields([("Cwnd", 2896), ("x", 1)]))

    def test_values_out_of_range(self):
        for value in (-1, -0.5, 2**64, float("nan"), float("inf")):
            with self.subTest(value=value):
                do = lambda d, v=value: d.update_field("Cwnd", v)  # noqa: E731
                self.refused(ValueError, r"'Cwnd' is .* 0 to 2\*\*64 - 1", do)

    def test_values_that_are_no_numbers(self):
        self.refused(TypeError, "no number", lambda d: d.update_field("Cwnd", "10"))
        self.refused(TypeError, "no number", lambda d: d.update_field("Cwnd", None))
        self.refused(TypeError, "no pair", lambda d: d.update_fields(["Cwnd"]))

    def test_unknown_program(self):
        self.refused(ValueError, "no program 'x'", lambda d: d.set_program("x", None))

    def test_program_that_does_not_compile(self):
        bad = "(def (Report (a 0)))\n(when true\n    (:= Report.b 1))"
        self.refused(pyccp.CompileError, "Report.b", lambda d: d.install(bad))

    def test_update_before_a_program(self):
        class TooEarly(pyccp.AlgBase):
            def on_create(self):
                self.datapath.update_field("Cwnd", 1)

            def on_report(self, r):
                pass

        with self.assertRaisesRegex(ReferenceError, "install or set_program first"):
            quick(TooEarly)
