# SPDX-License-Identifier: GPL-2.0
"""The stubs of the native half are about what is there."""

from __future__ import annotations

import ast
import inspect
import unittest
from importlib.resources import files

from pyccp import _pyccp

REPORT_ONLY = {"Cwnd", "Rate", "fields", "missed", "program", "seq", "stale", "time_us"}
"""Attributes that a report has, and its class has not."""


def public(names):
    return {name for name in names if not name.startswith("_")}


def parameters(function: ast.FunctionDef) -> list[tuple[str, bool]]:
    given = function.args.args
    plain = len(given) - len(function.args.defaults)
    return [(arg.arg, index >= plain) for index, arg in enumerate(given)]


def runtime_parameters(function) -> list[tuple[str, bool]]:
    found = inspect.signature(function).parameters.values()
    return [(p.name, p.default is not inspect.Parameter.empty) for p in found]


class Stubs(unittest.TestCase):
    stub = ast.parse(files("pyccp").joinpath("_pyccp.pyi").read_text())

    def test_members(self):
        classes = {c.name: c for c in self.stub.body if isinstance(c, ast.ClassDef)}
        functions = {f.name: f for f in self.stub.body if isinstance(f, ast.FunctionDef)}
        self.assertEqual(set(classes) | set(functions), public(dir(_pyccp)))
        for name, function in functions.items():
            self.assertEqual(parameters(function), runtime_parameters(getattr(_pyccp, name)), name)
        for name, stub in classes.items():
            methods = {f.name: f for f in stub.body if isinstance(f, ast.FunctionDef)}
            cls = getattr(_pyccp, name)
            extra = REPORT_ONLY if name == "Report" else set()
            self.assertEqual(public(methods), public(dir(cls)) | extra, name)
            for method in public(methods) - extra:
                if not methods[method].decorator_list:
                    self.assertEqual(
                        parameters(methods[method]),
                        runtime_parameters(getattr(cls, method)),
                        method,
                    )

    def test_marked_as_typed(self):
        for package in ("pyccp", "portus", "pyportus"):
            self.assertTrue(files(package).joinpath("py.typed").is_file(), package)
