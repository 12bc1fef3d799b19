"""Events and alarms of a pair: each is told once, where the manual says, and mailed."""

from __future__ import annotations

import mailbox

import pytest

from tests.lab.acts import SETTLE_S, other, primary_of, recover
from tests.lab.client import connected
from tests.lab.network import HOSTNAMES
from tests.lab.pairing import ALERT_ACCOUNT
from tests.lab.servers import Servers
from tests.waiting import wait_for

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]
Known = set[str]


def known(servers: Servers, host: str) -> Known:
    """The keys of the events that there are."""
    return {event["key"] for event in servers.apis[host].events()}


def told(servers: Servers, host: str, kind: str, before: Known) -> list[list[str]]:
    """The parameters of the new events of that kind on the host."""
    return [event["parameters"] for event in servers.apis[host].events(kind) if event["key"] not in before]


def test_a_replication_error_raises_one_alarm_on_the_secondary_and_recovery_clears_it_once(pair: Servers) -> None:
    primary = primary_of(pair)
    secondary = other(primary)
    before = known(pair, secondary)
    with connected(pair.database(primary)) as cursor:
        cursor.execute("CREATE DATABASE IF NOT EXISTS alarms")
        cursor.execute("DROP TABLE IF EXISTS alarms.clash")
        cursor.execute("CREATE TABLE alarms.clash (id INT PRIMARY KEY)")
    wait_for(lambda: "clash" in tables(pair, secondary), SETTLE_S, "the table on the secondary")
    on_secondary(pair, secondary, "INSERT INTO alarms.clash VALUES (1)")
    with connected(pair.database(primary), SETTLE_S) as cursor:
        cursor.execute("INSERT INTO alarms.clash VALUES (1)")
    raised = wait_for(lambda: told(pair, secondary, "RaiseAlarm", before), SETTLE_S, "the alarm")
    assert pair.apis[secondary].status()["status"] == "degraded"
    on_secondary(pair, secondary, "DELETE FROM alarms.clash")
    pair.lab.check(secondary, "mariadb", given="STOP SLAVE; START SLAVE;")
    cleared = wait_for(lambda: told(pair, secondary, "ClearAlarm", before), SETTLE_S, "the end of the alarm")
    recover(pair)
    assert [len(raised), len(cleared)] == [1, 1]
    assert raised[0][0] == "RaiseAlarm"
    assert "1062" in raised[0][2] or "Duplicate" in raised[0][2]
    assert cleared[0][0] == "ClearAlarm"
    assert told(pair, primary, "RaiseAlarm", before) == []


def test_a_lost_secondary_is_told_on_the_primary_and_mailed(pair: Servers) -> None:
    primary = primary_of(pair)
    secondary = other(primary)
    before = known(pair, primary)
    pair.lab.fault("power-cut", secondary)
    offline = wait_for(lambda: told(pair, primary, "StandbyOffline", before), SETTLE_S, "the event")
    assert offline == [["StandbyOffline", HOSTNAMES[secondary], HOSTNAMES[primary]]]
    wait_for(lambda: letters(pair, "StandbyOffline"), SETTLE_S, "the letter")
    recover(pair)
    assert len(told(pair, primary, "StandbyOffline", before)) == 1


def letters(servers: Servers, word: str) -> list[str]:
    """The letters to the alert account that name the word."""
    found = mailbox.Maildir(servers.info["mailbox"], create=False)
    return [text for letter in found if letter["To"] == ALERT_ACCOUNT and word in (text := letter.as_string())]


def on_secondary(servers: Servers, host: str, statement: str) -> None:
    """Done on this server alone, as an administrator who should not: outside the replicated history."""
    servers.lab.check(host, "mariadb", given=f"SET SESSION sql_log_bin = 0; {statement};")


def tables(servers: Servers, host: str) -> str:
    return servers.lab.check(host, "mariadb", given="SHOW TABLES FROM alarms;")
