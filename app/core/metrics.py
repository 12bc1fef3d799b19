"""What GET /metrics tells, declared once: the docs, the example rules and the dashboard are checked against this table.

What is not known is left out: a missing figure is never a zero.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from app.core.roles import Role
from app.core.status import WORDS, View, failover_obstacles, judge


class MetricKind(StrEnum):
    GAUGE = "gauge"
    COUNTER = "counter"
    SUMMARY = "summary"


@dataclass(frozen=True)
class Metric:
    """`name` stands after `hapair_`; a counter's figures end with `_total`, a summary's with `_sum` and `_count`."""

    name: str
    text: str
    labels: tuple[str, ...] = ()
    kind: MetricKind = MetricKind.GAUGE


@dataclass(frozen=True)
class Figure:
    metric: str
    value: float
    labels: tuple[str, ...] = ()
    count: int = 0
    """Of a summary: how many made up the value."""


@dataclass(frozen=True)
class Counts:
    """What the node store has counted."""

    events: Mapping[str, int] = field(default_factory=dict)
    deliveries: Mapping[tuple[str, str], int] = field(default_factory=dict)
    jobs: Mapping[tuple[str, str], tuple[int, float]] = field(default_factory=dict)
    """By (kind, state) of those that have ended: how many, and their seconds in all."""
    targets: Mapping[str, str] = field(default_factory=dict)
    """Address of each ping target → the field that names it: addresses are not told to everyone."""


METRICS = (
    Metric("role", "1 for the role of this server, 0 for the others", ("role",)),
    Metric("status", "1 for the status of the pair as this server sees it, 0 for the others", ("status",)),
    Metric("term", "Term of this server"),
    Metric("writable", "Whether this server accepts writes"),
    Metric("fenced", "Whether this server is fenced"),
    Metric("failover_ready", "Whether the standby would take over now"),
    Metric("monitor_age_seconds", "Age of the monitor's last report"),
    Metric("peer_heartbeat_age_seconds", "Since the other server was heard"),
    Metric("pings_missed", "Pings to the other server that failed in a row"),
    Metric("pings_needed", "Failed pings in a row that trigger a failover (HAPingIterations)"),
    Metric("pings_missed_longest", "Longest run of failed pings in the last day"),
    Metric("ping_round_trip_ms", "Last round trip to the other server, in milliseconds"),
    Metric("ping_answers", "Whether the last ping was answered: peer, gateway, or the field of a target", ("target",)),
    Metric("replication_lag_seconds", "Age of the newest row of the primary on this secondary"),
    Metric("replication_running", "Whether that part of replication runs: receiver or applier", ("part",)),
    Metric("files_pending", "Changed files that are not mirrored yet"),
    Metric("alarms", "Alarms that are up"),
    Metric("alarm", "1 for each alarm that is up, by its code", ("code",)),
    Metric("events", "Events of this server so far, by kind", ("kind",), MetricKind.COUNTER),
    Metric("alert_deliveries", "Events by the way they go out on and how far they came", ("channel", "state")),
    Metric(
        "job_duration_seconds", "Jobs of this server that have ended, by kind and how", ("kind", "state"),
        MetricKind.SUMMARY,
    ),
)  # fmt: skip
PREFIX = "hapair_"


def figures(view: View, counts: Counts) -> Iterator[Figure]:
    """The figures of this moment."""
    word, _ = judge(view)
    yield from (Figure("role", float(role is view.state.role), (role.value,)) for role in Role)
    yield from (Figure("status", float(name == word), (name,)) for name, _ in WORDS)
    for name, value in _plain(view):
        if value is not None:
            yield Figure(name, float(value))
    if view.fresh:
        yield from _answers(view, counts)
        yield from _replication(view)
        codes = sorted(str(each.get("code")) for each in (view.snapshot or {}).get("alarms") or [])
        yield from (Figure("alarm", 1.0, (code,)) for code in codes)
    yield from (Figure("events", float(count), (kind,)) for kind, count in sorted(counts.events.items()))
    yield from (Figure("alert_deliveries", float(count), each) for each, count in sorted(counts.deliveries.items()))
    for each, (count, seconds) in sorted(counts.jobs.items()):
        yield Figure("job_duration_seconds", seconds, each, count)


def _plain(view: View) -> Iterator[tuple[str, Any]]:
    """(name, value or None) of the metrics without labels."""
    pings, files = view.part("pings"), view.part("files")
    peer, near_miss = pings.get("peer") or {}, pings.get("near_miss") or {}
    facts = view.part("database").get("facts") or {}
    yield "term", view.state.term
    yield "writable", view.fresh and bool(view.part("node").get("writable"))
    yield "fenced", view.state.fence is not None
    yield "failover_ready", not list(failover_obstacles(view))
    yield "monitor_age_seconds", view.age_s
    yield "peer_heartbeat_age_seconds", view.heartbeat_age_s
    yield "pings_missed", peer.get("missed")
    yield "pings_needed", pings.get("iterations")
    yield "pings_missed_longest", near_miss.get("missed")
    yield "ping_round_trip_ms", peer.get("round_trip_ms")
    yield "replication_lag_seconds", facts.get("beat_age_s")
    yield "files_pending", files.get("pending")
    yield "alarms", len((view.snapshot or {}).get("alarms") or []) if view.fresh else None


def _answers(view: View, counts: Counts) -> Iterator[Figure]:
    pings = view.part("pings")
    peer, gateway = pings.get("peer") or {}, pings.get("gateway") or {}
    if peer.get("address") and peer.get("missed") is not None:
        yield Figure("ping_answers", float(peer["missed"] == 0), ("peer",))
    if gateway.get("answers") is not None:
        yield Figure("ping_answers", float(gateway["answers"]), ("gateway",))
    for address, answers in (pings.get("targets") or {}).items():
        if address in counts.targets:
            yield Figure("ping_answers", float(answers), (counts.targets[address],))


def _replication(view: View) -> Iterator[Figure]:
    found = view.part("replication")
    for part in ("receiver", "applier"):
        running = found.get(f"{part}_running")
        if running is not None:
            yield Figure("replication_running", float(running), (part,))
