"""When the file mirror pushes, and what it says about it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core.acts import Cause
from app.core.roles import Role
from app.core.state import Fence, FenceReason, Phase, Promotion
from jobs.monitor.files import ALARM_AFTER_S, FULL_EVERY_S, FileDuty
from tests.fakes.mirror import FakeMirror
from tests.unit.monitor.world import World, report


class Mirrored:
    """A primary whose peer receives files."""

    def __init__(self) -> None:
        self.world = World(Role.PRIMARY)
        self.peer = self.world.mirror.peer = FakeMirror()
        self.peer.term = 1
        self.duty = FileDuty(self.world.node, self.world.board)

    def alarmed(self) -> bool:
        return "file-mirror" in {alarm.code for alarm in self.world.store.alarms()}

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds * 2)):
            self.world.heartbeat.step()
            self.world.looks.step()
            self.world.loop.tick()
            self.world.loop.settle(5)
            self.duty.step()
            self.world.clock.advance(0.5)


@pytest.fixture
def mirrored() -> Mirrored:
    return Mirrored()


def test_a_full_pass_comes_first(mirrored: Mirrored) -> None:
    mirrored.world.mirror.files["old"] = b"was there before"
    mirrored.run(1)
    assert mirrored.peer.files == {"old": b"was there before"}
    assert mirrored.world.board.read().files.complete_at is not None


def test_changes_follow_after_the_interval(mirrored: Mirrored) -> None:
    mirrored.run(1)
    mirrored.world.mirror.write("new", b"1")
    mirrored.run(2)
    assert "new" not in mirrored.peer.files
    assert mirrored.world.board.read().files.pending == 1
    mirrored.run(3.5)
    assert mirrored.peer.files["new"] == b"1"
    assert mirrored.world.board.read().files.pending == 0


@pytest.mark.parametrize(("cause", "allowed"), [(Cause.FAILOVER, True), (Cause.SETUP, False), (Cause.SWAP, False)])
def test_only_the_first_full_pass_after_a_failover_may_take_most_files_away(cause: Cause, allowed: bool) -> None:
    mirrored = Mirrored()
    promotion = Promotion(1, mirrored.world.clock.now(), cause.value, "")
    mirrored.world.store.change_state(lambda state: replace(state, promotion=promotion))
    mirrored.peer.files.update({f"own{number}": b"1" for number in range(1500)})
    mirrored.run(1)
    assert (mirrored.peer.files == {}) is allowed
    assert mirrored.alarmed() is not allowed
    mirrored.peer.files.update({f"later{number}": b"1" for number in range(1500)})
    again = FileDuty(mirrored.world.node, mirrored.world.board)
    mirrored.world.mirror.unwatch()
    mirrored.duty = again
    mirrored.run(1)
    assert len(mirrored.peer.files) >= 1500, "a lost tree is not spread, also not by a monitor that was restarted"
    assert mirrored.alarmed()


def test_a_thousand_changes_do_not_wait_for_the_interval(mirrored: Mirrored) -> None:
    mirrored.run(1)
    for number in range(1000):
        mirrored.world.mirror.write(f"file{number}", b"1")
    mirrored.run(0.5)
    assert len(mirrored.peer.files) == 1000


@pytest.mark.parametrize("case", ["secondary", "fenced", "synchronizing"])
def test_only_the_rightful_primary_of_a_complete_pair_pushes(case: str) -> None:
    mirrored = Mirrored()
    changes = {
        "secondary": {"role": Role.SECONDARY},
        "fenced": {"fence": Fence(FenceReason.CONFLICT, mirrored.world.clock.now())},
        "synchronizing": {"phase": Phase.SYNCHRONIZING},
    }[case]
    mirrored.world.store.change_state(lambda state: replace(state, **changes))
    mirrored.world.mirror.files["mine"] = b"1"
    mirrored.world.board.put(situation=replace(mirrored.world.board.read().situation, state=mirrored.world.state))
    mirrored.duty.step()
    assert mirrored.peer.files == {}
    assert not mirrored.world.mirror.watching


def test_a_peer_that_is_not_secondary_is_not_pushed_to(mirrored: Mirrored) -> None:
    mirrored.world.report = report(role="primary", term=1)
    mirrored.world.mirror.files["mine"] = b"1"
    mirrored.run(0.5)
    assert mirrored.peer.files == {}


def test_a_failing_push_is_shown_retried_and_becomes_an_alarm(mirrored: Mirrored) -> None:
    mirrored.run(1)
    mirrored.world.mirror.reachable = False
    mirrored.world.mirror.write("new", b"1")
    mirrored.run(ALARM_AFTER_S / 2)
    assert "Can't Be Reached" in mirrored.world.board.read().files.last_error
    assert not mirrored.alarmed()
    mirrored.run(ALARM_AFTER_S)
    assert mirrored.alarmed()
    mirrored.world.mirror.reachable = True
    mirrored.run(12)
    assert mirrored.peer.files["new"] == b"1"
    assert not mirrored.alarmed()
    assert mirrored.world.board.read().files.last_error == ""


def test_a_full_pass_is_repeated_to_find_what_nobody_noticed(mirrored: Mirrored) -> None:
    mirrored.run(1)
    mirrored.peer.files["stray"] = b"made by hand"
    mirrored.world.clock.advance(FULL_EVERY_S)
    mirrored.run(1)
    assert "stray" not in mirrored.peer.files


def test_a_new_term_begins_with_a_full_pass(mirrored: Mirrored) -> None:
    mirrored.run(1)
    mirrored.peer.files.clear()
    mirrored.world.mirror.files["kept"] = b"1"
    mirrored.world.store.change_state(lambda state: replace(state, term=2))
    mirrored.run(1)
    assert mirrored.peer.files == {"kept": b"1"}


def test_what_a_role_leaves_behind_is_cleared(mirrored: Mirrored) -> None:
    mirrored.run(1)
    mirrored.world.store.raise_alarm("file-mirror", "x")
    mirrored.world.store.change_state(lambda state: replace(state, role=Role.SECONDARY))
    mirrored.run(1)
    assert not mirrored.world.mirror.watching
    assert not mirrored.alarmed()
    assert mirrored.world.board.read().files.complete_at is None
