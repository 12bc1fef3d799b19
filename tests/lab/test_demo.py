"""`make run` as its user sees it: it says where everything is, works, and leaves nothing behind after Ctrl-C."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys

import pytest

from tests.lab.control import running
from tests.lab.places import PROJECT
from tests.lab.servers import attach
from tests.lab.test_lab_itself import remains
from tests.waiting import wait_for

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]
END_S = 30.0


def test_the_demo_shows_a_stable_pair_with_content_until_ctrl_c() -> None:
    name = f"demo-{os.getpid()}"
    with subprocess.Popen(
        [sys.executable, "-m", "tests.lab", "demo", "--name", name], cwd=PROJECT, stdout=subprocess.PIPE, text=True
    ) as demo:
        assert demo.stdout is not None
        said = ""
        while "Ctrl-C ends" not in said:
            line = demo.stdout.readline()
            assert line, f"the demo ended early: {said}"
            said += line
        assert len(re.findall(r"console https://127\.0\.0\.1:\d+", said)) == 2
        servers = attach(name)
        assert servers.hosts["a"]["password"] in said
        assert servers.apis["b"].status()["status"] == "stable"
        count = int(running(name).check("b", "sh", "-c", "find /data/files -type f | wc -l"))
        assert count > 1000
        servers.close()
        demo.send_signal(signal.SIGINT)
        assert "Nothing is left." in demo.stdout.read()
        assert demo.wait(END_S) == 0
    wait_for(lambda: not remains(name), END_S, "the demo's end")
