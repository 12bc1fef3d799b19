"""How the pair is, in one word, with the reasons in sentences: what every screen and every script asks first.

Made from the node's durable state and the monitor's snapshot. Each node has its own true view: what is not known is
said to be unknown, a snapshot that is too old is said to be old, and neither is ever shown as good news. The word is
`stable` only where there is no reason against it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.core.certificates import ALARM as CERTIFICATE
from app.core.failover import QUIET_KINDS
from app.core.fences import BY_REASON
from app.core.pairconfig import PairConfig, ProtectionMode
from app.core.pilot import hands_off
from app.core.roles import Role
from app.core.state import FenceReason, NodeState, Phase

SNAPSHOT_STALE_S = 5.0
"""A monitor that has not published for this long is not running."""
PEER_SILENT_S = 3.0
"""A peer that was not heard for this long (or for three heartbeats, if that is longer) counts as silent."""
NOT_OF_THE_PAIR = frozenset({CERTIFICATE})
"""Alarms that say nothing against the pair: they are listed, and the word stays."""
Document = dict[str, Any]

WORDS = (
    ("standalone", "This server is not part of a pair."),
    ("initialized", "The primary is set up; now APPLY on the secondary."),
    ("synchronizing", "The secondary is being brought up to date, or a job is changing the pair."),
    ("stable", "Both servers work, and a failover would lose nothing more than the protection mode says."),
    ("degraded", "The service works or could work, but something is wrong; the reasons say what."),
    ("fenced", "This server was primary and refuses writes until it is known that it may."),
    ("conflict", "Both servers are primary of the same term; an administrator has to choose."),
)

PROMISES = {
    ProtectionMode.PERFORMANCE: "Commits do not wait. A failover loses at most the shown lag.",
    ProtectionMode.AVAILABILITY: "Commits wait for the standby while it is in the pair. No acknowledged write is lost "
    "by one fault.",
    ProtectionMode.PROTECTION: "Commits always wait for the standby. No acknowledged write is lost.",
}


@dataclass(frozen=True)
class Reason:
    """Why the word is not `stable`, or why a failover would not work."""

    code: str
    text: str

    def document(self) -> Document:
        return {"code": self.code, "text": self.text}


@dataclass(frozen=True)
class View:
    """All that the status is made from."""

    state: NodeState
    config: PairConfig
    snapshot: Mapping[str, Any] | None
    """The monitor's snapshot as it was published."""
    age_s: float | None
    """Its age; None where there is none."""
    now: datetime

    @property
    def fresh(self) -> bool:
        return self.snapshot is not None and self.age_s is not None and self.age_s < SNAPSHOT_STALE_S

    def part(self, name: str) -> Mapping[str, Any]:
        """A section of the snapshot; empty where there is none."""
        found = (self.snapshot or {}).get(name)
        return found if isinstance(found, Mapping) else {}

    @property
    def peer(self) -> Mapping[str, Any]:
        """The peer's last report."""
        found = self.part("peer").get("report")
        return found if isinstance(found, Mapping) else {}

    @property
    def heartbeat_age_s(self) -> float | None:
        """Since the peer was heard, counted up to now."""
        age = self.part("peer").get("heartbeat_age_s")
        return None if age is None else float(age) + (self.age_s or 0.0)

    @property
    def heard(self) -> bool:
        """Whether the peer was heard at the monitor's last tick, or not long before it."""
        age = self.part("peer").get("heartbeat_age_s")
        return self.fresh and age is not None and float(age) < max(self.config.heard_s, PEER_SILENT_S)


def status(view: View, *, hostname: str, address: str | None = None) -> Document:
    """The answer of GET /ha/status, but for what only the API knows (the running job)."""
    word, reasons = judge(view)
    obstacles = tuple(failover_obstacles(view))
    return {
        "node": _node(view, hostname, address),
        "peer": _peer(view),
        "status": word,
        "reasons": [each.document() for each in reasons],
        "failover": {
            "ready": not obstacles,
            "reasons": [each.document() for each in obstacles],
            "lost_bound": exposure(view),
            "lost_transactions": lost_transactions(view),
            "window_s": view.config.detection_window_s,
        },
        "term": view.state.term,
        "fenced": _fenced(view.state),
        "replication": _replication(view),
        "files": dict(view.part("files")) or None,
        "pings": dict(view.part("pings")) or None,
        "alarms": list((view.snapshot or {}).get("alarms") or []),
        "database": _database(view),
        "rescues": dict(view.part("rescues")) or None,
        "virtual_address": _virtual_address(view, hostname),
        "monitor": {"running": view.fresh, "age_s": view.age_s},
        "protection": {
            "mode": view.config.protection_mode.value,
            "promise": PROMISES[view.config.protection_mode],
            "holds": promise_holds(view),
        },
    }


def judge(view: View) -> tuple[str, tuple[Reason, ...]]:
    """The status word and the reasons for it."""
    state = view.state
    if state.role is Role.STANDALONE:
        return "standalone", tuple(_own_troubles(view))
    if state.fence is not None and state.fence.reason is FenceReason.CONFLICT:
        return "conflict", (_fence_reason(state),)
    if hands_off(view.state, view.now):
        kind = state.operation.kind if state.operation is not None else ""
        return "synchronizing", (
            Reason("operation", f"A job is changing this pair ({kind}); wait until it has ended."),
        )
    if state.fence is not None:
        return "fenced", (_fence_reason(state), *_own_troubles(view))
    if state.phase is Phase.INITIALIZED:
        text = "The primary is set up. Now apply the configuration on the secondary server."
        return "initialized", (Reason("apply-on-secondary", text),)
    if state.phase is Phase.SYNCHRONIZING:
        return "synchronizing", (Reason("seeding", "The secondary is being filled with the primary's data."),)
    if reasons := _distinct((*_own_troubles(view), *_pair_troubles(view), *_alarms(view))):
        return "degraded", reasons
    if kind := _job_of_primary(view):
        return "synchronizing", (
            Reason("operation", f"A job on the other server is changing this pair ({kind}); wait until it has ended."),
        )
    return "stable", ()


def _job_of_primary(view: View) -> str:
    """The kind of the job that this secondary's primary announces, and that holds its failover back; or empty."""
    kind = str(view.peer.get("operation") or "")
    return kind if view.state.role is Role.SECONDARY and view.heard and kind not in QUIET_KINDS else ""


def _fence_reason(state: NodeState) -> Reason:
    if state.fence is None:
        raise ValueError("the node is not fenced")
    row = BY_REASON[state.fence.reason]
    return Reason(state.fence.reason.value, f"{row.meaning} It accepts no writes. What ends this: {row.exit}")


def _own_troubles(view: View) -> Iterator[Reason]:
    """What is wrong with this server, whatever the other one does."""
    if not view.fresh:
        age = "It has published nothing since this server started." if view.age_s is None else (
            f"Its last report is {view.age_s:.0f} s old."
        )  # fmt: skip
        yield Reason("monitor-silent", f"The monitor of this server does not run. {age} What is shown here is old; "
                                       "start the service hapair-monitor.")  # fmt: skip
        return
    database = view.part("database")
    if database.get("facts") is None or (database.get("facts_age_s") or 0.0) >= SNAPSHOT_STALE_S:
        error = database.get("error") or "it does not answer"
        yield Reason("database-down", f"The database of this server can't be asked: {error}.")
    elif view.state.role is not Role.SECONDARY and view.state.fence is None and not _writable(view):
        yield Reason("not-writable", "This server may accept writes, but its database is still read-only; "
                                     "the monitor opens it.")  # fmt: skip


def _writable(view: View) -> bool:
    return view.fresh and bool(view.part("node").get("writable"))


def _pair_troubles(view: View) -> Iterator[Reason]:
    """What is wrong between the two servers."""
    if not view.fresh:
        return
    if not view.heard:
        age = view.heartbeat_age_s
        since = "since the monitor was started" if age is None else f"for {age:.0f} s"
        yield Reason("peer-silent", f"The other server has not been heard {since}. What is shown of it is old.")
    elif (absent := _peer_unwatched(view)) is not None:
        yield absent
    elif view.state.role is Role.PRIMARY:
        yield from _standby_troubles(view)
    else:
        yield from _primary_troubles(view)
    if view.state.role is Role.PRIMARY and view.state.standby_out:
        since_when = view.state.standby_out_since
        stamp = f" since {since_when:%Y-%m-%d %H:%M:%S} UTC" if since_when is not None else ""
        yield Reason("standby-out", f"The standby is out of the pair{stamp}: commits do not wait for it, and it can't "
                                    "take over by itself. It comes back by itself when it has caught up.")  # fmt: skip
    diagnosis = view.part("diagnosis")
    if diagnosis.get("name", "healthy") != "healthy":
        yield Reason(str(diagnosis["name"]), str(diagnosis.get("sentence", "")))
    yield from _file_troubles(view)


def _peer_unwatched(view: View) -> Reason | None:
    """The other server answers, but its monitor has stopped or does not run: it could not take over."""
    if view.peer.get("stopping"):
        return Reason("peer-stopping", "The monitor of the other server has been stopped; until it is started again "
                                       "there is no failover by itself.")  # fmt: skip
    if "monitor_age_s" not in view.peer:
        return None
    age = view.peer["monitor_age_s"]
    if age is not None and float(age) < SNAPSHOT_STALE_S:
        return None
    return Reason("peer-monitor-silent", "The monitor of the other server does not run; until it does there is no "
                                         "failover by itself.")  # fmt: skip


def _standby_troubles(view: View) -> Iterator[Reason]:
    if view.peer.get("role") != Role.SECONDARY.value:
        yield Reason("peer-role", f"The other server says that it is {view.peer.get('role')}, not secondary.")
    elif not view.peer.get("eligible"):
        yield Reason("standby-not-caught-up", "The standby has not caught up since it was started, so it can't take "
                                              "over by itself.")  # fmt: skip


def _primary_troubles(view: View) -> Iterator[Reason]:
    peer = view.peer
    if peer.get("role") != Role.PRIMARY.value:
        yield Reason("peer-role", f"The other server says that it is {peer.get('role')}, not primary.")
    elif not peer.get("writable"):
        why = f" It is fenced: {peer['fence']}." if peer.get("fence") else ""
        yield Reason("primary-not-writable", f"The primary does not accept writes.{why}")
    elif peer.get("standby_out"):
        yield Reason("standby-out", "The primary goes on without this server until it has caught up.")
    if not view.part("node").get("eligible"):
        yield Reason("not-caught-up", "This server has not caught up with the primary since it was started, so it "
                                      "can't take over by itself.")  # fmt: skip


def _file_troubles(view: View) -> Iterator[Reason]:
    files = view.part("files")
    if view.state.role is Role.PRIMARY and (files.get("trouble") or files.get("last_error")):
        what = files.get("trouble") or files.get("last_error")
        yield Reason("files-behind", f"Files are not mirrored: {what} ({files.get('pending', 0)} changes wait).")


def _alarms(view: View) -> Iterator[Reason]:
    for each in (view.snapshot or {}).get("alarms") or []:
        if isinstance(each, Mapping) and each.get("code") not in NOT_OF_THE_PAIR:
            yield Reason(str(each.get("code", "")), str(each.get("text", "")))


def _distinct(reasons: tuple[Reason, ...]) -> tuple[Reason, ...]:
    return tuple({each.code: each for each in reversed(reasons)}.values())[::-1]


def failover_obstacles(view: View) -> Iterator[Reason]:
    """Why the standby would not take over by itself if the primary failed now; none where it would."""
    state = view.state
    if state.role is Role.STANDALONE or state.phase is not Phase.PAIRED:
        yield Reason("no-pair", "There is no complete pair, so nobody could take over.")
        return
    if not view.fresh:
        yield Reason("monitor-silent", "The monitor of this server does not run, so it is not known.")
    elif state.role is Role.SECONDARY:
        for each in view.part("failover").get("obstacles") or []:
            yield Reason(str(each.get("reason", "")), str(each.get("text", "")))
    else:
        yield from _obstacles_of_standby(view)


def _obstacles_of_standby(view: View) -> Iterator[Reason]:
    state = view.state
    if state.fence is not None:
        yield Reason(state.fence.reason.value, "This server is fenced itself.")
    if not view.heard:
        yield Reason("peer-silent", "The standby is not heard, so it is not known whether it could take over.")
    elif (absent := _peer_unwatched(view)) is not None:
        yield absent
    elif view.peer.get("role") != Role.SECONDARY.value or not view.peer.get("eligible"):
        yield Reason("standby-not-caught-up", "The standby has not caught up since it was started.")
    if state.standby_out:
        yield Reason("standby-out", "The standby is out of the pair: it lacks what was written since.")
    operation = state.operation
    announced = operation is not None and view.now < operation.until
    maintenance = state.maintenance_until is not None and view.now < state.maintenance_until
    if announced or maintenance or view.peer.get("maintenance"):
        yield Reason("maintenance", "Maintenance or a job is announced, which holds failover back.")


def exposure(view: View) -> str:
    """What a failover at this moment could lose, in a sentence; empty where there is no pair."""
    state = view.state
    if state.role is Role.STANDALONE or state.phase is not Phase.PAIRED:
        return ""
    if not view.fresh:
        return "Not known: the monitor of this server does not run."
    if state.role is Role.SECONDARY:
        return str(view.part("failover").get("lost_bound", ""))
    if state.standby_out:
        since = state.standby_out_since
        stamp = f"{since:%Y-%m-%d %H:%M:%S} UTC" if since is not None else "it went out"
        number = lost_transactions(view)
        count = "" if number is None else f" Until now these are {number} transactions, those of hapair included."
        return f"All writes since {stamp}: the standby is out of the pair.{count}"
    if view.config.commits_wait and _acknowledged(view):
        return "Nothing that was acknowledged."
    return "At most the writes of the last moments that the standby has not received yet."


def lost_transactions(view: View) -> int | None:
    """How many transactions of this primary a failover at this moment could lose; None where that is not known."""
    number = view.part("failover").get("lost_transactions") if view.fresh else None
    return number if isinstance(number, int) else None


def promise_holds(view: View) -> bool:
    """Whether what the protection mode promises holds right now, as far as this server can know."""
    if view.state.phase is not Phase.PAIRED or not view.heard:
        return False
    if view.state.role is Role.PRIMARY:
        return not view.state.standby_out and (not view.config.commits_wait or _acknowledged(view))
    return not view.peer.get("standby_out") and bool(view.part("node").get("eligible"))


def _acknowledged(view: View) -> bool:
    facts = view.part("database").get("facts") or {}
    return bool(facts.get("semi_sync_enabled")) and int(facts.get("semi_sync_clients") or 0) > 0


def _node(view: View, hostname: str, address: str | None) -> Document:
    state = view.state
    operation = state.operation
    return {
        "hostname": hostname,
        "role": state.role.value,
        "writable": _writable(view),
        "address": address,
        "phase": state.phase.value,
        "maintenance": state.maintenance_until is not None and view.now < state.maintenance_until,
        "operation": operation.kind if operation is not None and view.now < operation.until else "",
    }


def _peer(view: View) -> Document | None:
    identity = view.state.peer
    if identity is None:
        return None
    report, channel = view.peer, view.part("peer")
    return {
        "hostname": report.get("hostname") or identity.hostname,
        "address": channel.get("address") or identity.address,
        "role": report.get("role"),
        "term": report.get("term"),
        "writable": report.get("writable") if view.heard else None,
        "fenced": report.get("fence"),
        "heard": view.heard,
        "heartbeat_age_s": view.heartbeat_age_s,
        "error": channel.get("error") or "",
        "lag_s": report.get("lag_s") if view.heard else None,
    }


def _virtual_address(view: View, hostname: str) -> Document | None:
    """The address that moves with the primary, and which server holds it; None where the pair has none."""
    address = view.config.virtual_address
    if address is None:
        return None
    here = view.fresh and bool(view.part("address").get("held"))
    there = view.heard and bool(view.peer.get("holds_address"))
    peer = view.peer.get("hostname")
    return {
        "address": f"{address.address}/{address.prefix}",
        "interface": address.interface,
        "held": here,
        "holders": [name for name, holds in ((hostname, here), (peer, there)) if holds and name],
    }


def _fenced(state: NodeState) -> Document | None:
    if state.fence is None:
        return None
    row = BY_REASON[state.fence.reason]
    return {
        "reason": state.fence.reason.value,
        "since": state.fence.since.isoformat(),
        "detail": state.fence.detail,
        "meaning": row.meaning,
        "exit": row.exit,
    }


def _replication(view: View) -> Document | None:
    found = (view.snapshot or {}).get("replication")
    if not isinstance(found, Mapping):
        return None
    facts = view.part("database").get("facts") or {}
    age = facts.get("beat_age_s")
    return {**found, "lag_s": None if age is None else float(age) + (view.age_s or 0.0)}


def _database(view: View) -> Document | None:
    database = view.part("database")
    if not database:
        return None
    facts_age = database.get("facts_age_s")
    answers = database.get("facts") is not None and facts_age is not None and facts_age < SNAPSHOT_STALE_S
    ok = view.fresh and answers and not database.get("error")
    return {"ok": ok, "error": database.get("error") or "", "write_failing_s": database.get("write_failing_s")}
