"""The end of a pair in the fake world: the steps of jobs/steps/teardown.py and of the verb that dismisses a secondary.

APPLY on the primary ends the pair on both servers if the other one can be told; else each side is ended by itself, and
the administrator of the simulation does that once the faults are over.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from app.core import moves
from app.core.roles import Role
from app.core.state import Operation
from jobs.steps.teardown import standalone
from tests.simulation.swap import DISK_S, POLL_S, Reply, ask

if TYPE_CHECKING:
    from tests.simulation.node import SimulatedNode

LEAVE_S = 20.0
DRAIN_S = 15.0
OPERATION_S = 60.0
AGAIN_S = 12.0
"""The administrator looks after this time, and ends the pair where it is left."""


@dataclass
class Teardown:
    """What the journal remembers."""

    job_id: str


def carry_on(node: SimulatedNode, teardown: Teardown) -> Iterator[float]:
    """The job from its beginning to its end; each step may be repeated."""
    until = node.wall() + timedelta(seconds=OPERATION_S)
    node.change(replace(node.state, operation=Operation(teardown.job_id, "teardown", until)))
    yield DISK_S
    if node.state.role is Role.PRIMARY:
        node.change(moves.record_standby_out(node.state, node.wall()))
        yield DISK_S
        node.world.acknowledge(node.database.set_semi_sync(False))
        position = len(node.database.log)
        told = yield from ask(node, lambda peer, reply: peer.serve(_leave(peer, position, reply)), LEAVE_S)
        node.world.torn_alone = node.world.torn_alone or not told
    elif node.state.role is Role.SECONDARY:
        yield from _leave_replication(node)
    if node.state.role is not Role.STANDALONE:
        _become_standalone(node)
    yield DISK_S
    node.change(moves.end_operation(node.state, teardown.job_id))
    node.forgotten = True
    node.teardown = None
    yield DISK_S


def _leave(peer: SimulatedNode, position: int, reply: Reply) -> Iterator[float]:
    """The secondary becomes standalone because its primary has ended the pair."""
    started = peer.world.now
    if peer.state.role is Role.PRIMARY:
        reply(False)
        return
    while peer.state.role is Role.SECONDARY and peer.database.connected and len(peer.database.log) < position:
        yield POLL_S
        if peer.world.now - started > DRAIN_S:
            break
    if peer.state.role is Role.SECONDARY:
        yield from _leave_replication(peer)
    if peer.state.role is Role.SECONDARY:
        _become_standalone(peer)
    reply(True)


def _leave_replication(node: SimulatedNode) -> Generator[float, None, None]:
    database, started = node.database, node.world.now
    database.receiving = database.connected = False
    while database.relay and database.up and node.world.now - started < DRAIN_S:
        database.apply(node.world.now - node.apply_delay_s)
        yield POLL_S
    database.follows = False


def _become_standalone(node: SimulatedNode) -> None:
    node.world.torn = True
    node.world.say(node.name, "is standalone")
    node.change(standalone(node.state))


def look_later(node: SimulatedNode) -> None:
    """The administrator looks at that server after a while, and again and again."""
    node.world.after(AGAIN_S, lambda: end_what_is_left(node))


def end_what_is_left(node: SimulatedNode) -> None:
    """The administrator ends the pair on a server that still thinks it is part of one."""
    world = node.world
    free = node.runs() and node.is_idle() and node.state.operation is None
    if world.torn and free and node.state.role is not Role.STANDALONE:
        node.begin_teardown()
    look_later(node)
