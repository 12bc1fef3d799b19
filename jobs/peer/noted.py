"""What this server did because the other one asked for it stands in this server's activity journal too."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.core.activity import ACTOR_MAX
from app.core.config import complete, differences
from app.core.errors import HapairError, LocalFailure
from app.core.fields import Value
from app.core.masks import masked_differences
from app.core.state import NodeState
from app.ports import Actor, Json, Node

log = logging.getLogger(__name__)

Handler = Callable[[Node, Json], Json]

ASKED_BY, ASKED_IN = "asked_by", "asked_in"
"""In a request's body: the person or token on the other server, and the job there."""
JOB_LENGTH_MAX = 64
ACTS = frozenset(
    {
        "pair", "fence", "settings", "join-begin", "join-done", "join-abort", "leave", "left", "forget",
        "swap-prepare", "swap-promote", "swap-abort", "swap-finish", "end-conflict",
    }
)  # fmt: skip
"""All other verbs look, or are the housekeeping of two monitors."""
URGENT = frozenset({"fence", "swap-prepare", "swap-promote"})
"""A swap or failover waits for their answer: what they did is written down right after it."""
REFUSALS_NOTED_MAX = 60
REFUSALS_WINDOW_S = 60.0
"""So many refusals are noted in so long in one session: an endless repetition must not fill the disk."""


def nothing() -> None:
    """There is nothing left to write down."""


class NotedActs:
    """Carries out the requests of one session and notes each that changed something, or was refused.

    A request that is repeated because its answer was lost changes nothing the second time, and leaves no second entry.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._refusals: deque[float] = deque(maxlen=REFUSALS_NOTED_MAX)

    def carry_out(self, verb: str, handler: Handler, body: Json) -> tuple[Json, Callable[[], None]]:
        """The reply, and what is to be called once it was sent. Raises what the handler raises."""
        if verb not in ACTS:
            return handler(self._node, body), nothing
        before = _look(self._node)
        try:
            reply = handler(self._node, body)
        except HapairError as error:
            if self._is_noted():
                outcome = "refused" if error.status < 500 else "failed"
                self._write(verb, body, before, outcome, {"code": error.code})
            raise
        if verb in URGENT:
            return reply, lambda: self._write_done(verb, body, before)
        self._write_done(verb, body, before)
        return reply, nothing

    def _write_done(self, verb: str, body: Json, before: Look) -> None:
        after = _look(self._node)
        changes = before.changes(after)
        if changes:
            # A pairing makes the other server known, a teardown forgets it.
            self._write(verb, body, before if before.peer else after, "done", {"changes": changes})

    def _write(self, verb: str, body: Json, asked: Look, outcome: str, detail: Json) -> None:
        asked_in = body.get(ASKED_IN)
        detail = {"asked_on": asked.peer, **detail}
        if isinstance(asked_in, str) and asked_in:
            detail[ASKED_IN] = asked_in[:JOB_LENGTH_MAX]
        try:
            self._node.store.add_activity(_actor(body, asked), f"peer:{verb}", outcome, detail)
        except LocalFailure as error:
            log.warning("what the other server asked for (%s, %s) could not be noted: %s", verb, outcome, error)

    def _is_noted(self) -> bool:
        now = self._node.clock.monotonic()
        if len(self._refusals) == REFUSALS_NOTED_MAX and now - self._refusals[0] < REFUSALS_WINDOW_S:
            return False
        self._refusals.append(now)
        return True


@dataclass(frozen=True)
class Look:
    """What an act of the other server may change here."""

    peer: str
    """The other server's hostname; empty where there is none."""
    address: str
    standing: Mapping[str, Value]
    applied: Mapping[str, Value]

    def changes(self, after: Look) -> list[Json]:
        """From what to what, as the journal keeps it."""
        standing = [
            {"field": name, "from": value, "to": after.standing[name]}
            for name, value in self.standing.items()
            if after.standing[name] != value
        ]
        return standing + masked_differences(differences(self.applied, after.applied))


def _look(node: Node) -> Look:
    state = node.store.state()
    peer = state.peer
    hostname, address = ("", "") if peer is None else (peer.hostname, peer.address)
    return Look(hostname, address, _standing(state), complete(node.store.config().applied))


def _standing(state: NodeState) -> dict[str, Value]:
    return {
        "role": state.role.value,
        "term": state.term,
        "phase": state.phase.value,
        "fence": "" if state.fence is None else state.fence.reason.value,
        "standby out": state.standby_out,
        "peer": "" if state.peer is None else state.peer.hostname,
    }


def _actor(body: Json, asked: Look) -> Actor:
    """Who asked there, as that server says; else that server itself."""
    name = body.get(ASKED_BY)
    if not isinstance(name, str) or not name.strip():
        name = f"peer {asked.peer}".strip()
    return Actor(name[:ACTOR_MAX], asked.address)
