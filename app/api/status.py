"""How the pair is: once, or as a stream. Works with MariaDB, Redis and the peer down."""

from __future__ import annotations

from typing import Any

from flask import Response

from app.api.body import Resource
from app.api.door import needs, still_valid, visitor
from app.api.parts import node, parts
from app.api.streams import stream
from app.core.access import Scope
from app.core.pairconfig import pair_config
from app.core.plans import PREFLIGHT
from app.core.status import View, status
from app.ports import Json, MachineFacts, Node
from app.schemas.status import StatusSchema

resource = Resource("status", __name__, "How the pair is")

SNAPSHOT = "monitor"
"""The name under which the monitor publishes what it sees."""


def seen(of: Node) -> View:
    """Everything that the status is made from, read once."""
    published = of.machine.published(SNAPSHOT)
    snapshot, age_s = published if published is not None else (None, None)
    applied = of.store.config().applied
    return View(of.store.state(), pair_config(applied), snapshot, age_s, of.clock.now())


def current(of: Node, facts: MachineFacts) -> Json:
    """The status as it is now, with the job that is under way."""
    view = seen(of)
    own_address = of.store.config().applied.get("HAServerAddress") or next(iter(facts.addresses), None)
    job = of.store.active_job()
    under_way = None if job is None or job.kind == PREFLIGHT else {"id": job.id, "kind": job.kind, "state": job.state}
    return {**status(view, hostname=facts.hostname, address=own_address), "job": under_way}


@resource.route("/ha/status", methods=["GET"])
@needs(Scope.READ)
@resource.response(200, StatusSchema)
def show_status() -> Json:
    """The status word with its reasons, both servers, replication, files, pings, and whether a failover would work."""
    return current(node(), node().machine.facts())


@resource.route("/ha/status/stream", methods=["GET"])
@needs(Scope.READ)
@resource.response(200, StatusSchema, content_type="text/event-stream")
@resource.alt_response(503, description="Too many open streams")
def follow_status() -> Response:
    """The status whenever it changes, as server-sent events named `status`."""
    found, who = parts(), visitor()
    schema, access, clock = StatusSchema(), found.access, found.node.clock
    facts = found.node.machine.facts()  # asking the system for each look would cost more than all the rest

    def look() -> dict[str, Any]:
        document: dict[str, Any] = schema.dump(current(found.node, facts))
        return document

    return stream(found.slots, clock, "status", look, may_go_on=lambda: still_valid(who, access, clock.now()))
