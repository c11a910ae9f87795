# SPDX-License-Identifier: GPL-2.0
"""The Python API of portus, for scripts that import it: they run unchanged on
pyccp. See docs/write-an-algorithm-python.md for what differs."""

from pyccp import AlgBase, CompileError, DatapathInfo, connect, start, try_compile
from pyccp import Datapath as PyDatapath
from pyccp import Report as PyReport

__all__ = [
    "AlgBase",
    "CompileError",
    "DatapathInfo",
    "PyDatapath",
    "PyReport",
    "connect",
    "start",
    "try_compile",
]
