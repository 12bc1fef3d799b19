"""What every script checker promises; bash and shellcheck are real."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.adapters.scriptcheck import ShellChecks
from app.core.scriptcheck import Level
from app.ports import ScriptChecker
from tests.contract.manual import examples
from tests.fakes.alerts import FakeScriptChecker


@pytest.fixture(params=["fake", "real"])
def checker(request: pytest.FixtureRequest) -> ScriptChecker:
    return FakeScriptChecker() if request.param == "fake" else ShellChecks()


def test_a_script_without_fault_is_fine(checker: ScriptChecker) -> None:
    found = checker.check('#!/bin/bash\nlogger -t HA "$1"\n')
    assert (found.ok, found.findings, found.notes) == (True, (), ())
    assert re.fullmatch(r"\d+\.\d+\.\d+", found.shellcheck)


def test_an_error_is_found_at_its_line(checker: ScriptChecker) -> None:
    found = checker.check("echo 1\nif true; then # wrong\n")
    assert not found.ok
    assert found.sentences()
    assert all(1 <= each.line <= 3 and each.column >= 1 for each in found.errors)


def test_bash_and_shellcheck_both_look() -> None:
    found = ShellChecks().check("#!/bin/bash\nif true; then\n")
    assert "bash" in {each.code for each in found.errors}
    assert any(each.code.startswith("SC") for each in found.findings)


def test_a_doubtful_line_is_saved_with_a_finding_at_its_place() -> None:
    found = ShellChecks().check("#!/bin/bash\nlogger -t HA $1\n")
    assert found.ok
    (finding,) = found.findings
    assert (finding.line, finding.column, finding.end_column, finding.code) == (2, 14, 16, "SC2086")
    assert finding.level is Level.INFO


def test_scripts_that_move_a_name_may_be_saved() -> None:
    assert [title for title, each in examples().items() if not ShellChecks().check(each.script).ok] == []


def test_nothing_of_the_script_is_run_and_no_file_is_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.sh"
    secret.write_text("hush=1; if\n")
    script = f"touch {tmp_path}/ran\n$(touch {tmp_path}/ran)\n# shellcheck source={secret}\n. {secret}\n"
    found = ShellChecks().check(script)
    assert not (tmp_path / "ran").exists()
    assert "hush" not in str(found)


def test_without_shellcheck_bash_looks_alone_and_that_is_said() -> None:
    found = ShellChecks(shellcheck="shellcheck-is-missing").check("if\n")
    assert not found.ok
    assert found.shellcheck == ""
    assert "not installed" in found.notes[0]
