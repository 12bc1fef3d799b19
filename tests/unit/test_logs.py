"""What is logged stays one line a fact, whoever sent the words in it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from app import logs
from app.settings import Settings

HOSTILE = "a\n2026-01-01 [info] all is well \x1b[31m\r\u2028end"


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def written(capsys: pytest.CaptureFixture[str], log_format: str) -> list[str]:
    """The lines of one entry by each way of logging."""
    logs.configure(Settings(log_format=log_format))
    structlog.stdlib.get_logger("ours").warning("turned away", reason=HOSTILE)
    logging.getLogger("theirs").warning("refused %s", HOSTILE)
    return capsys.readouterr().err.splitlines()


def test_hostile_text_makes_no_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    lines = written(capsys, "text")
    assert len(lines) == 2
    assert "\x1b" not in "".join(lines)
    assert "turned away" in lines[0]
    assert "refused a" in lines[1]


def test_each_line_is_one_object_for_machines(capsys: pytest.CaptureFixture[str]) -> None:
    ours, theirs = (json.loads(line) for line in written(capsys, "json"))
    assert (ours["event"], ours["reason"], ours["level"]) == ("turned away", HOSTILE, "warning")
    assert theirs["logger"] == "theirs"


def test_libraries_are_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(Settings())
    logging.getLogger("paramiko.transport").info("Connected")
    assert capsys.readouterr().err == ""
