"""What the world knows about a node that the node itself must not rely on; for the checks alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.core.roles import Role
from app.core.state import NodeState

if TYPE_CHECKING:
    from tests.simulation.node import SimulatedNode
    from tests.simulation.world import World


class Broken(AssertionError):
    """An invariant does not hold."""


NOTICED_S = 0.001
PROBE_AGE_S = 1.5
"""A write probe of the peer is at most this old when it is decided on."""


@dataclass
class Truth:
    """Kept from step to step of the run."""

    caught_up_in_this_life: bool = False
    """Since the node's database last started, its replication has once been connected with next to nothing missing."""
    database_started_at: float = -1.0
    frozen_possible_since: float = 0.0
    """Since then the primary has not both run and served writes for long enough that it must have been noticed."""
    serving_since: float | None = None
    standby_out_at: float | None = None
    """When the node recorded its standby as out and its database said what that one had acknowledged."""
    before_promotion: NodeState | None = None
    """What the node knew durably when it began its last promotion."""

    def look(self, node: SimulatedNode, world: World) -> None:
        """The truth as of now."""
        database, source = node.database, world.other(node.name).database
        if database.started_at != self.database_started_at:
            self.database_started_at, self.caught_up_in_this_life = database.started_at, False
        if node.state.role is Role.SECONDARY and database.connected:
            behind = len(source.log) - database.position
            self.caught_up_in_this_life = self.caught_up_in_this_life or behind <= 20
        peer = world.other(node.name)
        if peer.takes_writes() and peer.monitor_up and world.both_ways():
            if self.serving_since is None:
                self.serving_since = world.now
            if world.now - self.serving_since >= PROBE_AGE_S:
                self.frozen_possible_since = world.now
        else:
            self.serving_since = None


def promise_kept(world: World, node: SimulatedNode, common: int) -> None:
    """S2, the number: as many transactions are rescued as the former primary has said would be lost. `common` is how
    much of its log the other node has. More than it said is never lost; less only by what was under way when contact
    was lost: nothing of it had been acknowledged by then."""
    if not node.state.shared_position:
        return
    shared = int(node.state.shared_position.rsplit("-", 1)[1])
    if shared > common:
        raise Broken(f"S2: {node.name} loses {shared - common} transactions more than it has said")
    out_at = node.truth.standby_out_at
    if out_at is None:
        return
    for number in node.database.log[shared:common]:
        acknowledged_at = world.transactions[number].acknowledged_at
        if acknowledged_at is not None and acknowledged_at < out_at - NOTICED_S:
            raise Broken(f"S2: {node.name} has counted write {number} as lost, which was acknowledged before")
