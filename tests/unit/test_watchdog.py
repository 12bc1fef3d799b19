"""A primary whose monitor stands still is fenced without it."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.state import FenceReason
from app.core.watch import WATCH_MIN_S, fence_after_s
from jobs import watchdog
from tests.unit.pair_world import World


def snapshot(**node: Any) -> dict[str, Any]:
    return {
        "node": {"role": "primary", "phase": "paired", "writable": True, **node},
        "pings": {"interval_s": 15, "iterations": 12},
    }


def test_the_bound_is_one_ping_interval_less_than_the_window() -> None:
    assert fence_after_s(snapshot()) == 165


def test_a_busy_monitor_is_not_taken_for_a_hung_one() -> None:
    assert fence_after_s({**snapshot(), "pings": {"interval_s": 1, "iterations": 2}}) == WATCH_MIN_S


@pytest.mark.parametrize(
    "node", [{"role": "secondary"}, {"role": "standalone"}, {"phase": "initialized"}, {"writable": False}]
)
def test_silence_endangers_nobody_but_the_writable_primary_of_a_pair(node: dict[str, Any]) -> None:
    assert fence_after_s(snapshot(**node)) is None


@pytest.mark.parametrize("document", [{}, {"node": None, "pings": 3}, {**snapshot(), "pings": {"interval_s": "x"}}])
def test_a_snapshot_that_makes_no_sense_is_no_reason_to_fence(document: dict[str, Any]) -> None:
    assert fence_after_s(document) is None


def test_a_hung_monitor_leaves_a_primary_that_refuses_writes_and_is_restarted() -> None:
    world = World()
    world.pair()
    node = world.alpha.node
    node.machine.publish(watchdog.SNAPSHOT, snapshot())
    assert watchdog.silence_s(node.machine) is None

    world.clock.sleep(170)
    silent_s = watchdog.silence_s(node.machine)
    assert silent_s == pytest.approx(170)
    watchdog.act(node, silent_s)

    fence = node.store.state().fence
    assert fence is not None
    assert fence.reason is FenceReason.MONITOR_SILENT
    assert node.database.facts().read_only
    assert ("kill", "monitor") in world.alpha.machine.commands
