"""Deliberate breakages of the core. Each must be caught, or the simulation proves nothing.

A mutant replaces one function, constant or field of the core (or one step of the modelled jobs) by a wrong one. Most
are caught by plans drawn from seeds; a rare one has a plan of its own that leads to it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

from app.core import acts, failover, fences, memory, moves, pilot, primary, sight
from app.core.acts import Act, Lift, RecordStandbyOut, SetSemiSync
from app.core.facts import DatabaseFacts
from app.core.memory import PilotMemory
from app.core.pairconfig import PairConfig, ProtectionMode
from app.core.scene import Scene
from tests.simulation import effects, files, swap
from tests.simulation.faults import Fault
from tests.simulation.looks import position

Patches = Callable[[], list[AbstractContextManager[Any]]]


@dataclass(frozen=True)
class Mutant:
    """One breakage: what is wrong, how it is made, what catches it."""

    name: str
    patches: Patches
    caught_by: str
    """Beginning of the invariant's name."""
    plan: tuple[Fault, ...] = ()
    """Empty: plans are drawn from seeds."""
    config: PairConfig | None = None

    def broken(self) -> AbstractContextManager[Any]:
        """The core is broken within this context."""
        stack = ExitStack()
        for each in self.patches():
            stack.enter_context(each)
        return stack


def _nothing(*_: object, **__: object) -> Iterator[Act]:
    return iter(())


def _change_sight(**changes: object) -> Patches:
    original = sight.look

    def look(*arguments: Any) -> Any:
        return replace(original(*arguments), **changes)  # type: ignore[arg-type]

    return lambda: [patch.object(pilot, "look", look)]


def _impatient() -> list[AbstractContextManager[Any]]:
    original = sight.look

    def look(*arguments: Any) -> Any:
        seen = original(*arguments)
        return replace(seen, needed=seen.needed - 1, silent_s=seen.silent_s + 1.0)

    return [patch.object(pilot, "look", look)]


def _ping_alone() -> list[AbstractContextManager[Any]]:
    original = sight.look

    def look(*arguments: Any) -> Any:
        seen = original(*arguments)
        deaf = seen.ping_silent
        return replace(
            seen,
            silent_s=1e9 if deaf else seen.silent_s,
            heartbeat_heard=seen.heartbeat_heard and not deaf,
            stream_alive=seen.stream_alive and not deaf,
        )

    return [patch.object(pilot, "look", look)]


def _eligible_at_once() -> list[AbstractContextManager[Any]]:
    original = memory.remember

    def remember(*arguments: Any) -> Any:
        known = original(*arguments)
        contact = known.contact or memory.Contact(0.0, 0.0, semi_sync=True)
        return replace(known, caught_up=True, contact=contact)

    return [patch.object(pilot, "remember", remember)]


def _by_uptime_alone(known: PilotMemory, facts: DatabaseFacts) -> bool:
    return facts.uptime_s < (known.database_uptime_s or 0.0)


def _wrong_order() -> list[AbstractContextManager[Any]]:
    original = primary._record_out

    def record_out(*arguments: Any, **named: Any) -> Iterator[Act]:
        told = list(original(*arguments, **named))
        return iter(sorted(told, key=lambda act: isinstance(act, RecordStandbyOut)))

    return [patch.object(primary, "_record_out", record_out)]


def _falls_back_in_protection() -> list[AbstractContextManager[Any]]:
    def record_out(scene: Scene, *, rule: str, why: str) -> Iterator[Act]:
        if not scene.state.standby_out:
            yield RecordStandbyOut(rule=rule, why=why)
            yield SetSemiSync(rule=rule, why=why, enabled=False)

    return [patch.object(primary, "_record_out", record_out)]


def _opens_without_waiting() -> list[AbstractContextManager[Any]]:
    def opens(scene: Scene, *, rule: str, why: str, wait: bool) -> Iterator[Act]:
        if scene.facts is not None:
            yield Lift(rule=rule, why=why)

    return [patch.object(fences, "_open", opens)]


def _boots_open() -> list[AbstractContextManager[Any]]:
    def leave(scene: Scene) -> Iterator[Act]:
        if scene.facts is not None:
            yield SetSemiSync(rule="mutant", why="mutant", enabled=False)
            yield Lift(rule="mutant", why="mutant")

    return [patch.object(primary, "leave", leave)]


def _forgets_to_rescue() -> list[AbstractContextManager[Any]]:
    original = effects._rejoin_steps

    def steps(node: Any) -> Any:
        for step in original(node):
            node.world.rescued.clear()
            yield step

    return [patch.object(effects, "_rejoin_steps", steps)]


def _tells_again() -> list[AbstractContextManager[Any]]:
    original = primary.standby_offline

    def event(standby: str, active: str, raised_at: Any, detail: str = "") -> Any:
        made = original(standby, active, raised_at, detail)
        _tells_again.count += 1  # type: ignore[attr-defined]
        return replace(made, key=f"{made.key}:{_tells_again.count}")  # type: ignore[attr-defined]

    _tells_again.count = 0  # type: ignore[attr-defined]
    return [patch.object(primary, "standby_offline", event)]


def _without_obstacle(reason: str) -> Patches:
    original = failover.obstacles

    def obstacles(scene: Scene) -> Iterator[failover.Blocked]:
        return (each for each in original(scene) if each.reason != reason)

    return lambda: [patch.object(failover, "obstacles", obstacles)]


def _ignores_being_out() -> list[AbstractContextManager[Any]]:
    original = failover.data_obstacles

    def obstacles(scene: Scene) -> Iterator[failover.Blocked]:
        return (each for each in original(scene) if "out of the pair" not in each.text)

    return [patch.object(failover, "data_obstacles", obstacles)]


def _never() -> property:
    return property(lambda _: False, lambda *_: None)


def _never_catches_up() -> list[AbstractContextManager[Any]]:
    original = effects._promote

    def promote(node: Any, act: Any) -> Any:
        return original(node, replace(act, catch_up=False))

    table = {**effects._EFFECTS, acts.Promote: promote}
    finish = primary._finish_promotion

    def impatient(scene: Scene) -> Iterator[Act]:
        config = replace(scene.config, protection_mode=ProtectionMode.AVAILABILITY)
        return finish(replace(scene, config=config))

    return [patch.object(effects, "_EFFECTS", table), patch.object(primary, "_finish_promotion", impatient)]


def _never_asks_how_a_swap_ended() -> list[AbstractContextManager[Any]]:
    def outcome(*_: object) -> Generator[float, None, bool]:
        yield 0.0
        return False

    return [patch.object(swap, "_outcome", outcome)]


PROTECTION = PairConfig(1.0, 3, ProtectionMode.PROTECTION, semi_sync_fallback_s=4.0)
AVAILABILITY = replace(PROTECTION, protection_mode=ProtectionMode.AVAILABILITY)
PERFORMANCE = replace(PROTECTION, protection_mode=ProtectionMode.PERFORMANCE)
SLOW_DETECTION = replace(AVAILABILITY, ping_iterations=12)

MUTANTS = (
    Mutant("takes over one ping too early", _impatient, "S4 rule"),
    Mutant("believes ping alone", _ping_alone, "S4 rule 2", (Fault(1.0, "drop-ping", "a", 10.0),), AVAILABILITY),
    Mutant("takes over when its own network is silent", _without_obstacle("own-network"), "S4 rule 3",
           (Fault(1.0, "isolate", "b", 10.0),), AVAILABILITY),
    Mutant("is eligible without having caught up since its start", _eligible_at_once, "S4 rule 4"),
    Mutant("knows a restart of the database by its uptime alone", lambda: [
        patch.object(memory, "_restarted", _by_uptime_alone)], "S4 rule 4",
           (Fault(3.87, "pause", "b", 12.51), Fault(5.73, "kill-database", "b", 0.3),
            Fault(8.24, "cut-peer", "a", 11.7)), replace(PROTECTION, failover_lag_bound_s=2.0)),
    Mutant("takes over although it knows that it is out", _ignores_being_out, "S4 rule 4",
           (Fault(1.0, "pause", "b", 7.0), Fault(7.5, "crash-in-act", "a", 12.0, act="SetSemiSync")), AVAILABILITY),
    Mutant("takes over during announced maintenance", _without_obstacle("maintenance"), "S4 rule 5",
           (Fault(1.0, "maintenance", "a", 14.0), Fault(2.0, "crash", "a", 9.0)), AVAILABILITY),
    Mutant("takes over again and again", _without_obstacle("anti-flapping"), "S4 rule 5",
           (Fault(1.0, "crash", "a", 6.0), Fault(14.0, "crash", "b", 9.0)),
           replace(AVAILABILITY, anti_flapping_s=900.0)),
    Mutant("lets go of the standby before it is recorded", _wrong_order, "S7"),
    Mutant("lets go of the standby in protection", _falls_back_in_protection, "S1",
           (Fault(1.0, "cut-peer", "a", 14.0),), replace(PROTECTION, ping_iterations=5)),
    Mutant("takes an old answer for a second opinion", _change_sight(second_opinion=True), "S1",
           (Fault(1.0, "isolate", "a", 20.0),), SLOW_DETECTION),
    Mutant("stays open when it is cut off", lambda: [patch.object(primary, "_must_fence", _nothing)], "S1",
           (Fault(1.0, "isolate", "a", 12.0),), PERFORMANCE),
    Mutant("opens after a boot without asking", _boots_open, "S"),
    Mutant("opens before commits wait", _opens_without_waiting, "S7"),
    Mutant("takes the standby back before it has everything", lambda: [
        patch.object(primary, "_acknowledged", lambda scene: True)], "S8",
           (Fault(1.0, "pause", "b", 7.0), Fault(8.6, "pause", "b", 10.0)), AVAILABILITY),
    Mutant("never leaves a fence", lambda: [patch.object(primary, "leave", _nothing)], "liveness"),
    Mutant("never takes the standby back", lambda: [patch.object(primary, "_take_back", _nothing)], "liveness"),
    Mutant("does not follow a higher term", lambda: [patch.object(primary, "_superseded", _nothing)], "liveness"),
    Mutant("keeps a secondary's alarms for ever", lambda: [patch.object(pilot, "clear_foreign", _nothing)], "liveness"),
    Mutant("takes what is written for what is acknowledged", lambda: [
        patch.object(effects, "acknowledged_position", position)],
           "S2", (Fault(1.0, "cut-peer", "a", 20.0),), AVAILABILITY),
    Mutant("rewinds without a rescue", _forgets_to_rescue, "S3"),
    Mutant("tells an event at every tick", _tells_again, "S5"),
    Mutant("finishes a takeover without what its restarted database lost", _never_catches_up, "S2",
           (Fault(0.5, "slow-apply", "b", 14.0, amount=4.0), Fault(1.5, "crash", "a", 12.0),
            Fault(1.0, "crash-in-act", "b", 2.0, act="Promote", step=3)), PROTECTION),
    Mutant("hands its role over and keeps no file", lambda: [patch.object(files.Tree, "keeping", _never())],
           "S3: file"),
    Mutant("forgets that a swap was given up", lambda: [patch.object(moves, "give_up_swap", moves.end_operation)], "S6",
           (Fault(1.0, "swap", "a"), Fault(1.0, "slow-apply", "b", 9.0, amount=20.0)), SLOW_DETECTION),
    Mutant("takes over in a swap that was given up", lambda: [patch.object(swap, "_prepared", lambda *_: True)], "S6",
           (Fault(1.0, "swap", "a"), Fault(1.0, "slow-apply", "b", 9.0, amount=20.0)), SLOW_DETECTION),
    Mutant("takes a swap back without asking how it ended", _never_asks_how_a_swap_ended, "S",
           (Fault(1.0, "swap", "a"), Fault(1.065, "pause", "b", 11.0)), SLOW_DETECTION),
)  # fmt: skip
