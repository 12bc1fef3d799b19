"""How much a paired primary would lose if the other server took over now, as a number.

The standby holds everything up to the last write that it has acknowledged. What this server has beyond that may be
nowhere else: while the standby is out, the number grows with each commit, and when the other server does take over it
is what the rescue will hold.
"""

from __future__ import annotations

from app.core import positions
from app.core.roles import Role
from app.core.scene import Scene
from app.core.state import Phase


def exposed(scene: Scene) -> int | None:
    """The number of transactions, None where it is not known: in `performance`, on other nodes, or before the standby
    has acknowledged anything since this monitor was started."""
    state, facts = scene.state, scene.facts
    if state.role is not Role.PRIMARY or state.phase is not Phase.PAIRED or facts is None:
        return None
    if not scene.config.commits_wait:
        return None
    if facts.semi_sync_enabled and not state.standby_out:
        return 0
    known = scene.memory.acknowledged_position
    return positions.behind(known, facts.position) if known else None
