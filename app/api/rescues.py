"""What is kept aside on this server: listed, described, downloaded, removed."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import chain
from typing import Any

from flask import Response

from app.api.acts import refuse_second_job
from app.api.body import Resource
from app.api.door import needs, note_detail, recorded
from app.api.parts import node, parts
from app.core.access import Scope
from app.core.errors import NotFound
from app.core.rescues import Rescue, check_id, check_removal_confirmed
from app.schemas.rescues import RemovalSchema, RescueDetailSchema, RescuePageSchema

resource = Resource("rescues", __name__, "Rescues")

MEDIA_TYPE = "application/gzip"
LISTED_MAX = 100
"""To look into each folder takes time; older ones are shown when newer ones are removed."""


@resource.route("/ha/rescues", methods=["GET"])
@needs(Scope.READ)
@resource.response(200, RescuePageSchema)
@resource.alt_response(503, description="The part of this server that may read them does not answer")
def list_rescues() -> dict[str, Any]:
    """What is kept aside on this server because there may be no other copy, newest first; at most 100."""
    rescues = node().rescues
    entries, found = rescues.entries(), []
    for entry in entries[:LISTED_MAX]:
        try:
            found.append(rescues.show(entry.id))
        except NotFound:
            continue  # removed in this very moment
    return {"items": found, "count": len(entries)}


@resource.route("/ha/rescues/<rescue_id>", methods=["GET"])
@needs(Scope.READ)
@resource.response(200, RescueDetailSchema)
@resource.alt_response(404, description="No such rescue")
def show_rescue(rescue_id: str) -> Rescue:
    """One rescue with the first entries of its folder."""
    return node().rescues.show(rescue_id)


@resource.route("/ha/rescues/<rescue_id>/download", methods=["GET"])
@needs(Scope.CONFIGURE)
@recorded("download-rescue")
@resource.response(200, {"type": "string", "format": "binary"}, content_type=MEDIA_TYPE)
@resource.alt_response(404, description="No such rescue")
def download_rescue(rescue_id: str) -> Response:
    """The whole rescue as a gzipped tar. It holds data of applications, so it needs the highest scope."""
    check_id(rescue_id)
    note_detail(rescue=rescue_id)
    slots = parts().slots
    slots.take()
    with ExitStack() as stack:
        stack.callback(slots.give_back)
        chunks = stack.enter_context(node().rescues.open(rescue_id))
        # The first chunk is read here, so that an archive that can't be made is answered with the reason.
        first = next(chunks, b"")
        opened = stack.pop_all()
    response = Response(chain((first,), chunks), mimetype=MEDIA_TYPE)
    response.headers["Content-Disposition"] = f'attachment; filename="{rescue_id}.tar.gz"'
    response.headers["X-Accel-Buffering"] = "no"
    response.call_on_close(opened.close)
    return response


@resource.route("/ha/rescues/<rescue_id>", methods=["DELETE"])
@needs(Scope.CONFIGURE)
@recorded("remove-rescue")
@resource.arguments(RemovalSchema)
@resource.response(204)
@resource.alt_response(404, description="No such rescue")
@resource.alt_response(409, description="A job is running, which may need it")
def remove_rescue(body: dict[str, str], rescue_id: str) -> None:
    """Remove a rescue for good; to be confirmed by its id."""
    found = check_id(rescue_id)
    note_detail(rescue=rescue_id, kind=str(found.kind))
    refuse_second_job()
    node().rescues.show(rescue_id)
    check_removal_confirmed(rescue_id, body.get("confirm"))
    node().rescues.remove(rescue_id)
