"""Named conditions under which replication is in error, and the alarms and events that follow from them.

The manual's "database replication error" and "recovery": each condition is raised once and cleared once. Error
numbers differ between MariaDB and MySQL for the same thing, so each dialect has a table of its own; the conditions
have the same names everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from app.core.acts import Act, ClearAlarm, EmitEvent, RaiseAlarm
from app.core.events import replication_error, replication_recovery
from app.core.facts import Alarm, DatabaseFacts
from app.core.sight import Sight

ALARM_PREFIX = "replication-"
DATA_OLD_S = 30.0
"""Replication that brings nothing newer than this, though the primary writes, is in error whatever its threads say."""
CONNECTION_HOLD_S = 10.0
"""A connection that is lost is tried again each second; only if it stays lost is it an error."""


@dataclass(frozen=True)
class Kind:
    """One condition: its stable code, its text in events and alarms, and what to do about it."""

    code: str
    title: str
    advice: str
    hold_s: float = 0.0
    """For how long it must hold before it is raised."""
    breaks_history: bool = False
    """Replication can't go on by itself: what this server has is no longer the newest of the pair."""


@dataclass(frozen=True)
class Condition:
    """A condition that holds now, with the server's own message."""

    kind: Kind
    message: str

    @property
    def code(self) -> str:
        return self.kind.code

    @property
    def breaks_history(self) -> bool:
        return self.kind.breaks_history


_RESEED = "Rejoin this server: what only it has is rescued, then it gets the primary's data again."

KINDS = (
    Kind("position-not-on-primary", "Replication position is not on the primary", _RESEED, breaks_history=True),
    Kind("history-out-of-order", "Histories of the servers have diverged", _RESEED, breaks_history=True),
    Kind("position-set-back", "Replication position was set back", _RESEED, breaks_history=True),
    Kind("duplicate-row", "Row to be inserted exists already", _RESEED, breaks_history=True),
    Kind("row-missing", "Row to be changed is missing", _RESEED, breaks_history=True),
    Kind("table-missing", "Table to be changed is missing", _RESEED, breaks_history=True),
    Kind("relay-log-damaged", "Relay log can't be read", "Restart replication; if it stays, rejoin this server.",
         breaks_history=True),
    Kind("same-server-id", "Both servers have the same server id", "Give each server its own server_id.",
         breaks_history=True),
    Kind("disk-full", "Disk is full", "Free space on this server's disk.", breaks_history=True),
    Kind("login-refused", "Primary refuses the replication account", "Repeat the set-up of the pair.",
         hold_s=CONNECTION_HOLD_S),
    Kind("tls-failed", "Encrypted connection to the primary fails", "Repeat the set-up of the pair.",
         hold_s=CONNECTION_HOLD_S),
    Kind("primary-unreachable", "Primary's database can't be reached",
         "Look at the primary's database and at the network between the servers.", hold_s=CONNECTION_HOLD_S),
    Kind("receiver-failed", "Receiving from the primary has failed",
         "Read the message; if it stays, rejoin this server.", breaks_history=True),
    Kind("applier-failed", "Applying the primary's changes has failed",
         "Read the message; if it stays, rejoin this server.", breaks_history=True),
    Kind("stopped", "Replication is stopped", "Start replication on this server.", hold_s=CONNECTION_HOLD_S),
    Kind("data-old", "Replicated data is old", "Look at the load of this server and at the network.",
         hold_s=CONNECTION_HOLD_S),
)  # fmt: skip

BY_CODE: Mapping[str, Kind] = {kind.code: kind for kind in KINDS}

MARIADB_ERRORS: Mapping[int, str] = {
    1021: "disk-full",
    1032: "row-missing",
    1045: "login-refused",
    1062: "duplicate-row",
    1146: "table-missing",
    1236: "position-not-on-primary",
    1593: "same-server-id",
    1594: "relay-log-damaged",
    1595: "relay-log-damaged",
    1698: "login-refused",
    1947: "position-set-back",
    1950: "history-out-of-order",
    2002: "primary-unreachable",
    2003: "primary-unreachable",
    2005: "primary-unreachable",
    2006: "primary-unreachable",
    2013: "primary-unreachable",
    2026: "tls-failed",
}
"""Error numbers of MariaDB 10.11 (Last_IO_Errno, Last_SQL_Errno)."""


def conditions(
    facts: DatabaseFacts | None, sight: Sight, errors: Mapping[int, str] = MARIADB_ERRORS
) -> tuple[Condition, ...]:
    """The conditions that hold on this secondary now, the receiver's before the applier's; none where nothing is known.

    That the primary can't be reached is a replication error only while the primary is heard and says that its
    database works: else the failover rules speak.
    """
    if facts is None or facts.replication is None:
        return ()
    return tuple(_conditions(facts, sight, errors))


def _conditions(facts: DatabaseFacts, sight: Sight, errors: Mapping[int, str]) -> Iterator[Condition]:
    replication = facts.replication
    if replication is None:
        return
    if replication.receiver_error_number and not replication.receiver_running:
        code = errors.get(replication.receiver_error_number, "receiver-failed")
        if code != "primary-unreachable" or _primary_serves(sight):
            yield Condition(BY_CODE[code], replication.receiver_error)
    if replication.applier_error_number:
        code = errors.get(replication.applier_error_number, "applier-failed")
        yield Condition(BY_CODE[code], replication.applier_error)
    elif not replication.applier_running:
        yield Condition(BY_CODE["stopped"], "The applier does not run.")
    elif not replication.receiver_running and not replication.receiver_error_number and _primary_serves(sight):
        yield Condition(BY_CODE["stopped"], "The receiver does not run.")
    peer_writes = _primary_serves(sight) and sight.peer is not None and sight.peer.writable
    if peer_writes and facts.beat_age_s is not None and facts.beat_age_s > DATA_OLD_S:
        yield Condition(BY_CODE["data-old"], f"The newest data of the primary is {facts.beat_age_s:.0f} s old here.")


def _primary_serves(sight: Sight) -> bool:
    return sight.heartbeat_heard and sight.peer is not None and sight.peer.database_ok


def alarm_code(kind: Kind) -> str:
    return ALARM_PREFIX + kind.code


def raise_and_clear(
    found: tuple[Condition, ...],
    since_s: Mapping[str, float],
    alarms: Mapping[str, Alarm],
    facts: DatabaseFacts | None,
    now_s: float,
) -> Iterator[Act]:
    """Alarms raised once for each condition that has held long enough, cleared once when replication works again.

    The event of an alarm has the time of the alarm in its key, so it is told at each tick and recorded once.
    """
    for each in found:
        if now_s - since_s.get(each.code, now_s) < each.kind.hold_s:
            continue
        code = alarm_code(each.kind)
        up = alarms.get(code)
        if up is None:
            text = f"{each.kind.title}: {each.message}" if each.message else each.kind.title
            why = f"Replication from the primary is in error ({each.code})."
            yield RaiseAlarm(rule="replication-error", why=why, code=code, text=text)
    yield from raised_events(alarms)
    if found or not _works(facts):
        return
    for code, up in alarms.items():
        kind = kind_of(code)
        if kind is None:
            continue
        why = f"Replication works again (it was: {kind.code})."
        event = replication_recovery(kind.title, _message(kind, up), code, up.raised_at)
        yield EmitEvent(rule="replication-recovery", why=why, event=event)
        yield ClearAlarm(rule="replication-recovery", why=why, code=code)


def raised_events(alarms: Mapping[str, Alarm]) -> Iterator[Act]:
    """The event of each replication alarm that is up."""
    for code, up in alarms.items():
        kind = kind_of(code)
        if kind is not None:
            event = replication_error(kind.title, _message(kind, up), code, up.raised_at)
            yield EmitEvent(rule="replication-error", why=f"Replication is in error ({kind.code}).", event=event)


def kind_of(code: str) -> Kind | None:
    """The replication condition behind an alarm code, None for other alarms."""
    return BY_CODE.get(code.removeprefix(ALARM_PREFIX)) if code.startswith(ALARM_PREFIX) else None


def same_position(one: str, other: str) -> bool:
    """Whether two GTID positions name the same transactions; unknown ones never do."""
    return bool(one) and sorted(one.split(",")) == sorted(other.split(","))


def _message(kind: Kind, alarm: Alarm) -> str:
    return alarm.text.removeprefix(kind.title).removeprefix(": ")


def _works(facts: DatabaseFacts | None) -> bool:
    replication = facts.replication if facts is not None else None
    return replication is not None and replication.receiver_running and replication.applier_running
