"""The distribution's programs around the server: run with argument lists, bounded, their last words kept."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from app.core.errors import LocalFailure

LAST_WORDS_BYTES = 2000
"""How much of a program's complaint is shown."""
END_S = 10.0
"""How long a program that is no longer wanted may take to end before it is killed."""


@contextmanager
def program(
    command: Sequence[str],
    *,
    stdin: int | IO[bytes] = subprocess.DEVNULL,
    stdout: int | IO[bytes] = subprocess.DEVNULL,
    account: str | None = None,
) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
    """The running program and the file with what it complains; it runs no longer than the block.

    Raises LocalFailure (code `program-missing`).
    """
    with tempfile.TemporaryFile() as complaints:
        try:
            process = subprocess.Popen(
                list(command),
                stdin=stdin,
                stdout=stdout,
                stderr=complaints,
                user=account,
                group=account,
                extra_groups=[] if account else None,
                cwd="/",
            )
        except FileNotFoundError as error:
            raise LocalFailure(
                "program-missing",
                "A Program of the Database Is Not Installed",
                detail=f"{command[0]} was not found.",
                hint="Install the packages mariadb-server, mariadb-client and mariadb-backup.",
            ) from error
        try:
            yield process, complaints
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    for stream in (process.stdin, process.stdout):
        if stream is not None and not stream.closed:
            try:
                stream.close()
            except BrokenPipeError:  # it had gone before it read the rest
                continue
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def last_words(complaints: IO[bytes]) -> str:
    """The end of what a program wrote to its standard error, on one line."""
    complaints.seek(0, 2)
    complaints.seek(max(0, complaints.tell() - LAST_WORDS_BYTES))
    lines = complaints.read().decode(errors="replace").splitlines()
    return " / ".join(line.strip() for line in lines[-5:] if line.strip()) or "it gave no reason"


def run(
    command: Sequence[str],
    *,
    failed: tuple[str, str, str],
    timeout_s: float,
    account: str | None = None,
    stdin: int | IO[bytes] = subprocess.DEVNULL,
    output: Path | None = None,
) -> None:
    """The program has ended well; its output, if wanted, is in the file `output`.

    `failed` gives code, title and hint of the LocalFailure that is raised otherwise.
    """
    code, title, hint = failed
    with (
        tempfile.TemporaryFile() if output is None else output.open("wb") as file,
        program(command, stdin=stdin, stdout=file, account=account) as (process, complaints),
    ):
        try:
            exit_code = process.wait(timeout_s)
        except subprocess.TimeoutExpired as error:
            detail = f"{command[0]} was not done within {timeout_s:g} s."
            raise LocalFailure(code, title, detail=detail, hint=hint) from error
        if exit_code != 0:
            detail = f"{command[0]} ended with {exit_code}: {last_words(complaints)}"
            raise LocalFailure(code, title, detail=detail, hint=hint)
