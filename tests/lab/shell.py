"""Running the system's programs, with errors that say which one failed and what it printed."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from tests.lab.places import LabError

PROGRAM_TIMEOUT_S = 60.0


def run(arguments: Sequence[str], *, given: str | None = None, timeout_s: float = PROGRAM_TIMEOUT_S) -> str:
    """What the program printed. Raises LabError with its complaint when it fails or is missing."""
    try:
        done = subprocess.run(arguments, input=given, capture_output=True, text=True, timeout=timeout_s)
    except FileNotFoundError as error:
        raise LabError(f"{arguments[0]} is not installed; `make setup` installs what the lab needs.") from error
    except subprocess.TimeoutExpired as error:
        raise LabError(f"`{' '.join(arguments)}` did not end within {timeout_s:g} s.") from error
    if done.returncode != 0:
        complaint = (done.stderr or done.stdout).strip()
        raise LabError(f"`{' '.join(arguments)}` failed ({done.returncode}): {complaint}")
    return done.stdout


def succeeds(arguments: Sequence[str]) -> bool:
    """Whether the program ran and was content; for removing what may not be there."""
    done = subprocess.run(arguments, capture_output=True, timeout=PROGRAM_TIMEOUT_S)
    return done.returncode == 0
