"""The end of a pair. Both servers keep their data; the secondary applies everything that it has received first.

With both servers in contact, APPLY on the primary ends the pair on both. Without, each side is ended by itself.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import replace

from app.core import config as configuration
from app.core import moves
from app.core.errors import HapairError, PeerRefused, PeerUnreachable
from app.core.roles import Role
from app.core.state import NodeState, Phase, with_standby_out
from app.ports import Json, Node
from jobs.context import BaseStep, Context
from jobs.steps import address
from jobs.steps.pair import apply_config, ask_quietly
from jobs.steps.seeding import follow_peer

log = logging.getLogger(__name__)

LEAVE_S = 90.0
"""How long the secondary may take to apply what it has received, and a little more."""
PATIENCE_S = 20.0
"""How long a server that was in contact is told that the pair ends: as long as one takes to start again. One that was
out of contact before is told once."""
ANSWER_S = 8.0
"""How long a server that lives may take to answer a first question."""
OUT_ANSWER_S = 4.0
"""The same for one that was out of the pair before: that it is silent is no news."""
PAUSE_S = 1.0
DRAIN_S = 60.0
NOTICE_S = 3.0


class ReleaseStandby(BaseStep):
    """Commits no longer wait for the secondary, and that is durable."""

    name = "release-standby"

    def do(self, context: Context) -> None:
        node = context.node
        state = node.store.state()
        context.remember(pair_id=state.pair_id, was_out=state.standby_out)
        now = node.clock.now()
        node.store.change_state(lambda before: moves.record_standby_out(before, now))
        with suppress(HapairError):
            # A database that is down has nobody waiting in it; it must not keep the pair from being ended.
            node.database.set_semi_sync(enabled=False)

    def undo(self, context: Context) -> None:
        """Nothing to do: the monitor lets commits wait again as soon as it sees the secondary in sync."""


class DismissSecondary(BaseStep):
    """The other server is standalone, or can't be reached and is left to its own APPLY."""

    name = "dismiss-secondary"

    def is_done(self, context: Context) -> bool:
        # Once it was asked to leave it may have done so, and a pair of one is ended by going on.
        return "dismissed" in context.memory

    def do(self, context: Context) -> None:
        node = context.node
        context.remember(dismissed=True)
        position = ""
        with suppress(HapairError):
            position = node.database.facts().position
        body = {"pair_id": context.recall("pair_id"), "position": position}
        patience_s, answer_s = (0.0, OUT_ANSWER_S) if context.memory.get("was_out") else (PATIENCE_S, ANSWER_S)
        error = _tell(context, "leave", body, LEAVE_S, answer_s, patience_s)
        if error is None:
            context.remember(told=True)
            return
        log.warning("the secondary was not told to leave: %s", error)
        context.skipped = (
            f"The other server could not be told ({error.title}). If it is still part of the pair, set its"
            " role to standalone and apply that there too."
        )


class LeaveReplication(BaseStep):
    """Everything that was received is applied, and nothing more is received."""

    name = "leave-replication"

    def do(self, context: Context) -> None:
        node = context.node
        if "in_contact" not in context.memory:
            replication = node.database.facts().replication
            in_contact = replication is not None and replication.receiver_running
            context.remember(pair_id=node.store.state().pair_id, in_contact=in_contact)
        leave_replication(node)

    def undo(self, context: Context) -> None:
        with suppress(HapairError):
            follow_peer(context.node, None)


class BecomeStandalone(BaseStep):
    """The node is standalone, writable, and has its configuration."""

    name = "become-standalone"

    def is_done(self, context: Context) -> bool:
        return context.node.store.state().role is Role.STANDALONE

    def do(self, context: Context) -> None:
        node = context.node
        become_standalone(node)
        apply_config(context, dict(configuration.after_teardown(context.draft)))
        with suppress(HapairError):
            # The monitor opens the database of a standalone server, also one that is down at this moment.
            node.database.lift()


class ReportLeft(BaseStep):
    """The primary knows that it has no secondary, if it can be told: otherwise it would stay fenced after a loss of
    power, with nobody to ask whether it was replaced."""

    name = "report-left"

    def do(self, context: Context) -> None:
        patience_s = PATIENCE_S if context.memory.get("in_contact") else 0.0
        if _tell(context, "left", {"pair_id": context.recall("pair_id")}, NOTICE_S, NOTICE_S, patience_s):
            context.skipped = "The primary could not be told; set its role to standalone too."


class ForgetPeer(BaseStep):
    """The other server's keys are worth nothing here."""

    name = "forget-peer"

    def do(self, context: Context) -> None:
        node = context.node
        # Who could not be told to leave is not asked again.
        told = context.memory.get("told") and context.arguments.get("role") == Role.PRIMARY.value
        if told and node.store.state().peer is not None:
            ask_quietly(node, "forget", {"pair_id": context.recall("pair_id")}, NOTICE_S)
        forget_peer(node)


def _tell(
    context: Context, verb: str, body: Json, bound_s: float, answer_s: float, patience_s: float
) -> HapairError | None:
    """None when the other server has done what `verb` says, else what kept it from that. It is asked again for
    `patience_s`; that it answers at all is known within `answer_s`, what it is told may take it `bound_s`."""
    node = context.node
    deadline = node.clock.monotonic() + patience_s
    while True:
        try:
            node.peer.request("ping", {}, answer_s)
            node.peer.request(verb, body, bound_s)
        except (PeerUnreachable, PeerRefused) as error:
            if node.clock.monotonic() >= deadline:
                return error
            context.progress(0, None, f"the other server does not answer yet ({error.title})")
            node.clock.sleep(PAUSE_S)
        else:
            return None


def leave_replication(node: Node) -> None:
    """All that was received is applied; then replication is forgotten. Idempotent."""
    node.database.stop_receiver()
    node.database.drain(DRAIN_S)
    node.database.end_replication()


def become_standalone(node: Node) -> None:
    """The durable state says standalone, and the virtual address is given up; the peer's identity stays until it is
    forgotten."""
    node.store.change_state(standalone)
    address.release(node)


def standalone(state: NodeState) -> NodeState:
    return replace(
        with_standby_out(state, None),
        role=Role.STANDALONE,
        phase=Phase.NONE,
        pair_id=None,
        fence=None,
        promotion=None,
        maintenance_until=None,
        last_failover_at=None,
        stable_since_failover=True,
    )


def forget_peer(node: Node) -> None:
    """Keys, certificate and identity of the other server are gone, and its account in the database."""
    with suppress(HapairError):
        # A database that is down must not keep the peer known; the next set-up replaces the account.
        node.database.drop_replication_account()
    node.store.change_state(lambda state: replace(state, peer=None))
    node.keys.unpin_peer()
    node.peer.close()


def leave_at_primarys_word(node: Node, position: str) -> Json:
    """This secondary becomes standalone because its primary has ended the pair; repeating it changes nothing."""
    if node.store.state().role is Role.SECONDARY:
        replication = node.database.facts().replication
        if position and replication is not None and replication.receiver_running:
            node.database.wait_for(position, DRAIN_S)
        leave_replication(node)
    become_standalone(node)
    node.store.save_applied(dict(configuration.after_teardown(node.store.config().applied)), keep_draft=True)
    with suppress(HapairError):
        node.database.lift()
    return {"left": True}
