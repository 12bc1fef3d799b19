"""What this node says of itself in heartbeats, and what it understands of the other's."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from app.core.facts import PeerReport
from app.core.pilot import Decision
from app.core.roles import Role
from app.core.state import FenceReason, Phase
from app.ports import Json
from jobs.monitor.board import Findings

TEXT_MAX = 4096
"""Characters of a text that are taken from a heartbeat."""
Name = TypeVar("Name", bound=StrEnum)


def is_writable(found: Findings) -> bool:
    """Whether the database was seen to accept application writes, not long ago."""
    facts = found.database.facts
    return facts is not None and not facts.read_only and not found.database.error


def own_report(found: Findings, decision: Decision, now: datetime) -> PeerReport:
    """This node as the other one is to see it."""
    state = found.situation.state
    facts = found.database.facts
    replication = None if facts is None else facts.replication
    return PeerReport(
        node_id=state.node_id,
        hostname=found.situation.hostname,
        role=state.role,
        term=state.term,
        phase=state.phase,
        writable=is_writable(found),
        fence=None if state.fence is None else state.fence.reason,
        standby_out=state.standby_out,
        eligible=decision.eligible,
        position="" if facts is None else facts.position,
        received_position="" if replication is None else replication.received_position,
        semi_sync_active=facts is not None and facts.semi_sync_enabled,
        database_ok=decision.database_failing_s == 0 and not found.database.error and _replicates(found),
        database_failing_s=decision.database_failing_s,
        monitor_age_s=0.0,
        operation="" if state.operation is None or state.operation.until <= now else state.operation.kind,
        maintenance=state.maintenance_until is not None and state.maintenance_until > now,
        stopping=found.stopping,
        promotion_point=None if state.promotion is None else state.promotion.point,
        promotion_term=None if state.promotion is None else state.promotion.term,
        version=found.situation.version,
        holds_address=bool(found.situation.held_addresses),
        lag_s=facts.beat_age_s if facts is not None and state.role is Role.SECONDARY else None,
    )


def _replicates(found: Findings) -> bool:
    """Whether a secondary's replication runs; a primary has none to run."""
    facts = found.database.facts
    if found.situation.state.role is not Role.SECONDARY:
        return facts is not None
    replication = None if facts is None else facts.replication
    return replication is not None and replication.receiver_running and replication.applier_running


def read_report(document: Json) -> PeerReport:
    """The other node's report. Raises ValueError for anything that is not of the right type."""
    return PeerReport(
        node_id=_text(document, "node_id"),
        hostname=_text(document, "hostname"),
        role=_name(Role, document.get("role")),
        term=_whole(document, "term"),
        phase=_name(Phase, document.get("phase")),
        writable=_flag(document, "writable"),
        fence=None if document.get("fence") is None else _name(FenceReason, document.get("fence")),
        standby_out=_flag(document, "standby_out"),
        eligible=_flag(document, "eligible"),
        position=_text(document, "position"),
        received_position=_text(document, "received_position"),
        semi_sync_active=_flag(document, "semi_sync_active"),
        database_ok=_flag(document, "database_ok"),
        database_failing_s=_seconds(document, "database_failing_s") or 0.0,
        monitor_age_s=_seconds(document, "monitor_age_s"),
        operation=_text(document, "operation"),
        maintenance=_flag(document, "maintenance"),
        stopping=_flag(document, "stopping"),
        promotion_point=_optional(document, "promotion_point", _text),
        promotion_term=_optional(document, "promotion_term", _whole),
        version=_text(document, "version"),
        holds_address=_flag(document, "holds_address"),
        lag_s=_seconds(document, "lag_s"),
    )


def _refuse(name: str, value: Any) -> ValueError:
    return ValueError(f"the heartbeat's {name} is {str(value)[:80]!r}")


def _text(document: Json, name: str) -> str:
    value = document.get(name, "")
    if not isinstance(value, str) or len(value) > TEXT_MAX:
        raise _refuse(name, value)
    return value


def _whole(document: Json, name: str) -> int:
    value = document.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise _refuse(name, value)
    return value


def _flag(document: Json, name: str) -> bool:
    value = document.get(name, False)
    if not isinstance(value, bool):
        raise _refuse(name, value)
    return value


def _seconds(document: Json, name: str) -> float | None:
    value = document.get(name)
    if value is None:
        return None
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value) or value < 0:
        raise _refuse(name, value)
    return float(value)


def _name(kind: type[Name], value: Any) -> Name:
    try:
        return kind(value)
    except ValueError as error:
        raise _refuse(kind.__name__.lower(), value) from error


def _optional(document: Json, name: str, read: Callable[[Json, str], Any]) -> Any:
    return None if document.get(name) is None else read(document, name)
