"""When a node whose monitor stands still must be fenced without it.

A monitor that is killed is restarted within a second; one that hangs is not, and a primary that nobody watches does
not notice that its standby took over. The bound is the one by which the monitor itself would have fenced an isolated
primary, but never less than WATCH_MIN_S: a busy machine is not a hung monitor. In the modes whose commits wait for
the standby nothing is acknowledged beside a promoted standby even within the bound, because only the monitor ends
that wait.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.core.roles import Role
from app.core.state import Phase

WATCH_MIN_S = 5.0
"""A monitor that is silent for less than this is taken for a busy one."""


def fence_after_s(snapshot: Mapping[str, Any]) -> float | None:
    """For how many seconds the monitor that published `snapshot` may be silent before its node is fenced.

    None where its silence endangers nobody: on a node that is not the writable primary of a whole pair.
    """
    node, pings = snapshot.get("node"), snapshot.get("pings")
    if not isinstance(node, Mapping) or not isinstance(pings, Mapping):
        return None
    if node.get("role") != Role.PRIMARY.value or node.get("phase") != Phase.PAIRED.value or not node.get("writable"):
        return None
    interval, iterations = pings.get("interval_s"), pings.get("iterations")
    if not isinstance(interval, int | float) or not isinstance(iterations, int):
        return None
    return max(WATCH_MIN_S, (iterations - 1) * float(interval))
