"""The file mirror: on the primary, changed files go to the standby after the interval or after 1000 changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import structlog

from app.core.acts import Cause
from app.core.errors import HapairError
from app.core.roles import Role
from app.core.state import NodeState, Phase
from app.core.sync import batch_due
from app.ports import BatchReport, Json, Node
from jobs.monitor.board import Board, FilesFinding, Findings
from jobs.monitor.duty import LOOK_AGAIN_S

log = structlog.get_logger(__name__)

ALARM = "file-mirror"
ALARM_AFTER_S = 60.0
"""A mirror that fails for this long raises an alarm; a peer that restarts is back before."""
FULL_RETRY_S = 10.0
"""Between two tries of a full pass that failed."""
FULL_EVERY_S = 3600.0
"""A full pass this often finds what the watch has missed, and what was changed or deleted on the standby by hand."""
VERIFY_EVERY_S = 24 * 3600.0
"""A full pass that compares contents reads every file on both servers."""
LOOK_S = 0.5
ALIKE = "files-alike"
"""The note of the last term in which both trees were alike once."""
REJOIN_CAUSES = frozenset({Cause.FAILOVER, Cause.HANDOVER, Cause.TAKEOVER})
"""After these the peer comes back by a rejoin, which keeps every file that the first full pass takes away."""


class FileDuty:
    """Pushes while this node is the rightful primary; a full pass first, then the collected changes."""

    name = "files"

    def __init__(self, node: Node, board: Board) -> None:
        self._node = node
        self._board = board
        self._pushing_for: tuple[str, int] | None = None
        self._full_due = True
        self._began_s: float | None = None
        self._complete_s: float | None = None
        self._verified_s: float | None = None
        self._failing_since_s: float | None = None

    def step(self) -> float:
        found = self._board.read()
        state = found.situation.state
        if not _pushes(state) or state.peer is None:
            self._rest()
            return LOOK_AGAIN_S
        if self._pushing_for != (state.peer.node_id, state.term):
            self._begin(state)
        now_s = self._node.clock.monotonic()
        pending = self._node.mirror.pending()
        self._publish(pending=pending, trouble=self._node.mirror.trouble())
        if not _receives(found, now_s):
            return LOOK_S
        if self._is_due(pending, now_s, found.situation.config.file_sync_interval_s):
            self._push(state, pending)
        return LOOK_S

    def close(self) -> None:
        self._node.mirror.close()

    def _rest(self) -> None:
        if self._pushing_for is not None:
            self._pushing_for = None
            self._node.mirror.unwatch()
            self._node.store.clear_alarm(ALARM)
            self._board.put(files=FilesFinding())

    def _begin(self, state: NodeState) -> None:
        """A new role, term or peer: nothing is known of what the other server has."""
        self._node.mirror.watch()
        self._pushing_for = ("" if state.peer is None else state.peer.node_id, state.term)
        self._full_due = True
        self._began_s = None
        self._complete_s = None
        self._verified_s = self._node.clock.monotonic()
        self._failing_since_s = None

    def _is_due(self, pending: int, now_s: float, interval_s: float) -> bool:
        since_s = float("inf") if self._began_s is None else now_s - self._began_s
        failed = self._failing_since_s is not None
        if self._complete_s is not None and now_s - self._complete_s >= FULL_EVERY_S:
            self._full_due = True
        if self._full_due:
            return not failed or since_s >= FULL_RETRY_S
        return batch_due(pending, since_s, interval_s, failed=failed)

    def _push(self, state: NodeState, pending: int) -> None:
        full = self._full_due
        self._began_s = self._node.clock.monotonic()
        verify = full and self._verified_s is not None and self._began_s - self._verified_s >= VERIFY_EVERY_S
        self._publish(pushing=True)
        try:
            batch = self._node.mirror.push(
                state.term,
                full=full,
                verify=verify,
                progress=self._progress,
                allow_mass_delete=full and self._peer_keeps_all(state),
            )
        except HapairError as error:
            self._failed(error)
            return
        finally:
            self._publish(pushing=False, progress=None)
        if verify and batch.complete:
            self._verified_s = self._began_s
        if full and batch.complete and self._peer_keeps_all(state):
            self._node.store.save_note(ALIKE, {"term": state.term})
        self._succeeded(batch, full=full)
        if batch.files or batch.deleted or full:
            log.info("files pushed", full=full, pending=pending, term=state.term, **_brief(batch))

    def _peer_keeps_all(self, state: NodeState) -> bool:
        """Whether this is the first full pass since this node took over: a former primary may have any number of files
        of its own then, and its rejoin rescues them. Later the same would be a tree that is lost here."""
        promotion = state.promotion
        if promotion is None or promotion.term != state.term or promotion.cause not in REJOIN_CAUSES:
            return False
        return (self._node.store.note(ALIKE) or {}).get("term") != state.term

    def _succeeded(self, batch: BatchReport, *, full: bool) -> None:
        now = self._node.clock.now()
        if full and batch.complete:
            self._full_due = False
            self._complete_s = self._node.clock.monotonic()
        if self._failing_since_s is not None:
            self._failing_since_s = None
            self._node.store.clear_alarm(ALARM)
        pending = self._node.mirror.pending()
        last_batch = {"at": now.isoformat(), **_brief(batch), "detail": batch.detail}
        whole = batch.complete and not self._full_due and pending == 0
        changes: Json = {"complete_at": now} if whole else {}
        self._publish(pending=pending, last_batch=last_batch, last_error="", last_error_at=None, **changes)

    def _failed(self, error: HapairError) -> None:
        now_s = self._node.clock.monotonic()
        if self._failing_since_s is None:
            self._failing_since_s = now_s
            log.warning("files not pushed", code=error.code, error=str(error))
        self._publish(last_error=str(error), last_error_at=self._node.clock.now())
        if error.code == "stale-term":
            self._board.wake()
        if error.code == "mass-delete" or now_s - self._failing_since_s >= ALARM_AFTER_S:
            self._node.store.raise_alarm(ALARM, f"Files do not reach the other server: {error} {error.hint}".strip())

    def _progress(self, done: int, total: int | None) -> None:
        self._publish(progress={"done": done, "total": total})

    def _publish(self, **changes: Any) -> None:
        self._board.change(lambda found: replace(found, files=replace(found.files, **changes)))


def _pushes(state: NodeState) -> bool:
    """Whether this node's files are the ones that count. During the set-up the secondary asks for them itself."""
    return state.role is Role.PRIMARY and state.fence is None and state.phase is Phase.PAIRED


def _receives(found: Findings, now_s: float) -> bool:
    """Whether the peer is heard and takes files: to try in vain would only fill the log."""
    age_s, report = found.peer.age_s(now_s), found.peer.report
    heard = age_s is not None and age_s < found.situation.config.heard_s
    return heard and report is not None and report.role is Role.SECONDARY


def _brief(batch: BatchReport) -> Json:
    return {
        "files": batch.files,
        "bytes": batch.bytes,
        "deleted": batch.deleted,
        "duration_s": round(batch.duration_s, 3),
        "complete": batch.complete,
    }
