# SPDX-License-Identifier: GPL-2.0
"""What `ccpctl new --python` makes: its tests pass."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import pyccp

TEMPLATES = Path(__file__).resolve().parents[2] / "ccpctl/templates/python"


class Template(unittest.TestCase):
    def test_its_tests_pass(self):
        with tempfile.TemporaryDirectory() as place:
            for template, name in (("algorithm.py.in", "mine.py"), ("test.py.in", "test_mine.py")):
                text = (TEMPLATES / template).read_text()
                text = text.replace("{{name}}", "mine").replace("{{Type}}", "Mine")
                Path(place, name).write_text(text)
            done = subprocess.run(
                [sys.executable, "-m", "unittest"],
                cwd=place,
                env={**os.environ, "PYTHONPATH": str(Path(pyccp.__file__).parents[1])},
                capture_output=True,
                text=True,
                check=False,
            )
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertRegex(done.stderr, r"Ran [1-9]\d* tests?")
