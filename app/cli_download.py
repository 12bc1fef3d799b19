"""A download becomes a file: whole under its name, or not at all."""

from __future__ import annotations

from pathlib import Path

import click

from app import cli_show
from app.cli_base import Tool
from app.cli_client import NoAnswer

PARTIAL = ".partial"
"""What the file is called until it is whole."""


def download_to(tool: Tool, path: str, target: Path, what: str) -> None:
    """The answer of the API's `path` is the file `target`, readable by its owner alone, and its size is shown.

    Raises click.UsageError where it can't be made or is there already, and NoAnswer where `what` did not come whole.
    """
    if target.exists():
        raise click.UsageError(f"{target} is there already.")
    partial = target.with_name(target.name + PARTIAL)
    try:
        file = partial.open("xb")
    except OSError as error:
        raise click.UsageError(f"{partial} can't be made: {error.strerror}.") from error
    try:
        with file:
            partial.chmod(0o600)
            total = tool.client.download(path, file.write)
        partial.rename(target)
    except OSError as error:
        raise NoAnswer(f"{what} could not be brought to {target}: {error}.") from error
    finally:
        partial.unlink(missing_ok=True)
    tool.show({"file": str(target), "bytes": total}, lambda found: f"{cli_show.size(found['bytes'])} in {target}.")
