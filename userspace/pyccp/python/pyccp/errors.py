# SPDX-License-Identifier: GPL-2.0
"""What pyccp raises, besides Python's own exceptions."""

from __future__ import annotations


class CompileError(Exception):
    """A datapath program does not compile.

    `message` is for people: every finding with its source line and a caret.
    `line` and `column` are where the first one is, counted from 1, `code` is
    its stable code (docs/language.md), and `help` what to do, if that is known.
    """

    def __init__(
        self, message: str, line: int = 0, column: int = 0, code: str = "", help: str | None = None
    ) -> None:
        super().__init__(message, line, column, code, help)
        self.message = message
        self.line = line
        self.column = column
        self.code = code
        self.help = help

    def __str__(self) -> str:
        return self.message


class AgentError(Exception):
    """The agent cannot start or go on; the text says what to do."""
