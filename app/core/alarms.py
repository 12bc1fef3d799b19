"""Which alarm can be up on which kind of node, so that a change of role leaves none behind that nobody clears."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from app.core.acts import Act, ClearAlarm
from app.core.diagnosis import ALARMS as DIAGNOSIS_ALARMS
from app.core.facts import Alarm
from app.core.moves import promotion_unfinished
from app.core.primary import OFFLINE, OUT, WAITS
from app.core.replication import KINDS, alarm_code
from app.core.roles import Role
from app.core.secondary import BLOCKED, NO_PRIMARY, PEER_LEFT
from app.core.state import FenceReason, NodeState

OF_PRIMARY = frozenset({OFFLINE, OUT, WAITS, "peer-unknown", "conflict"})
OF_SECONDARY = frozenset({BLOCKED, NO_PRIMARY, PEER_LEFT, *DIAGNOSIS_ALARMS, *(alarm_code(kind) for kind in KINDS)})
ROLE_CHANGED = "role-changed"
OF_FENCE = {"peer-unknown": FenceReason.PEER_UNKNOWN, "conflict": FenceReason.CONFLICT}


def clear_foreign(state: NodeState, alarms: Mapping[str, Alarm]) -> Iterator[Act]:
    """Alarms that the node's role or fence no longer explains are cleared."""
    for code in alarms:
        wrong_role = (code in OF_PRIMARY and state.role is not Role.PRIMARY) or (
            code in OF_SECONDARY and state.role is not Role.SECONDARY
        )
        expected = OF_FENCE.get(code)
        wrong_fence = expected is not None and (state.fence is None or state.fence.reason is not expected)
        if wrong_role:
            yield ClearAlarm(rule=ROLE_CHANGED, why=f"This server is {state.role} now.", code=code)
        elif code == WAITS and not promotion_unfinished(state):
            yield ClearAlarm(rule="promotion-finished", why="The takeover has been finished.", code=code)
        elif wrong_fence:
            yield ClearAlarm(rule="fence-left", why="The fence that raised this alarm is gone.", code=code)
