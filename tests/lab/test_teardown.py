"""Pairing and parting again and again leaves nothing that disturbs the next round."""

from __future__ import annotations

import pytest

from tests.conftest import QUICK, MakeServers
from tests.lab.acts import tear_down, wait_stable
from tests.lab.client import connected, rows

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]
ROUNDS = 10


def test_ten_rounds_of_set_up_and_teardown_keep_every_row(make_servers: MakeServers) -> None:
    servers = make_servers(paired=False)
    for turn in range(ROUNDS):
        servers.pair(QUICK)
        wait_stable(servers, "a")
        with connected(servers.database("a")) as cursor:
            cursor.execute("CREATE DATABASE IF NOT EXISTS rounds")
            cursor.execute("CREATE TABLE IF NOT EXISTS rounds.played (turn INT PRIMARY KEY)")
            cursor.execute("INSERT INTO rounds.played VALUES (%s)", (turn,))
        tear_down(servers)
        held = [rows(database, "SELECT turn FROM rounds.played ORDER BY turn") for database in servers.databases]
        assert held[0] == held[1] == [(each,) for each in range(turn + 1)]
