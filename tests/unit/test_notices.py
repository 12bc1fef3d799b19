"""What is told on which way, in which words, and how many mails may go."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from app.core import alarms, notices
from app.core.alarmwords import WORDS, words
from app.core.events import EventKind
from app.core.notices import NOTICES, Channel, channels, notice, told_when_cleared, told_when_raised
from app.core.pacing import GROUP_MAX, PURSE, Purse, groups
from app.core.primary import OFFLINE
from app.core.replication import ALARM_PREFIX
from tests.unit.situations import NOW

PROJECT = Path(__file__).resolve().parents[2]


def test_codes_are_stable_and_unique() -> None:
    assert {each.kind: each.code for each in NOTICES} == {
        "Failover": "HA1001", "ManualSwitch": "HA1002", "StandbyOffline": "HA1003", "StandbyOnline": "HA1004",
        "RaiseAlarm": "HA1005", "ClearAlarm": "HA1006", "Rescued": "HA1007", "AlarmRaised": "HA2001",
        "AlarmCleared": "HA2002",
    }  # fmt: skip
    assert notice("Unheard").code == "HA9001"


def test_the_script_sees_the_manuals_events_and_standby_online_only() -> None:
    with_script = {each.kind for each in NOTICES if Channel.SCRIPT in each.channels}
    assert with_script == {kind.value for kind in EventKind}


def test_the_words_for_alarms_that_an_event_tells_are_those_of_the_core() -> None:
    assert notices.STANDBY_OFFLINE == OFFLINE
    assert notices.REPLICATION == ALARM_PREFIX


def test_every_alarm_of_the_core_has_words() -> None:
    known = alarms.OF_PRIMARY | alarms.OF_SECONDARY
    assert known - set(WORDS) == set()
    sources = [path.read_text() for folder in ("app/core", "jobs") for path in (PROJECT / folder).rglob("*.py")]
    named = {code for text in sources for code in re.findall(r'^ALARM = "([a-z-]+)"', text, re.MULTILINE)}
    assert named - set(WORDS) == set()
    assert words("unheard").title == "Alarm unheard"


@pytest.mark.parametrize(
    ("code", "raised", "cleared"),
    [
        ("conflict", {"mail", "webhook", "log"}, {"mail", "webhook", "log"}),
        (OFFLINE, None, {"mail", "webhook", "log"}),
        ("replication-stopped", None, None),
        ("mail-failed", {"webhook", "log"}, {"webhook", "log"}),
        ("webhook-failed", {"mail", "log"}, {"mail", "log"}),
    ],
)
def test_an_alarm_is_told_once_when_raised_and_once_when_cleared(
    code: str, raised: set[str] | None, cleared: set[str] | None
) -> None:
    up, over = told_when_raised(code, "why", NOW), told_when_cleared(code, "why", NOW)
    assert (None if up is None else set(up.channels)) == raised
    assert (None if over is None else set(over.channels)) == cleared
    if up is not None and over is not None:
        assert up.key != over.key
        later = told_when_raised(code, "why", NOW + timedelta(seconds=1))
        assert later is not None
        assert later.key != up.key


def test_the_return_of_the_standby_is_mailed_once_whether_or_not_the_script_is_told() -> None:
    assert Channel.MAIL not in channels("StandbyOnline")
    assert told_when_cleared(OFFLINE, "gone", NOW) is not None


def test_a_few_events_are_a_mail_each_and_many_are_one() -> None:
    assert groups([1, 2, 3], Purse()) == [(1,), (2,), (3,)]
    assert groups([1, 2, 3, 4], Purse()) == [(1, 2, 3, 4)]
    assert groups([1, 2], Purse(coins=1.5)) == [(1, 2)]
    assert groups(list(range(1000)), Purse()) == [tuple(range(GROUP_MAX))]


def test_a_purse_lets_a_few_mails_go_at_once_and_then_one_a_minute() -> None:
    purse = Purse(at_s=0.0)
    for _ in range(int(PURSE)):
        assert purse.wait_s() == 0
        purse = purse.spent()
    assert purse.wait_s() == 60
    assert purse.at(30.0).wait_s() == pytest.approx(30)
    assert purse.at(60.0).wait_s() == 0
    assert purse.at(1e6).coins == PURSE
    assert purse.at(-5.0).coins == 0
