"""What is kept aside is counted in the snapshot, and a rejoin's rescue is told once, by an event and a mail."""

from __future__ import annotations

from app.core.roles import Role
from jobs.monitor.letters import letter
from jobs.monitor.mails import MailDuty
from jobs.monitor.rescues import RescueDuty
from jobs.monitor.scripts import ScriptDuty
from tests.unit.monitor.world import World

ID = "20260203T040506Z-4"


def test_the_snapshot_says_how_many_there_are_and_which_is_the_newest() -> None:
    world = World(Role.SECONDARY)
    duty = RescueDuty(world.node, world.board)
    world.tick()
    assert world.snapshot()["rescues"] is None
    duty.step()
    world.tick()
    assert world.snapshot()["rescues"] == {"count": 0, "newest": None}
    world.rescues.keep(ID, {"files/a": b"1"})
    duty.step()
    world.tick()
    newest = {"id": ID, "kind": "rejoin", "at": "2026-02-03T04:05:06+00:00"}
    assert world.snapshot()["rescues"] == {"count": 1, "newest": newest}


def test_a_rescue_is_told_once_also_by_a_monitor_that_was_restarted() -> None:
    world = World(Role.SECONDARY)
    world.rescues.keep(ID, {"transactions.sql": b"", "files/a": b"1"}, {"shop.orders": 2})
    world.rescues.growing = ID
    duty = RescueDuty(world.node, world.board)
    duty.step()
    duty.step()
    assert [event.key for event in world.store.events()] == [f"Rescued:{ID}"]
    world.rescues.growing = ""
    duty.step()
    RescueDuty(world.node, world.board).step()
    assert [event.key for event in world.store.events()] == [f"Rescued:{ID}:files", f"Rescued:{ID}"]
    assert {event.parameters for event in world.store.events()} == {("Rescued", "alpha", ID)}


def test_it_goes_by_mail_and_never_to_the_script() -> None:
    world = World(Role.SECONDARY)
    world.store.save_applied({**world.store.config().applied, "HAAdminAlertScript": "exit 0"})
    world.run(1)
    world.rescues.keep(ID, {"transactions.sql": b""}, {"shop.orders": 2})
    RescueDuty(world.node, world.board).step()
    ScriptDuty(world.node, world.board).step()
    MailDuty(world.node, world.board).step()
    event = next(each for each in world.store.events() if each.kind == "Rescued")
    assert event.deliveries["script"]["state"] == "skipped"
    assert event.deliveries["mail"]["state"] == "done"
    text = letter([event], "ops@example.org").text
    assert "shop.orders 2" in text
    assert f"/rescue/{ID}" in text
    assert "hapair rescues" in text


def test_what_the_set_up_and_the_mirror_keep_is_counted_and_not_told() -> None:
    world = World(Role.SECONDARY)
    world.rescues.keep("mirror-deleted-20260101T000000Z", {"a": b"1"})
    world.rescues.keep("mysql.aside-1", {"ibdata1": b"1"})
    RescueDuty(world.node, world.board).step()
    assert world.store.events() == []
    assert (world.board.read().rescues or {})["count"] == 2


def test_rescues_that_cannot_be_looked_at_stop_nothing() -> None:
    world = World(Role.SECONDARY)
    world.rescues.down = True
    assert RescueDuty(world.node, world.board).step() > 0
