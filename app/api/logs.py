"""Events: newest first, by key."""

from __future__ import annotations

from typing import Any

from app.api.body import Resource
from app.api.door import needs
from app.api.parts import node
from app.core.access import Scope
from app.schemas.logs import EventPageSchema, PageQuerySchema

resource = Resource("logs", __name__, "Events")


def page(items: list[Any], limit: int) -> dict[str, Any]:
    """The items and the key for the next older page, None where this one is the last."""
    return {"items": items[:limit], "next": items[limit - 1].id if len(items) > limit else None}


@resource.route("/ha/events", methods=["GET"])
@needs(Scope.READ)
@resource.arguments(PageQuerySchema, location="query")
@resource.response(200, EventPageSchema)
def list_events(query: dict[str, int]) -> dict[str, Any]:
    """The event log of this server, newest first."""
    limit = query["limit"]
    return page(node().store.events(before=query.get("before"), limit=limit + 1), limit)
