"""The glance at the node store sees what the store itself sees."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.adapters.clock import SystemClock
from app.adapters.standing import standing_reader
from app.adapters.store import SqliteNodeStore
from app.core.errors import LocalFailure
from app.core.roles import Role
from app.core.state import PeerIdentity, Phase, standing
from app.migrate import migrate_node_store


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("phase", Phase)
def test_a_glance_agrees_with_the_store(tmp_path: Path, role: Role, phase: Phase) -> None:
    path = tmp_path / "a folder" / "node.db"
    migrate_node_store(path)
    store = SqliteNodeStore(path, SystemClock())
    glance = standing_reader(path)
    assert glance() == standing(store.state())
    peer = PeerIdentity("id", "beta", "192.0.2.2", "ssh-ed25519 A", "ssh-ed25519 B", "PEM")
    state = store.change_state(lambda state: replace(state, role=role, phase=phase, term=7, peer=peer))
    store.close()
    assert glance() == standing(state)
    assert glance().paired


def test_a_store_that_is_missing_or_broken_is_a_failure_and_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "node.db"
    with pytest.raises(LocalFailure):
        standing_reader(path)()
    assert not path.exists()
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(LocalFailure):
        standing_reader(path)()
