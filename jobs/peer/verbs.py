"""What the other server may ask for over the peer channel: one handler for each verb.

A handler changes only what its verb says, checks the pair and the sender's term, and may be repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from app.core.errors import HapairError, InvalidInput
from app.core.pilot import hands_off
from app.core.state import NodeState, Operation
from app.ports import Json, Node
from jobs.peer import verbs_activity, verbs_join, verbs_swap
from jobs.peer.body import text, whole
from jobs.steps import fencing, settings, takeover
from jobs.steps.preflight import answer_facts

Handler = Callable[[Node, Json], Json]

MONITOR = "monitor"
"""The name under which the monitor publishes its snapshot."""
ANNOUNCEMENT_MAX = timedelta(minutes=10)
"""However long the other server says that its operation takes."""
REASON_MAX = 200


def ping(node: Node, body: Json) -> Json:
    """Proof that the channel works, and of nothing else."""
    return {"node_id": node.store.state().node_id, "echo": body.get("echo")}


def heartbeat(node: Node, body: Json) -> Json:  # noqa: ARG001 - the sender's term is for its own log
    """What this node says of itself: the durable state read now, the rest as its monitor last saw it."""
    state = node.store.state()
    published = node.machine.published(MONITOR)
    snapshot, age_s = published if published is not None else ({}, None)
    report = snapshot.get("report")
    reply: Json = dict(report) if isinstance(report, dict) else _without_monitor(node)
    reply |= {
        "node_id": state.node_id,
        "role": state.role.value,
        "term": state.term,
        "phase": state.phase.value,
        "fence": None if state.fence is None else state.fence.reason.value,
        "standby_out": state.standby_out,
        "operation": _operation(node, state),
        "promotion_point": None if state.promotion is None else state.promotion.point,
        "promotion_term": None if state.promotion is None else state.promotion.term,
        "monitor_age_s": age_s,
    }
    return reply


def status(node: Node, body: Json) -> Json:  # noqa: ARG001
    """The monitor's whole snapshot and its age; empty where the monitor has not run since the boot."""
    published = node.machine.published(MONITOR)
    if published is None:
        return {"snapshot": {}, "age_s": None}
    return {"snapshot": published[0], "age_s": published[1]}


def position(node: Node, body: Json) -> Json:  # noqa: ARG001
    """Where the database is right now."""
    return {"position": node.database.facts().position}


def fence(node: Node, body: Json) -> Json:
    """This node refuses application writes, durably, if the sender's term is higher than its own."""
    reason = text(body, "reason", REASON_MAX)
    return {"position": fencing.accept_fence(node, whole(body, "term"), reason)}


def announce(node: Node, body: Json) -> Json:
    """The peer's operation is known here until its bound; an empty kind ends it. A job that is under way here has
    announced itself, and stays: the monitor would act in the middle of it."""
    kind, job_id = text(body, "kind", 40), text(body, "job_id", 64)
    if not kind:
        node.store.change_state(lambda state: _without_operation(state, job_id))
        return {}
    now = node.clock.now()
    try:
        until = datetime.fromisoformat(text(body, "until", 64))
        bounded = min(until, now + ANNOUNCEMENT_MAX)
    except (ValueError, TypeError) as error:
        raise InvalidInput("bad-request", "This Message Can't Be Understood", detail="`until` is no time.") from error
    announced = Operation(job_id, kind, bounded)
    node.store.change_state(lambda state: state if hands_off(state, now) else replace(state, operation=announced))
    return {}


def facts(node: Node, body: Json) -> Json:  # noqa: ARG001
    """What the preflight of a pair that exists, or of the secondary's APPLY, wants to know."""
    return {**answer_facts(node), "phase": node.store.state().phase.value}


def take_settings(node: Node, body: Json) -> Json:
    """The shared fields that are applied here, after those that were sent are taken."""
    return settings.take_settings(node, body.get("fields"))


def end_conflict(node: Node, body: Json) -> Json:
    """Of two primaries of that term this one goes on: the administrator has chosen so on the other server."""
    takeover.end_conflict(node, whole(body, "term"))
    return {"term": node.store.state().term}


def _operation(node: Node, state: NodeState) -> str:
    if state.operation is None or state.operation.until <= node.clock.now():
        return ""
    return state.operation.kind


def _without_operation(state: NodeState, job_id: str) -> NodeState:
    ours = state.operation is not None and state.operation.job_id == job_id
    return replace(state, operation=None) if ours else state


def _without_monitor(node: Node) -> Json:
    """The least that can be said while no monitor runs: nothing in it makes this node look better than it is."""
    machine = node.machine.facts()
    try:
        now_at = node.database.facts().position
    except HapairError:
        now_at = ""
    return {
        "hostname": machine.hostname,
        "version": machine.version,
        "writable": False,
        "eligible": False,
        "position": now_at,
        "received_position": "",
        "semi_sync_active": False,
        "database_ok": False,
        "database_failing_s": 0.0,
        "maintenance": False,
        "stopping": False,
    }


VERBS: Mapping[str, Handler] = {
    "ping": ping,
    "heartbeat": heartbeat,
    "status": status,
    "position": position,
    "fence": fence,
    "announce": announce,
    "facts": facts,
    "settings": take_settings,
    "join-begin": verbs_join.join_begin,
    "join-done": verbs_join.join_done,
    "join-abort": verbs_join.join_abort,
    "push-files": verbs_join.push_files,
    "leave": verbs_join.leave,
    "left": verbs_join.left,
    "forget": verbs_join.forget,
    "swap-prepare": verbs_swap.prepare,
    "swap-promote": verbs_swap.promote,
    "swap-abort": verbs_swap.abort,
    "swap-finish": verbs_swap.finish,
    "promotion-state": verbs_swap.promotion_state,
    "end-conflict": end_conflict,
    "activity": verbs_activity.activity,
    "activity-head": verbs_activity.activity_head,
}
