"""What was found in a custom script, and whether it may be saved with that."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

SENTENCES_MAX = 5


class Level(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    STYLE = "style"


@dataclass(frozen=True)
class Finding:
    """Lines and columns begin at 1; the end is the place after the last character."""

    line: int
    column: int
    end_line: int
    end_column: int
    level: Level
    code: str
    """`SC2086` of shellcheck, `bash` of bash itself."""
    message: str


@dataclass(frozen=True)
class ScriptCheck:
    findings: tuple[Finding, ...] = ()
    shellcheck: str = ""
    """Its version; empty where it could not be asked."""
    notes: tuple[str, ...] = ()
    """What could not be looked at, and why."""

    @property
    def ok(self) -> bool:
        """Whether the script may be saved: errors refuse it, warnings inform."""
        return not self.errors

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(each for each in self.findings if each.level is Level.ERROR)

    def sentences(self) -> list[str]:
        """The first errors, for the field."""
        return [f"Line {each.line}: {each.message} ({each.code})" for each in self.errors[:SENTENCES_MAX]]
