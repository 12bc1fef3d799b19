"""The mirrored tree, with files that nobody here made up: documentation and a library, links and odd modes included."""

from __future__ import annotations

import subprocess

import pytest

from tests.lab.acts import change_role, other, primary_of, wait_stable
from tests.lab.load import copy_trees
from tests.lab.servers import Servers
from tests.waiting import wait_for

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]
ARRIVE_S = 120.0
COMPARE_S = 60.0
POLL_S = 1.0


def differences(servers: Servers) -> list[str]:
    """What differs between the two trees: content, names, types, modes, owners, times, links."""
    trees = [servers.hosts[host]["files"] + "/" for host in (primary_of(servers), other(primary_of(servers)))]
    command = ["rsync", "--archive", "--hard-links", "--checksum", "--delete", "--dry-run", "--itemize-changes", *trees]
    done = subprocess.run(command, capture_output=True, text=True, timeout=COMPARE_S)
    if done.returncode != 0:
        return [done.stderr]
    # Whatever hapair keeps for itself in the tree's root may touch the root's own time.
    return [line for line in done.stdout.splitlines() if not line.endswith(" ./")]


def wait_alike(servers: Servers) -> None:
    """Both trees are the same."""
    seen: list[str] = []

    def alike() -> bool:
        seen[:] = differences(servers)[:10]
        return not seen

    try:
        wait_for(alike, ARRIVE_S, "equal trees", POLL_S)
    except AssertionError as error:
        raise AssertionError(f"{error}; they differ in {seen}") from error


def test_tens_of_thousands_of_real_files_arrive_and_so_does_every_kind_of_change(pair: Servers) -> None:
    primary = primary_of(pair)
    copy_trees(pair.lab, primary)
    wait_alike(pair)
    assert int(pair.lab.check(other(primary), "sh", "-c", "find /data/files -type f | wc -l")) > 1000
    changes = (
        "cd /data/files/doc && rm -r $(ls | head -n 20) && mkdir -p new/deep/er && date > new/deep/er/file"
        " && ln new/deep/er/file new/hard && ln -s nowhere new/soft && chmod 4711 new/hard && mv new renamed"
        " && truncate -s 1M renamed/sparse && printf 'one' > renamed/same && sync"
    )
    pair.lab.check(primary, "sh", "-c", changes)
    wait_alike(pair)
    # The same size within the same second, which a comparison by size and time alone would miss.
    pair.lab.check(primary, "sh", "-c", "cd /data/files/doc/renamed && printf 'two' > copy && mv copy same")
    wait_alike(pair)


def test_the_direction_of_the_mirror_turns_with_the_roles(pair: Servers) -> None:
    old = primary_of(pair)
    new = other(old)
    pair.lab.check(old, "sh", "-c", "echo before > /data/files/turning")
    change_role(pair, old, "secondary")
    wait_stable(pair, new)
    assert pair.lab.check(new, "cat", "/data/files/turning") == "before\n"
    pair.lab.check(new, "sh", "-c", "echo after > /data/files/turning && echo more > /data/files/added")
    wait_for(
        lambda: pair.lab.run(old, "cat", "/data/files/turning", "/data/files/added").stdout == "after\nmore\n",
        ARRIVE_S,
        "the new primary's files on the old one",
    )
