"""GTID positions of MariaDB: lists of `domain-server-sequence`, and what can be concluded from comparing them.

A *position* names the last transaction of each domain. A *history* is what `@@gtid_binlog_state` shows: the last
transaction of each (domain, server) that ever wrote. Only a history can tell that a server, though far ahead in
numbers, lacks a transaction that another server wrote: `0-1-105` is not in the history `0-1-100,0-2-110`.
With `gtid_strict_mode` the sequence grows within a domain whoever writes, so numbers of one branch can be compared.

Source: MariaDB documentation, "Global Transaction ID".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.core.errors import InvalidInput

DOMAIN_MAXIMUM = 2**32 - 1
SERVER_MAXIMUM = 2**32 - 1
SEQUENCE_MAXIMUM = 2**64 - 1
LENGTH_MAXIMUM = 64 * 1024
"""Characters of a list; a peer that sends more is not a peer of ours."""


@dataclass(frozen=True, order=True)
class Gtid:
    """One transaction."""

    domain: int
    server: int
    sequence: int

    def __str__(self) -> str:
        return f"{self.domain}-{self.server}-{self.sequence}"


@dataclass(frozen=True, order=True)
class Gap:
    """Transactions of one server in one domain that a history has beyond a base."""

    domain: int
    server: int
    first: int
    """The lowest sequence number that can be missing (the numbers need not be without holes)."""
    last: int

    def __str__(self) -> str:
        return f"{self.domain}-{self.server}-{self.first}…{self.last}"


def parse(text: str) -> tuple[Gtid, ...]:
    """The GTIDs of a list in its order; none for an empty text.

    Raises InvalidInput (code `position-invalid`) for anything else than `D-S-N[,D-S-N…]`: lists come from the peer.
    """
    if len(text) > LENGTH_MAXIMUM:
        raise _invalid(f"{text[:40]}…")
    return tuple(_parse_one(part.strip()) for part in text.split(",")) if text.strip() else ()


def render(gtids: Iterable[Gtid]) -> str:
    """The list form, sorted by domain, server and sequence."""
    return ",".join(str(each) for each in sorted(gtids))


def merge(*positions: str) -> str:
    """The furthest transaction of each domain in any of the positions, as a position."""
    furthest: dict[int, Gtid] = {}
    for each in (gtid for position in positions for gtid in parse(position)):
        known = furthest.get(each.domain)
        if known is None or known.sequence < each.sequence:
            furthest[each.domain] = each
    return render(furthest.values())


def merge_histories(*histories: str) -> str:
    """The furthest transaction of each (domain, server) in any of the histories or positions, as a history."""
    return render(Gtid(*key, sequence) for key, sequence in _by_writer(*histories).items())


def contains(history: str, position: str) -> bool:
    """Whether each transaction of `position` is known to be in `history`.

    A writer that the history does not name gives False: it is not known, and to assume it could lose data.
    """
    known = _by_writer(history)
    return all(known.get((each.domain, each.server), -1) >= each.sequence for each in parse(position))


def reached(position: str, target: str) -> bool:
    """Whether `position`, on the same branch as `target`, is at or beyond it in each domain of the target."""
    furthest = {each.domain: each.sequence for each in parse(merge(position))}
    return all(furthest.get(each.domain, -1) >= each.sequence for each in parse(target))


def behind(position: str, target: str) -> int:
    """How many transactions `position` lacks to be where `target`, on the same branch, is."""
    furthest = {each.domain: each.sequence for each in parse(merge(position))}
    return sum(max(0, each.sequence - furthest.get(each.domain, 0)) for each in parse(merge(target)))


def difference(history: str, base: str) -> tuple[Gap, ...]:
    """What `history` has beyond the position `base` on the same branch: the span of sequence numbers of each writer.

    This is what a former primary alone has beyond the point at which the other server was promoted.
    """
    shared = {each.domain: each.sequence for each in parse(merge(base))}
    return tuple(
        Gap(domain, server, shared.get(domain, 0) + 1, last)
        for (domain, server), last in sorted(_by_writer(history).items())
        if last > shared.get(domain, 0)
    )


def common(history: str, other: str) -> str:
    """The last transaction of each domain that both histories have: where they part. Nothing for a domain in which they
    have nothing in common.

    A writer of which `history` has more than `other` wrote on past the parting; what `other` has of it is shared. All
    of every other writer is shared. The furthest of what is shared is the last one: a server writes in one branch only.
    """
    theirs = _by_writer(other)
    shared = (
        Gtid(domain, server, min(last, theirs.get((domain, server), 0)))
        for (domain, server), last in _by_writer(history).items()
    )
    return merge(render(each for each in shared if each.sequence > 0))


def _by_writer(*histories: str) -> dict[tuple[int, int], int]:
    furthest: dict[tuple[int, int], int] = {}
    for each in (gtid for history in histories for gtid in parse(history)):
        key = (each.domain, each.server)
        furthest[key] = max(furthest.get(key, -1), each.sequence)
    return furthest


def _parse_one(part: str) -> Gtid:
    numbers = part.split("-")
    if len(numbers) != 3 or not all(number.isascii() and number.isdigit() for number in numbers):
        raise _invalid(part)
    domain, server, sequence = (int(number[:21]) for number in numbers)
    if domain > DOMAIN_MAXIMUM or server > SERVER_MAXIMUM or sequence > SEQUENCE_MAXIMUM:
        raise _invalid(part)
    return Gtid(domain, server, sequence)


def _invalid(text: str) -> InvalidInput:
    return InvalidInput(
        "position-invalid",
        "This Is Not a Replication Position",
        detail=f"{text[:80]!r} is not of the form domain-server-sequence.",
        hint="Positions look like 0-1-1234; several are separated by commas.",
    )
