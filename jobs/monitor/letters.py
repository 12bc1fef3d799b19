"""The mail for an event: what happened, where, since when, and what to do."""

from __future__ import annotations

from app.core.events import EventKind
from app.core.rescues import EVENT as RESCUED
from app.ports import EventRecord, Mail


def letter(event: EventRecord, to: str) -> Mail:
    """A mail that can be understood without knowing hapair."""
    subject, meaning, advice = _words(event)
    when = event.at.strftime("%Y-%m-%d %H:%M:%S UTC")
    lines = [
        subject,
        "",
        meaning,
        "",
        f"Reported by:  {event.node}",
        f"Time:         {when}",
        f"Event:        {' | '.join(event.parameters)}",
    ]
    if event.detail:
        lines.append(f"Details:      {event.detail}")
    lines += ["", f"What to do:   {advice}", "", "This mail was sent by hapair. Each event is reported once."]
    return Mail(to=to, subject=f"[hapair] {subject}", text="\n".join(lines))


def _words(event: EventRecord) -> tuple[str, str, str]:
    """Subject, meaning and advice; the parameters are those of app.core.events."""
    first, second = (*event.parameters[1:3], "?", "?")[:2]
    if event.kind == RESCUED:
        return (
            f"Data of {first} was rescued",
            f"When {first} rejoined the pair it had data that the pair never had. It is kept aside as {second}.",
            f"Run `hapair rescues` on {first}, put back on the primary what is needed, then remove the rescue.",
        )
    try:
        kind = EventKind(event.kind)
    except ValueError:
        return event.kind, "Something happened to the pair.", "Look at the status page of both servers."
    if kind is EventKind.FAILOVER:
        return (
            f"Failover: {first} is the active server now",
            f"{second} was not reachable any more, so {first} took over its work.",
            f"Check why {second} failed. When it is back it becomes the standby by itself.",
        )
    if kind is EventKind.MANUAL_SWITCH:
        return (
            f"Roles changed: {first} is the active server now",
            f"An administrator made {first} the active server. {second} is the standby.",
            "Nothing, if this was planned.",
        )
    if kind is EventKind.STANDBY_OFFLINE:
        return (
            f"The standby {first} is offline",
            f"{second} goes on alone. Until {first} is back there is no protection against a failure of {second}.",
            f"Check the server {first}, its network and its database.",
        )
    if kind is EventKind.STANDBY_ONLINE:
        return (
            f"The standby {first} is back",
            f"{first} protects {second} again.",
            "Nothing.",
        )
    if kind is EventKind.RAISE_ALARM:
        return (
            f"Database replication error on {event.node}: {first}",
            f"The standby's copy of the database is no longer kept up to date. The database says: {second}",
            "Look at the status page of both servers; it names the cause and the way out.",
        )
    return (
        f"Database replication has recovered on {event.node}",
        f"This is over: {first}",
        "Nothing.",
    )
