"""The planned exchange of roles. No acknowledged write is lost, and writes pause for some milliseconds.

Everything that takes time is done before the database closes: channels are open, files are there, the lag is small.
Between closing here and opening there lie one position, one request and the promotion. Whether the other server has
taken over is decided there, in one transaction with the announcement of this swap: `swap-abort` asks and at the same
time forbids, so that an answer that was lost on the way can't lead to two primaries.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from app.core import config as configuration
from app.core import failover, moves
from app.core.errors import LocalFailure, PeerRefused, PeerUnreachable
from app.core.pairconfig import pair_config
from app.core.rescues import name_for_rejoin
from app.core.roles import Role
from app.core.state import FenceReason, NodeState, Phase
from jobs.context import BaseStep, CanNotUndo, Context
from jobs.steps import address
from jobs.steps.fencing import fence_self
from jobs.steps.pair import QUICK_S, apply_config, peer_position, refuse, transactions_behind
from jobs.steps.seeding import follow_peer

log = logging.getLogger(__name__)

SWAP_BOUND_S = 180.0
"""How long the other server holds itself ready; a swap that has not come by then is refused there."""
PROMOTE_S = 5.0
"""How long the other server may take to apply the last position. Writes pause at most about this long."""
PROMOTE_SLACK_S = 3.0
SMALL_LAG = 8
"""Transactions that the other server may be behind when this one closes."""
SMALL_LAG_WAIT_S = 20.0
LAG_POLL_S = 0.01
FLUSH_ROUNDS = 2
"""The second round brings what was changed during the first."""
OUTCOME_S = 30.0
"""How long this server, closed, asks the other one how a hand-over without an answer has ended."""
OUTCOME_POLL_S = 0.5
FOLLOW_S = 30.0
FOLLOW_POLL_S = 0.05


class CheckSwap(BaseStep):
    """The pair is whole: the other server is caught up and commits wait for it."""

    name = "check-swap"

    def do(self, context: Context) -> None:
        node = context.node
        state = node.store.state()
        hint = "Wait until the status is stable, then swap."
        if state.phase is not Phase.PAIRED or state.standby_out:
            raise refuse("not-stable", "The Pair Is Not Stable", "The secondary is not in sync now.", hint)
        if state.fence is not None:
            raise refuse("not-stable", "The Pair Is Not Stable", f"This server is fenced ({state.fence.reason}).", hint)
        reply = node.peer.request("heartbeat", {"term": state.term}, QUICK_S)
        if reply.get("role") != Role.SECONDARY.value or reply.get("term") != state.term:
            raise refuse("not-stable", "The Pair Is Not Stable", "The other server is not this one's secondary.", hint)
        if reply.get("eligible") is not True:
            detail = "The secondary has not been caught up and in sync since its start."
            raise refuse("not-stable", "The Pair Is Not Stable", detail, hint)


class PrepareSwap(BaseStep):
    """Both servers know of the swap: neither acts on its own until it is over."""

    name = "prepare-swap"

    def do(self, context: Context) -> None:
        node = context.node
        term = node.store.state().term
        until = node.clock.now() + timedelta(seconds=SWAP_BOUND_S)
        context.remember(term=term + 1, prepared=True)
        body = {"job_id": context.job_id, "term": term, "until": until.isoformat()}
        address.get_ready(node)
        node.peer.request("swap-prepare", body, QUICK_S)

    def undo(self, context: Context) -> None:
        if "prepared" in context.memory:
            body = {"job_id": context.job_id, "term": context.recall("term")}
            context.node.peer.request("swap-abort", body, QUICK_S)


class FlushFiles(BaseStep):
    """The other server's tree is as this one's was a moment ago."""

    name = "flush-files"

    def do(self, context: Context) -> None:
        node = context.node
        term = node.store.state().term
        for _ in range(FLUSH_ROUNDS):
            node.mirror.push(term, full=True, progress=context.progress)


class HandOver(BaseStep):
    """This database is closed and the other server is the primary."""

    name = "hand-over"

    def is_done(self, context: Context) -> bool:
        state = context.node.store.state()
        if state.role is Role.SECONDARY and state.term >= context.memory.get("term", 0):
            return True
        return "closing" in context.memory and self._taken_over(context)

    def do(self, context: Context) -> None:
        node = context.node
        if "closing" not in context.memory:
            self._wait_for_small_lag(context)
            context.remember(closing=True)
            closing_at = node.clock.monotonic()
            position = fence_self(node, FenceReason.OPERATION, "the roles are being swapped")
            closed_at = node.clock.monotonic()
            body = {
                "job_id": context.job_id,
                "term": context.recall("term"),
                "position": position,
                "timeout_s": PROMOTE_S,
            }
            node.peer.request("swap-promote", body, PROMOTE_S + PROMOTE_SLACK_S)
            taken_at = node.clock.monotonic()
            log.info(
                "handed over: closing took %.3f s, the other server's promotion %.3f s",
                closed_at - closing_at,
                taken_at - closed_at,
            )
        self._step_down(context)

    def undo(self, context: Context) -> None:
        """This server writes again, as soon as it is certain that the other one will not."""
        node = context.node
        if "closing" not in context.memory:
            return
        try:
            taken_over = self._wait_for_outcome(context)
        except PeerUnreachable as error:
            now = node.clock.now()
            detail = "a swap was broken off and the other server does not say whether it took over"
            node.store.change_state(lambda state: moves.fence(state, FenceReason.PEER_UNKNOWN, now, detail))
            raise CanNotUndo(error.code, error.title, detail=error.detail, hint=error.hint) from error
        if taken_over:
            raise CanNotUndo(
                "swap-completed",
                "The Other Server Has Taken Over",
                detail="It became primary although the swap could not be finished here.",
                hint="This server rejoins as secondary by itself.",
            )
        node.store.change_state(moves.lift)
        if failover.commits_wait(node.store.state(), pair_config(node.store.config().applied)):
            node.database.set_semi_sync(enabled=True)
        node.database.lift()
        address.claim(node)

    def _step_down(self, context: Context) -> None:
        term = int(context.recall("term"))
        node = context.node
        now = node.clock.now()
        state = node.store.state()
        if state.role is not Role.SECONDARY:
            # Programs may have written files since the last flush, and the new primary's first pass takes them away.
            node.mirror.keep_replaced(name_for_rejoin(now, state.term))

        def step_down(state: NodeState) -> NodeState:
            if state.role is Role.SECONDARY:
                return state
            return moves.demote(state, term, now, by_failover=False)

        node.store.change_state(step_down)

    def _wait_for_small_lag(self, context: Context) -> None:
        """Returns when the other server is nearly here, or after the bound: closing then only pauses writes longer."""
        node = context.node
        deadline = node.clock.monotonic() + SMALL_LAG_WAIT_S
        while node.clock.monotonic() < deadline:
            theirs = peer_position(node)
            behind = transactions_behind(theirs, node.database.facts().position)
            if behind <= SMALL_LAG:
                return
            context.progress(0, None, f"the other server is {behind} transactions behind")
            node.clock.sleep(LAG_POLL_S)
        log.warning("the other server stays behind; the swap goes on with a longer pause of writes")

    def _wait_for_outcome(self, context: Context) -> bool:
        node = context.node
        deadline = node.clock.monotonic() + OUTCOME_S
        while True:
            try:
                return self._taken_over(context)
            except PeerUnreachable:
                if node.clock.monotonic() >= deadline:
                    raise
                node.clock.sleep(OUTCOME_POLL_S)

    def _taken_over(self, context: Context) -> bool:
        """Whether the other server has promoted itself; if not, it will not any more."""
        body = {"job_id": context.job_id, "term": context.recall("term")}
        try:
            reply = context.node.peer.request("swap-abort", body, QUICK_S)
        except PeerRefused as error:
            # A peer that can't tell is as good as one that can't be asked.
            raise PeerUnreachable(error.code, error.title, detail=error.detail, hint=error.hint) from error
        return reply.get("promoted") is True


class FollowNewPrimary(BaseStep):
    """The former primary replicates from the new one."""

    name = "follow-new-primary"

    def do(self, context: Context) -> None:
        node = context.node
        follow_peer(node, None)

        def follows() -> bool | None:
            replication = node.database.facts().replication
            return True if replication is not None and replication.receiver_running else None

        error = LocalFailure(
            "not-following",
            "The Former Primary Does Not Follow the New One Yet",
            detail=f"Replication did not start within {FOLLOW_S:g} s.",
            hint="See the replication error on the status page of this server.",
        )
        context.wait(follows, FOLLOW_S, FOLLOW_POLL_S, error)


class FinishSwap(BaseStep):
    """Both configurations name the new roles, and both servers act on their own again."""

    name = "finish-swap"

    def do(self, context: Context) -> None:
        node = context.node
        shared = configuration.shared(context.draft)
        body = {"job_id": context.job_id, "term": context.recall("term"), "shared": shared}
        node.peer.request("swap-finish", body, QUICK_S)
        apply_config(context, configuration.after_role_change(context.draft, Role.SECONDARY))
