"""What the monitor tells the other processes of this server at each tick: RUN_DIR/monitor.json.

The API's status and the peer's heartbeats are made from it; its age (Machine.published) tells whether the monitor
lives. Ages in it are as of the tick. Everything is plain JSON:

    {
      "node":      {node_id, hostname, version, role, term, phase, writable, fence: {reason, since, detail} | null,
                    standby_out, standby_out_since, eligible, operation, maintenance, stopping},
      "report":    the fields of app.core.facts.PeerReport about this node; `monitor_age_s` is 0 at the tick, and
                   whoever passes it on puts the document's age there,
      "peer":      {address, hostname, report: {…PeerReport…} | null, heartbeat_age_s, error},
      "database":  {facts: {…DatabaseFacts…} | null, facts_age_s, write_failing_s, write_age_s, error},
      "replication": {…ReplicationFacts…, alive_age_s} | null,
      "peer_probe": {ok, age_s},                    the secondary's write probe of the primary's database
      "files":     {pending, trouble, last_batch: {at, files, bytes, deleted, duration_s, complete, detail} | null,
                    last_error, last_error_at, complete_at, pushing, progress: {done, total} | null},
      "pings":     {interval_s, iterations, sequence, peer: {address, missed, round_trip_ms},
                    gateway: {address, answers}, targets: {address: answers}, near_miss: {missed, at} | null},
      "verdict":   {name, …its own fields…},        healthy, suspect, blocked or promote
      "diagnosis": {name, sentence},
      "failover":  {obstacles: [{reason, text}], lost_bound, lost_transactions},   what would hold a failover back now,
                   what it could lose
      "acts":      [{act, rule, why, at, outcome, error}],    the last ones, newest first
      "busy":      the act under way that takes long, or "",
      "rescues":   {count, newest: {id, kind, at} | null} | null,    what is kept aside on this server
      "address":   {wanted, held: […] | null},       the virtual address of the pair and those that are on this server
      "alarms":    [{code, text, raised_at}],
      "at":        time of the tick
    }
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from app.core.pilot import Decision
from app.core.state import NodeState
from app.ports import Json
from jobs.monitor.board import Findings
from jobs.monitor.report import is_writable, own_report

NAME = "monitor"
"""What the snapshot is published as."""


def plain(value: Any) -> Any:
    """The value as JSON knows it: dataclasses as objects, enums by their value, times as ISO text."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(each) for each in value]
    return value


def snapshot(found: Findings, decision: Decision, now_s: float, now: datetime) -> Json:
    """The document of one tick."""
    state = found.situation.state
    document = {
        "node": _node(found, decision, now),
        "report": own_report(found, decision, now),
        "peer": {
            "address": found.situation.peer_address,
            "hostname": None if state.peer is None else state.peer.hostname,
            "report": found.peer.report,
            "heartbeat_age_s": found.peer.age_s(now_s),
            "error": found.peer.error,
        },
        "database": found.database.report(now_s),
        "replication": _replication(found, now_s),
        "peer_probe": {"ok": found.peer_probe.ok, "age_s": found.peer_probe.age_s(now_s)},
        "files": found.files,
        "pings": _pings(found),
        "verdict": {"name": type(decision.verdict).__name__.lower(), **plain(decision.verdict)},
        "diagnosis": decision.diagnosis,
        "failover": {
            "obstacles": decision.obstacles,
            "lost_bound": decision.lost_bound,
            "lost_transactions": decision.lost_transactions,
        },
        "acts": found.acts,
        "busy": found.busy,
        "rescues": found.rescues,
        "address": {"wanted": _wanted_address(found), "held": found.situation.held_addresses},
        "alarms": sorted(found.situation.alarms.values(), key=lambda alarm: alarm.raised_at),
        "at": now,
    }
    result: Json = plain(document)
    return result


def _node(found: Findings, decision: Decision, now: datetime) -> Json:
    state: NodeState = found.situation.state
    return {
        "node_id": state.node_id,
        "hostname": found.situation.hostname,
        "version": found.situation.version,
        "role": state.role,
        "term": state.term,
        "phase": state.phase,
        "writable": is_writable(found),
        "fence": state.fence,
        "standby_out": state.standby_out,
        "standby_out_since": state.standby_out_since,
        "eligible": decision.eligible,
        "operation": "" if state.operation is None else state.operation.kind,
        "maintenance": state.maintenance_until is not None and state.maintenance_until > now,
        "stopping": found.stopping,
    }


def _replication(found: Findings, now_s: float) -> Json | None:
    facts = found.database.facts
    if facts is None or facts.replication is None:
        return None
    return {**plain(facts.replication), "alive_age_s": found.database.stream_age_s(now_s)}


def _wanted_address(found: Findings) -> str | None:
    address = found.situation.config.virtual_address
    return None if address is None else str(address)


def _pings(found: Findings) -> Json:
    network, config = found.network, found.situation.config
    return {
        "interval_s": config.ping_interval_s,
        "iterations": config.ping_iterations,
        "sequence": network.sequence,
        "peer": {
            "address": found.situation.peer_address,
            "missed": network.peer_missed,
            "round_trip_ms": network.peer_round_trip_ms,
        },
        "gateway": {"address": found.situation.gateway, "answers": network.gateway_answers},
        "targets": network.targets,
        "near_miss": found.near_miss,
    }
