"""What both servers hold after a cell: live, on the secondary, in rescues. Looked at from outside, as root."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pymysql

from tests.chaos.burst import content
from tests.chaos.course import Course
from tests.chaos.judge import Evidence
from tests.lab.acts import other
from tests.lab.client import rows
from tests.lab.network import HOSTS
from tests.lab.servers import Servers
from tests.waiting import wait_for

BURST_PREFIX = "chaos-"
ARRIVE_S = 45.0
POLL_S = 0.3
SELECT_SINCE = "SELECT number FROM lab_writer.acknowledged WHERE number >= %s"
NUMBER = re.compile(r"@1=(\d{13,19})\b")


def failovers(servers: Servers) -> set[str]:
    """The keys of the newest failovers that either server knows of."""
    return {event["key"] for host in HOSTS for event in servers.apis[host].events("Failover")}


def gather(servers: Servers, course: Course, known: set[str]) -> Evidence:
    """All that the checker needs. Of servers that are no stable pair only how it went is known."""
    witness = course.witness
    started_s = witness.started_s
    acknowledged = {
        host: {row.number: row.at_s - started_s for row in writer.acknowledged}
        for host, writer in witness.writers.items()
    }
    files = frozenset(course.busy.burst.names if course.busy.burst is not None else ())
    alone = {host: None if (at_s := witness.alone_since_s(host)) is None else at_s - started_s for host in HOSTS}
    trouble = list(course.trouble)
    stable = course.stable
    if stable is None or course.healed_s is None:
        return Evidence(acknowledged, alone_since_s=alone, files=files, trouble=tuple(trouble))
    try:
        return Evidence(
            acknowledged,
            live=(live := _rows_of(servers, stable.primary, witness.first)),
            standby=_settled_rows(servers, other(stable.primary), witness.first, live),
            rescued=_rescued_rows(servers),
            alone_since_s=alone,
            files=files,
            files_live=(files_live := _settled_files(servers, stable.primary, files)),
            files_on_standby=_mirrored_files(servers, other(stable.primary), files_live),
            files_rescued=_rescued_files(servers, files - files_live),
            failovers=len(failovers(servers) - known),
            primary=stable.primary,
            stable_after_s=max(0.0, stable.since_s - course.healed_s),
            writes_on=course.writes_on,
            trouble=tuple(trouble),
        )
    except (pymysql.Error, OSError, AssertionError) as error:
        trouble.append(f"What the servers hold could not be read: {error}")
        return Evidence(acknowledged, alone_since_s=alone, files=files, trouble=tuple(trouble))


def _rows_of(servers: Servers, host: str, first: int) -> frozenset[int]:
    return frozenset(number for (number,) in rows(servers.database(host), SELECT_SINCE, first))


def _settled_rows(servers: Servers, host: str, first: int, wanted: frozenset[int]) -> frozenset[int]:
    """The rows of the secondary, once it has those of the primary, or after a while."""
    found: frozenset[int] = frozenset()

    def arrived() -> bool:
        nonlocal found
        found = _rows_of(servers, host, first)
        return wanted <= found

    _give_time(arrived)
    return found


def _rescued_rows(servers: Servers) -> frozenset[int]:
    """The numbers of the writers' rows in the readable transactions of every rescue."""
    found: set[int] = set()
    for host in HOSTS:
        for text in Path(servers.hosts[host]["rescue"]).glob("*/transactions.sql"):
            with text.open(errors="replace") as lines:
                found.update(int(match[1]) for line in lines if (match := NUMBER.search(line)))
    return frozenset(found)


def _live_files(servers: Servers, host: str, names: frozenset[str]) -> frozenset[str]:
    tree = Path(servers.hosts[host]["files"])
    return frozenset(name for name in names if _holds(tree / name, name))


def _settled_files(servers: Servers, primary: str, names: frozenset[str]) -> frozenset[str]:
    """The files on the primary, once every other one is in a rescue, or after a while."""
    found: frozenset[str] = frozenset()

    def settled() -> bool:
        nonlocal found
        found = _live_files(servers, primary, names)
        return names - found <= _rescued_files(servers, names - found)

    _give_time(settled)
    return found


def _mirrored_files(servers: Servers, secondary: str, wanted: frozenset[str]) -> frozenset[str]:
    _give_time(lambda: wanted <= _live_files(servers, secondary, wanted))
    return _live_files(servers, secondary, wanted)


def _rescued_files(servers: Servers, names: frozenset[str]) -> frozenset[str]:
    """Those of the files that a rescue of either server holds with the right content."""
    if not names:
        return names
    found = set()
    for host in HOSTS:
        for path in Path(servers.hosts[host]["rescue"]).glob(f"**/{BURST_PREFIX}*/*/*"):
            name = "/".join(path.parts[-3:])
            if name in names and _holds(path, name):
                found.add(name)
    return frozenset(found)


def _holds(path: Path, name: str) -> bool:
    try:
        return path.read_text() == content(name)
    except (OSError, UnicodeDecodeError):
        return False


def _give_time(check: Callable[[], bool]) -> None:
    """The check holds, or has had its time: what is missing then is the checker's to say."""
    with suppress(AssertionError):
        wait_for(check, ARRIVE_S, "what is on its way", POLL_S)
