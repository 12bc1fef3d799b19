"""The sending end of the mirror: rsync over OpenSSH, on one SSH connection that is kept between batches."""

from __future__ import annotations

import os
import re
import select
import shlex
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from app.adapters.keys import HOST_ALIAS
from app.adapters.mirror.tree import OWN_NAMES
from app.adapters.peer.connection import resolve
from app.adapters.peer.openssh import CONNECT_TIMEOUT_S, checked_address, ssh_options, stream_error
from app.core.errors import LocalFailure, PeerRefused, PeerUnreachable
from app.core.state import PeerIdentity
from app.ports import Progress
from app.settings import Settings

STALL_S = 30
"""rsync gives up when nothing has moved for so long."""
NANOSECONDS = "--modify-window=-1"
"""Times are compared to the last digit; else those of links made in the same second would not even be set."""
END_WITH_PARENT = ("setpriv", "--pdeathsig", "TERM", "--")
"""A monitor that is killed must not leave a connection of its own behind."""
END_S = 5.0
SILENCE_S = 45.0
"""rsync is ended when it has neither printed, nor read, nor written for so long. Its own bound does not hold while it
waits for the other end to finish."""
LOOK_EVERY_S = 1.0
POLL_S = 0.01
OUTPUT_CHUNK_BYTES = 64 * 1024
_VANISHED = 24
"""rsync's exit code where files were deleted under way. Their deletion is a change of its own: nothing is missing."""
_INCOMPLETE = 23
"""rsync's exit code where some files could not be sent."""
_BROKEN = frozenset({5, 10, 12, 30, 35, 255})
"""rsync's (and ssh's) exit codes where the connection is at fault."""
_VANISHED_LATE = re.compile(r"^rsync: \[sender\] (?!change_dir).*: No such file or directory \(2\)$")
"""What rsync complains of, as if it were a failure, where an entry vanished after it was listed."""
_SUMMARY = "rsync error: some files/attrs were not transferred"
_STATISTIC = re.compile(r"^(Number of [a-z ]+|Total transferred file size): ([0-9]+)", re.MULTILINE)
_PROGRESS = re.compile(rb"\s([0-9]+)\s+[0-9]+%")


@dataclass(frozen=True)
class Outcome:
    """What rsync said about a pass that got through."""

    files: int
    """All entries of the tree or list that were compared."""
    created: int
    deleted: int
    transferred: int
    transferred_bytes: int
    complete: bool
    detail: str


class Sender:
    """Runs rsync towards the peer. Used by one thread at a time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._socket = settings.run_dir / f"mirror-{os.getpid()}.ssh"
        self._connection: subprocess.Popen[bytes] | None = None
        self._connected_to: PeerIdentity | None = None
        self._host = ""

    def run(
        self,
        peer: PeerIdentity,
        term: int,
        options: list[str],
        *,
        paths: bytes | None = None,
        progress: Progress | None = None,
        total: int | None = None,
    ) -> Outcome:
        """One pass of rsync; `paths` (each ended by NUL) in place of the whole tree.

        Raises PeerUnreachable, PeerRefused or LocalFailure (code `mirror-failed`).
        """
        self._connect(peer)
        excludes = [f"--exclude=/{name}" for name in OWN_NAMES]
        command = [
            "rsync",
            "-aHAXS",
            "--numeric-ids",
            NANOSECONDS,
            "--stats",
            "--no-human-readable",
            f"--timeout={STALL_S}",
        ]
        command += [*excludes, *options, *(["--info=progress2"] if progress else [])]
        command += [f"--rsync-path=receive-files {term}", "-e", shlex.join(self._ssh())]
        command += [*(["--files-from=-", "--from0"] if paths is not None else []), "./", f"{HOST_ALIAS}:files"]
        with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as errors:
            source.write(paths or b"")
            source.seek(0)
            environment = {**os.environ, "LC_ALL": "C"}
            with subprocess.Popen(
                command,
                cwd=self._settings.files_dir,
                env=environment,
                stdin=source,
                stdout=subprocess.PIPE,
                stderr=errors,
            ) as process:
                output = _read_output(process, progress, total)
            if output is None:
                self.close()
                raise _stalled(peer.address)
            errors.seek(0)
            return self._outcome(process.returncode, output, errors.read().decode("utf-8", "replace"), peer.address)

    def _outcome(self, code: int, output: str, errors: str, address: str) -> Outcome:
        if code not in (0, _VANISHED, _INCOMPLETE):
            error = stream_error(errors, address)
            if isinstance(error, PeerRefused):
                raise error
            if code in _BROKEN:
                self.close()
                raise error
            raise LocalFailure(
                "mirror-failed",
                "The File Mirror Failed",
                detail=f"rsync ended with code {code}: {_last_lines(errors)}",
                hint="See what rsync names: a full disk or a wrong permission on either server. It is tried again.",
            )
        numbers = {name: int(value) for name, value in _STATISTIC.findall(output)}
        return Outcome(
            files=numbers.get("Number of files", 0),
            created=numbers.get("Number of created files", 0),
            deleted=numbers.get("Number of deleted files", 0),
            transferred=numbers.get("Number of regular files transferred", 0),
            transferred_bytes=numbers.get("Total transferred file size", 0),
            complete=code != _INCOMPLETE or _only_vanished(errors),
            detail="" if code == 0 else _last_lines(errors),
        )

    def _connect(self, peer: PeerIdentity) -> None:
        """The kept connection stands, and to this very peer. Raises PeerUnreachable or PeerRefused."""
        alive = self._connection is not None and self._connection.poll() is None and self._socket.exists()
        if alive and self._connected_to == peer:
            return
        self.close()
        address = checked_address(peer.address)
        try:
            self._host = resolve(address, CONNECT_TIMEOUT_S)
        except OSError as error:
            raise stream_error(str(error), address) from error
        self._socket.unlink(missing_ok=True)
        with tempfile.TemporaryFile() as errors:
            command = [*END_WITH_PARENT, *self._ssh(), "-M", "-N", "--", HOST_ALIAS]
            self._connection = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors
            )
            deadline = time.monotonic() + CONNECT_TIMEOUT_S
            while not self._socket.exists():
                if self._connection.poll() is not None or time.monotonic() > deadline:
                    self.close()
                    raise _connection_error(errors, address)
                time.sleep(POLL_S)
        self._connected_to = peer

    def _ssh(self) -> list[str]:
        host = self._host.replace("%", "%%")
        return [*ssh_options(self._settings), "-o", f"HostName={host}", "-S", str(self._socket)]

    def close(self) -> None:
        """The kept connection is closed. Idempotent."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        connection.terminate()
        try:
            connection.wait(END_S)
        except subprocess.TimeoutExpired:
            connection.kill()
            connection.wait()
        self._socket.unlink(missing_ok=True)


def _connection_error(errors: IO[bytes], address: str) -> Exception:
    errors.seek(0)
    text = errors.read().decode("utf-8", "replace")
    if "Permission denied" in text:
        return PeerRefused(
            "peer-login-refused",
            "The Other Server Does Not Know This One",
            detail=f"The server at {address} refused this server's key: it is not, or no longer, paired with it.",
            hint="Compare the HA status of both servers; if the other one is standalone, tear down here too.",
        )
    if "Host key verification failed" in text:
        return PeerUnreachable(
            "peer-not-recognised",
            "The Other Server Was Not Recognised",
            detail=f"The server at {address} has another host key than the one pinned when the two were paired.",
            hint="See that HAPeerAddress is right. If the other server was installed anew, tear down and pair again.",
        )
    return stream_error(text, address)


def _stalled(address: str) -> PeerUnreachable:
    return PeerUnreachable(
        "mirror-stalled",
        "The Transfer of Files Stood Still",
        detail=f"Nothing moved to {address} for {SILENCE_S:g} s, so it was broken off.",
        hint="It is tried again by itself.",
    )


def _read_output(process: subprocess.Popen[bytes], progress: Progress | None, total: int | None) -> str | None:
    """All that rsync printed; its progress is passed on while it comes. None where it stood still and was ended."""
    if process.stdout is None:
        raise AssertionError("rsync was started without a pipe")
    output = bytearray()
    moved_at, moved = time.monotonic(), _moved(process.pid)
    while True:
        if not select.select([process.stdout], [], [], LOOK_EVERY_S)[0]:
            if (now_moved := _moved(process.pid)) != moved:
                moved_at, moved = time.monotonic(), now_moved
            elif time.monotonic() - moved_at >= SILENCE_S:
                process.kill()
                return None
            continue
        chunk = os.read(process.stdout.fileno(), OUTPUT_CHUNK_BYTES)
        if not chunk:
            break
        moved_at = time.monotonic()
        output += chunk
        if progress and (seen := _PROGRESS.findall(chunk)):
            progress(int(seen[-1]), total)
    return output.decode("utf-8", "replace")


def _moved(pid: int) -> str:
    """What the process has read and written since its start; empty where the kernel does not tell."""
    try:
        return Path(f"/proc/{pid}/io").read_text()
    except OSError:
        return ""


def _last_lines(errors: str) -> str:
    return " / ".join(line for line in errors.strip().splitlines()[-3:])[:500]


def listed(paths: set[bytes]) -> bytes:
    """The paths as rsync reads them: sorted, each ended by NUL, none that could be taken for something else."""
    return b"".join(b"./" + path + b"\0" for path in sorted(paths))


def _only_vanished(errors: str) -> bool:
    """Whether all that could not be sent is gone: then nothing is missing on the other side."""
    complaints = [line for line in errors.splitlines() if line.strip() and not line.startswith(_SUMMARY)]
    return bool(complaints) and all(_VANISHED_LATE.match(line) for line in complaints)
