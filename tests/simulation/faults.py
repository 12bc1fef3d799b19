"""What goes wrong, and when: a plan drawn from the seed, or written down by hand for a transcript."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

from app.core.acts import Cause, Promote
from app.core.failover import QUIET_KINDS
from app.core.roles import Role
from app.core.state import Operation
from tests.simulation.teardown import look_later

if TYPE_CHECKING:
    from tests.simulation.world import World

FAULTS_MAX = 4
LAST_BEGIN_S = 12.0
DURATION_MAX_S = 14.0
SWAP_BEFORE_S = 0.1
SWAP_TAKES_S = 0.15
WEIGHTS = {
    "crash": 6,
    "crash-in-act": 5,
    "pause": 4,
    "isolate": 5,
    "cut-peer": 5,
    "one-way": 2,
    "drop-ping": 2,
    "kill-monitor": 3,
    "kill-database": 3,
    "disk-full": 2,
    "gateway-down": 3,
    "loss": 2,
    "slow-network": 2,
    "slow-disk": 2,
    "slow-apply": 2,
    "maintenance": 2,
    "late-answers": 2,
    "kill-worker": 1,
    "swap": 5,
    "takeover": 1,
    "teardown": 1,
}
TRIPS = ("Promote", "Rejoin", "FenceSelf", "RecordStandbyOut", "RecordStandbyBack", "Lift", "SetSemiSync", "Swap")
LINK_FAULTS = frozenset({"cut-peer", "one-way", "loss", "slow-network"})
"""Those that disturb the link between the nodes while each sees its gateway."""


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong at `at` and is over `lasts` seconds later."""

    at: float
    kind: str
    node: str = "a"
    lasts: float = 5.0
    act: str = ""
    step: int = 1
    amount: float = 0.0

    def __str__(self) -> str:
        detail = f" in {self.act} step {self.step}" if self.act else f" {self.amount:.2f}" if self.amount else ""
        return f"t={self.at:.1f} {self.kind} {self.node}{detail} for {self.lasts:.1f} s"


def draw(random: Random) -> tuple[Fault, ...]:
    """A plan of one to four faults."""
    kinds = random.choices(list(WEIGHTS), weights=list(WEIGHTS.values()), k=random.randint(1, FAULTS_MAX))
    plan = [_draw_one(random, kind) for kind in kinds]
    swap = next((fault for fault in plan if fault.kind == "swap"), None)
    if swap is not None:
        plan = [_near(random, fault, swap.at) for fault in plan]
    return tuple(sorted(plan, key=lambda fault: fault.at))


def _near(random: Random, fault: Fault, at: float) -> Fault:
    """A swap takes some hundredths of a second, so half of the other faults come just before it or within it."""
    if fault.kind == "swap" or random.random() < 0.5:
        return fault
    return replace(fault, at=round(max(0.1, at + random.uniform(-SWAP_BEFORE_S, SWAP_TAKES_S)), 3))


def _draw_one(random: Random, kind: str) -> Fault:
    amount = {
        "loss": 0.05 + 0.5 * random.random(),
        "slow-network": 0.1 + 1.5 * random.random(),
        "slow-disk": 0.05 + 0.8 * random.random(),
        "slow-apply": 0.5 + 5.0 * random.random(),
        "late-answers": 0.5 + 5.0 * random.random(),
    }.get(kind, 0.0)
    trips = kind == "crash-in-act"
    return Fault(
        at=round(0.5 + LAST_BEGIN_S * random.random(), 2),
        kind=kind,
        node=random.choice("ab"),
        lasts=round(0.3 + DURATION_MAX_S * random.random() ** 2, 2),
        act=random.choice(TRIPS) if trips else "",
        step=random.randint(1, 8) if trips else 1,
        amount=round(amount, 2),
    )


def arrange(world: World, plan: tuple[Fault, ...]) -> None:
    """Every fault of the plan begins and ends at its time."""
    world.faults += len(plan)
    for fault in plan:
        world.after(fault.at, _beginning(world, fault))


def _beginning(world: World, fault: Fault) -> Callable[[], None]:
    def begin() -> None:
        world.say("", f"FAULT {fault.kind} {fault.node}")
        _BEGIN[fault.kind](world, fault)
        if fault.kind in LINK_FAULTS:
            world.peer_link_disturbed = True
        world.after(fault.lasts, end)

    def end() -> None:
        if fault.kind in _END:
            world.say("", f"over: {fault.kind} {fault.node}")
            _END[fault.kind](world, fault)

    return begin


def _crash(world: World, fault: Fault) -> None:
    node = world.nodes[fault.node]
    if node.powered:
        node.crash()


def _trip(world: World, fault: Fault) -> None:
    world.nodes[fault.node].trip = (fault.act, fault.step, fault.lasts)


def _pause(world: World, fault: Fault) -> None:
    world.nodes[fault.node].paused = world.nodes[fault.node].powered


def _resume(world: World, fault: Fault) -> None:
    node = world.nodes[fault.node]
    if node.paused:
        node.paused = False
        world.resumed_at[fault.node] = world.now


def _announce(world: World, fault: Fault) -> None:
    """Maintenance of one node is announced to both, as far as the other can be reached."""
    for node in world.nodes.values():
        if (node.name == fault.node or (node.runs() and world.both_ways())) and node.state.operation is None:
            until = node.wall() + timedelta(seconds=fault.lasts)
            node.change(replace(node.state, operation=Operation("announced", "maintenance", until)))


def force(world: World, name: str, cause: Cause) -> None:
    """An administrator makes that node primary by force, whatever the other one does."""
    node = world.nodes[name]
    world.forced += 1
    world.say(name, f"is made primary by an administrator ({cause})")
    term = node.state.term + 1
    act = Promote(rule="administrator", why="An administrator wants it.", cause=cause, term=term, lost_bound="unknown")
    node.perform((act,))


def _force(world: World, fault: Fault) -> None:
    node = world.nodes[fault.node]
    if node.powered and node.monitor_up and not node.busy:
        force(world, fault.node, Cause.RESUME if node.state.role is Role.PRIMARY else Cause.TAKEOVER)


def _swap(world: World, _fault: Fault) -> None:
    """An administrator presses the button on whichever node is primary."""
    for node in world.nodes.values():
        if node.runs() and node.state.role is Role.PRIMARY and node.is_idle():
            node.begin_swap()
            return


def _teardown(world: World, _fault: Fault) -> None:
    """An administrator ends the pair on whichever node is primary."""
    for node in world.nodes.values():
        if node.runs() and node.state.role is Role.PRIMARY and node.is_idle() and node.state.operation is None:
            node.begin_teardown()
            return


def _take_over(world: World, _fault: Fault) -> None:
    """An administrator makes whichever node is secondary primary, whatever the other one does."""
    for node in world.nodes.values():
        free = node.runs() and node.monitor_up and not node.busy and node.is_idle() and node.state.operation is None
        if free and node.state.role is Role.SECONDARY and node.database.up and world.forced == 0:
            force(world, node.name, Cause.TAKEOVER)
            return


def _kill_worker(world: World, fault: Fault) -> None:
    if world.nodes[fault.node].powered:
        world.nodes[fault.node].restart_worker_later(min(fault.lasts, 3.0))


def _kill_monitor(world: World, fault: Fault) -> None:
    if world.nodes[fault.node].powered:
        world.nodes[fault.node].restart_monitor_later(min(fault.lasts, 4.0))


def _kill_database(world: World, fault: Fault) -> None:
    node = world.nodes[fault.node]
    node.database.stop()

    def supervised() -> None:
        if node.powered and not node.database.up:
            node.database.start(world.now)

    world.after(min(fault.lasts, 3.0), supervised)


def heal(world: World) -> None:
    """Every fault is over and both nodes are on."""
    world.network.lost_from.clear()
    world.network.isolated.clear()
    world.network.no_ping.clear()
    world.network.gateway_down, world.network.loss, world.network.delay_s = False, 0.0, 0.0
    for node in world.nodes.values():
        if node.paused:
            world.resumed_at[node.name] = world.now
        node.trip, node.paused, node.database.full = None, False, False
        announced = node.state.operation
        if announced is not None and announced.kind in QUIET_KINDS:
            node.change(replace(node.state, operation=None))
        node.disk_delay_s = node.apply_delay_s = node.answer_delay_s = 0.0
        node.boot()
        if not node.database.up:
            node.database.start(world.now)
        look_later(node)
    world.say("", "HEALED")


def _set_network(name: str, value: float) -> Callable[[World, Fault], None]:
    def change(world: World, fault: Fault) -> None:
        setattr(world.network, name, fault.amount if value else 0.0)

    return change


def _set_node(name: str, value: float) -> Callable[[World, Fault], None]:
    def change(world: World, fault: Fault) -> None:
        setattr(world.nodes[fault.node], name, fault.amount if value else 0.0)

    return change


_BEGIN: dict[str, Callable[[World, Fault], object]] = {
    "crash": _crash,
    "crash-in-act": _trip,
    "pause": _pause,
    "isolate": lambda world, fault: world.network.isolated.add(fault.node),
    "cut-peer": lambda world, fault: world.network.lost_from.update("ab"),
    "one-way": lambda world, fault: world.network.lost_from.add(fault.node),
    "drop-ping": lambda world, fault: world.network.no_ping.add(fault.node),
    "maintenance": _announce,
    "force": _force,
    "kill-monitor": _kill_monitor,
    "kill-database": _kill_database,
    "disk-full": lambda world, fault: setattr(world.nodes[fault.node].database, "full", True),
    "gateway-down": lambda world, fault: setattr(world.network, "gateway_down", True),
    "loss": _set_network("loss", 1.0),
    "slow-network": _set_network("delay_s", 1.0),
    "slow-disk": _set_node("disk_delay_s", 1.0),
    "slow-apply": _set_node("apply_delay_s", 1.0),
    "late-answers": _set_node("answer_delay_s", 1.0),
    "kill-worker": _kill_worker,
    "swap": _swap,
    "takeover": _take_over,
    "teardown": _teardown,
}
_END: dict[str, Callable[[World, Fault], object]] = {
    "crash": lambda world, fault: world.nodes[fault.node].boot(),
    "pause": _resume,
    "isolate": lambda world, fault: world.network.isolated.discard(fault.node),
    "cut-peer": lambda world, fault: world.network.lost_from.clear(),
    "one-way": lambda world, fault: world.network.lost_from.discard(fault.node),
    "drop-ping": lambda world, fault: world.network.no_ping.discard(fault.node),
    "disk-full": lambda world, fault: setattr(world.nodes[fault.node].database, "full", False),
    "gateway-down": lambda world, fault: setattr(world.network, "gateway_down", False),
    "loss": _set_network("loss", 0.0),
    "slow-network": _set_network("delay_s", 0.0),
    "slow-disk": _set_node("disk_delay_s", 0.0),
    "slow-apply": _set_node("apply_delay_s", 0.0),
    "late-answers": _set_node("answer_delay_s", 0.0),
}
