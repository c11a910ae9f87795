# SPDX-License-Identifier: GPL-2.0
"""Programs that don't compile, handlers that fail, signals."""

from __future__ import annotations

import pickle
import signal
import threading
import traceback
import unittest

import pyccp

from algorithms import PER_RTT, on_each_report, quick

BAD = "(def (Report (a 0)))\n(when true\n    (:= Report.b 1))\n"
CARET = "3 |     (:= Report.b 1))\n  |         ^^^^^^^^"


class CompileErrors(unittest.TestCase):
    def check(self, error):
        self.assertEqual((error.line, error.column, error.code), (3, 9, "E0201"))
        self.assertIn(CARET, error.message)
        self.assertEqual(str(error), error.message)
        self.assertIn("declare it", error.help)

    def test_install(self):
        class Bad(pyccp.AlgBase):
            def on_create(self):
                self.datapath.install(BAD)

            def on_report(self, r):
                pass

        with self.assertRaises(pyccp.CompileError) as caught:
            quick(Bad)
        self.check(caught.exception)
        self.assertIn("bad.program:3:9", caught.exception.message)

    def test_before_anything_is_served(self):
        class Bad(pyccp.AlgBase):
            def datapath_programs(self):
                return {"good": PER_RTT, "bad": BAD}

            def new_flow(self, datapath, datapath_info):
                raise AssertionError("no flow can come")

        for serve in (quick, lambda alg: pyccp.start("netlink", alg)):
            with self.assertRaises(pyccp.CompileError) as caught:
                serve(Bad())
            self.check(caught.exception)
            self.assertIn("bad.bad:3:9", caught.exception.message)

    def test_every_mistake_is_told(self):
        text = pyccp.try_compile("(def) (when true (:= Report.b 1) (:= Report.c 2))")
        self.assertIn("Report.b", text)
        self.assertIn("Report.c", text)
        self.assertEqual(pyccp.try_compile(PER_RTT), "")

    def test_pickles(self):
        error = pyccp.CompileError("text", 1, 2, "E0101", None)
        again = pickle.loads(pickle.dumps(error))
        self.assertEqual((again.message, again.line, again.column), ("text", 1, 2))


class Handlers(unittest.TestCase):
    def test_the_first_exception_is_raised(self):
        def fail(flow, r):
            raise KeyError(f"report {r.seq}")

        try:
            quick(on_each_report(fail))
        except KeyError as error:
            self.assertEqual(str(error), "'report 1'")
            frames = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
            self.assertEqual(frames[-1], "fail")
        else:
            self.fail("nothing is raised")

    def test_the_others_go_on(self):
        reports = {}

        def fail(flow, r):
            flow_id = flow.datapath_info.sock_id
            reports[flow_id] = reports.get(flow_id, 0) + 1
            if flow_id == 1:
                flow.datapath.update_field("Cwnd", 4 * 1448)
                raise ZeroDivisionError("of flow 1")
            flow.datapath.update_field("Cwnd", 6 * 1448)

        r = quick(on_each_report(fail), flows=2, queue=100, check=False)
        self.assertGreater(reports[1], 5)
        self.assertGreater(reports[2], 5)
        self.assertEqual(len(r.errors), reports[1])
        self.assertRegex(
            r.errors[0], r"(?s)flow 1: Traceback .*in fail.*ZeroDivisionError: of flow 1$"
        )
        # What was commanded before the exception holds.
        self.assertEqual(r.flows[0].series[-1].cwnd, 4 * 1448)
        self.assertEqual(r.flows[1].series[-1].cwnd, 6 * 1448)

    def test_aborts_are_errors(self):
        class Divides(pyccp.AlgBase):
            def on_create(self):
                self.datapath.install(
                    "(def (Report (a 0)) (z 0)) (when true (:= Report.a (/ 1 z)) (report))"
                )

            def on_report(self, r):
                pass

        with self.assertRaisesRegex(RuntimeError, "flow 1"):
            quick(Divides)
        self.assertTrue(quick(Divides, check=False).errors)

    def test_exit_ends_the_run(self):
        def leave(flow, r):
            raise SystemExit(3)

        with self.assertRaises(SystemExit):
            quick(on_each_report(leave), check=False)

    def test_ctrl_c_ends_the_run(self):
        reports = []

        def interrupt(flow, r):
            reports.append(r)
            if len(reports) == 3:
                signal.raise_signal(signal.SIGINT)

        # Ignored from the start where the tests run in the background.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        self.addCleanup(signal.signal, signal.SIGINT, before)
        with self.assertRaises(KeyboardInterrupt):
            quick(on_each_report(interrupt), seconds=1000, check=False)
        self.assertLess(len(reports), 100)

    def test_in_another_thread(self):
        results = []
        alg = on_each_report(lambda flow, r: None)
        thread = threading.Thread(target=lambda: results.append(quick(alg)))
        thread.start()
        thread.join(60)
        self.assertEqual(len(results), 1)
