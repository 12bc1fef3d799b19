"""What bash (`bash -n`) and shellcheck find in a script. Nothing of it is run, and no other file is looked at."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from app.core.scriptcheck import Finding, Level, ScriptCheck

TIMEOUT_S = 10.0
"""For each of the two programs."""
FINDINGS_MAX = 200
MESSAGE_LENGTH_MAX = 500
NAME = "HAAdminAlertScript"
MISSING = "shellcheck is not installed on this server (apt-get install shellcheck): only bash has looked."
_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
_BASH_LINE = re.compile(rf"(?:\./)?{NAME}: line (\d+): (.*)")


class ShellChecks:
    """app.ports.ScriptChecker."""

    def __init__(self, shellcheck: str = "shellcheck") -> None:
        self._shellcheck = shellcheck

    def check(self, script: str) -> ScriptCheck:
        findings, notes = _ask_bash(script)
        version = _version(self._shellcheck)
        if not version:
            notes.append(MISSING)
        else:
            more, said = self._ask_shellcheck(script)
            findings += more
            notes += said
        in_order = sorted(findings, key=lambda each: (each.line, each.column))
        return ScriptCheck(tuple(in_order[:FINDINGS_MAX]), version, tuple(notes))

    def _ask_shellcheck(self, script: str) -> tuple[list[Finding], list[str]]:
        arguments = [self._shellcheck, "--norc", "--shell=bash", "--format=json1", "--severity=style", "-"]
        answer = _run(arguments, script.encode("utf-8", "replace"))
        if answer is None:
            return [], [f"shellcheck took longer than {TIMEOUT_S:g} s: only bash has looked."]
        try:
            return [_finding(each) for each in json.loads(answer.stdout)["comments"]], []
        except (ValueError, KeyError, TypeError):
            return [], ["shellcheck gave an answer that can't be read: only bash has looked."]


def _ask_bash(script: str) -> tuple[list[Finding], list[str]]:
    with tempfile.TemporaryDirectory(prefix="hapair-check-") as folder:
        (Path(folder) / NAME).write_bytes(script.encode("utf-8", "replace"))
        answer = _run(["/bin/bash", "--norc", "-n", NAME], b"", folder)
    if answer is None:
        return [], [f"bash took longer than {TIMEOUT_S:g} s to read the script."]
    said = answer.stderr.decode("utf-8", "replace")
    found = [_BASH_LINE.match(line) for line in said.splitlines()]
    level = Level.ERROR if answer.returncode else Level.WARNING
    findings = [_of_bash(int(match[1]), level, match[2], script) for match in found if match]
    if answer.returncode and not findings:
        findings = [_of_bash(1, Level.ERROR, said.strip() or f"exit code {answer.returncode}", script)]
    return findings, []


def _of_bash(line: int, level: Level, message: str, script: str) -> Finding:
    """bash names the line only: the finding is the whole of it."""
    lines = script.split("\n")
    line = max(1, min(line, len(lines)))
    return Finding(line, 1, line, len(lines[line - 1]) + 1, level, "bash", message[:MESSAGE_LENGTH_MAX])


def _finding(found: dict[str, Any]) -> Finding:
    return Finding(
        line=int(found["line"]),
        column=int(found["column"]),
        end_line=int(found["endLine"]),
        end_column=int(found["endColumn"]),
        level=Level(found["level"]),
        code=f"SC{int(found['code'])}",
        message=str(found["message"])[:MESSAGE_LENGTH_MAX],
    )


def _run(
    arguments: Sequence[str], given: bytes, folder: str | None = None
) -> subprocess.CompletedProcess[bytes] | None:
    """The program's end; None where it took too long."""
    try:
        return subprocess.run(
            arguments, input=given, capture_output=True, timeout=TIMEOUT_S, cwd=folder, env=_ENVIRONMENT, check=False
        )
    except subprocess.TimeoutExpired:
        return None


@cache
def _version(program: str) -> str:
    try:
        answer = _run([program, "--version"], b"")
    except OSError:
        return ""
    if answer is None:
        return ""
    match = re.search(r"^version: (\S+)", answer.stdout.decode("utf-8", "replace"), re.MULTILINE)
    return match[1] if match else ""
