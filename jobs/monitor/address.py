"""Telling the network again where the virtual address is, as long as it is here.

A neighbour that missed the announcement at the move, or heard a former primary's after it, so finds the way by itself.
"""

from __future__ import annotations

from app.ports import Node
from jobs.monitor.board import Board
from jobs.monitor.duty import LOOK_AGAIN_S

ANNOUNCE_EVERY_S = 5.0
FIRST_ANNOUNCEMENTS = 5
"""Right after the address came here it is told each second, so often: a switch may just be learning its ports anew."""


class AddressDuty:
    """Announces the virtual address of a server that holds it."""

    name = "address"

    def __init__(self, node: Node, board: Board) -> None:
        self._node = node
        self._board = board
        self._told = 0

    def step(self) -> float:
        if not self._board.read().situation.held_addresses:
            self._told = 0
            return LOOK_AGAIN_S
        self._node.addresses.announce()
        self._told += 1
        return LOOK_AGAIN_S if self._told < FIRST_ANNOUNCEMENTS else ANNOUNCE_EVERY_S

    def close(self) -> None:
        """Nothing is held."""
