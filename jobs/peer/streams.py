"""The two streams of the peer channel: a seed of the database goes out, a batch of files comes in.

Both are for the paired server only, and only in the roles in which the pair needs them.
"""

from __future__ import annotations

from collections.abc import Callable

from app.core.errors import NotAllowed
from app.core.roles import Role
from app.core.state import Phase, Standing, standing
from app.ports import Mirror, Node
from jobs.peer.commands import ReceiveFiles


def send_seed(node: Node, target: int) -> None:
    """A copy of this primary's database has been written to the file descriptor. Raises NotAllowed."""
    own = standing(node.store.state())
    _check_paired(own)
    if own.role is not Role.PRIMARY:
        raise NotAllowed(
            "not-primary",
            "A Copy Is Made Only From The Primary",
            detail=f"This server is {own.role}.",
            hint="Compare the HA status of both servers.",
        )
    node.database.send_seed(target)


def receive_files(mirror: Mirror, current: Callable[[], Standing], command: ReceiveFiles) -> int:
    """The batch is in this secondary's tree and on its disk; returns rsync's exit code.

    Raises NotAllowed (codes `not-paired`, `stale-term`, `not-secondary`) before anything is changed.
    """
    return mirror.receive(command.options, lambda: check_receiver(current(), command.term))


def check_receiver(own: Standing, term: int) -> None:
    """Raises NotAllowed where a node that stands so must not receive files of that term."""
    _check_paired(own)
    if term < own.term:
        raise NotAllowed(
            "stale-term",
            "The Sender's Term Is Over",
            detail=f"The batch is of term {term}, but this server knows of term {own.term}.",
            hint="The sender is no longer the primary; it rejoins as secondary by itself.",
        )
    if own.role is not Role.SECONDARY and own.phase is not Phase.SYNCHRONIZING:
        raise NotAllowed(
            "not-secondary",
            "Files Are Received Only By The Secondary",
            detail=f"This server is {own.role}.",
            hint="Compare the HA status of both servers.",
        )


def _check_paired(own: Standing) -> None:
    if not own.paired:
        raise NotAllowed("not-paired", "This Server Has No Peer", hint="Set up the pair first.")
