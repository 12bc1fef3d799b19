"""What the other server may ask for over the peer channel: one handler for each verb."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from app.ports import Json, Node


def ping(node: Node, body: Json) -> Json:
    """Proof that the channel works, and of nothing else."""
    return {"node_id": node.store.state().node_id, "echo": body.get("echo")}


VERBS: Mapping[str, Callable[[Node, Json], Json]] = {
    "ping": ping,
}
