"""Every combination of a job, a step of it, and something that goes wrong there: made from the plans themselves, so
that a new step is in it from the day it is planned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.core import plans
from app.core.plans import KEEP_PEER, KEEP_THIS, REJOIN, RESUME
from app.core.roles import Change, Role


@dataclass(frozen=True)
class Job:
    """A kind of job on a server of that role."""

    kind: str
    role: Role
    in_lab: bool = True
    """Whether the lab tries it too; the others are one step each, on servers that have lost each other."""

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.role.value}" if self.kind in AMBIGUOUS else str(self.kind)

    @property
    def steps(self) -> tuple[str, ...]:
        return tuple(step.name for step in plans.plan(self.kind, self.role))


@dataclass(frozen=True)
class Kill:
    """Something that goes wrong while a step runs, and where: `own` is the server of the job, `peer` the other."""

    name: str
    side: str
    sentence: str


@dataclass(frozen=True)
class Combination:
    """One cell of the table: what goes wrong, and at which point of which step."""

    job: Job
    step: str
    point: str
    kill: Kill

    @property
    def key(self) -> str:
        return f"{self.job.name}/{self.step}/{self.point}/{self.kill.name}"


AMBIGUOUS = frozenset({Change.TEARDOWN, Change.SETTINGS})
"""Jobs that both servers of a pair have."""

JOBS = (
    Job(Change.SWAP, Role.PRIMARY),
    Job(Change.SETTINGS, Role.PRIMARY),
    Job(Change.SETTINGS, Role.SECONDARY),
    Job(Change.TAKEOVER, Role.SECONDARY),
    Job(REJOIN, Role.PRIMARY),
    Job(Change.TEARDOWN, Role.PRIMARY),
    Job(Change.TEARDOWN, Role.SECONDARY),
    Job(Change.SETUP_PRIMARY, Role.STANDALONE),
    Job(Change.SETUP_SECONDARY, Role.STANDALONE),
    Job(RESUME, Role.PRIMARY, in_lab=False),
    Job(KEEP_THIS, Role.PRIMARY, in_lab=False),
    Job(KEEP_PEER, Role.PRIMARY, in_lab=False),
)
"""Those that change something, in an order in which one leaves little to do before the next."""

KILLS = (
    Kill("worker", "own", "the worker is killed"),
    Kill("monitor", "own", "the monitor of this server is killed"),
    Kill("peer-monitor", "peer", "the monitor of the other server is killed"),
    Kill("database", "own", "MariaDB of this server is killed"),
    Kill("peer-database", "peer", "MariaDB of the other server is killed"),
    Kill("power", "own", "this server loses power"),
    Kill("peer-power", "peer", "the other server loses power"),
    Kill("link", "peer", "the link between the two servers is cut for a while"),
)
POINTS = ("start", "end")
"""Before a step has done anything, and after it has done everything but before the journal says so."""


def combinations() -> Iterator[Combination]:
    """All of them, in the order in which they are best tried."""
    for job in JOBS:
        for step in job.steps:
            for kill in KILLS:
                for point in POINTS:
                    yield Combination(job, step, point, kill)
