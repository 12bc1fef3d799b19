"""What is told to people, and on which ways: each kind of event with its stable code, its weight and its channels.

The manual's events reach the custom script; what we add reaches people and programs only, so that an existing script
sees nothing that it does not know. An alarm that an event tells of already is not told a second time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Channel(StrEnum):
    """One way on which an event leaves this server."""

    SCRIPT = "script"
    MAIL = "mail"
    WEBHOOK = "webhook"
    LOG = "log"


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


STANDBY_OFFLINE = "standby-offline"
REPLICATION = "replication-"
"""The alarm, and the beginning of the alarms, that an event of the manual tells of; the rules of the core have the same
words. They are not taken from there, so that whoever only sends a line needs none of the rules."""
ALARM_RAISED = "AlarmRaised"
ALARM_CLEARED = "AlarmCleared"
EVERY_CHANNEL = tuple(Channel)
PEOPLE = (Channel.MAIL, Channel.WEBHOOK, Channel.LOG)


@dataclass(frozen=True)
class Notice:
    """One kind of event. The code stays the same for ever; the title may be worded better."""

    kind: str
    code: str
    title: str
    severity: Severity
    channels: tuple[Channel, ...]


NOTICES = (
    Notice("Failover", "HA1001", "The secondary has taken over", Severity.CRITICAL, EVERY_CHANNEL),
    Notice("ManualSwitch", "HA1002", "The roles were swapped", Severity.INFO, EVERY_CHANNEL),
    Notice("StandbyOffline", "HA1003", "The secondary is offline", Severity.CRITICAL, EVERY_CHANNEL),
    Notice(
        "StandbyOnline", "HA1004", "The secondary is online again", Severity.INFO,
        (Channel.SCRIPT, Channel.WEBHOOK, Channel.LOG),
    ),
    Notice("RaiseAlarm", "HA1005", "Database replication error", Severity.CRITICAL, EVERY_CHANNEL),
    Notice("ClearAlarm", "HA1006", "Database replication recovery", Severity.INFO, EVERY_CHANNEL),
    Notice("Rescued", "HA1007", "Data was rescued at a rejoin", Severity.WARNING, PEOPLE),
    Notice(ALARM_RAISED, "HA2001", "An alarm was raised", Severity.WARNING, PEOPLE),
    Notice(ALARM_CLEARED, "HA2002", "An alarm was cleared", Severity.INFO, PEOPLE),
)  # fmt: skip
"""StandbyOnline goes out by no mail: the clear of the alarm `standby-offline` says the same, whatever the setting."""

UNKNOWN = Notice("", "HA9001", "An event of another version", Severity.WARNING, EVERY_CHANNEL)
_BY_KIND = {each.kind: each for each in NOTICES}

SCRIPT_FAILED = "script-failed"
MAIL_FAILED = "mail-failed"
WEBHOOK_FAILED = "webhook-failed"
_NOT_ABOUT_ITSELF = {MAIL_FAILED: Channel.MAIL, WEBHOOK_FAILED: Channel.WEBHOOK}
"""That a channel does not work is not told on that channel."""


def notice(kind: str) -> Notice:
    """The declaration of that kind; UNKNOWN for a kind that this version does not have."""
    return _BY_KIND.get(kind, UNKNOWN)


def channels(kind: str, alarm: str = "") -> tuple[Channel, ...]:
    """On which ways an event of that kind goes out; `alarm` is the code of the alarm that it is about."""
    quiet = _NOT_ABOUT_ITSELF.get(alarm)
    return tuple(each for each in notice(kind).channels if each is not quiet)


@dataclass(frozen=True)
class AlarmTold:
    """The event by which people hear of an alarm."""

    kind: str
    key: str
    parameters: tuple[str, ...]
    detail: str
    channels: tuple[Channel, ...]


def told_when_raised(code: str, text: str, raised_at: datetime) -> AlarmTold | None:
    """What is told when an alarm is new; None where the pair's own event (StandbyOffline, RaiseAlarm) tells it."""
    if code == STANDBY_OFFLINE or code.startswith(REPLICATION):
        return None
    key = f"{ALARM_RAISED}:{code}:{raised_at.isoformat()}"
    return AlarmTold(ALARM_RAISED, key, (ALARM_RAISED, code, text), "", channels(ALARM_RAISED, code))


def told_when_cleared(code: str, text: str, raised_at: datetime) -> AlarmTold | None:
    """What is told when an alarm is over; None where the event ClearAlarm tells it."""
    return None if code.startswith(REPLICATION) else end_of_alarm(code, text, raised_at)


def end_of_alarm(code: str, text: str, raised_at: datetime) -> AlarmTold:
    """The event that tells that an alarm is over."""
    key = f"{ALARM_CLEARED}:{code}:{raised_at.isoformat()}"
    since = f"It was up since {raised_at.strftime('%Y-%m-%d %H:%M:%S UTC')}."
    return AlarmTold(ALARM_CLEARED, key, (ALARM_CLEARED, code, text), since, channels(ALARM_CLEARED, code))
