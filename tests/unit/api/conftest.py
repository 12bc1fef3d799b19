from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.api.world import Caller, World, make_world


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path)


@pytest.fixture
def call(world: World) -> Caller:
    """An administrator's token."""
    return world.caller()
