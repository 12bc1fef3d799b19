"""The mirror of dictionaries and the one of real trees over sshd and rsync alike."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.adapters.mirror import mirror as real_mirror
from app.adapters.mirror import tree
from app.core.errors import PeerRefused, PeerUnreachable
from app.core.roles import Role
from app.ports import Mirror
from tests.contract.peer_servers import PeerServers
from tests.fakes import mirror as fake_mirror
from tests.fakes.mirror import FakeMirror


class FakeTrees:
    """Two fakes behind the same hands as two real servers."""

    def __init__(self) -> None:
        self.here, self.there = FakeMirror(), FakeMirror()
        self.here.peer = self.there
        self.mirror: Mirror = self.here
        self.other: Mirror = self.there
        self.there.term = 1

    def write(self, path: str, content: bytes) -> None:
        self.here.write(path, content)

    def remove(self, path: str) -> None:
        self.here.remove(path)

    def write_there(self, path: str, content: bytes) -> None:
        self.there.files[path] = content

    def trees(self) -> tuple[dict[str, bytes], dict[str, bytes]]:
        return self.here.files, self.there.files

    def rescued(self) -> set[str]:
        return set(self.there.deleted)

    def kept(self, name: str) -> dict[str, bytes]:
        return self.there.replaced.get(name, {})

    def go_away(self) -> None:
        self.here.reachable = False

    def come_back(self) -> None:
        self.here.reachable = True

    def learn_term(self, term: int) -> None:
        self.there.term = term

    def become_primary(self) -> None:
        self.there.receives = False

    def close(self) -> None:
        """Nothing to close."""


class RealTrees:
    """Alpha pushes to beta, whose sshd runs."""

    def __init__(self) -> None:
        self.servers = PeerServers()
        self.here, self.there = self.servers.a.files, self.servers.b.files
        self.mirror: Mirror = self.servers.a.mirror
        self.other: Mirror = self.servers.b.mirror
        self.servers.start()

    def write(self, path: str, content: bytes) -> None:
        (self.here / path).parent.mkdir(parents=True, exist_ok=True)
        (self.here / path).write_bytes(content)

    def remove(self, path: str) -> None:
        (self.here / path).unlink()

    def write_there(self, path: str, content: bytes) -> None:
        (self.there / path).parent.mkdir(parents=True, exist_ok=True)
        (self.there / path).write_bytes(content)

    def trees(self) -> tuple[dict[str, bytes], dict[str, bytes]]:
        return contents(self.here), contents(self.there)

    def rescued(self) -> set[str]:
        folders = self.servers.b.settings.rescue_dir.glob("mirror-deleted-*")
        return {name for folder in folders for name in contents(folder)}

    def kept(self, name: str) -> dict[str, bytes]:
        """By path; what the first batch has replaced wins."""
        folders = sorted((self.servers.b.settings.rescue_dir / name).glob("files*"), reverse=True)
        return {path: content for folder in folders for path, content in contents(folder).items()}

    def go_away(self) -> None:
        self.servers.b.stop()

    def come_back(self) -> None:
        self.servers.b.start()

    def learn_term(self, term: int) -> None:
        self.servers.b.store.change_state(lambda state: replace(state, term=term))

    def become_primary(self) -> None:
        self.servers.b.store.change_state(lambda state: replace(state, role=Role.PRIMARY))

    def close(self) -> None:
        self.servers.close()


def contents(root: Path) -> dict[str, bytes]:
    """Every regular file below the root."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


@pytest.fixture(params=["fake", "real"])
def pair(request: pytest.FixtureRequest) -> Iterator[FakeTrees | RealTrees]:
    made = FakeTrees() if request.param == "fake" else RealTrees()
    yield made
    made.close()


@pytest.fixture
def watched(pair: FakeTrees | RealTrees) -> FakeTrees | RealTrees:
    """A pair whose trees are the same and watched."""
    pair.write("kept/one", b"1")
    pair.mirror.watch()
    pair.mirror.push(1, full=True)
    assert pair.mirror.pending() == 0
    return pair


def same(pair: FakeTrees | RealTrees) -> None:
    here, there = pair.trees()
    assert there == here


def test_a_full_push_makes_the_trees_the_same(pair: FakeTrees | RealTrees) -> None:
    pair.write("a/b/c", b"hello")
    pair.write("d", b"")
    pair.write_there("d", b"old")
    seen: list[tuple[int, int | None]] = []
    report = pair.mirror.push(1, full=True, progress=lambda done, total: seen.append((done, total)))
    same(pair)
    assert (report.files, report.bytes, report.complete) == (2, 5, True)
    assert seen[-1][1] == 5


def test_changes_are_counted_and_pushed(watched: FakeTrees | RealTrees) -> None:
    watched.write("kept/one", b"2")
    watched.write("new/two", b"22")
    watched.remove("kept/one")
    assert watched.mirror.pending() >= 2
    report = watched.mirror.push(1, full=False)
    assert (report.files, report.deleted) == (1, 1)
    assert watched.mirror.pending() == 0
    same(watched)


def test_a_push_without_changes_sends_nothing(watched: FakeTrees | RealTrees) -> None:
    report = watched.mirror.push(1, full=False)
    assert (report.files, report.bytes, report.deleted, report.complete) == (0, 0, 0, True)


def test_a_new_watch_asks_for_a_full_pass(pair: FakeTrees | RealTrees) -> None:
    pair.write("before", b"x")
    pair.mirror.watch()
    pair.mirror.watch()
    assert pair.mirror.pending() == 1
    pair.mirror.push(1, full=False)
    same(pair)
    assert pair.mirror.pending() == 0


def test_without_a_watch_nothing_is_collected(watched: FakeTrees | RealTrees) -> None:
    watched.mirror.unwatch()
    watched.mirror.unwatch()
    watched.write("later", b"x")
    assert watched.mirror.pending() == 0


def test_changes_stay_on_the_list_while_the_peer_is_away(watched: FakeTrees | RealTrees) -> None:
    watched.go_away()
    watched.write("two", b"2")
    with pytest.raises(PeerUnreachable):
        watched.mirror.push(1, full=False)
    assert watched.mirror.pending() == 1
    watched.come_back()
    watched.mirror.push(1, full=False)
    same(watched)


def test_a_batch_of_an_old_term_is_refused(watched: FakeTrees | RealTrees) -> None:
    watched.learn_term(5)
    watched.write("two", b"2")
    for full in (False, True):
        with pytest.raises(PeerRefused) as refused:
            watched.mirror.push(4, full=full)
        assert refused.value.code == "stale-term"
    assert "two" not in watched.trees()[1]
    assert watched.mirror.pending() == 1
    watched.mirror.push(5, full=False)
    watched.write("three", b"3")
    watched.mirror.push(6, full=False)
    same(watched)


def test_a_primary_receives_nothing(watched: FakeTrees | RealTrees) -> None:
    watched.become_primary()
    watched.write("two", b"2")
    with pytest.raises(PeerRefused) as refused:
        watched.mirror.push(9, full=False)
    assert refused.value.code == "not-secondary"
    assert "two" not in watched.trees()[1]


def test_what_a_first_full_pass_overwrites_or_deletes_is_kept_and_later_changes_are_not(
    watched: FakeTrees | RealTrees,
) -> None:
    watched.write("both", b"the sender's")
    watched.write("same", b"same")
    watched.write_there("both", b"the receiver's own")
    watched.write_there("only/there", b"stray")
    watched.other.keep_replaced("20260102T030405Z-3")
    watched.mirror.push(1, full=True)
    assert watched.trees()[1] == watched.trees()[0]
    assert watched.kept("20260102T030405Z-3") == {"both": b"the receiver's own", "only/there": b"stray"}
    watched.write("both", b"an ordinary change")
    watched.mirror.push(1, full=False)
    watched.write("same", b"another ordinary change")
    watched.mirror.push(1, full=True)
    assert watched.kept("20260102T030405Z-3") == {"both": b"the receiver's own", "only/there": b"stray"}


def test_what_was_replaced_before_the_pass_broke_off_stays_as_it_was_at_first(
    watched: FakeTrees | RealTrees,
) -> None:
    watched.write("both", b"the sender's first")
    watched.write_there("both", b"the receiver's own")
    watched.other.keep_replaced("20260102T030405Z-3")
    watched.mirror.push(1, full=False)
    watched.write("both", b"the sender's second")
    watched.mirror.push(1, full=True)
    assert b"the receiver's own" in watched.kept("20260102T030405Z-3").values()


def test_strays_at_the_receiver_go_into_its_rescue_folder(watched: FakeTrees | RealTrees) -> None:
    watched.write_there("stray/file", b"only here")
    report = watched.mirror.push(1, full=True)
    same(watched)
    assert report.deleted >= 1
    assert watched.rescued() == {"stray/file"}


def test_a_full_pass_does_not_delete_most_of_the_tree_unasked(
    watched: FakeTrees | RealTrees, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(real_mirror, "MASS_DELETE_FILES", 10)
    monkeypatch.setattr(fake_mirror, "MASS_DELETE_FILES", 10)
    for number in range(12):
        watched.write_there(f"stray{number}", b"x")
    with pytest.raises(PeerRefused) as refused:
        watched.mirror.push(1, full=True)
    assert refused.value.code == "mass-delete"
    assert len(watched.trees()[1]) == 13
    watched.mirror.push(1, full=True, allow_mass_delete=True)
    same(watched)
    assert len(watched.rescued()) == 12


def test_the_size_counts_files_and_bytes(pair: FakeTrees | RealTrees) -> None:
    assert pair.mirror.size() == (0, 0)
    pair.write("a", b"123")
    pair.write("b/c", b"4567")
    assert pair.mirror.size() == (2, 7)


def test_an_own_tree_is_put_aside_and_back(pair: FakeTrees | RealTrees) -> None:
    pair.write("own/file", b"mine")
    path = pair.mirror.move_aside("before-setup-1")
    assert pair.mirror.size() == (0, 0)
    assert pair.mirror.move_aside("before-setup-1") == path
    pair.write("received", b"theirs")
    pair.mirror.move_back("before-setup-1")
    pair.mirror.move_back("before-setup-1")
    assert pair.trees()[0] == {"own/file": b"mine"}


def test_a_second_move_aside_does_not_touch_what_came_since(pair: FakeTrees | RealTrees) -> None:
    pair.write("own", b"mine")
    pair.mirror.move_aside("name")
    pair.write("received", b"theirs")
    pair.mirror.move_aside("name")
    assert pair.trees()[0] == {"received": b"theirs"}


def test_a_move_that_was_broken_off_is_finished(tmp_path: Path) -> None:
    """Half of the files have gone already when it is started again."""
    root, rescue = tmp_path / "files", tmp_path / "rescue"
    (root / "left").mkdir(parents=True)
    (root / "left" / "file").write_text("x")
    (rescue / "name.partial" / "gone").mkdir(parents=True)
    tree.move_aside(root, rescue, "name")
    assert sorted(path.name for path in (rescue / "name").iterdir()) == ["gone", "left"]
    assert list(root.iterdir()) == []
    shutil.rmtree(rescue)
