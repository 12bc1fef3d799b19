"""The rescues of the fake, those of real folders, and those through root's service on its socket alike."""

from __future__ import annotations

import io
import json
import os
import socket
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.adapters import rootsocket
from app.adapters.rescues import FolderRescues, RemoteRescues, RescueService, service
from app.core.errors import LocalFailure, NotFound
from app.core.rescues import RescueKind
from app.ports import Rescues
from app.settings import Settings
from tests.fakes.rescues import FakeRescues
from tests.waiting import wait_for

OLD, NEW = "20260102T030405Z-3", "20260203T040506Z-4"
DATABASE = "mysql.aside-0c1d"
GONE_S = 30.0


class FakeKeeper:
    """Puts rescues where the fake finds them."""

    def __init__(self) -> None:
        self.rescues: Rescues
        self.rescues = self.fake = FakeRescues()

    def keep(self, rescue_id: str, files: dict[str, bytes], rows: dict[str, int] | None = None) -> None:
        self.fake.keep(rescue_id, files, rows)

    def grow(self, rescue_id: str) -> None:
        self.fake.growing = rescue_id


class FolderKeeper:
    """Puts rescues where the real parts find them."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(
            state_dir=folder / "state", run_dir=folder / "run", database_dir=folder / "data" / "mysql"
        )
        self.settings.rescue_dir.mkdir(parents=True)
        self.settings.database_dir.mkdir(parents=True)
        self.rescues: Rescues = FolderRescues(self.settings)

    def keep(self, rescue_id: str, files: dict[str, bytes], rows: dict[str, int] | None = None) -> None:
        folder = self.folder(rescue_id)
        folder.mkdir()
        for path, content in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        if rows is not None:
            report = {"transactions": sum(rows.values()), "rows_by_table": rows, "obstacle": ""}
            (folder / "report.json").write_text(json.dumps(report))

    def folder(self, rescue_id: str) -> Path:
        return (self.settings.database_dir.parent if ".aside-" in rescue_id else self.settings.rescue_dir) / rescue_id

    def grow(self, rescue_id: str) -> None:
        (self.settings.state_dir / "keep-replaced").write_text(rescue_id)


class ServedKeeper(FolderKeeper):
    """The same, seen through the socket."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.settings.run_dir.mkdir()
        self.service = RescueService(FolderRescues(self.settings), self.settings.run_dir)
        self.service.start()
        self.rescues = RemoteRescues(self.settings.run_dir)


Keeper = FakeKeeper | FolderKeeper


@pytest.fixture(params=["fake", "folders", "served"])
def keeper(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Keeper]:
    if request.param == "fake":
        yield FakeKeeper()
    elif request.param == "folders":
        yield FolderKeeper(tmp_path)
    else:
        served = ServedKeeper(tmp_path)
        yield served
        served.service.stop()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ServedKeeper]:
    found = ServedKeeper(tmp_path)
    yield found
    found.service.stop()


def archive(rescues: Rescues, rescue_id: str) -> dict[str, bytes]:
    """The files of the downloaded tar."""
    with rescues.open(rescue_id) as chunks:
        content = b"".join(chunks)
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as tar:
        return {each.name: _content(tar, each) for each in tar if each.isfile()}


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    assert file is not None
    return file.read()


def test_rescues_are_listed_newest_first_and_empty_ones_not_at_all(keeper: Keeper) -> None:
    keeper.keep(OLD, {"files/a": b"1"}, {})
    keeper.keep(NEW, {"files/a": b"1"}, {})
    keeper.keep("mirror-deleted-20260101T000000Z", {"b": b"2"})
    keeper.keep("before-setup-1f", {})
    found = keeper.rescues.entries()
    assert [each.id for each in found] == [NEW, OLD, "mirror-deleted-20260101T000000Z"]
    assert [each.kind for each in found] == [RescueKind.REJOIN, RescueKind.REJOIN, RescueKind.MIRROR]
    assert found[0].path.endswith(f"/{NEW}")


def test_what_was_counted_as_lost_and_had_arrived_is_told_beside_what_is_kept(served: ServedKeeper) -> None:
    report = {"transactions": 7, "rows_by_table": {}, "obstacle": "", "arrived": 1}
    served.keep(OLD, {"report.json": json.dumps(report).encode()})
    found = served.rescues.show(OLD)
    assert (found.transactions, found.arrived) == (7, 1)


def test_a_rescue_is_described_by_its_counts(keeper: Keeper) -> None:
    keeper.keep(OLD, {"transactions.sql": b"INSERT", "files/a": b"12", "files/deep/b": b"3"}, {"shop.orders": 7})
    found = keeper.rescues.show(OLD)
    assert (found.kind, found.term, found.transactions) == (RescueKind.REJOIN, 3, 7)
    assert found.rows_by_table == {"shop.orders": 7}
    assert found.files == 2
    assert found.bytes >= 9
    assert {("files", 2, 3)} <= {(each.name, each.files, each.bytes) for each in found.contents}
    assert not found.growing
    keeper.grow(OLD)
    assert keeper.rescues.show(OLD).growing


def test_a_database_that_was_moved_aside_is_a_rescue(keeper: Keeper) -> None:
    keeper.keep(DATABASE, {"ibdata1": b"12345", "shop/orders.ibd": b"6"})
    found = keeper.rescues.show(DATABASE)
    assert (found.kind, found.files, found.bytes, found.transactions) == (RescueKind.DATABASE, 2, 6, 0)
    assert [each.id for each in keeper.rescues.entries()] == [DATABASE]


def test_a_download_holds_everything_below_the_rescues_name(keeper: Keeper) -> None:
    large = os.urandom(3_000_000)
    keeper.keep(OLD, {"transactions.sql": b"INSERT", "files/large": large})
    assert archive(keeper.rescues, OLD) == {f"{OLD}/transactions.sql": b"INSERT", f"{OLD}/files/large": large}


def test_a_removed_rescue_is_gone_and_the_others_stay(keeper: Keeper) -> None:
    keeper.keep(OLD, {"files/a": b"1"}, {})
    keeper.keep(DATABASE, {"ibdata1": b"1"})
    keeper.rescues.remove(OLD)
    assert [each.id for each in keeper.rescues.entries()] == [DATABASE]
    with pytest.raises(NotFound):
        keeper.rescues.remove(OLD)


@pytest.mark.parametrize(
    "wrong",
    ["", ".", "..", "../store", "/etc", "20260102T030405Z-3/files", "20269999T999999Z-1", "20260102T030405Z-3.partial",
     "mysql", "other.aside-1", "mysql.aside-../x", "mirror-deleted-20260101T000000Z\n", "before-setup-*", "x" * 5000],
)  # fmt: skip
def test_what_is_no_rescue_is_neither_shown_nor_opened_nor_removed(keeper: Keeper, wrong: str) -> None:
    for act in (keeper.rescues.show, lambda each: archive(keeper.rescues, each), keeper.rescues.remove):
        with pytest.raises(NotFound) as caught:
            act(wrong)
        assert caught.value.code == "no-such-rescue"


def test_a_link_is_no_rescue(served: ServedKeeper, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").write_text("x")
    served.folder(OLD).symlink_to(tmp_path / "secret")
    assert served.rescues.entries() == []
    with pytest.raises(NotFound):
        served.rescues.show(OLD)


def test_a_download_keeps_modes_and_never_follows_links(served: ServedKeeper) -> None:
    served.keep(OLD, {"files/odd": b"1"})
    folder = served.folder(OLD)
    (folder / "files" / "odd").chmod(0o4600)
    (folder / "files" / "link").symlink_to("/etc/passwd")
    with served.rescues.open(OLD) as chunks:
        content = b"".join(chunks)
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as tar:
        members = {each.name: each for each in tar}
    assert members[f"{OLD}/files/odd"].mode == 0o4600
    assert members[f"{OLD}/files/link"].linkname == "/etc/passwd"


def test_the_space_of_a_removed_rescue_is_freed(served: ServedKeeper) -> None:
    served.keep(OLD, {"files/a": b"1"})
    served.keep(DATABASE, {"ibdata1": b"1"})
    served.rescues.remove(OLD)
    served.rescues.remove(DATABASE)
    parents = (served.settings.rescue_dir, served.settings.database_dir.parent)
    wait_for(lambda: not any(list(each.glob(".removed-*")) for each in parents), GONE_S, "free space")
    assert served.settings.database_dir.is_dir()


def test_a_report_that_cannot_be_read_is_a_failure_with_the_path(served: ServedKeeper) -> None:
    served.keep(OLD, {"report.json": b'{"transactions": {}}'})
    with pytest.raises(LocalFailure) as caught:
        served.rescues.show(OLD)
    assert caught.value.code == "rescue-unreadable"
    assert OLD in caught.value.detail


def test_without_the_service_the_rescues_are_unavailable(tmp_path: Path) -> None:
    with pytest.raises(LocalFailure) as caught:
        RemoteRescues(tmp_path).entries()
    assert caught.value.code == "rescues-unavailable"


def test_an_archive_that_breaks_off_is_noticed(served: ServedKeeper, monkeypatch: pytest.MonkeyPatch) -> None:
    served.keep(OLD, {"files/a": os.urandom(1_000_000)})
    monkeypatch.setattr(service.RescueService, "_send_archive", _send_half)
    with pytest.raises(LocalFailure, match="not whole"):
        archive(served.rescues, OLD)


def _send_half(self: RescueService, connection: Any, rescue_id: str) -> None:
    rootsocket.send_reply(connection, None)
    connection.sendall(service.LENGTH.pack(100) + b"only a part")


def test_a_reader_that_goes_away_ends_the_archive(served: ServedKeeper) -> None:
    served.keep(OLD, {"files/a": os.urandom(20_000_000)})
    for _ in range(2 * rootsocket.CONNECTIONS_MAX):
        with served.rescues.open(OLD) as chunks:
            assert next(chunks)
    assert served.rescues.entries()


@pytest.mark.parametrize(
    "line", [b"", b"{\n", b"[]\n", b'{"verb": "run", "id": "x"}\n', b'{"verb": "show", "id": 1}\n']
)
def test_a_request_that_is_none_is_refused(served: ServedKeeper, line: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(served.settings.run_dir / service.SOCKET))
        connection.sendall(line)
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as source:
            answer = json.loads(source.readline())
    assert answer["error"]["code"] == "bad-request"


def test_nobody_but_the_run_folders_group_reaches_the_service(served: ServedKeeper) -> None:
    path = served.settings.run_dir / service.SOCKET
    assert path.stat().st_mode & 0o777 == 0o660
    assert path.stat().st_gid == served.settings.run_dir.stat().st_gid
