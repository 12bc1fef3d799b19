"""The history of the pair, as this server saw it."""

from __future__ import annotations

from typing import Any

from app.api.body import Resource
from app.api.door import needs
from app.api.parts import node
from app.core.access import Scope
from app.core.history import WINDOWS, Span, begin_of, folded
from app.schemas.history import HistoryQuerySchema, HistorySchema

resource = Resource("history", __name__, "How the pair went")

EVENTS_MAX = 100
"""More marks than this in one chart tell nobody anything."""


@resource.route("/ha/history", methods=["GET"])
@needs(Scope.READ)
@resource.arguments(HistoryQuerySchema, location="query")
@resource.response(200, HistorySchema)
def show_history(query: dict[str, str]) -> dict[str, Any]:
    """Pings, replication lag, file backlog, write outages and events over the last hour, day or month."""
    window = WINDOWS[Span(query["span"])]
    now = node().clock.now()
    since = begin_of(now - window.length, window.shown_s)
    points = node().store.history(window.stored_s, since)
    events = [event for event in node().store.events(limit=EVENTS_MAX) if event.at >= since]
    return {
        "since": since,
        "until": now,
        "length_s": window.shown_s,
        "points": folded(points, window.shown_s),
        "events": events,
    }
