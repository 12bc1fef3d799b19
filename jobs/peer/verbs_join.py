"""Joining and leaving, as the other server asks for it."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from dataclasses import replace

from app.core import checks, moves
from app.core import config as configuration
from app.core.checks import ServerFacts
from app.core.errors import HapairError, InvalidInput, NotAllowed
from app.core.roles import Role
from app.core.state import NodeState, Phase
from app.ports import REPLICATION_SECRET, Json, Node
from jobs.peer.body import same_pair, text
from jobs.steps import preflight, teardown

log = logging.getLogger(__name__)

JOINING = (Phase.INITIALIZED, Phase.SYNCHRONIZING)


def join_begin(node: Node, body: Json) -> Json:
    """This primary has checked the secondary and waits for it to copy; the reply is what it needs for that."""
    state = node.store.state()
    _must_be_waiting(state)
    same_pair(state, body)
    sent = body.get("facts")
    if not isinstance(sent, dict):
        raise InvalidInput("bad-request", "This Message Can't Be Understood", detail="`facts` is missing.")
    try:
        theirs = ServerFacts.from_json(sent)
    except ValueError as error:
        raise InvalidInput("bad-request", "This Message Can't Be Understood", detail=str(error)) from error
    ours = ServerFacts.from_json(preflight.own_facts(node))
    # The secondary has compared the clocks: it knows how long its question was on the way.
    found = checks.compare(ours, theirs, round_trip_s=0.0)
    preflight.refuse_failures([check for check in found if check.id != "clocks"])
    password = node.keys.secret(REPLICATION_SECRET)
    if password is None:
        raise _not_ready("It has no replication password.")
    node.database.ensure_accounts(password)
    files, files_bytes = node.mirror.size()
    state = node.store.change_state(_synchronizing)
    shared = configuration.shared(node.store.config().applied)
    return {
        "term": state.term,
        "password": password,
        "sealing_key": node.keys.sealing_key(),
        "data_bytes": ours.data_bytes,
        "files": files,
        "files_bytes": files_bytes,
        "shared": shared,
        "history": node.database.facts().binlog_state,
    }


def join_done(node: Node, body: Json) -> Json:
    """The set-up is complete on both servers; the monitor lets commits wait when it sees the secondary in sync."""
    same_pair(node.store.state(), body)

    def paired(state: NodeState) -> NodeState:
        return replace(state, phase=Phase.PAIRED) if state.role is Role.PRIMARY else state

    node.store.change_state(paired)
    return {}


def join_abort(node: Node, body: Json) -> Json:
    """This primary waits for APPLY on the secondary again."""
    same_pair(node.store.state(), body)
    node.store.change_state(moves.await_secondary)
    return {}


def _synchronizing(state: NodeState) -> NodeState:
    _must_be_waiting(state)
    return replace(state, phase=Phase.SYNCHRONIZING)


def _must_be_waiting(state: NodeState) -> None:
    if state.role is not Role.PRIMARY or state.phase not in JOINING:
        raise _not_ready(f"It is {state.role} now, in the phase {state.phase}.")


def _not_ready(detail: str) -> NotAllowed:
    return NotAllowed(
        "primary-not-ready",
        "The Primary Is Not Ready",
        detail=detail,
        hint="Select APPLY on the primary first, wait for its message, then select APPLY on the secondary.",
    )


# --- the first copy of the files ----------------------------------------------------------------------------------


PUSH_TRIES = 8
PUSH_PAUSE_S = 3.0
"""A batch of an earlier session may still be on its way; it ends by itself when its sender is gone."""


class _Push:
    """A full push that goes on in this session while the secondary asks how far it is."""

    def __init__(self, node: Node, job_id: str) -> None:
        self.job_id = job_id
        self.node = node
        self.bytes = 0
        self.state = "running"
        self.detail = ""
        self._thread = threading.Thread(target=self._run, name="push-files", daemon=True)
        self._thread.start()

    def _progress(self, done: int, _total: int | None) -> None:
        self.bytes = done

    def _run(self) -> None:
        try:
            self._push()
        except Exception:
            # The outermost level of this thread: without an end the secondary would wait for nothing.
            log.exception("the first copy of the files broke off")
            self.detail, self.state = "The primary's log peer.log says why.", "failed"

    def _push(self) -> None:
        for attempt in range(1, PUSH_TRIES + 1):
            try:
                report = self.node.mirror.push(self.node.store.state().term, full=True, progress=self._progress)
            except HapairError as error:
                log.warning("the first copy of the files failed (try %d of %d): %s", attempt, PUSH_TRIES, error)
                if attempt == PUSH_TRIES:
                    self.detail, self.state = f"{error.title}: {error.detail}", "failed"
                    return
                self.node.clock.sleep(PUSH_PAUSE_S)
            else:
                self.bytes = max(self.bytes, report.bytes)
                self.state = "done"
                return


_push: _Push | None = None
"""The push of this session: one session serves one other server, and its requests come one after the other."""


def push_files(node: Node, body: Json) -> Json:
    """The primary's whole tree is on its way to the secondary; how far it is. The first request starts it."""
    global _push  # noqa: PLW0603 - the state of a session is the state of its process
    state = node.store.state()
    if state.role is not Role.PRIMARY:
        raise _not_ready(f"It is {state.role} now.")
    job_id = text(body, "job_id", 64)
    if _push is None or _push.node is not node or _push.job_id != job_id:
        _push = _Push(node, job_id)
    return {"state": _push.state, "bytes": _push.bytes, "detail": _push.detail}


# --- leaving ------------------------------------------------------------------------------------------------------


def leave(node: Node, body: Json) -> Json:
    """This server is standalone, because its primary has ended the pair (or taken a set-up back)."""
    state = node.store.state()
    if state.role is Role.STANDALONE and state.pair_id is None:
        return {"left": True}
    same_pair(state, body)
    if state.role is Role.PRIMARY:
        raise NotAllowed("not-secondary", "The Other Server Is Primary", detail="A primary is not dismissed.")
    if state.role is Role.STANDALONE:
        # The pair was never joined here: only the exchange of keys is taken back, and the draft still waits.
        node.store.change_state(lambda before: replace(before, pair_id=None))
        return {"left": True}
    position = body.get("position")
    return teardown.leave_at_primarys_word(node, position if isinstance(position, str) else "")


def left(node: Node, body: Json) -> Json:
    """This primary knows that its secondary has left: commits do not wait for it."""
    same_pair(node.store.state(), body)
    now = node.clock.now()
    node.store.change_state(lambda state: moves.record_standby_out(state, now))
    with suppress(HapairError):
        node.database.set_semi_sync(enabled=False)
    return {}


def forget(node: Node, body: Json) -> Json:  # noqa: ARG001 - whom to forget is who asks
    """The keys of the server that asks are worth nothing here any more; only on a server that has left the pair."""
    state = node.store.state()
    if state.role is not Role.STANDALONE or state.pair_id is not None:
        raise NotAllowed("still-paired", "The Pair Has Not Been Left", detail=f"This server is {state.role}.")
    teardown.forget_peer(node)
    return {}
