"""What a process has loaded does not make it stand still later."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from app.collector import leave_startup_alone


@pytest.fixture(autouse=True)
def _all_is_looked_at_afterwards() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_what_exists_is_not_looked_at_again_and_what_comes_later_is() -> None:
    before: list[object] = []
    leave_startup_alone()
    later: list[object] = []
    looked_at = gc.get_objects()
    assert not any(each is before for each in looked_at)
    assert any(each is later for each in looked_at)
