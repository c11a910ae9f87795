# SPDX-License-Identifier: GPL-2.0
from collections.abc import Callable, Iterable, Mapping
from typing import Any, SupportsFloat, SupportsIndex, final

_Number = SupportsIndex | SupportsFloat
_Fields = Mapping[str, _Number] | Iterable[tuple[str, _Number]]
_Programs = list[tuple[str, str]]

@final
class Datapath:
    """A flow, to be commanded. A command is carried out when the handler that
    gave it returns."""

    @property
    def sock_id(self) -> int: ...
    def install(self, program: str, fields: _Fields | None = None) -> None:
        """Compiles a program and has the flow run it; raises CompileError."""

    def set_program(self, program_name: str, fields: _Fields | None = None) -> None:
        """Has the flow run one of the algorithm's programs."""

    def update_field(self, reg_name: str, val: _Number) -> None:
        """Sets a variable of the program that runs, `Cwnd` (bytes) or `Rate`
        (bytes per second)."""

    def update_fields(self, fields: _Fields) -> None:
        """Sets several at once, all or none."""

@final
class DatapathInfo:
    """A flow when it was taken on."""

    @property
    def sock_id(self) -> int: ...
    @property
    def init_cwnd(self) -> int: ...
    @property
    def mss(self) -> int: ...
    @property
    def src_ip(self) -> int: ...
    @property
    def src_port(self) -> int: ...
    @property
    def dst_ip(self) -> int: ...
    @property
    def dst_port(self) -> int: ...
    @property
    def src(self) -> str: ...
    @property
    def dst(self) -> str: ...
    @property
    def adopted(self) -> bool: ...
    @property
    def algorithm(self) -> str: ...

@final
class Report:
    """What a flow's program reported; its fields are attributes."""

    @property
    def Cwnd(self) -> int: ...
    @property
    def Rate(self) -> int: ...
    @property
    def fields(self) -> dict[str, int]: ...
    @property
    def missed(self) -> int: ...
    @property
    def program(self) -> str: ...
    @property
    def seq(self) -> int: ...
    @property
    def stale(self) -> bool: ...
    @property
    def time_us(self) -> int: ...
    def __getattr__(self, name: str) -> int: ...

def compile(source: str) -> None: ...
def run(
    name: str,
    programs: _Programs,
    new_flow: Callable[[Datapath, DatapathInfo], Any],
    log: Callable[[str], None],
    debug: bool,
) -> dict[str, int]: ...
def simulate(
    name: str,
    programs: _Programs,
    new_flow: Callable[[Datapath, DatapathInfo], Any],
    scene: Mapping[str, Any],
) -> tuple[float, list[list[tuple[float, int, float, int, int, int, bool, bool]]], list[str]]: ...
