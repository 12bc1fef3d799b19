"""`python -m tests.chaos.burst FOLDER COUNT`, inside a host: an application that writes many files.

A file's name is printed once it is on the disk, content, name and folder: only then anybody may rely on it.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

PER_FOLDER = 20
PAUSE_S = 0.01
LINES = 64


def content(name: str) -> str:
    """What the file of that name holds: of its own, and reproducible."""
    return f"{name}\n" * (1 + len(name) * 7919 % LINES)


def write(root: Path, name: str) -> None:
    """The file is on the disk, and would be found after a power cut."""
    path = root / name
    if not path.parent.is_dir():
        path.parent.mkdir(parents=True)
        for folder in (path.parent.parent, root):
            sync(folder)
    with path.open("w") as file:
        file.write(content(name))
        file.flush()
        os.fsync(file.fileno())
    sync(path.parent)


def sync(folder: Path) -> None:
    """The folder's entries are on the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def main() -> None:
    """Writes until all files are there or nobody listens any more."""
    root, count = Path(sys.argv[1]), int(sys.argv[2])
    for number in range(count):
        name = f"{root.name}/{number // PER_FOLDER:03d}/{number:05d}"
        write(root.parent, name)
        print(name, flush=True)
        time.sleep(PAUSE_S)


if __name__ == "__main__":
    try:
        main()
    except (BrokenPipeError, OSError) as error:
        print(error, file=sys.stderr)
        sys.exit(1)
