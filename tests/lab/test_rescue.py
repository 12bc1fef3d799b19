"""Two histories after a cut between the servers: one lives on, the other is rescued whole, rows and files."""

from __future__ import annotations

from typing import Any

import pymysql
import pytest

from tests.lab import histories
from tests.lab.acts import SETTLE_S, other, primary_of, wait_stable
from tests.lab.client import connected
from tests.lab.servers import Servers
from tests.lab.writer import INSERT, Writer
from tests.waiting import wait_for

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]
Json = dict[str, Any]
REJOIN_S = 90.0
ROWS = 200
FILES = 1200
"""More than a full pass would delete without being asked to, were it not the first one after a failover."""
FIRST = 7_000_000_000_000_000_000
"""Beyond the numbers of all other writers."""
TABLE = "lab_writer.acknowledged"
COUNT_ALONE = "SELECT COUNT(*) FROM lab_writer.acknowledged WHERE number >= %s"


def write_alone(servers: Servers, host: str) -> list[int]:
    """Rows that only this host has, each acknowledged by it; begun once it goes on without its standby."""

    def takes_one() -> bool:
        try:
            with connected(servers.database(host), 3.0) as cursor:
                return bool(cursor.execute(INSERT, (FIRST, 0.0)))
        except pymysql.IntegrityError:
            return True  # an earlier try has arrived; its row counts as one that was written here
        except (pymysql.Error, OSError):
            return False

    wait_for(lambda: "standby-out" in histories.reasons(servers, host), SETTLE_S, "the primary going on alone")
    wait_for(takes_one, SETTLE_S, "a write on the primary that is alone")
    numbers = list(range(FIRST + 1, FIRST + ROWS))
    with connected(servers.database(host)) as cursor:
        for number in numbers:
            cursor.execute(INSERT, (number, 0.0))
    return [FIRST, *numbers]


def put(servers: Servers, host: str, **contents: str) -> None:
    """The files are in the host's tree and on its disk."""
    for name, content in contents.items():
        servers.lab.check(host, "sh", "-c", f"cat > /data/files/{name} && sync /data/files/{name}", given=content)


def test_after_a_cut_both_histories_survive_one_live_and_one_in_a_rescue(pair: Servers) -> None:
    old = primary_of(pair)
    new = other(old)
    known = {each["id"] for each in histories.rescues(pair, old)}
    with Writer([pair.database(old)]) as before:
        before.wait_for_progress(ROWS)
    histories.wait_acknowledged(pair, old)
    put(pair, old, shared="before the cut\n")
    wait_for(lambda: pair.lab.run(new, "cat", "/data/files/shared").stdout, SETTLE_S, "the shared file")
    pair.lab.fault("cut-peer")
    pair.apis[new].wait_status("degraded", SETTLE_S, role="primary")
    alone = write_alone(pair, old)
    put(pair, old, shared="by the old primary\n", alone="only here\n")
    pair.lab.check(
        old, "sh", "-c", f"mkdir /data/files/many && cd /data/files/many && seq {FILES} | xargs touch && sync ."
    )
    with Writer([pair.database(new)]) as after:
        after.wait_for_progress(ROWS)
    put(pair, new, shared="by the new primary\n")
    promised = histories.promise(pair, old)
    pair.lab.fault("heal")
    wait_stable(pair, new, REJOIN_S)

    def rescued() -> Json | None:
        fresh = [each for each in histories.rescues(pair, old) if each["id"] not in known]
        return fresh[0] if fresh and fresh[0]["files"] >= FILES + 2 else None

    rescue = wait_for(rescued, SETTLE_S, "the rescue of rows and files")
    assert rescue is not None
    with connected(pair.database(new)) as cursor:
        cursor.execute(COUNT_ALONE, (FIRST,))
        assert cursor.fetchone() == (0,)
    assert rescue["rows_by_table"][TABLE] == len(alone) == ROWS
    contents = histories.download(pair.hosts[old], rescue["id"])
    assert promised == rescue["transactions"] + rescue["arrived"]
    statements = contents["transactions.sql"].decode("utf-8", "replace")
    assert [number for number in alone if str(number) not in statements] == []
    assert contents["files-deleted/alone"] == b"only here\n"
    assert contents["files-replaced/shared"] == b"by the old primary\n"
    assert sum(name.startswith("files-deleted/many/") for name in contents) == FILES
    assert before.missing_in(pair.database(new)) == after.missing_in(pair.database(new)) == []
    assert before.missing_in(pair.database(old)) == []
    wait_for(
        lambda: pair.lab.run(old, "cat", "/data/files/shared").stdout == "by the new primary\n",
        SETTLE_S,
        "the new file",
    )
    put_back(pair, new, rescue["path"], old)
    with connected(pair.database(new)) as cursor:
        cursor.execute(COUNT_ALONE, (FIRST,))
        assert cursor.fetchone() == (ROWS,)
    wait_stable(pair, new)
    check_told_and_removed(pair, old, rescue["id"])


def put_back(servers: Servers, primary: str, path: str, holder: str) -> None:
    """The rows of one schema are on the primary, by the commands of docs/rescues.md."""
    read = (
        'cd "$1" && base=$(python3 -c \'import json; print(json.load(open("report.json"))["base"])\')'
        ' && mariadb-binlog --start-position="$base" --database=lab_writer binlog.*'
        " | sed -e '/SET @@session.gtid_/d' -e '/SET @@session.server_id/d'"
    )
    statements = servers.lab.check(holder, "sh", "-c", read, "sh", path)
    servers.lab.check(primary, "mariadb", given=statements)


def check_told_and_removed(servers: Servers, host: str, rescue_id: str) -> None:
    """Its event came once for rows and once for files, the status counts it, and it goes when told to."""
    api = servers.apis[host]
    wanted = [f"Rescued:{rescue_id}", f"Rescued:{rescue_id}:files"]

    def told() -> bool:
        return sorted(each["key"] for each in api.events("Rescued") if rescue_id in each["key"]) == wanted

    wait_for(told, SETTLE_S, "the events")
    wait_for(lambda: api.status()["rescues"]["count"] >= 1, SETTLE_S, "the status to count it")
    assert api.call("DELETE", f"/ha/rescues/{rescue_id}", {}).status == 422
    assert api.call("DELETE", f"/ha/rescues/{rescue_id}", {"confirm": rescue_id}).status == 204
    assert rescue_id not in {each["id"] for each in histories.rescues(servers, host)}
