"""Two histories made on purpose: a cut between the servers, each writes on, and the old primary comes back.

Shared by the scenario tests and by the benchmark of the rejoin.
"""

from __future__ import annotations

import contextlib
import io
import json
import tarfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pymysql
import requests

from tests.lab.acts import SETTLE_S, other, primary_of, wait_stable
from tests.lab.client import Api, connected
from tests.lab.servers import Servers
from tests.waiting import wait_for

Json = dict[str, Any]
REJOIN_S = 120.0
DOWNLOAD_S = 60.0
WRITE_S = 5.0
WRITE_ALL_S = 60.0
BEATS = 2
COUNTED_S = 2.0
"""A number that stays for so long is of the newest look at the database."""
SNAPSHOT = "/run/hapair/monitor.json"
SCHEMA = "lab_histories"
PREPARE = (
    f"CREATE DATABASE IF NOT EXISTS {SCHEMA}",
    f"CREATE TABLE IF NOT EXISTS {SCHEMA}.alone (number INT PRIMARY KEY AUTO_INCREMENT, made DOUBLE)",
)
WRITE = "INSERT INTO lab_histories.alone (made) VALUES (%s)"
CHANGE_TABLE = f"ALTER TABLE {SCHEMA}.alone ADD COLUMN IF NOT EXISTS note VARCHAR(64) DEFAULT 'only on the old primary'"
Ahead = Callable[[Servers, str], None]


@dataclass(frozen=True)
class Returned:
    """How an old primary came back."""

    old: str
    new: str
    seconds: float
    """From the end of the cut until both servers said stable."""
    rescue: Json | None
    contents: dict[str, bytes]
    """The files of the rescue, by their path below its folder; without those of the tree."""
    promised: int | None
    """How many transactions the old primary's status said would be lost, read just before the cut ended."""

    @property
    def report(self) -> Json:
        found: Json = json.loads(self.contents["report.json"])
        return found

    @property
    def kept_its_promise(self) -> bool:
        """Whether as many transactions were rescued as the status had said, but for those that had arrived at the other
        server without the primary's knowing, which it counts."""
        rescue = self.rescue or {"transactions": 0, "arrived": 0}
        return self.promised is not None and self.promised == rescue["transactions"] + rescue["arrived"]


def transactions(count: int) -> Ahead:
    """So many transactions of an application, each acknowledged by the old primary alone."""

    def write(servers: Servers, host: str) -> None:
        left = count
        deadline = time.monotonic() + WRITE_ALL_S
        while left and time.monotonic() < deadline:
            with contextlib.suppress(pymysql.Error, OSError), connected(servers.database(host), WRITE_S) as cursor:
                while left:
                    cursor.execute(WRITE, (time.time(),))
                    left -= 1
        assert left == 0, f"{left} of {count} transactions were not acknowledged in {WRITE_ALL_S:g} s"

    return write


def table_change(servers: Servers, host: str) -> None:
    """A DDL, which no rewind can take back."""
    with connected(servers.database(host)) as cursor:
        cursor.execute(CHANGE_TABLE)


def files(count: int) -> Ahead:
    """So many files that only the old primary has."""

    def make(servers: Servers, host: str) -> None:
        script = f"mkdir -p /data/files/alone && cd /data/files/alone && seq {count} | xargs touch && sync ."
        servers.lab.check(host, "sh", "-c", script)

    return make


def diverge(servers: Servers, ahead: Ahead) -> Returned:
    """The link between the servers is cut, the secondary takes over, the old primary goes on alone and gets ahead; then
    the link is back, and the pair is stable again by itself."""
    old = primary_of(servers)
    new = other(old)
    known = {each["id"] for each in rescues(servers, old)}
    prepare(servers, old)
    wait_acknowledged(servers, old)
    servers.lab.fault("cut-peer")
    servers.apis[new].wait_status("degraded", SETTLE_S, role="primary")
    wait_alone(servers, old)
    ahead(servers, old)
    promised = promise(servers, old)
    began = time.monotonic()
    servers.lab.fault("heal")
    wait_stable(servers, new, REJOIN_S)
    seconds = time.monotonic() - began
    fresh = [each for each in rescues(servers, old) if each["id"] not in known]
    contents = download(servers.hosts[old], fresh[0]["id"]) if fresh else {}
    return Returned(old, new, seconds, fresh[0] if fresh else None, contents, promised)


def prepare(servers: Servers, primary: str) -> None:
    """The table of `transactions` is there."""
    with connected(servers.database(primary)) as cursor:
        for statement in PREPARE:
            cursor.execute(statement)


def wait_acknowledged(servers: Servers, primary: str) -> None:
    """The standby has acknowledged a write that was begun after all that was written before."""
    before = _beat(servers, primary)
    for _ in range(BEATS):
        wait_for(lambda before=before: _beat(servers, other(primary)) > before, SETTLE_S, "a beat on the standby")  # type: ignore[misc]
        before = _beat(servers, primary)


def wait_alone(servers: Servers, host: str) -> None:
    """The primary has recorded that its standby is out, and takes writes."""

    def takes_one() -> bool:
        try:
            with connected(servers.database(host), WRITE_S) as cursor:
                return bool(cursor.execute(WRITE, (time.time(),)))
        except (pymysql.Error, OSError):
            return False

    wait_for(lambda: "standby-out" in reasons(servers, host), SETTLE_S, "the primary going on alone")
    wait_for(takes_one, SETTLE_S, "a write on the primary that is alone")


def promise(servers: Servers, host: str) -> int | None:
    """How many transactions the host's status says that a failover would lose, once it has counted the last of them."""
    held = _sequence(_position(servers, host))
    wait_for(lambda: _sequence(_seen_position(servers, host)) >= held, SETTLE_S, "the last transaction to be seen")
    told, since_s = _lost(servers, host), time.monotonic()

    def settled() -> bool:
        nonlocal told, since_s
        if (found := _lost(servers, host)) != told:
            told, since_s = found, time.monotonic()
        return time.monotonic() - since_s >= COUNTED_S

    wait_for(settled, SETTLE_S, "the number of transactions that would be lost")
    return told


def reasons(servers: Servers, host: str) -> set[str]:
    """The codes of the reasons that the host's status gives."""
    return {reason["code"] for reason in servers.apis[host].status()["reasons"]}


def rescues(servers: Servers, host: str) -> list[Json]:
    """What rejoins have kept aside on that host, newest first."""
    found = servers.apis[host].ask("GET", "/ha/rescues")["items"]
    return [each for each in found if each["kind"] == "rejoin"]


def download(host: Json, rescue_id: str) -> dict[str, bytes]:
    """The files of the rescue, as an administrator gets them, by their path below its folder."""
    answer = requests.get(
        f"{host['url']}/api/v1/ha/rescues/{rescue_id}/download",
        headers={"Authorization": f"Bearer {host['token']}"}, verify=host["ca"], timeout=DOWNLOAD_S,
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    found = {}
    with tarfile.open(fileobj=io.BytesIO(answer.content), mode="r:gz") as tar:
        for member in tar:
            file = tar.extractfile(member) if member.isfile() else None
            if file is not None:
                found[member.name.removeprefix(f"{rescue_id}/")] = file.read()
    return found


def set_field(servers: Servers, **fields: object) -> None:
    """The fields are applied on both servers, and both know that the job is over: no failover waits for it."""
    api = servers.apis[primary_of(servers)]
    if all(api.ask("GET", "/ha/config")["applied"][name] == value for name, value in fields.items()):
        return
    api.save_draft(dict(fields))
    api.finish(api.apply())
    for each in servers.apis.values():
        wait_for(partial(_waits_for_no_job, each), SETTLE_S, "the job to be over")


def _waits_for_no_job(api: Api) -> bool:
    return all(reason["code"] != "maintenance" for reason in api.status()["failover"]["reasons"])


def _beat(servers: Servers, host: str) -> str:
    """When the newest beat was written that the host's database holds."""
    return servers.lab.check(host, "mariadb", "-BNe", "SELECT MAX(at) FROM hapair.beat").strip()


def _lost(servers: Servers, host: str) -> int | None:
    found: int | None = servers.apis[host].status()["failover"]["lost_transactions"]
    return found


def _seen_position(servers: Servers, host: str) -> str:
    """Where the host's database was when its monitor last looked."""
    document = json.loads(servers.lab.check(host, "cat", SNAPSHOT))["document"]
    return str(document["database"]["facts"]["position"])


def _position(servers: Servers, host: str) -> str:
    return servers.lab.check(host, "mariadb", "-BNe", "SELECT @@gtid_binlog_pos").strip()


def _sequence(gtid: str) -> int:
    return int(gtid.rsplit("-", 1)[-1])
