"""Getting the primary's data: the copy, its place, and catching up. For a set-up and for a rejoin."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from app.core import positions
from app.core.errors import HapairError, LocalFailure
from app.core.facts import DatabaseFacts
from app.core.roles import Change, Role
from app.core.state import NodeState, Phase, with_standby_out
from app.ports import Node
from jobs.context import BaseStep, Context
from jobs.steps import folders
from jobs.steps.pair import peer_position, replication_source

SEED_SILENCE_S = 60.0
"""How long the stream may bring nothing: the primary's backup waits for running statements now and then."""
DATABASE_START_S = 120.0
DATABASE_STOP_S = 120.0
CATCH_UP_SILENCE_S = 120.0
"""How long the applied position may stand still while the primary is ahead."""
CATCH_UP_S = 12 * 3600.0
POLL_S = 0.2


class CopyDatabase(BaseStep):
    """A consistent copy of the primary's data lies prepared beside the own data, which is untouched."""

    name = "copy-database"

    def do(self, context: Context) -> None:
        if not context.memory.get("needs_seed", True):
            context.skipped = "This server's data needs no copy."
            return
        node = context.node
        staging = folders.staging_folder(node, context.job_id)
        context.remember(staging=staging)
        expected = int(context.memory.get("data_bytes", 0)) or None

        def progress(done: int, total: int | None) -> None:
            context.progress(done, total if total is not None else expected)

        with node.peer.open_seed(SEED_SILENCE_S) as chunks:
            position = node.database.receive_seed(chunks, staging, progress)
        context.remember(seed_position=position)

    def undo(self, context: Context) -> None:
        if "staging" in context.memory:
            context.node.database.discard(context.recall("staging"))


class SwitchDatabase(BaseStep):
    """The database server runs on the copy; the own data is kept aside."""

    name = "switch-database"

    def do(self, context: Context) -> None:
        if not context.memory.get("needs_seed", True):
            context.skipped = "This server's data needs no copy."
            return
        node = context.node
        aside = folders.aside_folder(node, context.job_id)
        context.remember(aside=aside)
        term = int(context.recall("term"))
        if context.kind == Change.SETUP_SECONDARY:
            # The role comes first: the monitor opens the database of a standalone server whenever it starts.
            node.store.change_state(lambda state: joining(state, term))
        node.machine.service("stop", "mariadb", DATABASE_STOP_S)
        node.database.switch_data(context.recall("staging"), aside)
        node.machine.service("start", "mariadb", DATABASE_START_S)
        wait_for_database(context)

    def undo(self, context: Context) -> None:
        node = context.node
        if "aside" not in context.memory:
            return
        node.machine.service("stop", "mariadb", DATABASE_STOP_S)
        node.database.switch_back(context.recall("aside"))
        node.machine.service("start", "mariadb", DATABASE_START_S)
        wait_for_database(context)
        if context.kind == Change.SETUP_SECONDARY:
            node.store.change_state(standalone_again)
            node.database.lift()


def joining(state: NodeState, term: int) -> NodeState:
    """A secondary of `term` that is being set up; repeating it changes nothing."""
    if state.role is Role.SECONDARY and state.term >= term:
        return replace(state, phase=Phase.SYNCHRONIZING)
    return replace(
        state, role=Role.SECONDARY, term=max(term, state.term), phase=Phase.SYNCHRONIZING, fence=None, promotion=None
    )


def standalone_again(state: NodeState) -> NodeState:
    """What a set-up that was taken back leaves; the keys stay pinned, so that APPLY can be pressed again."""
    return replace(with_standby_out(state, None), role=Role.STANDALONE, phase=Phase.NONE, fence=None)


class CatchUp(BaseStep):
    """This server has applied all that the primary had a moment ago."""

    name = "catch-up"

    def do(self, context: Context) -> None:
        watch = _Progress(context)
        error = LocalFailure(
            "catch-up-timeout",
            "This Server Does Not Catch Up With the Primary",
            detail="It applies changes, but for hours more slowly than the primary makes them.",
            hint="Lower the load on the primary, then press RETRY.",
        )
        context.wait(watch.look, CATCH_UP_S, POLL_S, error)


class _Progress:
    """How replication goes on, and how long it has stood still."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._position = ""
        self._moved_at = context.node.clock.monotonic()
        self._behind_at_first: int | None = None

    def look(self) -> bool | None:
        node = self._context.node
        target = peer_position(node)
        facts = node.database.facts()
        if positions.reached(facts.position, target) and _runs(facts):
            return True
        now = node.clock.monotonic()
        if facts.position != self._position:
            self._position, self._moved_at = facts.position, now
        elif now - self._moved_at >= CATCH_UP_SILENCE_S:
            raise _stuck(facts)
        if facts.replication is not None and facts.replication.applier_error_number:
            raise _stuck(facts)
        self._context.progress(0, None, f"at {facts.position or 'the beginning'}, the primary is at {target}")
        return None


def _runs(facts: DatabaseFacts) -> bool:
    replication = facts.replication
    return replication is not None and replication.receiver_running and replication.applier_running


def _stuck(facts: DatabaseFacts) -> LocalFailure:
    replication = facts.replication
    said = ""
    if replication is not None:
        said = replication.receiver_error or replication.applier_error
    return LocalFailure(
        "replication-stuck",
        "Replication From the Primary Stands Still",
        detail=said or f"Nothing was applied for {CATCH_UP_SILENCE_S:g} s; this server is at {facts.position}.",
        hint="See that the primary's database port is reachable and its clock is right, then press RETRY.",
    )


def wait_for_database(context: Context) -> DatabaseFacts:
    """The database server answers."""

    def look() -> DatabaseFacts | None:
        context.progress(0, None, "waiting for the database server")
        with suppress(HapairError):
            return context.node.database.facts()
        return None

    error = LocalFailure(
        "database-down",
        "The Database Server Does Not Start",
        detail=f"It did not answer within {DATABASE_START_S:g} s.",
        hint="The database server's own log on this server says why.",
    )
    return context.wait(look, DATABASE_START_S, POLL_S, error)


def follow_peer(node: Node, position: str | None) -> None:
    """This server replicates from its peer. Already doing so it goes on, for a restart would lose relay logs."""
    source = replication_source(node)
    replication = node.database.facts().replication
    if replication is not None and replication.source_host == source.host and replication.receiver_running:
        return
    node.database.start_replication(source, position)
