"""The administrator's custom script: at most once for each event, one after the other."""

from __future__ import annotations

import structlog

from app.core.errors import LocalFailure
from app.core.events import EventKind
from app.core.notices import SCRIPT_FAILED, Channel
from app.ports import EventRecord, Json, Node, ScriptResult
from jobs.monitor.board import Board
from jobs.monitor.duty import LOOK_AGAIN_S

log = structlog.get_logger(__name__)

SCRIPT_TIMEOUT_S = 90.0
OUTPUT_KEPT = 4000
"""Characters of a script's output that are kept with the event."""
SKIPPED_AT_ONCE = 200
KINDS_WITH_SCRIPT = frozenset(kind.value for kind in EventKind)


class ScriptDuty:
    """Runs the script for each event. Its failure is an alarm and stops nothing."""

    name = "scripts"

    def __init__(self, node: Node, board: Board) -> None:
        self._node = node
        self._board = board

    def step(self) -> float:
        script = applied_script(self._board)
        if not script:
            return self._skip()
        event = self._node.store.claim_delivery(Channel.SCRIPT)
        if event is None:
            return LOOK_AGAIN_S
        state, detail = self._run(script, event)
        self._node.store.finish_delivery(event.id, Channel.SCRIPT, state, detail)
        return 0.0

    def close(self) -> None:
        """A script under way is left to its end; its event stays claimed until the next start."""

    def _skip(self) -> float:
        """Without a script nothing waits for one."""
        events = self._node.store.claim_deliveries(Channel.SCRIPT, SKIPPED_AT_ONCE)
        if events:
            self._node.store.finish_deliveries([each.id for each in events], Channel.SCRIPT, "skipped")
        return 0.0 if events else LOOK_AGAIN_S

    def _run(self, script: str, event: EventRecord) -> tuple[str, str]:
        """How the delivery ended, and what is to be kept of it."""
        if event.kind not in KINDS_WITH_SCRIPT:
            return "skipped", ""
        log.info("custom script begins", event_id=event.id, kind=event.kind)
        environment = {
            "HA_EVENT_ID": str(event.id),
            "HA_EVENT_KEY": event.key,
            "HA_EVENT_TIME": event.at.isoformat(),
            "HA_DETAIL": event.detail,
            **variables(self._board, event.kind),
        }
        try:
            result = self._node.scripts.run(script, event.parameters, environment, SCRIPT_TIMEOUT_S)
        except LocalFailure as error:
            self._node.store.raise_alarm(SCRIPT_FAILED, f"The custom script could not be run: {error.detail}")
            return "failed", str(error)
        how = ended(result)
        log.info("custom script ended", event_id=event.id, kind=event.kind, ended=how)
        kept = f"{how}\n{result.output[-OUTPUT_KEPT:]}".strip()
        if result.exit_code == 0:
            self._node.store.clear_alarm(SCRIPT_FAILED)
            return "done", kept
        self._node.store.raise_alarm(SCRIPT_FAILED, f"The custom script failed for {event.kind}: {how}.")
        return "failed", kept


def applied_script(board: Board) -> str:
    script = str(board.read().situation.applied.get("HAAdminAlertScript") or "")
    return script if script.strip() else ""


def variables(board: Board, kind: str) -> dict[str, str]:
    """What every script finds in its environment beside the parameters."""
    situation = board.read().situation
    return {
        "HA_EVENT": kind,
        "HA_NODE": situation.hostname,
        "HA_ROLE": situation.state.role.value,
        "HA_TERM": str(situation.state.term),
        "HA_PEER": "" if situation.state.peer is None else situation.state.peer.hostname,
    }


def ended(result: ScriptResult) -> str:
    if result.exit_code is None:
        return f"ended after {result.duration_s:.1f} s because it took too long"
    return f"exit code {result.exit_code} after {result.duration_s:.1f} s"


def outcome(result: ScriptResult) -> Json:
    """What a trial keeps of a run."""
    return {
        "detail": ended(result),
        "output": result.output[-OUTPUT_KEPT:],
        "exit_code": result.exit_code,
        "duration_s": round(result.duration_s, 3),
    }
