"""Acts by hand on a pair that is not whole: a secondary takes over, a fenced primary goes on alone, a conflict ends."""

from __future__ import annotations

from dataclasses import replace

from app.core import config as configuration
from app.core import moves
from app.core.acts import Cause
from app.core.roles import Role
from app.core.state import FenceReason, NodeState, Phase
from jobs.context import BaseStep, Context
from jobs.steps import promotion
from jobs.steps.pair import apply_config, ask_quietly, refuse

ASK_S = 2.0
RESUMABLE = frozenset({FenceReason.PEER_UNKNOWN, FenceReason.ISOLATED, FenceReason.BOOT, FenceReason.MONITOR_SILENT})
"""Fences that an administrator may end who knows that the other server has not taken over."""


class CheckTakeover(BaseStep):
    """This server holds a whole copy, and it is known what could be lost."""

    name = "check-takeover"

    def do(self, context: Context) -> None:
        node = context.node
        state = node.store.state()
        if state.phase is not Phase.PAIRED:
            raise refuse(
                "not-synchronized",
                "This Server Holds No Whole Copy",
                "Its set-up has not been finished, so its data would be incomplete.",
                "Bring the primary back, or tear the pair down on both servers.",
            )
        facts = node.database.facts()
        received = "" if facts.replication is None else facts.replication.received_position
        context.remember(
            term=state.term + 1,
            lost_bound=f"Everything after the position {received or facts.position or 'unknown'} that the other server"
            " had and this one never received.",
        )


class TakeOver(BaseStep):
    name = "take-over"

    def is_done(self, context: Context) -> bool:
        return context.node.store.state().role is Role.PRIMARY

    def do(self, context: Context) -> None:
        promotion.promote(
            context.node, Cause.TAKEOVER, term=context.recall("term"), lost_bound=context.recall("lost_bound")
        )
        apply_config(context, configuration.after_role_change(context.draft, Role.PRIMARY))


class ResumePrimary(BaseStep):
    """The fenced primary accepts writes without its standby, on the administrator's word."""

    name = "resume-primary"

    def is_done(self, context: Context) -> bool:
        return context.node.store.state().fence is None

    def do(self, context: Context) -> None:
        node = context.node
        state = node.store.state()
        if state.fence is not None and state.fence.reason not in RESUMABLE:
            raise refuse(
                "not-resumable",
                "This Server Can't Be Resumed",
                f"It is fenced because of {state.fence.reason}: {state.fence.detail or 'see the status page'}.",
                "The other server is the rightful primary, or its answer is needed first.",
            )
        self._ask_the_peer(context, state)
        now = node.clock.now()
        # Durable first: if this server goes down now, it may open by itself when it comes back.
        node.store.change_state(lambda before: replace(moves.record_standby_out(before, now), fence=None))
        node.database.set_semi_sync(enabled=False)
        node.database.lift()

    def _ask_the_peer(self, context: Context, state: NodeState) -> None:
        reply = ask_quietly(context.node, "heartbeat", {"term": state.term}, ASK_S)
        theirs = None if reply is None else reply.get("term")
        if isinstance(theirs, int) and theirs > state.term:
            raise refuse(
                "superseded",
                "The Other Server Has Taken Over",
                f"It answers, and is the primary of the term {theirs}.",
                "This server rejoins as secondary by itself.",
            )


class KeepThisHistory(BaseStep):
    """Of two primaries of the same term this one has the next term, and so is the rightful one. The other server sees
    that and rejoins; what only it has is rescued there."""

    name = "keep-this-history"

    def is_done(self, context: Context) -> bool:
        return context.node.store.state().term == context.memory.get("term")

    def do(self, context: Context) -> None:
        state = context.node.store.state()
        if not self.is_done(context):
            if state.fence is None or state.fence.reason is not FenceReason.CONFLICT:
                raise refuse(
                    "no-conflict",
                    "There Is No Conflict",
                    "This server is not fenced because of two primaries of the same term.",
                    "Look at the status page.",
                )
            context.remember(term=state.term + 1)
        promotion.promote(context.node, Cause.RESUME, term=context.recall("term"))
