"""The two streams of the peer channel: a seed of the database goes out, a batch of files comes in.

Both are for the paired server only, and only in the roles in which the pair needs them.
"""

from __future__ import annotations

import os

from app.core.errors import NotAllowed
from app.core.roles import Role
from app.core.state import NodeState, Phase
from app.ports import Node
from jobs.peer.commands import ReceiveFiles


def send_seed(node: Node, target: int) -> None:
    """A copy of this primary's database has been written to the file descriptor. Raises NotAllowed."""
    state = _paired_state(node)
    if state.role is not Role.PRIMARY:
        raise NotAllowed(
            "not-primary",
            "A Copy Is Made Only From The Primary",
            detail=f"This server is {state.role}.",
            hint="Compare the HA status of both servers.",
        )

    def write(chunk: bytes) -> None:
        rest = memoryview(chunk)
        while rest:
            rest = rest[os.write(target, rest) :]

    node.database.send_seed(write)


def receive_files(node: Node, command: ReceiveFiles) -> int:
    """The batch is in this secondary's tree and on its disk; returns rsync's exit code.

    Raises NotAllowed (codes `stale-term`, `not-secondary`) before anything is changed.
    """
    return node.mirror.receive(command.options, lambda: _check_receiver(_paired_state(node), command.term))


def _check_receiver(state: NodeState, term: int) -> None:
    if term < state.term:
        raise NotAllowed(
            "stale-term",
            "The Sender's Term Is Over",
            detail=f"The batch is of term {term}, but this server knows of term {state.term}.",
            hint="The sender is no longer the primary; it rejoins as secondary by itself.",
        )
    if state.role is not Role.SECONDARY and state.phase is not Phase.SYNCHRONIZING:
        raise NotAllowed(
            "not-secondary",
            "Files Are Received Only By The Secondary",
            detail=f"This server is {state.role}.",
            hint="Compare the HA status of both servers.",
        )


def _paired_state(node: Node) -> NodeState:
    state = node.store.state()
    if state.peer is None:
        raise NotAllowed("not-paired", "This Server Has No Peer", hint="Set up the pair first.")
    return state
