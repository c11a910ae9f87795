# SPDX-License-Identifier: GPL-2.0
"""The algorithm that the documentation shows is the example."""

from __future__ import annotations

import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[3]


class Docs(unittest.TestCase):
    def test_the_algorithm_shown(self):
        shown = (TOP / "docs/write-an-algorithm-python.md").read_text()
        example = (TOP / "userspace/pyccp/examples/aimd.py").read_text()
        code = example[example.index("import pyccp") :]
        self.assertIn(f"```python\n{code}```", shown)
