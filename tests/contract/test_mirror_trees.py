"""What file mirrors get wrong: each case on real trees, watched by the kernel and pushed by rsync over sshd."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import struct
from pathlib import Path

import pytest

from tests.contract.trees import Trees

OLD = 1_600_000_000_123_456_789
"""A time in ns with a part below the second."""


def test_the_watch_works_on_this_file_system(trees: Trees) -> None:
    trees.begin()
    assert trees.mirror.trouble() == ""


def test_a_change_of_the_same_size_in_the_same_second_arrives(trees: Trees) -> None:
    path = trees.here / "file"
    path.write_bytes(b"old!")
    os.utime(path, ns=(OLD, OLD))
    trees.begin()
    path.write_bytes(b"new!")
    os.utime(path, ns=(OLD, OLD))
    trees.push()
    assert (trees.there / "file").read_bytes() == b"new!"


def test_a_file_renamed_over_one_of_the_same_size_and_time_arrives(trees: Trees) -> None:
    for name, content in (("one", b"1111"), ("two", b"2222")):
        (trees.here / name).write_bytes(content)
        os.utime(trees.here / name, ns=(OLD, OLD))
    trees.begin()
    (trees.here / "two").rename(trees.here / "one")
    trees.push()
    assert (trees.there / "one").read_bytes() == b"2222"


def test_two_files_that_change_names_arrive(trees: Trees) -> None:
    (trees.here / "one").write_bytes(b"1111")
    (trees.here / "two").write_bytes(b"2222")
    trees.begin()
    (trees.here / "one").rename(trees.here / "x")
    (trees.here / "two").rename(trees.here / "one")
    (trees.here / "x").rename(trees.here / "two")
    trees.push()


def test_a_truncated_and_a_grown_file_arrive(trees: Trees) -> None:
    (trees.here / "log").write_bytes(os.urandom(300_000))
    (trees.here / "short").write_bytes(os.urandom(300_000))
    trees.begin()
    with (trees.here / "log").open("ab") as file:
        file.write(b"more")
    os.truncate(trees.here / "short", 10)
    trees.push()


def test_files_in_freshly_made_nested_folders_all_arrive(trees: Trees) -> None:
    trees.begin()
    for number in range(200):
        folder = trees.here / f"n{number}" / "a" / "b" / "c"
        folder.mkdir(parents=True)
        (folder / "file").write_bytes(b"%d" % number)
    assert trees.push().files == 200


def test_a_folder_moved_in_from_outside_arrives_whole(trees: Trees) -> None:
    (trees.outside / "sub" / "deep").mkdir(parents=True)
    (trees.outside / "sub" / "deep" / "file").write_text("x")
    trees.begin()
    (trees.outside / "sub").rename(trees.here / "sub")
    trees.push()
    (trees.here / "sub" / "deep" / "later").write_text("y")
    trees.push()


def test_a_folder_that_was_ignored_outside_is_heeded_inside(trees: Trees) -> None:
    """Folders outside the tree are told to be silent; the one that moves in must not stay so."""
    (trees.outside / "busy").mkdir()
    trees.begin()
    for number in range(3):
        (trees.outside / "busy" / f"{number}").write_text("x")
        assert trees.mirror.pending() == 0
    (trees.outside / "busy").rename(trees.here / "busy")
    trees.push()
    (trees.here / "busy" / "new").write_text("y")
    (trees.here / "busy" / "0").write_text("z")
    assert trees.mirror.pending() == 2
    trees.push()


def test_a_folder_moved_within_the_tree_moves_there_too(trees: Trees) -> None:
    (trees.here / "old" / "sub").mkdir(parents=True)
    (trees.here / "old" / "sub" / "file").write_text("x")
    trees.begin()
    (trees.here / "old").rename(trees.here / "new")
    (trees.here / "new" / "sub" / "file").write_text("changed")
    (trees.here / "new" / "sub" / "second").write_text("y")
    trees.push()


def test_a_folder_moved_out_is_gone_there(trees: Trees) -> None:
    (trees.here / "sub" / "deep").mkdir(parents=True)
    (trees.here / "sub" / "deep" / "file").write_text("x")
    trees.begin()
    (trees.here / "sub").rename(trees.outside / "sub")
    (trees.outside / "sub" / "deep" / "file").write_text("not ours")
    trees.push()
    assert not (trees.there / "sub").exists()


def test_what_was_made_and_removed_again_is_not_there(trees: Trees) -> None:
    trees.begin()
    (trees.here / "a" / "b" / "c").mkdir(parents=True)
    (trees.here / "a" / "b" / "c" / "file").write_text("x")
    shutil.rmtree(trees.here / "a")
    (trees.here / "stays").write_text("y")
    trees.push()


def test_a_removed_tree_of_folders_is_removed_there(trees: Trees) -> None:
    for number in range(20):
        (trees.here / "top" / f"{number}" / "deep").mkdir(parents=True)
        (trees.here / "top" / f"{number}" / "deep" / "file").write_text("x")
    trees.begin()
    shutil.rmtree(trees.here / "top")
    trees.push()


@pytest.mark.parametrize("full", [False, True])
def test_files_folders_and_links_may_take_each_others_places(trees: Trees, full: bool) -> None:
    (trees.here / "folder-to-file" / "deep").mkdir(parents=True)
    (trees.here / "folder-to-file" / "deep" / "x").write_text("x")
    (trees.here / "folder-to-link").mkdir()
    (trees.here / "folder-to-link" / "x").write_text("x")
    (trees.here / "file-to-folder").write_text("x")
    (trees.here / "link-to-folder").symlink_to("folder-to-file")
    trees.begin()
    shutil.rmtree(trees.here / "folder-to-file")
    (trees.here / "folder-to-file").write_text("now a file")
    shutil.rmtree(trees.here / "folder-to-link")
    (trees.here / "folder-to-link").symlink_to(trees.outside)
    (trees.outside / "x").write_text("not ours")
    (trees.here / "file-to-folder").unlink()
    (trees.here / "file-to-folder").mkdir()
    (trees.here / "file-to-folder" / "y").write_text("y")
    (trees.here / "link-to-folder").unlink()
    (trees.here / "link-to-folder").mkdir()
    if full:
        trees.mirror.push(1, full=True)
        trees.same()
    else:
        trees.push()


def test_owners_modes_times_and_kinds_arrive(trees: Trees) -> None:
    trees.begin()
    for number, mode in enumerate((0o000, 0o4755, 0o2711, 0o1666, 0o640)):
        path = trees.here / f"file{number}"
        path.write_text("x")
        os.chown(path, 1000 + number, 2000 + number)
        path.chmod(mode)
        os.utime(path, ns=(OLD, OLD + number))
    (trees.here / "dangling").symlink_to("/nowhere")
    os.lchown(trees.here / "dangling", 1234, 5678)
    os.mkfifo(trees.here / "pipe", 0o600)
    (trees.here / "empty").mkdir(mode=0o1777)
    os.mknod(trees.here / "device", 0o600 | stat.S_IFCHR, os.makedev(1, 3))
    trees.push()


def test_a_change_of_attributes_alone_arrives(trees: Trees) -> None:
    path = trees.here / "file"
    path.write_bytes(os.urandom(100_000))
    (trees.here / "folder").mkdir()
    trees.begin()
    path.chmod(0o600)
    os.chown(path, 4, 5)
    (trees.here / "folder").chmod(0o711)
    report = trees.push()
    assert report.bytes == 0
    os.setxattr(path, "user.note", b"x")
    trees.push()
    trees.here.chmod(0o750)
    trees.mirror.push(1, full=False)
    assert stat.S_IMODE(trees.there.stat().st_mode) == 0o750
    trees.here.chmod(0o755)


def test_extended_attributes_and_access_lists_arrive(trees: Trees) -> None:
    trees.begin()
    path = trees.here / "file"
    path.write_text("x")
    os.setxattr(path, "user.origin", b"somewhere\0else")
    try:
        os.setxattr(path, "system.posix_acl_access", access_list())
    except OSError as error:
        if error.errno != errno.EOPNOTSUPP:
            raise
        pytest.skip("this file system has no access lists")
    trees.push()


def access_list() -> bytes:
    """rw for the owner, r for user 1234, r for the group and the mask, nothing for others."""
    undefined = 0xFFFFFFFF
    entries = [(1, 6, undefined), (2, 4, 1234), (4, 4, undefined), (16, 4, undefined), (32, 0, undefined)]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *each) for each in entries)


def test_hard_links_arrive_as_hard_links(trees: Trees) -> None:
    (trees.here / "one").write_text("x")
    trees.begin()
    (trees.here / "sub").mkdir()
    os.link(trees.here / "one", trees.here / "sub" / "two")
    trees.push()
    assert (trees.there / "one").stat().st_nlink == 2


def test_a_change_through_one_name_of_a_file_reaches_all_its_names(trees: Trees) -> None:
    (trees.here / "one").write_text("x")
    os.link(trees.here / "one", trees.here / "two")
    trees.begin()
    with (trees.here / "two").open("a") as file:
        file.write("more")
    trees.push()
    (trees.here / "two").unlink()
    trees.push()


def test_a_sparse_file_stays_sparse(trees: Trees) -> None:
    trees.begin()
    with (trees.here / "sparse").open("wb") as file:
        file.seek(50_000_000)
        file.write(b"end")
    trees.push()
    assert (trees.there / "sparse").stat().st_blocks * 512 < 1_000_000


NAMES = [
    b"new\nline", b"tab\t", b"-rf", b"--delete", b"#comment", b";semi", b" lead", b"trail ", b"*", b"[x]", b"a\\b",
    b"\xff\xfe", "ünï".encode(), b"'quote'", b'"double"', b"$(id)", b"..x", b"...", b"x" * 255, b"\\#012", b":colon",
    b"+ x",
]  # fmt: skip


def test_odd_names_arrive_and_go(trees: Trees) -> None:
    trees.begin()
    base = os.fsencode(trees.here)
    for name in NAMES:
        Path(os.fsdecode(base + b"/" + name)).write_bytes(name)
        folder = Path(os.fsdecode(base + b"/folder/" + name))
        folder.mkdir(parents=True)
        (folder / os.fsdecode(name)).write_bytes(name)
    trees.push()
    for name in NAMES:
        Path(os.fsdecode(base + b"/" + name)).unlink()
        shutil.rmtree(Path(os.fsdecode(base + b"/folder/" + name)))
    trees.push()


def test_a_full_pass_finds_a_silent_difference_by_checksum(trees: Trees) -> None:
    (trees.here / "file").write_bytes(b"right")
    trees.begin()
    status = (trees.there / "file").stat()
    (trees.there / "file").write_bytes(b"wrong")
    os.utime(trees.there / "file", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert trees.mirror.push(1, full=True).files == 0
    assert trees.mirror.push(1, full=True, verify=True).files == 1
    trees.same()


def test_a_full_pass_sees_a_difference_below_the_second(trees: Trees) -> None:
    (trees.here / "file").write_bytes(b"right")
    os.utime(trees.here / "file", ns=(OLD, OLD))
    trees.begin()
    (trees.there / "file").write_bytes(b"wrong")
    os.utime(trees.there / "file", ns=(OLD, OLD + 1))
    trees.mirror.push(1, full=True)
    trees.same()
