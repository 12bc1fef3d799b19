"""Asking for a lab and speaking with its keeper."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.lab.disk import DEFAULT_GIB
from tests.lab.host import inside_command, missing_programs
from tests.lab.places import PROJECT, LabError, Places, alone, is_alive, places, take_lock
from tests.lab.removal import remove_remains, sweep

Json = dict[str, Any]
REPLY_TIMEOUT_S = 60.0
END_TIMEOUT_S = 30.0
EXEC_TIMEOUT_S = 120.0
POLL_S = 0.02


class Lab:
    """A running lab, spoken to through its keeper."""

    def __init__(self, lab: Places, keeper: subprocess.Popen[str] | None = None) -> None:
        self.places = lab
        self._keeper = keeper
        """The keeper's process, where this process started it."""

    @property
    def name(self) -> str:
        return self.places.name

    def ask(self, do: str, **body: Any) -> Any:
        """The keeper's result. Raises LabError with its reason."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(REPLY_TIMEOUT_S)
                connection.connect(str(self.places.socket))
                connection.sendall(json.dumps({"do": do, **body}).encode() + b"\n")
                with connection.makefile() as source:
                    reply = json.loads(source.readline() or "{}")
        except (FileNotFoundError, ConnectionError) as error:
            raise LabError(f"no lab {self.name} runs; `up --name {self.name}` starts one.") from error
        if not reply.get("ok"):
            raise LabError(reply.get("error", "the lab's keeper ended without an answer."))
        return reply["result"]

    def exec_command(self, host: str, arguments: Sequence[str]) -> list[str]:
        """What runs the command inside the host, as root."""
        found = self.ask("inside", host=host)
        return inside_command(found["pid"], Path(found["members"]), arguments)

    def run(
        self, host: str, *arguments: str, given: str | None = None, timeout_s: float = EXEC_TIMEOUT_S
    ) -> subprocess.CompletedProcess[str]:
        """The command's exit code and output."""
        command = self.exec_command(host, arguments)
        return subprocess.run(command, input=given, capture_output=True, text=True, timeout=timeout_s)

    def check(self, host: str, *arguments: str, given: str | None = None, timeout_s: float = EXEC_TIMEOUT_S) -> str:
        """What the command printed. Raises LabError when it fails."""
        done = self.run(host, *arguments, given=given, timeout_s=timeout_s)
        if done.returncode != 0:
            complaint = (done.stderr or done.stdout).strip()
            raise LabError(f"on {host}: `{' '.join(arguments)}` failed ({done.returncode}): {complaint}")
        return done.stdout

    def fault(self, kind: str, *arguments: str) -> None:
        """The fault has been made."""
        self.ask("fault", kind=kind, arguments=arguments)

    def release(self) -> None:
        """The lab stays when the process that started it ends."""
        self.ask("release")

    def down(self) -> None:
        """Nothing of the lab is left."""
        if is_alive(self.places):
            self.ask("down")
            self._await_end()
        if self._keeper is not None:
            self._keeper.wait(END_TIMEOUT_S)
        if self.places.folder.exists():
            remove_remains(self.places)

    def _await_end(self) -> None:
        deadline = time.monotonic() + END_TIMEOUT_S
        while is_alive(self.places):
            if time.monotonic() > deadline:
                raise LabError(f"the keeper of lab {self.name} does not end; {self.places.log} may say why.")
            time.sleep(POLL_S)


def start(name: str, *, topology: str = "same", disk_gib: int = DEFAULT_GIB, owner: int | None = None) -> Lab:
    """A new lab with both hosts booted and no service running. It dies with `owner` (this process unless given)
    until it is released. Raises LabError where a lab can't run, or one with that name runs already."""
    check_machine()
    sweep()
    lab = places(name)
    with alone():
        try:
            lab.folder.mkdir(mode=0o755)
        except FileExistsError:
            raise LabError(f"a lab {name} runs already; `down --name {name}` ends it.") from None
        lock = take_lock(lab.lock)
    if lock is None:
        raise LabError(f"a lab {name} is being removed; try again.")
    command = [
        *(sys.executable, "-m", "tests.lab.keeper", "--name", name, "--topology", topology),
        *("--disk-gib", str(disk_gib), "--owner", str(owner or os.getpid()), "--lock", str(lock)),
    ]
    environment = {**os.environ, "TMPDIR": tempfile.gettempdir()}
    with lab.log.open("ab") as log:
        keeper = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=PROJECT,
            env=environment,
            pass_fds=(lock,),
            start_new_session=True,
        )
    os.close(lock)
    assert keeper.stdout is not None
    with keeper.stdout as answer:
        said = answer.readline().strip()
    if said != "ready":
        keeper.wait(timeout=END_TIMEOUT_S)
        raise LabError(f"the lab could not be built: {said or 'its keeper ended without a word'}")
    return Lab(lab, keeper)


def running(name: str) -> Lab:
    """The lab with that name. Raises LabError where none runs."""
    lab = places(name)
    if not is_alive(lab):
        raise LabError(f"no lab {name} runs; `up --name {name}` starts one.")
    return Lab(lab)


def check_machine() -> None:
    """Raises LabError naming what this machine lacks for a lab."""
    if os.geteuid() != 0:
        raise LabError("the lab makes network namespaces and mounts, which needs root; run it with sudo.")
    if missing := missing_programs():
        raise LabError(f"these programs are missing: {', '.join(missing)}; `make setup` installs them.")
    if "overlay" not in Path("/proc/filesystems").read_text() and shutil.which("modprobe") is None:
        raise LabError("this kernel has no overlay file system, which the hosts' root is made of.")
