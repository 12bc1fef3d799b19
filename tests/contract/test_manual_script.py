"""A script that moves a DNS name, ours and the manual's example as it stands, runs against a real BIND.

The manual's is tried where the environment variable HAPAIR_MANUAL names a file with the manual's text.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.manual import MANUAL_VARIABLE, examples, manual_path, script_in

PROJECT = Path(__file__).resolve().parents[2]
BOUND_S = 120
NO_MANUAL = f"{MANUAL_VARIABLE} names no text of the manual"
with_manual = pytest.mark.skipif(manual_path() is None, reason=NO_MANUAL)
PAGE = """Some page:

    Example script:

        #!/bin/bash

        if true; then
          exit 0
        fi

    TOP
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="it needs namespaces of its own, so root")
@pytest.mark.parametrize("which", ["own", pytest.param("manual", marks=with_manual)])
def test_a_script_moves_the_name_to_the_active_server(which: str) -> None:
    command = ["unshare", "--net", "--mount", "--uts", "--fork", "--kill-child", sys.executable]
    ended = subprocess.run(
        [*command, "-m", "tests.contract.nameserver", which], cwd=PROJECT, capture_output=True, text=True,
        timeout=BOUND_S,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    failover, offline, switch = json.loads(ended.stdout)
    assert (failover["exit_code"], failover["alias"]) == (0, "alpha"), failover["output"]
    assert (offline["exit_code"], offline["alias"]) == (0, "alpha"), offline["output"]
    assert (switch["exit_code"], switch["alias"]) == (0, "beta"), switch["output"]


@with_manual
def test_our_script_tells_the_name_server_what_the_manuals_tells_it() -> None:
    own, manual = (
        [
            command.replace(example.name, "NAME").replace(example.server, "SERVER").replace(example.domain, "ZONE")
            for command in example.commands
        ]
        for example in (examples()["own"], examples()["manual"])
    )
    assert [each.replace("$here", "$HOST") for each in own] == manual


def test_an_example_is_read_out_of_a_page_whole_and_without_what_stands_around_it() -> None:
    assert script_in(PAGE) == "#!/bin/bash\n\nif true; then\n  exit 0\nfi\n"
