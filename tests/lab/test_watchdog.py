"""A primary whose monitor hangs does not go on unwatched."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import MakeServers
from tests.lab.client import is_writable
from tests.waiting import wait_for

pytestmark = pytest.mark.lab
FENCE_TIMEOUT_S = 60.0
BACK_TIMEOUT_S = 120.0


def test_a_hung_monitor_is_fenced_around_restarted_and_the_pair_is_stable_again(make_servers: MakeServers) -> None:
    servers = make_servers()
    primary = servers.database("a")
    servers.lab.check("a", "pkill", "-STOP", "-f", "jobs.monitor")

    wait_for(lambda: not is_writable(primary), FENCE_TIMEOUT_S, "the primary with the hung monitor to refuse writes")

    servers.apis["a"].wait_status("stable", BACK_TIMEOUT_S, role="primary")
    assert is_writable(primary)
    log = (Path(servers.hosts["a"]["logs"]) / "watchdog.log").read_text()
    assert "this primary is fenced and its monitor restarted" in log
