"""Acts by hand on a pair that is not whole: a secondary takes over, a fenced primary goes on alone, a conflict ends."""

from __future__ import annotations

from dataclasses import replace

from app.core import config as configuration
from app.core import moves
from app.core.acts import Cause
from app.core.roles import Role
from app.core.state import FenceReason, NodeState, Phase
from app.ports import Node
from jobs.context import BaseStep, Context
from jobs.steps import address, promotion
from jobs.steps.pair import apply_config, ask_quietly, refuse

ASK_S = 2.0
END_CONFLICT_S = 60.0
"""Bound of the other server's promotion."""
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
        address.claim(node)

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


def end_conflict(node: Node, term: int) -> None:
    """Of two primaries of `term` this one has the next term and accepts writes, and so is the rightful one.

    The other server sees that and rejoins; what only it has is rescued there. May be repeated.
    Raises NotAllowed (code `no-conflict`).
    """
    state = node.store.state()
    in_conflict = state.fence is not None and state.fence.reason is FenceReason.CONFLICT and state.term == term
    begun = state.term == term + 1 and state.promotion is not None and state.promotion.cause == Cause.RESUME
    if not in_conflict and not begun:
        raise refuse(
            "no-conflict",
            "There Is No Conflict",
            f"The server {node.machine.hostname()} is not fenced because of two primaries of the term {term}.",
            "Look at the status page.",
        )
    promotion.promote(node, Cause.RESUME, term=term + 1)


class KeepThisHistory(BaseStep):
    """A conflict has ended with the data of this server."""

    name = "keep-this-history"

    def is_done(self, context: Context) -> bool:
        return "term" in context.memory and context.node.store.state().term > int(context.memory["term"])

    def do(self, context: Context) -> None:
        if "term" not in context.memory:
            context.remember(term=context.node.store.state().term)
        end_conflict(context.node, context.recall("term"))


class KeepPeersHistory(BaseStep):
    """A conflict has ended with the data of the other server; this one rejoins as soon as its monitor sees that."""

    name = "keep-peers-history"

    def is_done(self, context: Context) -> bool:
        state = context.node.store.state()
        reply = ask_quietly(context.node, "heartbeat", {"term": state.term}, ASK_S)
        theirs = None if reply is None else reply.get("term")
        return isinstance(theirs, int) and theirs > state.term

    def do(self, context: Context) -> None:
        context.node.peer.request("end-conflict", {"term": context.node.store.state().term}, END_CONFLICT_S)
