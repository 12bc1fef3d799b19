"""How ping, replication, mirror and writes went over time: points of equal length, in two lengths.

A point says the worst of its span, because a chart is looked at for what was wrong. Fine points are kept for a day;
coarse ones are folded from them and kept for a month. Each point has a slot that a later one takes over, so the
history never grows beyond the two rings.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TypeVar

Number = TypeVar("Number", int, float)

FINE_S = 10
COARSE_S = 600
KEPT = {FINE_S: timedelta(hours=24), COARSE_S: timedelta(days=30)}
"""How far back the points of each length reach."""
POINTS_MAX = 360
"""Points of one answer: no chart has more pixels to spare for them."""


@dataclass(frozen=True)
class HistoryPoint:
    """What was seen in a span of time that began at `at`. None is "not known", never "none"."""

    at: datetime
    round_trip_ms: float | None = None
    """The longest answered ping to the peer."""
    failed_pings: int = 0
    missed: int = 0
    """The longest run of failed pings that was reached."""
    lag_s: float | None = None
    """How far the secondary was behind at most."""
    files: int | None = None
    """The most changes that waited for the mirror; known on the primary."""
    outage_s: float = 0.0
    """How long nobody was seen to accept writes, of the outages that ended in this span on this server."""


class Span(StrEnum):
    """How much of the history is asked for."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True)
class Window:
    """What an answer for a span is made from."""

    length: timedelta
    stored_s: int
    """Length of the stored points that are read."""
    shown_s: int
    """Length of the points that are answered."""


WINDOWS = {
    Span.HOUR: Window(timedelta(hours=1), FINE_S, FINE_S),
    Span.DAY: Window(timedelta(days=1), FINE_S, 240),
    Span.MONTH: Window(timedelta(days=30), COARSE_S, 7_200),
}


def begin_of(at: datetime, length_s: int) -> datetime:
    """The begin of the span of that length in which `at` is."""
    seconds = int(at.timestamp()) // length_s * length_s
    return datetime.fromtimestamp(seconds, UTC)


def slot_of(at: datetime, length_s: int) -> int:
    """The place of the point in its ring: the point that is one round older has the same."""
    slots = int(KEPT[length_s].total_seconds()) // length_s
    return int(at.timestamp()) // length_s % slots


def merged(one: HistoryPoint, other: HistoryPoint) -> HistoryPoint:
    """Both as one point that begins where the first does."""
    return HistoryPoint(
        at=one.at,
        round_trip_ms=_highest(one.round_trip_ms, other.round_trip_ms),
        failed_pings=one.failed_pings + other.failed_pings,
        missed=max(one.missed, other.missed),
        lag_s=_highest(one.lag_s, other.lag_s),
        files=_highest(one.files, other.files),
        outage_s=one.outage_s + other.outage_s,
    )


def folded(points: Iterable[HistoryPoint], length_s: int) -> list[HistoryPoint]:
    """The points, oldest first, as points of a greater length. Spans of which nothing is known are left out."""
    found: list[HistoryPoint] = []
    for point in points:
        begin = begin_of(point.at, length_s)
        if found and found[-1].at == begin:
            found[-1] = merged(found[-1], point)
        else:
            found.append(replace(point, at=begin))
    return found


def _highest(one: Number | None, other: Number | None) -> Number | None:
    known = [each for each in (one, other) if each is not None]
    return max(known) if known else None


@dataclass(frozen=True)
class WriteSight:
    """When somebody was last seen to accept writes, and how long nobody was before this server did."""

    writable_s: float | None = None
    """On the monotonic clock; None before the first sight."""
    own: bool = False
    """At the last look this server accepted writes."""
    outage_s: float = 0.0
    """Of an outage that has ended with this sight, else 0."""


def sight(before: WriteSight, *, own: bool, peer_s: float | None, now_s: float, blind_s: float) -> WriteSight:
    """What is known after one more look.

    `own`: this server accepts writes now; `peer_s`: when the peer was last heard to accept them. An outage is told by
    the server that ends it: one that only did not hear the primary can't know of any. What is not longer than
    `blind_s`, within which a server that works may go unheard, is not told.
    """
    last_s = max((each for each in (before.writable_s, peer_s) if each is not None), default=None)
    if not own:
        return WriteSight(last_s)
    gap_s = 0.0 if last_s is None or before.own else now_s - last_s
    return WriteSight(now_s, own=True, outage_s=gap_s if gap_s > blind_s else 0.0)
