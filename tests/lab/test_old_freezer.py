"""The lab on a machine that has no unified control group hierarchy, only the old freezer."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.lab.places import PROJECT

pytestmark = pytest.mark.lab
UNKNOWN = 77
"""Exit code where the kernel has no such hierarchy."""
ONLY_THE_OLD_ONE = f"""
for each in $(awk '$3 == "cgroup2" {{ print $2 }}' /proc/self/mounts); do umount --lazy "$each" || exit; done
if ! awk '$3 == "cgroup"' /proc/self/mounts | grep -qw freezer; then
    mount -t tmpfs old /sys/fs/cgroup && mkdir /sys/fs/cgroup/freezer || exit
    mount -t cgroup -o freezer old /sys/fs/cgroup/freezer || exit {UNKNOWN}
fi
exec "$@"
"""
TESTS = (
    "test_a_paused_host_stands_still_and_still_answers_pings",
    "test_a_power_cut_loses_what_was_not_synced_and_nothing_else",
)
RUN_S = 120.0


def test_hosts_are_paused_and_lose_their_power_with_the_old_freezer() -> None:
    tests = [f"tests/lab/test_lab_itself.py::{name}" for name in TESTS]
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", ONLY_THE_OLD_ONE, "sh", sys.executable, "-m", "pytest", "-q", *tests],
        cwd=PROJECT, capture_output=True, text=True, timeout=RUN_S,
    )  # fmt: skip
    if done.returncode == UNKNOWN:
        pytest.skip("this kernel has no old freezer hierarchy")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(TESTS)} passed" in done.stdout
