"""How many transactions of a paired primary would be lost if the other server took over now.

While commits wait for the standby, none. Once it is out of the pair, each transaction beyond the last one that it has
acknowledged: that position is recorded with the fact that it is out, so the number is exact from the first moment on,
also after a restart of the monitor. When the other server does take over, a rescue will hold as many. Only a
transaction that was under way when contact was lost may have arrived there although its acknowledgement did not come
back: nobody here can know. Then the rescue holds that much less, and says how many it was.
"""

from __future__ import annotations

from app.core import positions
from app.core.pairconfig import PairConfig
from app.core.roles import Role
from app.core.scene import Scene
from app.core.state import NodeState, Phase


def exposed(scene: Scene) -> int | None:
    """The number of transactions, None where it is not known: in `performance`, on other nodes, or where the standby
    had acknowledged nothing since this monitor or its database was started."""
    state, facts = scene.state, scene.facts
    if state.role is not Role.PRIMARY or state.phase is not Phase.PAIRED or facts is None:
        return None
    if not scene.config.commits_wait:
        return None
    if facts.semi_sync_enabled and not state.standby_out:
        return 0
    known = state.shared_position if state.standby_out else scene.memory.acknowledged_position
    return positions.behind(known, facts.position) if known else None


def arrived(state: NodeState, base: str) -> int:
    """How many transactions this former primary has counted as lost that the other server, whose own history begins
    at `base`, has all the same."""
    known = state.standby_out and state.shared_position != ""
    return positions.behind(state.shared_position, base) if known else 0


def probes_stay_here(state: NodeState, config: PairConfig, *, standby_heard: bool) -> bool:
    """Whether write probes must leave no trace in the history. On a server that nobody follows, each would be one more
    transaction that a rescue has to keep aside."""
    if state.role is Role.STANDALONE:
        return True
    alone = state.role is Role.PRIMARY and state.phase is Phase.PAIRED and state.standby_out and not standby_heard
    return alone and config.commits_wait
