"""docs/settings.md names each setting with its true default, and none that does not exist."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from app.settings import Settings, read_settings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "settings.md"
ROW = re.compile(r"^\| `(HAPAIR_\w+)` \| (?:`([^`]*)`|empty) \|", re.MULTILINE)


def test_the_page_lists_every_setting_with_its_default() -> None:
    listed = dict(ROW.findall(PAGE.read_text()))
    assert listed == {f"HAPAIR_{each.name.upper()}": str(each.default) for each in fields(Settings)}


def test_a_setting_is_read_by_its_declared_type() -> None:
    settings = read_settings({"HAPAIR_PEER_PORT": "8822", "HAPAIR_STATE_DIR": "/data/hapair"})
    assert settings.peer_port == 8822
    assert settings.node_store == Path("/data/hapair/store/node.db")


def test_a_setting_of_the_wrong_type_is_named() -> None:
    with pytest.raises(ValueError, match="HAPAIR_PEER_PORT"):
        read_settings({"HAPAIR_PEER_PORT": "many"})
