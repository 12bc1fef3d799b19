"""The activity log: who did or tried what; its export, and whether it is as it was written."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

from flask import Response

from app.api.body import Resource
from app.api.diary import already_recorded, tried_as
from app.api.door import needs, note_detail, recorded, visitor
from app.api.parts import node, parts
from app.core.access import Scope
from app.core.activity import Entry
from app.core.activity_export import CSV, JSON_LINES, lines
from app.core.activity_filter import Filter, Page
from app.core.errors import LocalFailure, NotFound
from app.schemas.activity import (
    SOURCES,
    AcceptanceSchema,
    ActivityExportSchema,
    ActivityPageSchema,
    ActivityQuerySchema,
    ActivitySchema,
    ChainQuerySchema,
    ChainsSchema,
    CheckedSchema,
)
from jobs.activity import NODE, PAIR, Chain, accept, chains, check_chain

log = logging.getLogger(__name__)

resource = Resource("activity", __name__, "Activity")

MEDIA_TYPES = {CSV: "text/csv", JSON_LINES: "application/jsonl"}
CHUNK = 1000
"""Entries that an export reads at a time."""
SOURCE_HEADER = "X-Hapair-Source"

Look = Callable[..., Page[Entry]]


@resource.route("/activity", methods=["GET"])
@needs(Scope.READ)
@resource.arguments(ActivityQuerySchema, location="query")
@resource.response(200, ActivityPageSchema)
@resource.alt_response(404, description="`before` names no entry of this source")
def list_activity(query: dict[str, Any]) -> dict[str, Any]:
    """Who did or tried what on either server, newest first."""
    before, limit = query.get("before"), query["limit"]
    source, page, _ = first_page(query["wanted"], before, limit)
    return {"source": source, "items": page.items, "next": page.next, "looked_back_to": page.looked_back_to}


def first_page(wanted: Filter, before: int | None, limit: int) -> tuple[str, Page[Entry], Look]:
    """Where the log can be read, the page, and what reads the following ones."""
    try:
        look: Look = node().common_log.entries
        return PAIR, look(wanted, before=before, limit=limit), look
    except LocalFailure as error:
        log.warning("the common activity log can't be read, the node's own journal is shown: %s", error)
    look = node().store.activity
    return NODE, look(wanted, before=before, limit=limit), look


@resource.route("/activity/export", methods=["GET"])
@needs(Scope.READ)
@recorded("activity-exported")
@resource.arguments(ActivityExportSchema, location="query")
@resource.doc(
    responses={
        "200": {"description": "OK", "content": {each: {"schema": {"type": "string"}} for each in MEDIA_TYPES.values()}}
    }
)
@resource.alt_response(503, description="Too many streams and downloads are open")
def export_activity(query: dict[str, Any]) -> Response:
    """All entries with these filters, newest first, as CSV or JSON lines.

    X-Hapair-Source says whether they are of both servers (`pair`) or of this one alone (`node`). In CSV, a cell that a
    spreadsheet would take for a formula has an apostrophe in front.
    """
    wanted, form = query["wanted"], query["format"]
    note_detail(format=form, filter=wanted.described())
    slots = parts().slots
    slots.take()
    with ExitStack() as stack:
        stack.callback(slots.give_back)
        # The first page is read here, so that a log that can't be read is answered with the reason.
        source, page, look = first_page(wanted, None, CHUNK)
        opened = stack.pop_all()
    note_detail(source=source)
    response = Response(lines(_all(wanted, page, look), form), mimetype=MEDIA_TYPES[form])
    name = f"activity-{node().machine.facts().hostname}.{form}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["X-Accel-Buffering"] = "no"
    response.headers[SOURCE_HEADER] = source
    response.call_on_close(opened.close)
    return response


def _all(wanted: Filter, page: Page[Entry], look: Look) -> Iterator[Entry]:
    """Every entry from this page on. An error breaks the answer off, which the receiver sees."""
    while True:
        yield from page.items
        if page.next is None:
            return
        page = look(wanted, before=page.next, limit=CHUNK)


@resource.route("/activity/chains", methods=["GET"])
@needs(Scope.READ)
@resource.response(200, ChainsSchema)
def list_chains() -> dict[str, list[Chain]]:
    """The journals that are here: this server's own, and those of all servers in the common log. The end of each is
    compared with what is known of it elsewhere; to check what is before it, go through its entries."""
    return {"items": chains(node())}


@resource.route("/activity/chains/<source>/<node_id>", methods=["GET"])
@needs(Scope.READ)
@resource.arguments(ChainQuerySchema, location="query")
@resource.response(200, CheckedSchema)
@resource.alt_response(404, description="No such journal")
def verify_chain(query: dict[str, int], source: str, node_id: str) -> dict[str, Any]:
    """Check the next 2000 entries of a journal: each is linked to the one before it by its hash."""
    if source not in SOURCES:
        raise NotFound("no-such-chain", "No Such Chain", detail=f"The source is one of {', '.join(SOURCES)}.")
    checked, more = check_chain(node(), source, node_id, query["after"])
    go_on = more and checked.broken is None
    return {
        "checked": checked.count,
        "unlinked": checked.unlinked,
        "next": checked.head.entry if go_on else None,
        "broken": checked.broken,
        "accepted": checked.accepted,
    }


@resource.route("/activity/accept", methods=["POST"])
@needs(Scope.CONFIGURE)
@tried_as("activity-accept")
@resource.arguments(AcceptanceSchema)
@resource.response(200, ActivitySchema)
@resource.alt_response(409, description="Nothing is wrong at that entry, or it was accepted already")
def accept_journal(body: dict[str, Any]) -> Entry:
    """Accept this server's journal as it is, after looking: its alarm ends, and what was wrong up to now is shown as
    accepted. The entry that says so, and who, stands in the journal itself; it is the answer."""
    entry = accept(node(), visitor().actor, body["entry"], body["reason"])
    already_recorded()
    return entry
