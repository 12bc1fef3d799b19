"""Events and activity: newest first, by key."""

from __future__ import annotations

import logging
from typing import Any

from app.api.body import Resource
from app.api.door import needs
from app.api.parts import node
from app.core.access import Scope
from app.core.activity import Entry
from app.core.errors import LocalFailure
from app.ports import ActivityRecord
from app.schemas.logs import ActivityPageSchema, ActivityQuerySchema, EventPageSchema, PageQuerySchema

log = logging.getLogger(__name__)

resource = Resource("logs", __name__, "Events and activity")


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


@resource.route("/activity", methods=["GET"])
@needs(Scope.READ)
@resource.arguments(ActivityQuerySchema, location="query")
@resource.response(200, ActivityPageSchema)
def list_activity(query: dict[str, Any]) -> dict[str, Any]:
    """Who did or tried what on either server, newest first."""
    limit = query.pop("limit")
    try:
        return {"source": "pair", **page(node().common_log.entries(limit=limit + 1, **query), limit)}
    except LocalFailure as error:
        log.warning("the common activity log can't be read, the node's own journal is shown: %s", error)
    node_id = node().store.state().node_id
    own = node().store.activity(limit=limit + 1, **query)
    return {"source": "node", **page([_own(each, node_id) for each in own], limit)}


def _own(found: ActivityRecord, node_id: str) -> Entry:
    """An entry of this node's journal in the shape of the common log."""
    return Entry(
        node_id, found.id, found.at, found.node, found.actor, found.address, found.action, found.outcome, found.detail,
        found.id,
    )  # fmt: skip
