"""The manual's example of a custom script runs as it stands against a real BIND: the name follows the active server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.nameserver import DOMAIN

PROJECT = Path(__file__).resolve().parents[2]
BOUND_S = 120


@pytest.mark.skipif(os.geteuid() != 0, reason="it needs namespaces of its own, so root")
def test_the_example_of_the_manual_moves_the_name_to_the_active_server() -> None:
    command = ["unshare", "--net", "--mount", "--uts", "--fork", "--kill-child", sys.executable]
    ended = subprocess.run(
        [*command, "-m", "tests.contract.nameserver"], cwd=PROJECT, capture_output=True, text=True, timeout=BOUND_S
    )
    assert ended.returncode == 0, ended.stderr
    failover, offline, switch = json.loads(ended.stdout)
    assert failover["exit_code"] == 0, failover["output"]
    assert failover["alias"] == f"alpha.{DOMAIN}."
    assert (offline["exit_code"], offline["alias"]) == (0, f"alpha.{DOMAIN}.")
    assert switch["exit_code"] == 0, switch["output"]
    assert switch["alias"] == f"beta.{DOMAIN}."
