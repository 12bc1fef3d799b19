"""A script runner that runs nothing: it notes the call and answers as the test says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.ports import ScriptResult


@dataclass(frozen=True)
class ScriptCall:
    script: str
    parameters: tuple[str, ...]
    environment: dict[str, str]


class FakeScripts:
    """Every script ends with `result`."""

    def __init__(self) -> None:
        self.calls: list[ScriptCall] = []
        self.result = ScriptResult(exit_code=0, output="", duration_s=0.0)

    def run(
        self, script: str, parameters: Sequence[str], environment: Mapping[str, str], timeout_s: float
    ) -> ScriptResult:
        self.calls.append(ScriptCall(script, tuple(parameters), dict(environment)))
        return self.result
