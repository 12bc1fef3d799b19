"""The planned exchange of roles in the fake world: the steps of jobs/steps/swap.py and the verbs that they use.

The worker carries a swap on from its durable memory, so it may be killed between any two steps. A request is processed
by the other node whenever that node runs again, also when nobody waits for the answer any more: the case in which a
swap could end with two primaries.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from app.core import events, moves
from app.core.acts import Cause
from app.core.failover import commits_wait, standby_out_after_promotion
from app.core.roles import Role
from app.core.state import FenceReason, NodeState, Operation, Phase

if TYPE_CHECKING:
    from tests.simulation.node import SimulatedNode

Reply = Callable[[Any], None]
Handler = Callable[["SimulatedNode", Reply], None]
KIND = "swap"
DISK_S = 0.003
POLL_S = 0.05
FLUSH_S = 0.05
"""From the last flush of the files until the database is closed; programs may write files all the time."""
QUICK_S = 5.0
PROMOTE_S = 5.0
PROMOTE_SLACK_S = 3.0
OUTCOME_S = 30.0
FOLLOW_S = 30.0
LATER_S = 30.0
OPERATION_S = 120.0
PREPARED_S = 180.0
DOUBLED = 0.25
"""Part of the requests that arrive twice, as when a channel breaks after one was sent and it is sent again."""
DOUBLED_WITHIN_S = 15.0


@dataclass
class Swap:
    """What the journal remembers."""

    job_id: str
    term: int = 0
    closing: bool = False
    handed_over: bool = False
    undoing: bool = False


def carry_on(node: SimulatedNode, swap: Swap) -> Iterator[float]:
    """The job from where it was left to its end. An interrupted one goes on only from its point of no return."""
    if swap.term and not swap.handed_over and not swap.undoing:
        promoted = yield from _outcome(node, swap) if swap.closing else _never()
        if promoted:
            yield from _step_down(node, swap)
        swap.undoing = not promoted
    if not swap.term:
        yield from _prepare(node, swap)
    if not swap.handed_over and not swap.undoing:
        yield from _hand_over(node, swap)
    while swap.undoing and not (yield from _take_back(node, swap)):
        yield LATER_S
    while swap.handed_over and not (yield from _follow(node, swap)):
        yield LATER_S
    node.change(moves.end_operation(node.state, swap.job_id))
    node.swap = None
    node.world.say(node.name, f"{swap.job_id} ends")
    yield DISK_S


def _never() -> Generator[float, None, bool]:
    yield 0.0
    return False


def _announce(node: SimulatedNode, swap: Swap) -> None:
    until = node.wall() + timedelta(seconds=OPERATION_S)
    node.change(replace(node.state, operation=Operation(swap.job_id, KIND, until)))


def _prepare(node: SimulatedNode, swap: Swap) -> Iterator[float]:
    """Both nodes know of the swap; where the pair is not whole it is given up."""
    state = node.state
    _announce(node, swap)
    swap.term = state.term + 1
    yield DISK_S
    whole = state.role is Role.PRIMARY and state.phase is Phase.PAIRED and not state.standby_out and state.fence is None
    ready = False
    if whole:
        ready = yield from ask(node, lambda peer, reply: _verb_prepare(peer, swap, state.term, reply), QUICK_S)
    if not ready or not node.database.up:
        swap.undoing = True


def _hand_over(node: SimulatedNode, swap: Swap) -> Iterator[float]:
    """This database is closed, and the other node is asked to take over from exactly its last position."""
    _announce(node, swap)
    node.world.mirror.flush(node)
    yield FLUSH_S
    swap.closing = True
    yield DISK_S
    node.world.say(node.name, f"{swap.job_id} closes the database")
    node.change(moves.fence(node.state, FenceReason.OPERATION, node.wall(), "swap"))
    yield DISK_S
    node.database.fence()
    position = len(node.database.log)
    yield DISK_S
    done: bool | None = False
    if node.database.up:
        bound = PROMOTE_S + PROMOTE_SLACK_S
        done = yield from ask(node, lambda peer, reply: _verb_promote(peer, swap, position, reply), bound)
    if not done:
        done = yield from _outcome(node, swap)
    if not done:
        swap.undoing = True
        return
    yield from _step_down(node, swap)


def _step_down(node: SimulatedNode, swap: Swap) -> Iterator[float]:
    """The other node is the primary of the swap's term; this one follows it from now on."""
    if node.state.role is Role.PRIMARY and node.state.term < swap.term:
        node.tree.keeping = True
        node.change(moves.demote(node.state, swap.term, node.wall(), by_failover=False))
    swap.handed_over = True
    yield DISK_S


def _outcome(node: SimulatedNode, swap: Swap) -> Generator[float, None, bool | None]:
    """Whether the other node has taken over; if it says no, it will not any more. None where it does not say."""
    started = node.world.now
    while node.world.now - started < OUTCOME_S:
        promoted = yield from ask(node, lambda peer, reply: _verb_abort(peer, swap, reply), QUICK_S)
        if promoted is not None:
            return bool(promoted)
        yield 0.5
    return None


def _take_back(node: SimulatedNode, swap: Swap) -> Generator[float, None, bool]:
    """Whether it is settled: this node writes again as soon as it is certain that the other one will not."""
    _announce(node, swap)
    promoted = yield from _outcome(node, swap)
    if promoted is None:
        node.change(moves.end_operation(node.state, swap.job_id))
        if swap.closing and node.state.role is Role.PRIMARY and node.state.fence is not None:
            node.change(moves.fence(node.state, FenceReason.PEER_UNKNOWN, node.wall(), "a swap was broken off"))
        yield DISK_S
        return False
    fence = node.state.fence
    ours = fence is not None and fence.reason in (FenceReason.OPERATION, FenceReason.PEER_UNKNOWN)
    if not promoted and swap.closing and ours and node.state.role is Role.PRIMARY and node.database.up:
        node.change(moves.lift(node.state))
        yield DISK_S
        if node.database.up and node.state.fence is None and node.state.role is Role.PRIMARY:
            node.database.set_semi_sync(commits_wait(node.state, node.world.config))
            node.database.read_only = False
    return True


def _follow(node: SimulatedNode, swap: Swap) -> Generator[float, None, bool]:
    """Whether the former primary replicates and both nodes act on their own again. Nothing is done on a node that has
    become something else meanwhile."""
    if node.state.role is not Role.SECONDARY or node.state.term != swap.term:
        return True
    _announce(node, swap)
    started = node.world.now
    while not node.database.up and node.world.now - started < FOLLOW_S:
        yield POLL_S
    if not node.database.up:
        return False
    if not node.database.follows:
        node.database.relay = []
        node.database.connected = False
        node.database.follows = node.database.receiving = True
    while not node.database.connected and node.world.now - started < FOLLOW_S:
        yield POLL_S
    finished = yield from ask(node, lambda peer, reply: _verb_finish(peer, swap, reply), QUICK_S)
    if not finished:
        node.change(moves.end_operation(node.state, swap.job_id))
    return bool(finished)


# --- requests -----------------------------------------------------------------------------------------------------


def ask(node: SimulatedNode, handler: Handler, bound_s: float) -> Generator[float, None, Any]:
    """The reply, or None after the bound."""
    world, started = node.world, node.world.now
    answers: list[Any] = []
    peer = world.other(node.name)

    def reply(answer: Any) -> None:
        if world.both_ways():
            world.after(peer.answer_delay_s + world.delay(), lambda: answers.append(answer))

    def arrive(boots: int) -> None:
        if not peer.powered or peer.boots != boots:
            return
        if peer.paused:
            world.after(0.1, lambda: arrive(boots))  # it waits in the kernel, and is served when nobody waits any more
        else:
            handler(peer, reply)

    if world.both_ways() and peer.powered:
        boots = peer.boots
        world.after(world.delay(), lambda: arrive(boots))
        if world.random.random() < DOUBLED:
            world.after(world.delay() + world.random.random() * DOUBLED_WITHIN_S, lambda: arrive(boots))
    while not answers and world.now - started < bound_s:
        yield POLL_S
    return answers[0] if answers else None


def _verb_prepare(peer: SimulatedNode, swap: Swap, term: int, reply: Reply) -> None:
    state = peer.state
    other = state.operation
    busy = other is not None and other.job_id != swap.job_id and other.until > peer.wall()
    eligible = peer.decision is not None and peer.decision.eligible and peer.monitor_up
    over = state.swap_given_up == swap.job_id
    if state.role is not Role.SECONDARY or state.phase is not Phase.PAIRED or state.term != term or busy or over:
        reply(False)
        return
    if not eligible or not peer.database.up:
        reply(False)
        return
    until = peer.wall() + timedelta(seconds=PREPARED_S)
    peer.change(replace(state, operation=Operation(swap.job_id, KIND, until)))
    reply(True)


def _prepared(peer: SimulatedNode, swap: Swap) -> bool:
    operation = peer.state.operation
    return operation is not None and operation.job_id == swap.job_id and operation.until > peer.wall()


def _verb_promote(peer: SimulatedNode, swap: Swap, position: int, reply: Reply) -> None:
    peer.serve(_promote(peer, swap, position, reply))


def _promote(peer: SimulatedNode, swap: Swap, position: int, reply: Reply) -> Iterator[float]:
    """The other node applies exactly that position and becomes primary, if it is still prepared for this swap."""
    world, database = peer.world, peer.database
    started = world.now
    if not _prepared(peer, swap):
        reply(False)
        return
    while len(database.log) < position:
        if world.now - started >= PROMOTE_S or not database.up:
            reply(False)
            return
        yield POLL_S
    if not _prepared(peer, swap) or not database.up:
        reply(False)
        return
    if not moves.promotion_unfinished(peer.state) and not _taken_over(peer.state, swap):
        out = standby_out_after_promotion(Cause.SWAP, world.config)
        peer.truth.before_promotion = peer.state
        peer.change(moves.intend_promotion(peer.state, Cause.SWAP, swap.term, peer.wall(), standby_out=out))
        world.say(peer.name, f"{swap.job_id} makes it primary of term {swap.term}")
    yield DISK_S
    yield from _open(peer)
    reply(_taken_over(peer.state, swap))


def _open(peer: SimulatedNode) -> Iterator[float]:
    """What remains of a promotion after its intent; broken off, the monitor finishes it."""
    world, database = peer.world, peer.database
    database.receiving = database.connected = False
    while database.relay and database.up:
        database.apply(world.now - peer.apply_delay_s)
        yield max(POLL_S, peer.apply_delay_s)
    if not database.up or database.full or not moves.promotion_unfinished(peer.state):
        return
    database.follows = False
    world.acknowledge(database.set_semi_sync(False))
    point = str(len(database.log))
    world.write(peer, probe=True, marks_term=True)
    yield DISK_S
    if not database.up or not moves.promotion_unfinished(peer.state):
        return
    event = events.manual_switch(peer.name, world.other(peer.name).name, peer.state.term)
    peer.add_event(event.key, event.parameters)
    peer.change(moves.complete_promotion(peer.state, point))
    yield DISK_S
    if database.up and peer.state.fence is None and peer.state.role is Role.PRIMARY:
        database.set_semi_sync(commits_wait(peer.state, world.config))
        database.read_only = False


def _verb_abort(peer: SimulatedNode, swap: Swap, reply: Reply) -> None:
    promoted = _taken_over(peer.state, swap)
    if not promoted:
        peer.change(moves.give_up_swap(peer.state, swap.job_id))
    reply(promoted)


def _verb_finish(peer: SimulatedNode, swap: Swap, reply: Reply) -> None:
    if _taken_over(peer.state, swap):
        peer.change(moves.end_operation(peer.state, swap.job_id))
        reply(True)
    else:
        reply(False)


def _taken_over(state: NodeState, swap: Swap) -> bool:
    return state.role is Role.PRIMARY and state.term >= swap.term
