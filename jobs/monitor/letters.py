"""The words for events: what happened, where, since when, and what to do. Mails, webhook and log lines share them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from app.core import alarmwords
from app.core.events import EventKind
from app.core.notices import ALARM_CLEARED, ALARM_RAISED
from app.core.rescues import EVENT as RESCUED
from app.ports import EventRecord, Mail

PART_LENGTH_MAX = 2000
"""Characters of one parameter or detail in a mail."""
SUBJECT_LENGTH_MAX = 200
FOOTER = "This mail was sent by hapair. Each event is told once."
_CELL = 'style="padding:2px 12px 2px 0;vertical-align:top"'


@dataclass(frozen=True)
class Words:
    subject: str
    meaning: str
    advice: str


def letter(events: Sequence[EventRecord], to: str) -> Mail:
    """One mail for these events, which can be understood without knowing hapair."""
    identity = hashlib.sha256("\n".join(f"{each.node} {each.key}" for each in events).encode()).hexdigest()[:40]
    if len(events) == 1:
        subject = words(events[0]).subject
        parts = [_rows(events[0])]
        head = ""
    else:
        subject, head = _summary(events)
        parts = [_rows(each) for each in events]
    text = "\n\n".join(filter(None, [head, *(_as_text(part) for part in parts), FOOTER]))
    return Mail(to, f"[hapair] {subject}"[:SUBJECT_LENGTH_MAX], text, _as_html(head, parts), identity)


def trial_letter(node: str, to: str, at: datetime) -> Mail:
    """What a test mail says."""
    text = (
        f"This is a test.\n\nAn administrator of {node} has asked hapair to send it, at {moment(at)}.\n"
        f"Mails about the pair reach this address.\n\nWhat to do: nothing."
    )
    paragraphs = "".join(f"<p>{escape(each)}</p>" for each in text.split("\n\n"))
    return Mail(to, f"[hapair] Test mail from {node}", text, f"<html><body>{paragraphs}</body></html>")


def moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")


def _summary(events: Sequence[EventRecord]) -> tuple[str, str]:
    """Subject and first lines of a mail about several events."""
    counts = Counter(each.kind for each in events)
    named = ", ".join(kind if count == 1 else f"{count} x {kind}" for kind, count in counts.most_common())
    nodes = ", ".join(sorted({each.node for each in events}))
    subject = f"{len(events)} events on {nodes}: {named}"
    span = f"They happened from {moment(events[0].at)} to {moment(events[-1].at)}."
    return subject, f"{subject}\n\n{span} They are told in one mail because there were many at once. Oldest first:"


def _rows(event: EventRecord) -> list[tuple[str, str]]:
    told = words(event)
    rows = [
        ("What", told.subject),
        ("Meaning", told.meaning),
        ("Where", event.node),
        ("Since", moment(event.at)),
        ("Event", " | ".join(event.parameters)),
        ("Details", event.detail),
        ("What to do", told.advice),
    ]
    return [(name, value[:PART_LENGTH_MAX]) for name, value in rows if value]


def _as_text(rows: Sequence[tuple[str, str]]) -> str:
    return "\n".join(f"{name + ':':<13}{value}" for name, value in rows)


def _as_html(head: str, parts: Sequence[Sequence[tuple[str, str]]]) -> str:
    tables = "<hr>".join(f"<table>{''.join(_as_row(name, value) for name, value in rows)}</table>" for rows in parts)
    first = "".join(f"<p>{escape(each)}</p>" for each in head.split("\n\n") if each)
    return f'<html><body style="font-family:sans-serif">{first}{tables}<p><small>{FOOTER}</small></p></body></html>'


def _as_row(name: str, value: str) -> str:
    return f"<tr><th align=left {_CELL}>{name}</th><td {_CELL}>{escape(value)}</td></tr>"


def words(event: EventRecord) -> Words:
    """Subject, meaning and advice; the parameters are those of app.core.events and app.core.notices."""
    first, second = (*event.parameters[1:3], "?", "?")[:2]
    if event.kind == RESCUED:
        return Words(
            f"Data of {first} was rescued",
            f"When {first} rejoined the pair it had data that the pair never had. It is kept aside as {second}.",
            f"Run `hapair rescues` on {first}, put back on the primary what is needed, then remove the rescue.",
        )
    if event.kind in {ALARM_RAISED, ALARM_CLEARED}:
        return _of_alarm(event, first, second)
    try:
        kind = EventKind(event.kind)
    except ValueError:
        return Words(event.kind, "Something happened to the pair.", "Look at the status page of both servers.")
    return _of_event(kind, event.node, first, second)


def _of_alarm(event: EventRecord, code: str, text: str) -> Words:
    known = alarmwords.words(code)
    if event.kind == ALARM_CLEARED:
        was = f"The alarm {code} is cleared. It had said: {text}"
        return Words(f"Over on {event.node}: {known.title}", was, "Nothing.")
    return Words(f"Alarm on {event.node}: {known.title}", text, known.advice)


def _of_event(kind: EventKind, node: str, first: str, second: str) -> Words:
    if kind is EventKind.FAILOVER:
        return Words(
            f"Failover: {first} is the active server now",
            f"{second} was not reachable any more, so {first} took over its work.",
            f"Check why {second} failed. When it is back it becomes the standby by itself.",
        )
    if kind is EventKind.MANUAL_SWITCH:
        return Words(
            f"Roles changed: {first} is the active server now",
            f"An administrator made {first} the active server. {second} is the standby.",
            "Nothing, if this was planned.",
        )
    if kind is EventKind.STANDBY_OFFLINE:
        return Words(
            f"The standby {first} is offline",
            f"{second} goes on alone. Until {first} is back there is no protection against a failure of {second}.",
            f"Check the server {first}, its network and its database.",
        )
    if kind is EventKind.STANDBY_ONLINE:
        return Words(f"The standby {first} is back", f"{first} protects {second} again.", "Nothing.")
    if kind is EventKind.RAISE_ALARM:
        return Words(
            f"Database replication error on {node}: {first}",
            f"The standby's copy of the database is no longer kept up to date. The database says: {second}",
            "Look at the status page of both servers; it names the cause and the way out.",
        )
    return Words(f"Database replication has recovered on {node}", f"This is over: {first}", "Nothing.")
