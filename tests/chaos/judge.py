"""What is wrong with what was seen in a cell: a pure function, so that it can be shown that it sees each wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tests.chaos.cells import Cell, Failover

ANNOUNCED_SLACK_S = 2.0
"""A status is asked for twice a second and made from a snapshot of the last tick: so much later it may be seen."""
MOST_NAMED = 5


@dataclass(frozen=True)
class Evidence:
    """All that the checker knows of one cell. Times are seconds since the cell began."""

    acknowledged: Mapping[str, Mapping[int, float]]
    """By host: each acknowledged row and when it was acknowledged."""
    live: frozenset[int] = frozenset()
    """The rows on the primary at the end."""
    standby: frozenset[int] = frozenset()
    """The rows on the secondary at the end."""
    rescued: frozenset[int] = frozenset()
    alone_since_s: Mapping[str, float | None] = field(default_factory=dict)
    """By host: when it first said that its standby is out of the pair."""
    files: frozenset[str] = frozenset()
    files_live: frozenset[str] = frozenset()
    files_on_standby: frozenset[str] = frozenset()
    files_rescued: frozenset[str] = frozenset()
    failovers: int = 0
    primary: str | None = None
    """The one primary of the stable pair at the end; None where there is no such pair."""
    stable_after_s: float | None = None
    """From the healing until the pair was stable; None where it was not in time."""
    writes_on: frozenset[str] = frozenset()
    """Who accepted writes once the pair was stable."""
    trouble: tuple[str, ...] = ()
    """What else went wrong, in sentences."""

    @property
    def diverged(self) -> dict[str, set[int]]:
        """By host: the rows that it acknowledged and that are not in the history that lives on."""
        gone = {host: set(rows) - self.live for host, rows in self.acknowledged.items()}
        return {host: rows for host, rows in gone.items() if rows}


def judge(cell: Cell, seen: Evidence) -> list[str]:
    """Every promise that was broken, in sentences; none is a pass."""
    if seen.stable_after_s is None or seen.primary is None:
        return [*seen.trouble, "The pair was not stable again in time after the fault was healed."]
    complaints = (_writable(seen), _rows(cell, seen), _files(seen), _failovers(cell, seen))
    return [*seen.trouble, *(complaint for each in complaints for complaint in each)]


def _writable(seen: Evidence) -> Iterator[str]:
    if seen.writes_on != {seen.primary}:
        takers = ", ".join(sorted(seen.writes_on)) or "nobody"
        yield f"With {seen.primary} as primary of the stable pair, {takers} accepted writes."


def _rows(cell: Cell, seen: Evidence) -> Iterator[str]:
    for host, gone in seen.diverged.items():
        if lost := gone - seen.rescued:
            yield f"{len(lost)} rows that {host} acknowledged are neither live nor in a rescue: {_some(lost)}."
        if not cell.may_diverge:
            yield f"{host} acknowledged {len(gone)} rows that the pair does not have; this fault does not allow that."
            continue
        since_s = seen.alone_since_s.get(host)
        early = {row for row in gone if since_s is None or seen.acknowledged[host][row] < since_s - ANNOUNCED_SLACK_S}
        if early:
            yield f"{host} acknowledged {len(early)} rows alone before it announced that its standby is out."
    every = {row for rows in seen.acknowledged.values() for row in rows}
    if behind := (every & seen.live) - seen.standby:
        yield f"{len(behind)} rows of the primary are not on the secondary: {_some(behind)}."


def _files(seen: Evidence) -> Iterator[str]:
    if lost := seen.files - seen.files_live - seen.files_rescued:
        yield f"{len(lost)} files that were on the disk are neither live nor in a rescue: {_some(lost)}."
    if behind := (seen.files & seen.files_live) - seen.files_on_standby:
        yield f"{len(behind)} files of the primary are not on the secondary: {_some(behind)}."


def _failovers(cell: Cell, seen: Evidence) -> Iterator[str]:
    if cell.failover is Failover.MUST and not seen.failovers:
        yield "The standby did not take over, as the failover rules say it must."
    if cell.failover is Failover.NEVER and seen.failovers:
        yield "The standby took over, which the failover rules forbid here."


def _some(found: set[int] | frozenset[str] | set[str]) -> str:
    names = [str(each) for each in sorted(found)[:MOST_NAMED]]
    return ", ".join(names) + (" …" if len(found) > MOST_NAMED else "")
