"""Rescues over the API: seen by readers, taken and removed by those who may configure."""

from __future__ import annotations

import io
import tarfile

import pytest

from app.api.streams import STREAMS_MAX
from app.core.access import Scope
from app.core.errors import LocalFailure
from app.ports import Actor
from tests.unit.api.world import Caller, World

ID, OLDER = "20260203T040506Z-4", "mirror-deleted-20260101T000000Z"


@pytest.fixture(autouse=True)
def _kept(world: World) -> None:
    world.rescues.keep(OLDER, {"a": b"12"})
    world.rescues.keep(ID, {"transactions.sql": b"INSERT", "files/b": b"345"}, {"shop.orders": 7})


def test_the_list_has_what_an_administrator_needs_newest_first(world: World) -> None:
    found = world.caller(Scope.READ)("GET", "/ha/rescues").get_json()
    assert [each["id"] for each in found["items"]] == [ID, OLDER]
    assert found["count"] == 2
    newest = found["items"][0]
    assert (newest["kind"], newest["term"], newest["at"]) == ("rejoin", 4, "2026-02-03T04:05:06+00:00")
    assert (newest["transactions"], newest["rows_by_table"], newest["files"]) == (7, {"shop.orders": 7}, 1)
    assert newest["path"].endswith(ID)
    assert newest["reason"]


def test_one_is_shown_with_its_contents(call: Caller) -> None:
    found = call("GET", f"/ha/rescues/{ID}").get_json()
    assert {"name": "files", "files": 1, "bytes": 3} in found["contents"]
    assert found["growing"] is False


def test_a_download_is_a_gzipped_tar_with_a_name(world: World, call: Caller) -> None:
    answer = call("GET", f"/ha/rescues/{ID}/download")
    assert answer.content_type == "application/gzip"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{ID}.tar.gz"'
    with tarfile.open(fileobj=io.BytesIO(answer.data), mode="r:gz") as tar:
        assert sorted(tar.getnames()) == [f"{ID}/files/b", f"{ID}/transactions.sql"]
    assert [each.action for each in world.store.activity()] == ["download-rescue"]


def test_an_archive_that_breaks_off_never_looks_whole(world: World, call: Caller) -> None:
    world.rescues.broken = True
    answer = call("GET", f"/ha/rescues/{ID}/download")
    with pytest.raises(LocalFailure):
        answer.get_data()


def test_downloads_give_back_what_they_hold(call: Caller) -> None:
    for _ in range(STREAMS_MAX + 1):
        answer = call("GET", f"/ha/rescues/{ID}/download")
        assert answer.status_code == 200
        answer.close()
        assert call("GET", f"/ha/rescues/{ID[:-1]}9/download").status_code == 404


def test_a_removal_must_be_confirmed_by_the_id_and_is_recorded(world: World, call: Caller) -> None:
    for body in (None, {}, {"confirm": "alpha"}):
        answer = call("DELETE", f"/ha/rescues/{ID}", body)
        assert (answer.status_code, answer.get_json()["code"]) == (422, "confirmation-needed")
    assert ID in world.rescues.kept
    assert call("DELETE", f"/ha/rescues/{ID}", {"confirm": ID}).status_code == 204
    assert set(world.rescues.kept) == {OLDER}
    newest = world.store.activity()[0]
    assert (newest.action, newest.outcome) == ("remove-rescue", "done")
    assert newest.detail == {"rescue": ID, "kind": "rejoin"}
    assert call("DELETE", f"/ha/rescues/{ID}", {"confirm": ID}).status_code == 404


def test_nothing_is_removed_while_a_job_may_need_it(world: World, call: Caller) -> None:
    world.store.create_job("setup-secondary", {}, (), Actor("dana"))
    answer = call("DELETE", f"/ha/rescues/{ID}", {"confirm": ID})
    assert (answer.status_code, answer.get_json()["code"]) == (409, "job-running")
    assert ID in world.rescues.kept


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("wrong", ["..", "%2e%2e", "..%2fstore", "%00", "store", f"{ID}%2ffiles", "a" * 5000, "%0a"])
def test_an_id_that_is_no_rescue_is_not_found(world: World, call: Caller, method: str, wrong: str) -> None:
    answer = call(method, f"/ha/rescues/{wrong}", {"confirm": wrong[:100]} if method == "DELETE" else None)
    assert answer.status_code in {404, 405, 422}
    assert len(world.rescues.kept) == 2


def test_the_status_counts_them_without_a_reason(world: World, call: Caller) -> None:
    assert call("GET", "/ha/status").get_json()["rescues"] is None
    newest = {"id": ID, "kind": "rejoin", "at": "2026-02-03T04:05:06+00:00"}
    document = {"node": {"writable": True}, "database": {"facts": {}, "facts_age_s": 0.1, "error": ""}}
    world.machine.publish("monitor", {**document, "rescues": {"count": 2, "newest": newest}})
    found = call("GET", "/ha/status").get_json()
    assert found["rescues"] == {"count": 2, "newest": newest}
    assert found["reasons"] == []


def test_a_part_of_root_that_does_not_answer_is_said_to_be_so(world: World, call: Caller) -> None:
    world.rescues.down = True
    for path in ("/ha/rescues", f"/ha/rescues/{ID}", f"/ha/rescues/{ID}/download"):
        answer = call("GET", path)
        assert (answer.status_code, answer.get_json()["code"]) == (503, "rescues-unavailable")
