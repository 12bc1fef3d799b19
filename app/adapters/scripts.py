"""The administrator's custom script, run by bash.

The script is over when bash is. Whatever it left running in its process group is then ended, and a script that takes
too long is ended with its whole group: TERM first, KILL after a grace time.
"""

from __future__ import annotations

import os
import selectors
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from app.core.errors import LocalFailure
from app.ports import ScriptResult

SCRIPT_NAME = "HAAdminAlertScript"
"""What the script sees as $0 (its base name)."""
GRACE_S = 5.0
"""Between TERM and KILL."""
OUTPUT_MAX = 64 * 1024
"""Bytes of output kept; the rest is read and dropped, so that the script never waits for us."""
POLL_S = 0.1
"""How often the end of bash is looked for while it writes nothing."""
CLEAN_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "USER": "root",
    "LOGNAME": "root",
    "SHELL": "/bin/bash",
    "LANG": "C.UTF-8",
}


class BashScripts:
    """Runs each script in an own folder that is removed afterwards."""

    def __init__(self, grace_s: float = GRACE_S) -> None:
        self._grace_s = grace_s

    def run(
        self, script: str, parameters: Sequence[str], environment: Mapping[str, str], timeout_s: float
    ) -> ScriptResult:
        started = time.monotonic()
        try:
            folder = Path(tempfile.mkdtemp(prefix="hapair-event-"))
            try:
                process = _start(folder, script, parameters, environment)
                output, in_time = self._follow(process, started + timeout_s)
            finally:
                shutil.rmtree(folder, ignore_errors=True)
        except OSError as error:
            raise LocalFailure(
                "script-not-started",
                "The Custom Script Could Not Be Started",
                detail=str(error),
                hint="Check free disk space and that /bin/bash exists.",
            ) from error
        return ScriptResult(
            exit_code=process.returncode if in_time else None,
            output=output.decode("utf-8", "replace"),
            duration_s=time.monotonic() - started,
        )

    def _follow(self, process: subprocess.Popen[bytes], deadline: float) -> tuple[bytes, bool]:
        """The output kept, and whether bash ended in time. The group is gone on return."""
        kept = bytearray()
        in_time = _read_until_end(process, kept, deadline)
        if not in_time:
            _signal_group(process, signal.SIGTERM)
            _read_until_end(process, kept, time.monotonic() + self._grace_s)
        _signal_group(process, signal.SIGKILL)
        process.wait()
        if process.stdout is not None:
            _take(process.stdout.fileno(), kept)
            process.stdout.close()
        return bytes(kept), in_time


def _start(
    folder: Path, script: str, parameters: Sequence[str], environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    path = folder / SCRIPT_NAME
    path.write_bytes(_bytes(script))
    path.chmod(0o700)
    variables = {**CLEAN_ENVIRONMENT, "TMPDIR": str(folder), **environment}
    process = subprocess.Popen(
        ["/bin/bash", str(path), *(_argument(each) for each in parameters)],
        cwd=folder,
        env={name: _argument(value) for name, value in variables.items()},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        umask=0o077,
    )
    if process.stdout is not None:
        os.set_blocking(process.stdout.fileno(), False)
    return process


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _argument(text: str) -> str:
    """The text as it can be handed to a program: without NUL and without half characters."""
    return _bytes(text.replace("\0", "")).decode("utf-8")


def _read_until_end(process: subprocess.Popen[bytes], kept: bytearray, deadline: float) -> bool:
    """Whether bash ended before the deadline; what it wrote meanwhile is kept up to the bound."""
    if process.stdout is None:
        return False
    descriptor = process.stdout.fileno()
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        reading = True
        while not _ended(process):
            remaining_s = deadline - time.monotonic()
            if remaining_s <= 0:
                return False
            if not reading:
                time.sleep(min(POLL_S, remaining_s))
            elif selector.select(min(POLL_S, remaining_s)):
                reading = _take(descriptor, kept)
    return True


def _ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether bash has ended. It is not reaped here: until its group was ended, no one else may get its number."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _take(descriptor: int, kept: bytearray) -> bool:
    """What can be read now is kept up to the bound; False once all writers have closed.

    Reads at most four times the bound in one go, so that a script that writes without end can't hold us here.
    """
    for _ in range(4):
        try:
            chunk = os.read(descriptor, OUTPUT_MAX)
        except BlockingIOError:
            return True
        if not chunk:
            return False
        kept.extend(chunk[: OUTPUT_MAX - len(kept)])
    return True


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Every process of the script's group got the signal; a group that is gone is fine."""
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return
