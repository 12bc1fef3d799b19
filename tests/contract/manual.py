"""Custom scripts that let a DNS name follow the active server: one of ours, and the example in the manual's own text.

The manual is not part of this project. Where the environment variable HAPAIR_MANUAL names a file with its text, the
example is read from there and tried as it stands; ours has its parameters in the same places and tells the name server
the same.
"""

from __future__ import annotations

import os
import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

OWN_SCRIPT = """#!/bin/bash
# The name service.example.test always leads to the server that is active.
ZONE="example.test"
NAME_SERVER="ns.hapair.test"
KEY="/mnt/keys/updates.key"
logger -t "$(basename "$0")" "called for $1 with $2 and $3"
if [[ $1 == Failover || $1 == ManualSwitch ]]; then
    here=`hostname`
    {
        echo "server $NAME_SERVER"
        echo "debug yes"
        echo "zone $ZONE."
        echo "update delete service.$ZONE"
        echo "update add service.$ZONE 180 CNAME $here"
        echo "send"
    } >/tmp/name-follows
    nsupdate -k "$KEY" -v /tmp/name-follows 2>&1
fi
"""
MANUAL_VARIABLE = "HAPAIR_MANUAL"
HEADING = "Example script:"
_SETTING = re.compile(r'^\s*([A-Z_]+)="([^"]*)"$', re.MULTILINE)
_COMMAND = re.compile(r'echo "((?:server|debug|zone|update|send)[^"]*)"')


@dataclass(frozen=True)
class Example:
    """A script, and what it expects to find around it."""

    script: str
    settings: dict[str, str]
    commands: tuple[str, ...]
    """What it tells the name server, with its settings filled in."""

    @property
    def domain(self) -> str:
        return self._told(r"zone (\S+)\.$")

    @property
    def server(self) -> str:
        return self._told(r"server (\S+)$")

    @property
    def name(self) -> str:
        """The name that follows the active server."""
        return self._told(r"update delete (\S+)$")

    @property
    def key_file(self) -> Path:
        return Path(next(value for value in self.settings.values() if value.startswith("/")))

    def _told(self, pattern: str) -> str:
        return next(found[1] for each in self.commands if (found := re.match(pattern, each)))


def manual_path() -> Path | None:
    """The text of the manual, where somebody has given it."""
    named = os.environ.get(MANUAL_VARIABLE, "")
    return Path(named) if named else None


def examples() -> dict[str, Example]:
    """Ours, and the manual's where its text is there."""
    path = manual_path()
    found = {"own": read(OWN_SCRIPT)}
    return found if path is None else {**found, "manual": read(script_in(path.read_text()))}


def script_in(text: str) -> str:
    """The indented lines that follow the manual's heading, without their indentation."""
    lines = text[text.index(HEADING) :].splitlines()[1:]
    first = next(place for place, line in enumerate(lines) if line.strip())
    indentation = len(lines[first]) - len(lines[first].lstrip())
    kept = []
    for line in lines[first:]:
        if line.strip() and not line.startswith(" " * indentation):
            break
        kept.append(line)
    return textwrap.dedent("\n".join(line if line.strip() else "" for line in kept)).strip() + "\n"


def read(script: str) -> Example:
    settings = dict(_SETTING.findall(script))

    def filled(text: str) -> str:
        for name, value in settings.items():
            text = text.replace(f"${name}", value)
        return text

    return Example(script, settings, tuple(filled(each) for each in _COMMAND.findall(script)))
