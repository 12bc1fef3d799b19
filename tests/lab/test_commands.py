"""The lab's command line, as the README's readers use it: names, shapes and exit codes that outsiders rely on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.client import Api, is_writable, rows
from tests.lab.faults import FAULTS
from tests.lab.places import PROJECT
from tests.lab.test_lab_itself import remains
from tests.waiting import wait_for

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]
NAME = f"commands-{os.getpid()}"
RESTART_S = 60.0
HOST_KEYS = {"hostname", "address", "gateway", "url", "ca", "username", "password", "token", "database"}
PATHS = {"files", "rescue", "logs"}
Json = dict[str, Any]


def lab(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.lab", *arguments]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def info() -> Iterator[Json]:
    """What `up --standalone --json` printed; the lab goes on after the command."""
    up = lab("up", "--name", NAME, "--standalone", "--json")
    assert up.returncode == 0, up.stderr
    yield json.loads(up.stdout)
    down = lab("down", "--name", NAME)
    assert down.returncode == 0, down.stderr
    assert remains(NAME) == []
    assert lab("info", "--name", NAME, "--json").returncode == 1


def test_up_prints_what_the_contract_promises(info: Json) -> None:
    assert info["name"] == NAME
    assert set(info["hosts"]) == {"a", "b"}
    for host in info["hosts"].values():
        assert set(host) >= HOST_KEYS | PATHS
        assert host["url"].startswith("https://127.0.0.1:")
        assert all(Path(host[name]).is_dir() for name in PATHS)
    assert len(info["targets"]) == 3
    assert all((Path(info["mailbox"]) / each).is_dir() for each in ("new", "cur", "tmp"))


def test_info_prints_the_same_again(info: Json) -> None:
    assert json.loads(lab("info", "--name", NAME, "--json").stdout) == info


def test_what_up_prints_opens_the_api_and_the_database(info: Json) -> None:
    for host in info["hosts"].values():
        api = Api(host)
        assert api.status()["status"] == "standalone"
        api.close()
        assert is_writable(host["database"])
        assert rows(host["database"], "SELECT 40 + 2") == [(42,)]


def test_the_applications_account_is_held_back_by_read_only(info: Json) -> None:
    database = info["hosts"]["b"]["database"]
    (grants,) = [text for (text,) in rows(database, "SHOW GRANTS") if "ON *.*" in text]
    assert "READ_ONLY ADMIN" not in grants
    assert "SUPER" not in grants
    assert "ALL PRIVILEGES" not in grants


def test_exec_runs_as_root_with_the_hosts_mariadb(info: Json) -> None:
    done = lab("exec", "--name", NAME, "a", "--", "mariadb", "-N", "-e", "SELECT CURRENT_USER()")
    assert done.stdout == "root@localhost\n"
    assert lab("exec", "--name", NAME, "a", "--", "sh", "-c", "exit 9").returncode == 9


def test_a_killed_service_is_started_again(info: Json) -> None:
    def worker() -> Json:
        done = lab("exec", "--name", NAME, "b", "--", "lab-service", "status", "worker")
        return dict(json.loads(done.stdout))

    before = worker()["pid"]
    assert lab("fault", "--name", NAME, "kill", "b", "worker").returncode == 0
    wait_for(lambda: worker()["pid"] not in (None, before), RESTART_S, "the worker's next life")


def test_a_second_lab_of_the_same_name_is_refused(info: Json) -> None:
    again = lab("up", "--name", NAME, "--standalone")
    assert again.returncode == 1
    assert "runs already" in again.stderr


@pytest.mark.parametrize("name", ["../etc", "", "A", "x" * 30, "a/b"])
def test_a_name_that_could_leave_the_labs_folder_is_refused(name: str) -> None:
    done = lab("info", "--name", name)
    assert done.returncode == 1
    assert "can't name a lab" in done.stderr


def test_every_fault_of_the_contract_is_known() -> None:
    promised = "power-cut boot pause resume isolate cut-peer one-way drop-ping kill disk-full gateway-down heal"
    assert set(promised.split()) <= set(FAULTS)
