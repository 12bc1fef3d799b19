"""A transfer of files that stands still is noticed, one that only takes long is not."""

from __future__ import annotations

import subprocess

import pytest

from app.adapters.mirror import sender


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "SILENCE_S", 0.6)
    monkeypatch.setattr(sender, "LOOK_EVERY_S", 0.05)


def read(script: str) -> str | None:
    with subprocess.Popen(["/bin/bash", "-c", script], stdout=subprocess.PIPE) as process:
        return sender._read_output(process, None, None)


def test_what_stands_still_is_ended() -> None:
    assert read("echo begun; exec sleep 600") is None


def test_what_moves_data_without_a_word_is_waited_for() -> None:
    quiet = "for i in {1..15}; do read -t 0.1 line < <(sleep 0.1; echo x); done; echo done"
    assert read(quiet) == "done\n"


def test_what_prints_is_read_to_its_end() -> None:
    assert read("for i in 1 2 3; do sleep 0.3; echo $i; done") == "1\n2\n3\n"
