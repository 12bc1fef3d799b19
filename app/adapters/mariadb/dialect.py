"""What MariaDB's error numbers mean to hapair. MySQL has other numbers for some of them: it would get its own table.

Source: MariaDB documentation, "MariaDB Error Codes".
"""

from __future__ import annotations

from dataclasses import dataclass

from app.core.errors import LocalFailure

NOT_THERE = frozenset({1049, 1146})
"""Unknown database, no such table: what hapair makes on its first visit is not there yet."""
NO_SUCH_THREAD = 1094
TOO_MANY_CONNECTIONS = frozenset({1040, 1203})


@dataclass(frozen=True)
class Meaning:
    code: str
    title: str
    hint: str


DOWN = Meaning(
    "database-down",
    "The Database Server Does Not Answer",
    "See whether the service mariadb runs, and its error log if it does not.",
)
TIMEOUT = Meaning(
    "database-timeout",
    "The Database Server Did Not Answer in Time",
    "See what it waits for: a full disk, a hung disk, a lock, or the standby's acknowledgement.",
)
REFUSED = Meaning(
    "database-refused",
    "The Database Server Refused",
    "The server's own words are in the details.",
)
LOGIN_REFUSED = Meaning(
    "database-login-refused",
    "The Database Server Does Not Know This Account",
    "See whether the pair still exists on that server; if not, end it here too.",
)
DISK_FULL = Meaning(
    "database-refused",
    "The Database Server's Disk Is Full",
    "Free some space on the disk with the data folder; the server goes on by itself then.",
)
READ_ONLY = Meaning(
    "database-refused",
    "The Database Is Read-Only",
    "It is writable on the primary only, and there only while the node is not fenced.",
)
DIVERGED = Meaning(
    "database-refused",
    "The Two Servers' Histories Differ",
    "This server holds transactions that the other never had: they are rescued, then it is rewound or seeded again.",
)
FULL_HOUSE = Meaning(
    "database-refused",
    "The Database Server Has No Free Connection",
    "Close some clients or raise max_connections.",
)

MEANINGS: dict[int, Meaning] = {
    1021: DISK_FULL,
    1114: DISK_FULL,
    1040: FULL_HOUSE,
    1203: FULL_HOUSE,
    1053: DOWN,  # the server is shutting down
    2002: DOWN,
    2003: DOWN,
    2006: DOWN,
    2013: DOWN,
    1205: TIMEOUT,
    1969: TIMEOUT,
    1290: READ_ONLY,
    1836: READ_ONLY,
    1045: LOGIN_REFUSED,
    1698: LOGIN_REFUSED,
    1236: DIVERGED,
    1947: DIVERGED,
    1950: DIVERGED,
}


def failure(number: int, message: str, doing: str) -> LocalFailure:
    """The error for a server's answer; `doing` says what was tried, as the beginning of a sentence."""
    meaning = MEANINGS.get(number, REFUSED)
    return LocalFailure(
        meaning.code, meaning.title, detail=f"{doing}: {message or 'no message'} ({number}).", hint=meaning.hint
    )


def timeout(doing: str, timeout_s: float) -> LocalFailure:
    """The error for no answer within the time."""
    return LocalFailure(
        TIMEOUT.code, TIMEOUT.title, detail=f"{doing}: no answer within {timeout_s:g} s.", hint=TIMEOUT.hint
    )
