# SPDX-License-Identifier: GPL-2.0
"""The name portus's Python API has had since 0.6."""

from portus import *  # noqa: F403
from portus import __all__ as __all__
