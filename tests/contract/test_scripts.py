"""What every script runner promises, and what only a real bash can show."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from app.adapters import scripts as real
from app.ports import ScriptResult, ScriptRunner
from tests.fakes.scripts import FakeScripts
from tests.waiting import wait_for

Prepared = tuple[ScriptRunner, str]
LIMIT_S = 1.5
"""Enough for bash to begin the script, on a busy machine too."""
GRACE_S = 1.0
ENDED_S = 30.0
"""Half of the time that what the scripts start would take by itself."""


@pytest.fixture(params=["fake", "real"])
def ending_with(request: pytest.FixtureRequest) -> Callable[[int, str], Prepared]:
    def prepare(exit_code: int, output: str) -> Prepared:
        if request.param == "real":
            return real.BashScripts(), f"printf %s {output}; exit {exit_code}"
        fake = FakeScripts()
        fake.result = ScriptResult(exit_code=exit_code, output=output, duration_s=0.0)
        return fake, "anything"

    return prepare


@pytest.mark.parametrize(("exit_code", "output"), [(0, "done"), (3, "failed"), (255, "")])
def test_exit_code_and_output_are_reported(
    ending_with: Callable[[int, str], Prepared], exit_code: int, output: str
) -> None:
    runner, script = ending_with(exit_code, output)
    result = runner.run(script, ["Failover", "beta", "alpha"], {"HA_EVENT": "Failover"}, 10)
    assert (result.exit_code, result.output) == (exit_code, output)


@pytest.fixture
def runner() -> real.BashScripts:
    return real.BashScripts(grace_s=GRACE_S)


def test_parameters_arrive_as_they_are(runner: real.BashScripts) -> None:
    hostile = ["Failover", "$(touch /nothing)", "a b\n'\"", "", "ünï\0code", "-x"]
    result = runner.run('printf "%s|" "$@"', hostile, {}, 10)
    assert result.output == "Failover|$(touch /nothing)|a b\n'\"||ünïcode|-x|"


def test_the_environment_is_clean_but_for_ours(runner: real.BashScripts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAPAIR_SECRET_THING", "hush")
    result = runner.run("env", [], {"HA_EVENT": "Failover"}, 10)
    names = {line.split("=")[0] for line in result.output.splitlines()}
    assert "HA_EVENT" in names
    assert "HAPAIR_SECRET_THING" not in names
    assert names <= {*real.CLEAN_ENVIRONMENT, "TMPDIR", "HA_EVENT", "PWD", "SHLVL", "_"}


def test_each_run_has_a_folder_of_its_own_that_goes_afterwards(runner: real.BashScripts) -> None:
    result = runner.run('touch here; pwd; basename "$0"; stat -c %a .', [], {}, 10)
    folder, name, mode = result.output.split()
    assert name == "HAAdminAlertScript"
    assert mode == "700"
    assert not Path(folder).exists()


def test_a_script_that_takes_too_long_is_ended_with_its_children(runner: real.BashScripts, tmp_path: Path) -> None:
    script = f"sleep 60 & echo $! > {tmp_path}/child; trap 'echo asked' TERM; while true; do sleep 0.05; done"
    started = time.monotonic()
    result = runner.run(script, [], {}, LIMIT_S)
    assert result.exit_code is None
    assert "asked" in result.output
    assert time.monotonic() - started < ENDED_S
    _wait_gone(int((tmp_path / "child").read_text()))


def test_a_script_that_ignores_term_is_killed(runner: real.BashScripts) -> None:
    result = runner.run("trap '' TERM; echo started; while true; do sleep 0.05; done", [], {}, LIMIT_S)
    assert result.exit_code is None
    assert result.output == "started\n"


def test_what_a_script_leaves_running_is_ended_with_it(runner: real.BashScripts, tmp_path: Path) -> None:
    started = time.monotonic()
    result = runner.run(f"sleep 60 & echo $! > {tmp_path}/child; echo over", [], {}, 30)
    assert (result.exit_code, result.output) == (0, "over\n")
    assert time.monotonic() - started < ENDED_S
    _wait_gone(int((tmp_path / "child").read_text()))


def test_output_is_bounded_and_does_not_hold_the_script(runner: real.BashScripts) -> None:
    result = runner.run("head -c 5000000 /dev/zero | tr '\\0' x; echo end >&2", [], {}, 30)
    assert result.exit_code == 0
    assert len(result.output) == real.OUTPUT_MAX


def test_endless_output_is_ended_in_time(runner: real.BashScripts) -> None:
    started = time.monotonic()
    assert runner.run("yes", [], {}, 0.5).exit_code is None
    assert time.monotonic() - started < ENDED_S


def test_a_script_that_closes_its_output_is_still_waited_for(runner: real.BashScripts) -> None:
    assert runner.run("exec >&- 2>&-; sleep 0.3; exit 7", [], {}, 10).exit_code == 7


def test_output_that_is_no_text_is_shown_as_well_as_it_can_be(runner: real.BashScripts) -> None:
    assert runner.run(r"printf '\xff\x00ok'", [], {}, 10).output == "\ufffd\0ok"


def _wait_gone(process_id: int) -> None:
    def gone() -> bool:
        try:
            os.kill(process_id, 0)
        except ProcessLookupError:
            return True
        return Path(f"/proc/{process_id}/stat").read_text().split(")")[1].split()[0] == "Z"

    wait_for(gone, ENDED_S, f"process {process_id} to be gone")
