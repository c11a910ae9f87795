# SPDX-License-Identifier: GPL-2.0
"""run.py [WORD]: runs the tests of this directory, those with WORD in their
name. A line for each, `ok NAME` or `not ok NAME: reason`; a skipped one is not
ok. Any other runner of unittest does as well."""

from __future__ import annotations

import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent


class Lines(unittest.TestResult):
    def addSuccess(self, test: unittest.TestCase) -> None:
        print(f"ok python {test.id()}", flush=True)

    def complain(self, test: unittest.TestCase, why: str) -> None:
        print(f"not ok python {test.id()}: {why}", flush=True)

    def addFailure(self, test, err) -> None:
        super().addFailure(test, err)
        self.complain(test, f"{err[0].__name__}: {' '.join(str(err[1]).split())}")

    def addError(self, test, err) -> None:
        super().addError(test, err)
        self.complain(test, f"{err[0].__name__}: {' '.join(str(err[1]).split())}")

    def addSubTest(self, test, subtest, err) -> None:
        super().addSubTest(test, subtest, err)
        if err:
            self.complain(subtest, f"{err[0].__name__}: {' '.join(str(err[1]).split())}")

    def addSkip(self, test, reason) -> None:
        super().addSkip(test, reason)
        self.complain(test, f"skipped: {reason}")


def tests(suite: unittest.TestSuite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from tests(test)
        else:
            yield test


def main(words: list[str]) -> int:
    sys.path[:0] = [str(HERE), str(HERE.parent / "examples")]
    sys.dont_write_bytecode = True
    found = tests(unittest.defaultTestLoader.discover(str(HERE), top_level_dir=str(HERE)))
    chosen = unittest.TestSuite(t for t in found if all(word in t.id() for word in words))
    result = Lines()
    chosen.run(result)
    return 0 if result.wasSuccessful() and not result.skipped else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
