"""A short run of what `python -m tests.fuzz` does for longer."""

from __future__ import annotations

import logging

import pytest

from app.core.roles import Role
from tests.fuzz import pairing, peer
from tests.fuzz.__main__ import SEED

SHORT_S = 3.0


def test_the_forced_command_answers_nonsense_with_refusals() -> None:
    found = peer.run(SEED, SHORT_S, (Role.SECONDARY,))
    assert found.lines == found.replies > 0
    assert found.refusals > found.replies // 2


def test_the_pairing_listener_stands_strangers_and_lets_the_right_one_in(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, logger="paramiko")
    assert pairing.run(SEED, SHORT_S).strangers > 0
