"""The fake world: one clock, one queue of happenings, a network between two nodes, and clients that write.

Everything random comes from one generator, so a seed replays a run exactly. The world knows the truth (who wrote
what, which client was told that it is safe); the nodes know only what reaches them.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from app.core.pairconfig import PairConfig
from tests.simulation.database import ERROR_DIVERGED, ERROR_UNREACHABLE
from tests.simulation.files import Mirror
from tests.simulation.truth import Broken

if TYPE_CHECKING:
    from tests.simulation.node import SimulatedNode
    from tests.simulation.senses import SeeingNode

CLIENT_EVERY_S = 0.4
PUMP_EVERY_S = 0.25


@dataclass
class Transaction:
    """One write, as the world knows it."""

    number: int
    node: str
    term: int
    at: float
    probe: bool
    marks_term: bool = False
    """Written by a promotion before it opens the database: no client waits for it."""
    acknowledged_at: float | None = None


@dataclass
class Network:
    """What is broken between the nodes, and between each node and the rest."""

    lost_from: set[str]
    """Nodes whose packets to the other node are lost."""
    isolated: set[str]
    no_ping: set[str]
    """Nodes that don't answer pings."""
    gateway_down: bool = False
    loss: float = 0.0
    delay_s: float = 0.0


class World:
    """Time, network, clients and two nodes."""

    def __init__(self, seed: int, config: PairConfig) -> None:
        self.random = Random(seed)
        self.config = config
        self.now = 0.0
        self.network = Network(set(), set(), set())
        self.transactions: list[Transaction] = []
        self.nodes: dict[str, SimulatedNode] = {}
        self.trace: list[str] = []
        self.tracing = False
        self.peer_link_disturbed = False
        """The nodes could not speak to each other at some time, though both lived."""
        self.faults = 0
        self.forced = 0
        """How often an administrator has made a node primary by force."""
        self.swaps = 0
        self.torn = False
        """An administrator has ended the pair on one of its nodes."""
        self.torn_alone = False
        """Its primary could not tell the secondary: to press the button then is to let the standby go."""
        self.resumed_at: dict[str, float] = {}
        self.rescued: dict[int, str] = {}
        self.mirror = Mirror(self, seed)
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._sequence = 0

    # --- time -----------------------------------------------------------------------------------------------------

    def after(self, delay_s: float, act: Callable[[], None]) -> None:
        """`act` happens in so many seconds."""
        self._sequence += 1
        heapq.heappush(self._queue, (self.now + delay_s, self._sequence, act))

    def run_until(self, end: float) -> None:
        """Everything that is due until then has happened."""
        queue = self._queue
        while queue and queue[0][0] <= end:
            self.now, _, act = heapq.heappop(queue)
            act()
        self.now = end

    def say(self, who: str, text: str) -> None:
        """A line of the trace."""
        if self.tracing:
            self.trace.append(f"{self.now:7.2f}  {who:5}  {text}")

    # --- network --------------------------------------------------------------------------------------------------

    def other(self, name: str) -> SimulatedNode:
        return self.nodes["b" if name == "a" else "a"]

    def passes(self, sender: str) -> bool:
        """Whether a packet from `sender` reaches the other node now."""
        network = self.network
        if network.isolated or sender in network.lost_from:
            return False
        return not network.loss or self.random.random() >= network.loss

    def both_ways(self) -> bool:
        """Whether a connection between the nodes works now."""
        network = self.network
        if network.isolated or network.lost_from:
            return False
        return not network.loss or self.random.random() >= network.loss

    def delay(self) -> float:
        """How long a packet is under way."""
        return 0.001 + self.random.random() * (0.02 + self.network.delay_s)

    def others_answer(self, name: str) -> bool:
        """Whether the gateway answers a ping of that node."""
        return not self.network.gateway_down and name not in self.network.isolated

    # --- writes ---------------------------------------------------------------------------------------------------

    def write(self, node: SeeingNode, *, probe: bool, marks_term: bool = False) -> Transaction:
        """A write that the node's database has accepted; acknowledged at once if nothing has to be waited for."""
        transaction = Transaction(len(self.transactions), node.name, node.state.term, self.now, probe, marks_term)
        self.transactions.append(transaction)
        if node.database.append(transaction.number):
            self.acknowledge([transaction.number])
        return transaction

    def acknowledge(self, numbers: list[int]) -> None:
        """The clients are told that these writes are safe."""
        for number in numbers:
            transaction = self.transactions[number]
            transaction.acknowledged_at = self.now
            if self.config.commits_wait and not transaction.probe:
                self._has_a_right_to_return(transaction)

    def _has_a_right_to_return(self, transaction: Transaction) -> None:
        """S7: the standby has the write, or was durably recorded as out."""
        node, other = self.nodes[transaction.node], self.other(transaction.node)
        if not node.state.standby_out and transaction.number not in other.database.history():
            raise Broken(
                f"S7: {node.name} acknowledged write {transaction.number} that only it has, without a record that "
                "its standby is out of the pair"
            )

    def everything_is_there(self, node: SimulatedNode) -> None:
        """S8: the standby of `node` has every write that was acknowledged."""
        there = set(self.other(node.name).database.history())
        for number in node.database.log:
            if self.transactions[number].acknowledged_at is not None and number not in there:
                raise Broken(f"S8: {node.name} recorded its standby as back, which lacks the write {number}")

    def _clients(self) -> None:
        for node in self.nodes.values():
            if node.serves_clients():
                self.write(node, probe=False)
        self.after(CLIENT_EVERY_S * (0.5 + self.random.random()), self._clients)

    # --- replication ----------------------------------------------------------------------------------------------

    def _pump(self) -> None:
        for node in self.nodes.values():
            self._pump_one(node)
        self.after(PUMP_EVERY_S, self._pump)

    def _pump_one(self, node: SimulatedNode) -> None:
        replica = node.database
        if not node.runs() or not replica.up:
            return
        replica.apply(self.now - node.apply_delay_s)
        if not replica.receiving:
            return
        source_node = self.other(node.name)
        source = source_node.database
        if not source_node.runs() or not source.up or not self.both_ways() or source_node.forgotten:
            replica.connected = False
            replica.error_number = replica.error_number or ERROR_UNREACHABLE
            return
        if not replica.connected and not self._connect(node, source_node):
            return
        replica.stream_alive_at = self.now
        source.replica_seen_at = self.now
        if replica.full:
            return  # connected, but nothing can be written down, so nothing is acknowledged
        for transaction in source.log[replica.position :]:
            replica.relay.append((transaction, self.now))
        replica.apply(self.now - node.apply_delay_s)
        length = replica.position
        self.after(self.delay(), lambda: self._acknowledgement(node, source_node, length))

    def _connect(self, node: SimulatedNode, source_node: SimulatedNode) -> bool:
        replica, source = node.database, source_node.database
        history = replica.history()
        if source.log[: len(history)] != history:
            replica.error_number = ERROR_DIVERGED
            return False
        replica.error_number = 0
        replica.connected = True
        return True

    def _acknowledgement(self, replica: SimulatedNode, source: SimulatedNode, length: int) -> None:
        if source.runs() and source.database.up and self.both_ways() and replica.database.connected:
            self.acknowledge(source.database.acknowledge(length))

    def begin(self) -> None:
        """Clients write and replication flows."""
        self.after(0.1, self._clients)
        self.after(0.05, self._pump)
        self.mirror.begin()
