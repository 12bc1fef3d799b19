"""What happens to a pair and is told to people: the manual's five events and the one that we add.

Each function builds one event with exactly the manual's parameters ("Guideline for HA Custom Script"). The key makes
an event unique on its node: the node store keeps one event for each key, so its script and mail run at most once,
even when the monitor is killed between deciding and recording.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.core.roles import Role


class EventKind(StrEnum):
    """First parameter of the custom script."""

    FAILOVER = "Failover"
    STANDBY_OFFLINE = "StandbyOffline"
    STANDBY_ONLINE = "StandbyOnline"
    MANUAL_SWITCH = "ManualSwitch"
    RAISE_ALARM = "RaiseAlarm"
    CLEAR_ALARM = "ClearAlarm"


@dataclass(frozen=True)
class EventSpec:
    """One event as it is to be recorded: `parameters` are those of the script, the kind first."""

    kind: EventKind
    parameters: tuple[str, ...]
    key: str
    detail: str = ""


@dataclass(frozen=True)
class EventRow:
    """Where an event runs and what its script gets; the table of the manual, and ours below it."""

    kind: EventKind
    title: str
    runs_on: Role
    """The role that the node has when the event begins."""
    parameters: tuple[str, ...]
    from_manual: bool = True


EVENTS = (
    EventRow(EventKind.FAILOVER, "Failover", Role.SECONDARY, ("Failover", "<active host>", "<standby host>")),
    EventRow(
        EventKind.STANDBY_OFFLINE, "Secondary offline", Role.PRIMARY,
        ("StandbyOffline", "<standby node>", "<active node>"),
    ),
    EventRow(EventKind.MANUAL_SWITCH, "Role swap", Role.SECONDARY, ("ManualSwitch", "<active host>", "<standby host>")),
    EventRow(
        EventKind.RAISE_ALARM, "Database replication error", Role.SECONDARY,
        ("RaiseAlarm", "<alarm condition as text>", "<error message>"),
    ),
    EventRow(
        EventKind.CLEAR_ALARM, "Database replication recovery", Role.SECONDARY,
        ("ClearAlarm", "<text containing alarm condition and error message>"),
    ),
    EventRow(
        EventKind.STANDBY_ONLINE, "Secondary online again", Role.PRIMARY,
        ("StandbyOnline", "<standby node>", "<active node>"), from_manual=False,
    ),
)  # fmt: skip


def failover(active: str, standby: str, term: int, detail: str = "") -> EventSpec:
    """The secondary `active` has taken over from `standby`; once for each term."""
    return EventSpec(EventKind.FAILOVER, ("Failover", active, standby), f"Failover:{term}", detail)


def manual_switch(active: str, standby: str, term: int, detail: str = "") -> EventSpec:
    """The roles were swapped; hosts as they are afterwards; once for each term."""
    return EventSpec(EventKind.MANUAL_SWITCH, ("ManualSwitch", active, standby), f"ManualSwitch:{term}", detail)


def standby_offline(standby: str, active: str, raised_at: datetime, detail: str = "") -> EventSpec:
    """The primary `active` has lost its standby; once for each time that the alarm was raised."""
    key = f"StandbyOffline:{raised_at.isoformat()}"
    return EventSpec(EventKind.STANDBY_OFFLINE, ("StandbyOffline", standby, active), key, detail)


def standby_online(standby: str, active: str, raised_at: datetime, detail: str = "") -> EventSpec:
    """The standby whose loss was alarmed at `raised_at` is back."""
    key = f"StandbyOnline:{raised_at.isoformat()}"
    return EventSpec(EventKind.STANDBY_ONLINE, ("StandbyOnline", standby, active), key, detail)


def replication_error(condition: str, message: str, code: str, raised_at: datetime) -> EventSpec:
    """Replication failed on this secondary in a named way."""
    key = f"RaiseAlarm:{code}:{raised_at.isoformat()}"
    return EventSpec(EventKind.RAISE_ALARM, ("RaiseAlarm", condition, message), key)


def replication_recovery(condition: str, message: str, code: str, raised_at: datetime) -> EventSpec:
    """Replication recovered from the condition that was alarmed at `raised_at`."""
    key = f"ClearAlarm:{code}:{raised_at.isoformat()}"
    text = f"{condition}: {message}" if message else condition
    return EventSpec(EventKind.CLEAR_ALARM, ("ClearAlarm", text), key)


def sample(kind: EventKind, own: str, peer: str, now: datetime) -> EventSpec:
    """The event as it would be on the server `own` whose peer is `peer`: for a test run of the custom script."""
    condition, message, code = "Replication is stopped", "The applier does not run.", "replication-stopped"
    samples = {
        EventKind.FAILOVER: failover(own, peer, 0),
        EventKind.MANUAL_SWITCH: manual_switch(own, peer, 0),
        EventKind.STANDBY_OFFLINE: standby_offline(peer, own, now),
        EventKind.STANDBY_ONLINE: standby_online(peer, own, now),
        EventKind.RAISE_ALARM: replication_error(condition, message, code, now),
        EventKind.CLEAR_ALARM: replication_recovery(condition, message, code, now),
    }
    return samples[kind]
