# SPDX-License-Identifier: GPL-2.0
"""Congestion control in Python: algorithms for the kernel module ccp_rs, for
example

    import pyccp

    class Steady(pyccp.AlgBase):
        def on_create(self):
            self.datapath.install("(def (Report (rtt 0))) (when true (report))")

        def on_report(self, r):
            self.datapath.update_field("Cwnd", 20 * self.datapath_info.mss)

    print(pyccp.simulate(Steady).utilisation)
    pyccp.start("netlink", Steady)
"""

from ._pyccp import Datapath, DatapathInfo, Report
from .agent import connect, start, try_compile
from .algorithm import AlgBase
from .errors import AgentError, CompileError
from .simulator import FlowResult, Result, Sample, simulate

__all__ = [
    "AgentError",
    "AlgBase",
    "CompileError",
    "Datapath",
    "DatapathInfo",
    "FlowResult",
    "Report",
    "Result",
    "Sample",
    "connect",
    "simulate",
    "start",
    "try_compile",
]
