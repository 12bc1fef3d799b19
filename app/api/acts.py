"""The acts on the pair: preflight, APPLY, retry, swap, takeover, resume, resolve, maintenance."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from marshmallow import Schema

from app.api.body import Resource
from app.api.configuration import applied_values, check_draft
from app.api.door import View, needs, note_detail, recorded, visitor
from app.api.parts import node
from app.core.access import Scope
from app.core.apply import DANGEROUS, check_confirmed, check_in_pair, decide
from app.core.config import after_role_change, differences
from app.core.errors import NotAllowed
from app.core.masks import masked_differences
from app.core.plans import KEEP_PEER, KEEP_THIS, RESUME
from app.core.roles import Change, Role
from app.core.state import FenceReason
from app.ports import JobRecord
from app.schemas.ha import (
    ConfirmSchema,
    MaintenanceSchema,
    MaintenanceStateSchema,
    PreflightSchema,
    ResolveSchema,
)
from app.schemas.jobs import JobAnswerSchema
from jobs.start import dry_run, retry_job, start_job

resource = Resource("acts", __name__, "Acts on the pair")

PREFLIGHT_TIMEOUT_S = 40.0

Started = dict[str, JobRecord]


def started(job: JobRecord) -> Started:
    note_detail(job=job.id, kind=job.kind)
    return {"job": job}


def begins_job(
    name: str, refused: str, body: type[Schema] | None = None, scope: Scope = Scope.OPERATE
) -> Callable[[View], View]:
    """The view is the call POST /ha/<name> and answers with the job that it begins; 409 means what `refused` says."""

    def decorate(view: View) -> View:
        call = resource.alt_response(409, description=refused)(view)
        call = resource.response(202, JobAnswerSchema)(call)
        call = call if body is None else resource.arguments(body)(call)
        made: View = resource.route(f"/ha/{name}", methods=["POST"])(needs(scope)(recorded(name)(call)))
        return made

    return decorate


def hostname() -> str:
    return node().machine.facts().hostname


@resource.route("/ha/preflight", methods=["POST"])
@needs(Scope.OPERATE)
@recorded("preflight")
@resource.response(200, PreflightSchema)
@resource.alt_response(409, description="Another job is running")
def preflight() -> dict[str, Any]:
    """Check what APPLY would check first, on both servers, and change nothing."""
    checks = dry_run(node(), visitor().actor, PREFLIGHT_TIMEOUT_S)
    note_detail(failed=[check.id for check in checks if check.result == "fail"])
    return {"checks": checks}


@begins_job("apply", "No Configuration Changes To Apply, or a job is running", ConfirmSchema, Scope.CONFIGURE)
def apply(body: dict[str, str]) -> Started:
    """APPLY: the saved draft takes effect, by a job. A change of role sets up, swaps, takes over or tears down."""
    refuse_second_job()
    record = node().store.config()
    applied = applied_values(record)
    row = decide(applied, record.draft)
    draft = record.draft or {}
    note_detail(change=str(row.change), changes=masked_differences(differences(applied, draft)))
    check_draft(applied, draft)
    if row.change in DANGEROUS:
        check_confirmed(row.change, body.get("confirm"), hostname())
    return started(start_job(node(), row.change, {"config": draft}, visitor().actor))


@begins_job("retry", "Nothing to retry")
def retry() -> Started:
    """Start the last failed job again."""
    return started(retry_job(node(), visitor().actor))


@begins_job("swap", "Not possible here or now", ConfirmSchema)
def swap(_body: dict[str, str]) -> Started:
    """Swap the roles without losing a row; on the primary."""
    return started(change_role(Change.SWAP, Role.SECONDARY))


@begins_job("takeover", "Not possible here or now", ConfirmSchema)
def takeover(body: dict[str, str]) -> Started:
    """Make this secondary the primary by force."""
    check_in_pair(node().store.state().role)
    check_confirmed("takeover", body.get("confirm"), hostname())
    return started(change_role(Change.TAKEOVER, Role.PRIMARY))


@begins_job("resume", "This server is not fenced", ConfirmSchema)
def resume(body: dict[str, str]) -> Started:
    """Let a fenced primary write again without asking the other server."""
    state = node().store.state()
    check_in_pair(state.role)
    if state.fence is None:
        raise NotAllowed(
            "not-fenced",
            "This Server Is Not Fenced",
            detail="Nothing holds its writes back.",
            hint="Look at the status page.",
        )
    check_confirmed("resume", body.get("confirm"), hostname())
    return started(start_job(node(), RESUME, {"config": applied_values(node().store.config())}, visitor().actor))


@begins_job("resolve", "There is no conflict", ResolveSchema)
def resolve(body: dict[str, str]) -> Started:
    """After a conflict of two primaries: choose whose history goes on. What only the other has is rescued first."""
    note_detail(keep=body["keep"])
    fence = node().store.state().fence
    if fence is None or fence.reason is not FenceReason.CONFLICT:
        raise NotAllowed(
            "no-conflict",
            "There Is No Conflict",
            detail="This server is not fenced because of two primaries.",
            hint="Look at the status page.",
        )
    check_confirmed("resolve", body.get("confirm"), hostname())
    kind = KEEP_THIS if body["keep"] == "this" else KEEP_PEER
    return started(start_job(node(), kind, {"config": applied_values(node().store.config())}, visitor().actor))


@resource.route("/ha/maintenance", methods=["POST"])
@needs(Scope.OPERATE)
@recorded("maintenance")
@resource.arguments(MaintenanceSchema)
@resource.response(200, MaintenanceStateSchema)
@resource.alt_response(409, description="Not part of a pair")
def maintenance(body: dict[str, Any]) -> dict[str, Any]:
    """Begin or end a maintenance: while it lasts no failover starts by itself."""
    check_in_pair(node().store.state().role)
    until = node().clock.now() + timedelta(minutes=body["minutes"]) if body["enabled"] else None
    note_detail(until=None if until is None else until.isoformat())
    state = node().store.change_state(lambda known: dataclasses.replace(known, maintenance_until=until))
    return {"maintenance_until": state.maintenance_until}


def change_role(change: Change, role: Role) -> JobRecord:
    """The job that changes the role and nothing else, whatever draft there is."""
    check_in_pair(node().store.state().role)
    config = after_role_change(applied_values(node().store.config()), role)
    return start_job(node(), change, {"config": config}, visitor().actor)


def refuse_second_job() -> None:
    """Before anything else is judged: APPLY pressed twice gets the true reason."""
    active = node().store.active_job()
    if active is not None:
        raise NotAllowed(
            "job-running",
            "Another Job Is Running",
            detail=f"The job {active.kind} ({active.id}) is {active.state}.",
            hint="Wait until it has ended, then try again.",
        )
