# SPDX-License-Identifier: GPL-2.0
"""What an algorithm may look like, and what the agent needs to know of it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

NAME_MAX = 11
"""Bytes of a name: a congestion control's has 15, and begins with `ccp_`."""


class AlgBase:
    """What algorithms inherit from. Nothing asks for it but old habits.

    A class with `on_report(self, r)` is made anew for each flow. It is called
    with `(datapath, datapath_info)`, which are also attributes; then
    `on_create(self)` is called, if there is one.

    An object with `datapath_programs(self)` and `new_flow(self, datapath,
    datapath_info)` is made once, and gives an object with `on_report` for each
    flow.
    """

    datapath: Any
    datapath_info: Any

    def __init__(self, datapath: Any = None, datapath_info: Any = None) -> None:
        self.datapath = datapath
        self.datapath_info = datapath_info


class Algorithm(NamedTuple):
    """An algorithm, ready to be served."""

    name: str
    programs: list[tuple[str, str]]
    new_flow: Callable[[Any, Any], Any]


def of(algorithm: Any, name: str | None = None) -> Algorithm:
    """Looks at a class or object, and raises an exception if it can't be one."""
    is_class = inspect.isclass(algorithm)
    chosen = name_of(name or getattr(algorithm, "name", None), algorithm)
    if callable(getattr(algorithm, "new_flow", None)):
        served = algorithm() if is_class else algorithm
        require(served, "datapath_programs")
        require(served, "new_flow", "datapath", "datapath_info")
        return Algorithm(chosen, programs(served.datapath_programs()), checked(served.new_flow))
    if not is_class:
        raise NotImplementedError(
            f"{type(algorithm).__name__} lacks the method new_flow(self, datapath, datapath_info)"
        )
    require(algorithm, "on_report", "r", bound=False)
    found: list[tuple[str, str]] = []
    for method in ("datapath_programs", "init_programs"):
        if hasattr(algorithm, method):
            # No flow is there yet to ask.
            found = programs(getattr(object.__new__(algorithm), method)())
            break
    return Algorithm(chosen, found, lambda datapath, info: instance(algorithm, datapath, info))


def name_of(wanted: object, algorithm: Any) -> str:
    if isinstance(wanted, str):
        return wanted
    cls = algorithm if inspect.isclass(algorithm) else type(algorithm)
    plain = re.sub(r"[^a-z0-9_]", "", cls.__name__.lower())
    return plain[:NAME_MAX] or "python"


def require(owner: Any, method: str, *parameters: str, bound: bool = True) -> None:
    """The method is there, and takes as many arguments as it will be given."""
    found = getattr(owner, method, None)
    kind = owner if inspect.isclass(owner) else type(owner)
    wanted = ", ".join(["self", *parameters])
    if not callable(found):
        raise NotImplementedError(f"{kind.__name__} lacks the method {method}({wanted})")
    if not takes(found, len(parameters) + (0 if bound else 1)):
        raise NameError(f"{kind.__name__}.{method} must take ({wanted})")


def takes(function: Callable[..., Any], count: int) -> bool:
    try:
        inspect.signature(function).bind(*[None] * count)
    except TypeError:
        return False
    except ValueError:  # Written in C: nobody knows.
        return True
    return True


def programs(given: object) -> list[tuple[str, str]]:
    """Names and sources: a dict, or a list of pairs."""
    pairs: Iterable[Any] = given.items() if isinstance(given, Mapping) else given  # type: ignore[assignment]
    found: dict[str, str] = {}
    try:
        for name, source in pairs:
            if not isinstance(name, str) or not isinstance(source, str):
                raise TypeError
            if name in found:
                raise ValueError(f"there are two programs of the name {name!r}")
            found[name] = source
    except TypeError:
        raise TypeError("datapath_programs must give a dict of names to programs") from None
    return list(found.items())


def checked(new_flow: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def made(datapath: Any, info: Any) -> Any:
        flow = new_flow(datapath, info)
        require(flow, "on_report", "r")
        return flow

    return made


def instance(cls: Any, datapath: Any, info: Any) -> Any:
    """An object for a flow, by whichever way of making one the class has."""
    flow = cls.__new__(cls)
    flow.datapath = datapath
    flow.datapath_info = info
    if cls.__init__ is not object.__init__:
        arguments = (datapath, info) if takes(flow.__init__, 2) else ()
        flow.__init__(*arguments)
    if hasattr(flow, "on_create"):
        flow.on_create()
    return flow
