"""Jobs and their progress."""

from __future__ import annotations

from typing import Any

from flask import Response

from app.api.body import Resource
from app.api.door import needs, still_valid, visitor
from app.api.logs import page
from app.api.parts import node, parts
from app.api.streams import stream
from app.core.access import Scope
from app.core.errors import NotFound
from app.ports import JobRecord
from app.schemas.jobs import JobPageSchema, JobSchema
from app.schemas.logs import JobQuerySchema
from jobs.start import ENDED

resource = Resource("jobs", __name__, "Jobs")


@resource.route("/jobs", methods=["GET"])
@needs(Scope.READ)
@resource.arguments(JobQuerySchema, location="query")
@resource.response(200, JobPageSchema)
def list_jobs(query: dict[str, Any]) -> dict[str, Any]:
    """The jobs of this server, newest first."""
    limit = query["limit"]
    return page(node().store.jobs(before=query.get("before"), limit=limit + 1), limit)


@resource.route("/jobs/<job_id>", methods=["GET"])
@needs(Scope.READ)
@resource.response(200, JobSchema)
@resource.alt_response(404, description="No such job")
def show_job(job_id: str) -> JobRecord:
    """One job with its steps and their progress."""
    job = node().store.job(job_id)
    if job is None:
        raise NotFound("no-such-job", "No Such Job", detail="There is no job with this id on this server.")
    return job


@resource.route("/jobs/<job_id>/stream", methods=["GET"])
@needs(Scope.READ)
@resource.response(200, JobSchema, content_type="text/event-stream")
@resource.alt_response(404, description="No such job")
def follow_job(job_id: str) -> Response:
    """The job whenever it changes, as server-sent events named `job`, until it has ended."""
    show_job(job_id)
    found, who = parts(), visitor()
    schema, access, now = JobSchema(), found.access, found.node.clock.now

    def look() -> dict[str, Any]:
        job: dict[str, Any] = schema.dump(found.node.store.job(job_id))
        return job

    return stream(
        found.slots, found.node.clock, "job", look,
        is_last=lambda job: job["state"] in ENDED,
        may_go_on=lambda: still_valid(who, access, now()),
    )  # fmt: skip
