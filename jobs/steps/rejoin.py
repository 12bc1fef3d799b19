"""A former primary becomes the secondary of the server that has taken over.

What only this server has is rescued before anything is taken back: transactions as SQL and as raw logs. Then the data
is rewound where that is exact, else copied anew from the primary. Files are rescued by the receiver of the mirror.
"""

from __future__ import annotations

from pathlib import Path

from app.core import moves, positions
from app.core.errors import LocalFailure, PeerRefused
from app.core.exposure import arrived
from app.core.rescues import name_for_rejoin
from app.core.roles import Role
from app.core.state import NodeState
from app.ports import Json
from jobs.context import BaseStep, Context
from jobs.steps import promotion
from jobs.steps.pair import refuse
from jobs.steps.seeding import follow_peer

FIRST_CONTACT_S = 15.0
"""The job's first request opens the channel, which takes its time between servers that are busy: this one has just
started, and a rejoin that is given up is tried again much later."""
FOLLOW, REWIND, RESEED = "follow", "rewind", "reseed"


class CompareHistories(BaseStep):
    """It is known which primary is the rightful one, and whether this server has transactions that it never had."""

    name = "compare-histories"

    def do(self, context: Context) -> None:
        node = context.node
        state = node.store.state()
        reply = node.peer.request("promotion-state", {}, FIRST_CONTACT_S)
        term = _checked_term(reply, state)
        history, point = _text(reply, "history"), _text(reply, "point")
        own_history = node.database.facts().binlog_state
        ahead = not positions.contains(history, own_history)
        if ahead and not point:
            raise refuse(
                "no-promotion-point",
                "It Is Not Known Where the Histories Part",
                "This server has transactions that the primary never had, and the primary knows no promotion point.",
                "Set this server's role to standalone, keep what you need of its data, and set the pair up again.",
            )
        # After a conflict the other server's own history begins where it was alone already: the two have parted before.
        parted_before = ahead and not positions.contains(own_history, point)
        data_bytes = reply.get("data_bytes")
        context.remember(
            term=term,
            point=positions.common(own_history, history) if parted_before else point,
            parted_before=parted_before,
            path=REWIND if ahead else FOLLOW,
            needs_seed=False,
            data_bytes=data_bytes if isinstance(data_bytes, int) else 0,
        )


class Rescue(BaseStep):
    """The transactions that only this server has are in a folder of their own, and the files that the mirror will
    overwrite or delete come there too: files may differ also where the database is not ahead."""

    name = "rescue"

    def do(self, context: Context) -> None:
        node = context.node
        name = str(context.memory.get("rescue") or name_for_rejoin(node.clock.now(), node.store.state().term))
        context.remember(rescue=name)
        if context.recall("path") == FOLLOW:
            context.skipped = "This server's database has nothing that the primary lacks."
        else:
            self._rescue_transactions(context, name)
        node.mirror.keep_replaced(name)

    def _rescue_transactions(self, context: Context, name: str) -> None:
        node = context.node
        folder = Path(node.settings.rescue_dir) / name
        point = context.recall("point")
        report = node.database.rescue(point, str(folder), arrived(node.store.state(), point))
        # The primary never was at a point before its own: only its whole data lead there.
        rewindable = report.rewindable and not context.memory.get("parted_before", False)
        context.remember(
            path=REWIND if rewindable else RESEED,
            needs_seed=not rewindable,
            rescued=report.transactions,
            rescued_rows=dict(report.rows_by_table),
        )
        context.progress(report.transactions, report.transactions, f"{report.transactions} transactions in {name}")


class Rewind(BaseStep):
    """The data is as it was when the other server took over."""

    name = "rewind"

    def do(self, context: Context) -> None:
        if context.recall("path") != REWIND:
            context.skipped = "Nothing is to be taken back." if context.recall("path") == FOLLOW else "Not exact here."
            return
        try:
            context.node.database.rewind(context.recall("point"))
        except LocalFailure as error:
            if error.code not in {"rewind-refused", "rewind-failed"}:
                raise
            context.remember(path=RESEED, needs_seed=True)
            context.skipped = f"{error.detail or error.title} The primary's data is copied instead."


class FollowAsSecondary(BaseStep):
    """The role is durable, and replication runs."""

    name = "follow-as-secondary"

    def is_done(self, context: Context) -> bool:
        state = context.node.store.state()
        return state.role is Role.SECONDARY and state.term >= int(context.recall("term"))

    def do(self, context: Context) -> None:
        node = context.node
        term = int(context.recall("term"))
        now = node.clock.now()
        node.store.change_state(lambda state: moves.demote(state, term, now, by_failover=True))
        follow_peer(node, context.recall("seed_position") if context.recall("needs_seed") else None)


class FinishRejoin(BaseStep):
    name = "finish-rejoin"

    def do(self, context: Context) -> None:
        promotion.name_role(context.node)


def _checked_term(reply: Json, state: NodeState) -> int:
    term = reply.get("term")
    newer = isinstance(term, int) and (term > state.term or (term == state.term and state.role is Role.SECONDARY))
    if reply.get("role") != Role.PRIMARY.value or not newer or not isinstance(term, int):
        raise refuse(
            "not-superseded",
            "The Other Server Is Not the Rightful Primary",
            f"It is {reply.get('role')} of the term {term}; this server's term is {state.term}.",
            "Look at the status of both servers.",
        )
    return term


def _text(reply: Json, name: str) -> str:
    value = reply.get(name)
    if not isinstance(value, str):
        raise PeerRefused("peer-reply", "The Other Server's Answer Is Not Complete", detail=f"Its {name} is missing.")
    return value
