"""The mirrored trees of both nodes: programs write files on the primary, its monitor brings them to the secondary.

The steps are those of jobs/monitor/files.py and of the receiver; whether a batch is taken is decided by the real rule.
A file is a name with the number of its content. A content that only one node has must never be lost there: what the
mirror overwrites or deletes goes into a rescue, as far as the receiver keeps it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from app.core.errors import NotAllowed
from app.core.roles import Role
from app.core.state import Phase, standing
from jobs.peer.streams import check_receiver
from tests.simulation.truth import Broken

if TYPE_CHECKING:
    from tests.simulation.node import SimulatedNode
    from tests.simulation.world import World

WRITE_EVERY_S = 0.9
PUSH_EVERY_S = 1.1
NAMES = ("one", "two", "three", "four")
DELETED = 0.2
"""Part of the changes that delete a file."""


@dataclass
class Tree:
    """What survives on one node."""

    contents: dict[str, int] = field(default_factory=dict)
    keeping: bool = False
    """What the next batches take away is kept, until a full pass has made the trees alike."""


@dataclass
class Batch:
    """What is under way to the secondary."""

    sender: str
    term: int
    contents: dict[str, int]
    full: bool


class Mirror:
    """All files of the world. It has a generator of its own, so that the rest of a run is the same with and without."""

    def __init__(self, world: World, seed: int) -> None:
        self._world = world
        self._random = Random(seed)
        self._last = 0
        self._held: dict[int, set[str]] = {}
        """Which nodes ever had each content."""
        self._alike: dict[str, tuple[int, int]] = {}
        """The life of the monitor and the term in which a node has last finished a full pass."""

    def begin(self) -> None:
        self._world.after(WRITE_EVERY_S, self._write)
        self._world.after(PUSH_EVERY_S, self._push_due)

    def _write(self) -> None:
        for node in self._world.nodes.values():
            if node.serves_clients():
                self._change(node)
        self._world.after(WRITE_EVERY_S * (0.5 + self._random.random()), self._write)

    def _change(self, node: SimulatedNode) -> None:
        name = self._random.choice(NAMES)
        if name in node.tree.contents and self._random.random() < DELETED:
            del node.tree.contents[name]
            return
        self._last += 1
        node.tree.contents[name] = self._last
        self._held[self._last] = {node.name}

    def _push_due(self) -> None:
        for node in self._world.nodes.values():
            if node.runs() and node.monitor_up and self._pushes(node):
                self._send(node, full=self._alike.get(node.name) != (node.life, node.state.term))
        self._world.after(PUSH_EVERY_S, self._push_due)

    def _pushes(self, node: SimulatedNode) -> bool:
        state, report, age_s = node.state, node.peer_report, node.age(node.heard_at)
        heard = report is not None and age_s is not None and age_s < self._world.config.heard_s
        ours = state.role is Role.PRIMARY and state.fence is None and state.phase is Phase.PAIRED
        return ours and heard and report is not None and report.role is Role.SECONDARY

    def _send(self, node: SimulatedNode, *, full: bool) -> None:
        world = self._world
        if world.network.isolated or world.network.lost_from:
            return
        batch = Batch(node.name, node.state.term, dict(node.tree.contents), full)
        life = node.life
        world.after(0.01 + world.network.delay_s, lambda: self._arrives(batch, life))

    def flush(self, node: SimulatedNode) -> None:
        """The other node's tree is as this one's is now, if it takes it."""
        if not self._world.network.isolated and not self._world.network.lost_from:
            self._arrives(Batch(node.name, node.state.term, dict(node.tree.contents), full=True), node.life)

    def _arrives(self, batch: Batch, life: int) -> None:
        receiver = self._world.other(batch.sender)
        if not receiver.runs():
            return
        try:
            check_receiver(standing(receiver.state), batch.term)
        except NotAllowed:
            return
        tree = receiver.tree
        for name in [each for each in tree.contents if tree.contents[each] != batch.contents.get(each)]:
            self._taken_away(receiver, batch, name)
        tree.contents = dict(batch.contents)
        for content in batch.contents.values():
            self._held[content].add(receiver.name)
        if batch.full:
            tree.keeping = False
            self._alike[batch.sender] = (life, batch.term)

    def _taken_away(self, receiver: SimulatedNode, batch: Batch, name: str) -> None:
        """S3 for files: kept, or the primary has had it and has gone on from there."""
        content = receiver.tree.contents[name]
        deleted = name not in batch.contents
        if batch.sender in self._held[content]:
            return
        if receiver.tree.keeping or (batch.full and deleted):
            self._world.say(receiver.name, f"RESCUES file {name}")
        else:
            verb = "deleted" if deleted else "overwritten"
            raise Broken(f"S3: file {name} of {receiver.name}, which only it had, was {verb} there without a rescue")
