"""docs/crashes.md: what came of every combination, with fakes and in the lab."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from app.core import plans
from tests.crashes.matrix import JOBS, KILLS, POINTS, Combination, Job
from tests.crashes.trial import Trial
from tests.crashes.with_fakes import attempt_at

PAGE = Path(__file__).parents[2] / "docs" / "crashes.md"
HEAD = """# Jobs broken off at every step

Written by `python -m tests.crashes --page`; a test keeps it true to the plans. Do not edit it.

A job is a plan of steps (see [architecture.md](architecture.md)). Whatever happens while one of them runs, afterwards
both servers hold the old configuration or the new one. The tables show for each job and step what came of it when
something went wrong right before the step (`start`), and after its last act but before the journal said so (`end`):

- **old**: the job was reverted, or ended by itself before anything was changed; both servers are as before;
- **new**: the job was resumed, or went on; both servers are as after a job that nothing disturbed;
- **after RETRY**: the administrator had to press RETRY for that;
- **-**: not tried in the lab yet.

Each cell has two results. The first is of two nodes of fakes with the real plans, steps, journal and verbs; it is tried
by each `make test`. The second is of real servers in the lab: the real worker is stopped (SIGSTOP) at that point of a
real job, then the real thing is killed. A service that was killed is started again by its supervisor; a server without
power boots after 3 s, a link that was cut comes back after 3 s.

| | what goes wrong |
|---|---|
{kills}

{lab}

With fakes a job can be broken off at every single call that it makes, not only at the borders of its steps:
`python -m tests.crashes --fakes` tries all of them.
"""


def write(results: Mapping[str, Trial]) -> None:
    PAGE.write_text(render(results), encoding="utf-8")


def render(results: Mapping[str, Trial]) -> str:
    """The page's text."""
    kills = "\n".join(f"| `{kill.name}` | {kill.sentence} |" for kill in KILLS)
    parts = [HEAD.format(kills=kills, lab=_lab_sentence(results))]
    parts += ["\n".join(_table(job, results)) for job in JOBS]
    return "\n".join(parts)


def _lab_sentence(results: Mapping[str, Trial]) -> str:
    known = {each.key for each in _all() if each.job.in_lab}
    tried = [trial for key, trial in results.items() if key in known]
    ends = Counter(_word(trial) for trial in tried)
    counted = ", ".join(f"{count} {word}" for word, count in sorted(ends.items())) or "none"
    return f"In the lab {len(tried)} of {len(known)} combinations have been tried: {counted}."


def _all() -> Iterator[Combination]:
    return (
        Combination(job, step, point, kill) for job in JOBS for step in job.steps for kill in KILLS for point in POINTS
    )


def _table(job: Job, results: Mapping[str, Trial]) -> Iterator[str]:
    titles = {step.name: step.title for step in plans.plan(job.kind, job.role)}
    yield f"## {job.name}\n"
    yield "| step | point | " + " | ".join(kill.name for kill in KILLS) + " |"
    yield "|---" * (len(KILLS) + 2) + "|"
    for step in job.steps:
        final = " (point of no return)" if plans.is_final(job.kind, step) else ""
        for point in POINTS:
            name = f"{titles[step]}{final}" if point == POINTS[0] else ""
            cells = [_cell(Combination(job, step, point, kill), results) for kill in KILLS]
            yield f"| {name} | {point} | " + " | ".join(cells) + " |"
    yield ""


def _cell(each: Combination, results: Mapping[str, Trial]) -> str:
    trial = results.get(each.key)
    return f"{attempt_at(each)}, {'-' if trial is None else _word(trial)}"


def _word(trial: Trial) -> str:
    if not trial.held:
        return "BROKEN"
    return trial.pair + trial.help_needed
