"""The health of this node's own database, and its one restart."""

from __future__ import annotations

from collections.abc import Iterator

from app.core.acts import Act, ClearAlarm, RaiseAlarm, RestartDatabase
from app.core.memory import FACTS_FRESH_S
from app.core.pairconfig import PairConfig
from app.core.scene import Scene

ALARM = "database-failing"
RESTART_AFTER_MAX_S = 10.0
"""A failing database is restarted after this time, or after half the detection window if that is shorter."""
START_TIME_S = 30.0
"""A database that was never seen since the monitor's start is still starting for this long."""


def failing_s(scene: Scene) -> float:
    """For how long the own database has failed: it does not answer, or (on a writable node) takes no write.

    A write that waits for the standby's acknowledgement is no failure of the database.
    """
    age = scene.seen.database.facts_age_s
    if age is None:
        since_start = scene.seen.now_s - scene.memory.started_s if scene.memory.started_s is not None else 0.0
        return max(0.0, since_start - START_TIME_S)
    if age >= FACTS_FRESH_S:
        return age
    fair_since = scene.memory.write_fair_since_s
    if scene.state.fence is not None or fair_since is None or scene.facts is None or scene.facts.read_only:
        return 0.0
    return min(scene.seen.database.write_failing_s, scene.seen.now_s - fair_since)


def restart_after_s(config: PairConfig) -> float:
    """How long a database may fail before it is restarted."""
    return min(RESTART_AFTER_MAX_S, config.detection_window_s / 2)


def watch_database(scene: Scene) -> Iterator[Act]:
    """A database that fails is restarted once and alarmed; the alarm goes when it works again."""
    failing = failing_s(scene)
    if failing >= restart_after_s(scene.config):
        error = scene.seen.database.error or "no answer"
        why = f"The database of this server has failed for {failing:.0f} s ({error})."
        if ALARM not in scene.seen.alarms:
            yield RaiseAlarm(rule="database-failing", why=why, code=ALARM, text=why)
        if scene.memory.restarted_s is None:
            yield RestartDatabase(rule="database-failing", why=why)
    elif failing == 0.0 and ALARM in scene.seen.alarms and scene.facts is not None:
        yield ClearAlarm(rule="database-works", why="The database of this server works again.", code=ALARM)
