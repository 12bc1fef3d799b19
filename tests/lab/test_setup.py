"""The manual's "Setup HA Pair" and "Teardown HA Service" on real servers, in both topologies."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import QUICK
from tests.lab.acts import SETTLE_S, tear_down, wait_stable
from tests.lab.client import connected, rows
from tests.lab.network import HOSTS
from tests.lab.servers import Servers
from tests.waiting import wait_for

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]


def note_row(servers: Servers, host: str, text: str) -> None:
    with connected(servers.database(host)) as cursor:
        cursor.execute("CREATE DATABASE IF NOT EXISTS own")
        cursor.execute("CREATE TABLE IF NOT EXISTS own.notes (id INT AUTO_INCREMENT PRIMARY KEY, text VARCHAR(99))")
        cursor.execute("INSERT INTO own.notes (text) VALUES (%s)", (text,))


def notes(servers: Servers, host: str) -> list[str]:
    return [text for (text,) in rows(servers.database(host), "SELECT text FROM own.notes ORDER BY id")]


def test_the_manuals_workflow_makes_a_stable_pair_and_teardown_gives_two_whole_servers(standalone: Servers) -> None:
    note_row(standalone, "a", "of alpha")
    note_row(standalone, "b", "of beta")
    before = notes(standalone, "a")
    for host in HOSTS:
        standalone.lab.check(host, "sh", "-c", f"echo of {host} > /data/files/letter && sync -f /data")
    standalone.pair(QUICK)
    wait_stable(standalone, "a")
    assert notes(standalone, "b") == before
    note_row(standalone, "a", "of the pair")
    standalone.lab.check("a", "sh", "-c", "echo new > /data/files/later")
    letter, later = (Path(standalone.hosts["b"]["files"]) / name for name in ("letter", "later"))
    wait_for(lambda: later.exists() and later.read_text() == "new\n", SETTLE_S, "the new file on beta")
    assert letter.read_text() == "of a\n"
    tear_down(standalone)
    assert notes(standalone, "a") == notes(standalone, "b") == [*before, "of the pair"]
    assert [(Path(standalone.hosts[host]["files"]) / "later").read_text() for host in HOSTS] == ["new\n", "new\n"]
