"""What only real MariaDB servers can get wrong about their data: half renamed, rescued, rewound."""

from __future__ import annotations

import pymysql
import pytest

from app.adapters.mariadb.binarylogs import read_contents
from app.adapters.mariadb.rewinding import known_history
from app.core.errors import LocalFailure
from tests.contract.databases import caught_up, written
from tests.contract.mariadb_servers import RealPair, RealServer
from tests.copies import copy_of
from tests.fakes.database import WriteState

# --- switching, cut off in the middle


def test_a_switch_that_was_cut_off_between_its_renames_is_completed(mariadb_servers: RealPair) -> None:
    source, target = mariadb_servers
    written(source, 1)
    staging, aside = target.folder_named("staging"), target.folder_named("aside")
    target.database.receive_seed(iter([copy_of(source.database)]), staging, lambda done, total: None)
    target.stop()
    target.data.rename(aside)
    target.database.switch_data(staging, aside)
    target.database.switch_data(staging, aside)
    target.start()
    assert target.rows() == {1}
    target.stop()
    target.data.rename(f"{aside}.replaced")
    target.database.switch_back(aside)
    target.start()
    assert not target.execute("SHOW DATABASES LIKE 'app'")
    target.clean_up()


def test_data_is_never_switched_under_a_server_that_does_not_listen(mariadb_servers: RealPair) -> None:
    target = mariadb_servers[1]
    hidden = target.socket.rename(target.folder / "hidden")
    try:
        with pytest.raises(LocalFailure) as caught:
            target.database.switch_back(target.folder_named("aside"))
        assert caught.value.code == "database-running"
    finally:
        hidden.rename(target.socket)


def test_an_older_data_folder_is_never_overwritten(mariadb_servers: RealPair) -> None:
    source, target = mariadb_servers
    staging, aside = target.folder_named("staging"), target.folder_named("aside")
    target.database.receive_seed(iter([copy_of(source.database)]), staging, lambda done, total: None)
    (target.folder / "aside").mkdir()
    target.stop()
    with pytest.raises(LocalFailure) as caught:
        target.database.switch_data(staging, aside)
    assert caught.value.code == "aside-taken"
    target.start()
    target.clean_up()


# --- rescue and rewind


def test_a_rescue_holds_the_statements_and_the_raw_logs_and_is_kept(mariadb_servers: RealPair) -> None:
    server = mariadb_servers[0]
    written(server, 1)
    client = server.open_client()
    point = server.database.facts().position
    server.execute("FLUSH BINARY LOGS")
    client.execute("INSERT INTO app.`rows` VALUES (2), (3)")
    client.execute("UPDATE app.`rows` SET value = 9 WHERE value = 1")
    client.execute("DELETE FROM app.`rows` WHERE value = 2")
    server.database.fence(2.0)
    report = server.database.rescue(point, server.folder_named("rescue"))
    assert report.transactions == 3
    assert report.rows_by_table == {"app.rows": 4}
    folder = server.folder / "rescue"
    text = (folder / "transactions.sql").read_text()
    assert "INSERT INTO app.`rows` VALUES (2), (3)" in text
    assert "VALUES (1)" not in text
    for name in report.files[1:]:
        assert (folder / name).read_bytes() == (server.data / name).read_bytes()
    assert folder.stat().st_mode & 0o777 == 0o700
    server.database.rewind(point)
    assert server.rows() == {1}
    assert server.database.rescue(point, server.folder_named("rescue")) == report
    server.clean_up()


def test_a_crashed_primary_with_unacknowledged_commits_is_rewound_and_follows(mariadb_pair: RealPair) -> None:
    old, new = mariadb_pair
    written(old, 1)
    caught_up(old, new)
    new.database.stop_receiver()
    point = new.database.drain(5.0)
    new.database.end_replication()
    old.database.set_semi_sync(True)
    writes = [old.open_client().write(value) for value in (2, 3)]
    old.kill()
    new.database.lift()
    written(new, 100)
    old.start()
    assert WriteState.ACKNOWLEDGED not in {write.state for write in writes}
    assert old.database.facts().read_only
    report = old.database.rescue(point, old.folder_named("rescue"))
    assert report.rows_by_table == {"app.rows": report.transactions}
    assert 1 <= report.transactions <= 2
    old.database.rewind(point)
    old.database.start_replication(new.source_for(old))
    caught_up(new, old)
    assert old.rows() == new.rows() == {1, 100}
    old.clean_up()


@pytest.mark.parametrize(
    ("before", "after", "word"),
    [
        (
            (
                "CREATE TABLE app.parent (id INT PRIMARY KEY)",
                "CREATE TABLE app.child (id INT, parent INT REFERENCES app.parent (id) ON DELETE CASCADE)",
                "INSERT INTO app.parent VALUES (1)",
                "INSERT INTO app.child VALUES (1, 1)",
            ),
            ("DELETE FROM app.parent",),
            "Foreign keys",
        ),
        (("CREATE TABLE app.old (id INT) ENGINE=MyISAM",), ("INSERT INTO app.old VALUES (1)",), "rolled back"),
        ((), ("TRUNCATE app.`rows`",), "structure"),
    ],
)
def test_what_flashback_would_get_wrong_is_not_rewound(
    mariadb_servers: RealPair, before: tuple[str, ...], after: tuple[str, ...], word: str
) -> None:
    server = mariadb_servers[0]
    for statement in before:
        run_as_root(server, statement)
    point = server.database.facts().position
    for statement in after:
        run_as_root(server, statement)
    server.database.fence(2.0)
    report = server.database.rescue(point, server.folder_named("rescue"))
    assert not report.rewindable
    assert word in report.obstacle
    with pytest.raises(LocalFailure) as caught:
        server.database.rewind(point)
    assert caught.value.code == "rewind-refused"
    server.clean_up()


def run_as_root(server: RealServer, statement: str) -> None:
    connection = pymysql.connect(unix_socket=str(server.socket), user="root", autocommit=True, ssl_disabled=True)
    with connection, connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_position_that_the_server_does_not_know_is_not_rewound_to(mariadb_servers: RealPair) -> None:
    server = mariadb_servers[0]
    server.database.fence(2.0)
    with pytest.raises(LocalFailure) as caught:
        server.database.rewind("0-9-3")
    assert caught.value.code == "rewind-refused"


TEXT = b"""\
#261122 17:56:25 server id 1  end_log_pos 421 CRC32 0x544ffeb5 \tGTID 0-1-14 cid=7 trans
# at 421
#Q> INSERT INTO app.`rows` VALUES ('
#Q> ### DELETE FROM `fake`.`fake`')
### INSERT INTO `app`.`we``ird`
### SET
###   @1='### DELETE FROM `fake`.`fake`\\x0a' /* meta */
### UPDATE `app`.`rows`
"""


def test_rows_are_counted_by_table_and_quoted_text_is_not_taken_for_rows() -> None:
    contents = read_contents(TEXT.splitlines(keepends=True))
    assert contents.transactions == 1
    assert contents.rows == {("app", "we`ird"): 1, ("app", "rows"): 1}
    assert contents.changed == {("app", "rows")}
    assert contents.obstacle == ""


@pytest.mark.parametrize("flags", [b" ddl", b" cid=3 ddl trans", b"", b" trans prepared", b" trans START ALTER"])
def test_transactions_of_other_kinds_are_an_obstacle(flags: bytes) -> None:
    assert read_contents([b"#261122 17:56:25 server id 1 \tGTID 0-1-14" + flags + b"\n"]).obstacle


def test_a_statement_in_the_log_is_an_obstacle() -> None:
    assert read_contents([b"#261122 17:56:25 server id 1 \tQuery\tthread_id=8\n"]).obstacle


def test_a_history_is_cut_at_the_base() -> None:
    assert known_history("0-1-105,0-2-90,1-1-4", "0-1-100") == "0-1-100,0-2-90"
    assert known_history("0-1-105", "") == ""
