"""`python -m tests.crashes`: jobs are broken off in the lab, step by step; each trial is one JSON line.

--plan NAME      only the trials of this job (swap, settings-primary, takeover, rejoin, setup-secondary …)
--step NAME      only those at this step
--kill NAME      only those with this kill (worker, monitor, database, power, peer-power, link …)
--point NAME     start or end of the step; both where it is not given
--resume         leave out what has been tried and has held; without it everything chosen is tried anew
--minutes N      no new trial is begun after so long
--lab NAME       the lab to use, made if it does not run, and left running; without it one is made and removed
--fakes          not in the lab, but with fakes, at every call that a job makes (about a minute)
--page           no trials: write docs/crashes.md anew from the results and the unit tests
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from pathlib import Path

from tests.crashes import page, results
from tests.crashes.matrix import JOBS, KILLS, POINTS, Combination, combinations
from tests.crashes.trial import Trial, attempt
from tests.crashes.with_fakes import attempt_all
from tests.lab.control import running
from tests.lab.places import LabError
from tests.lab.servers import Servers, attach, bring_up, last_words

LAB = "crashes"
RESULTS = Path("build/crashes.jsonl")
LOG_LINES = 60


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crashes", description="Jobs broken off in the lab.")
    parser.add_argument("--plan", choices=sorted(job.name for job in JOBS))
    parser.add_argument("--step")
    parser.add_argument("--kill", choices=[kill.name for kill in KILLS])
    parser.add_argument("--point", choices=POINTS)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--minutes", type=float, default=24 * 60.0)
    parser.add_argument("--lab")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--fakes", action="store_true")
    parser.add_argument("--page", action="store_true")
    chosen = parser.parse_args()
    if chosen.page:
        logging.disable(logging.CRITICAL)
        page.write(results.merge(chosen.results))
        return 0
    if chosen.fakes:
        return _try_with_fakes(chosen)
    done = results.held(chosen.results) if chosen.resume else set()
    wanted = [each for each in combinations() if _is_chosen(each, chosen) and each.key not in done]
    return _try_all(wanted, chosen)


def _is_chosen(each: Combination, chosen: argparse.Namespace) -> bool:
    return (
        each.job.in_lab
        and chosen.plan in (None, each.job.name)
        and chosen.step in (None, each.step)
        and chosen.kill in (None, each.kill.name)
        and chosen.point in (None, each.point)
    )


def _try_all(wanted: list[Combination], chosen: argparse.Namespace) -> int:
    end = time.monotonic() + 60.0 * chosen.minutes
    broken = 0
    servers: Servers | None = None
    for number, each in enumerate(wanted, 1):
        if time.monotonic() > end:
            print(f"{len(wanted) - number + 1} trials are left; --resume goes on with them", flush=True)
            break
        servers = servers or _servers(chosen.lab)
        trial = attempt(servers, each)
        results.add(chosen.results, trial)
        print(f"{number}/{len(wanted)} {_sentence(trial)}", flush=True)
        if not trial.held:
            broken += 1
            _keep_logs(chosen.results, each, servers)
            servers = _remove(servers)
    if servers is not None:
        servers.close()
        if chosen.lab is None:
            servers.lab.down()
    return 1 if broken else 0


def _try_with_fakes(chosen: argparse.Namespace) -> int:
    logging.disable(logging.CRITICAL)
    started, tried, broken = time.monotonic(), 0, 0
    for job in JOBS:
        for kill in KILLS:
            if chosen.plan not in (None, job.name) or chosen.kill not in (None, kill.name):
                continue
            for step, call, outcome in attempt_all(job, kill):
                tried += 1
                if not outcome.held:
                    broken += 1
                    print(f"{job.name}/{step}/call {call + 1}/{kill.name}: {outcome}", flush=True)
    print(f"{tried} trials with fakes in {time.monotonic() - started:.1f} s: {broken} broken")
    return 1 if broken else 0


def _sentence(trial: Trial) -> str:
    if trial.problem:
        return f"{trial.key}: BROKEN after {trial.seconds:g} s: {trial.problem}"
    return f"{trial.key}: {trial.job}{trial.help_needed}, the {trial.pair} pair, {trial.seconds:g} s"


def _servers(name: str | None) -> Servers:
    if name is not None:
        try:
            running(name)
        except LabError:
            servers = bring_up(name)
            servers.lab.release()
            return servers
        return attach(name)
    return bring_up(LAB)


def _keep_logs(path: Path, each: Combination, servers: Servers) -> None:
    """What the services said is beside the results: the lab of a broken trial is not used again."""
    folder = path.parent / "crash-logs"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{each.key.replace('/', '_')}.log").write_text(last_words(servers.lab, LOG_LINES), encoding="utf-8")


def _remove(servers: Servers) -> None:
    servers.close()
    servers.lab.down()


if __name__ == "__main__":
    sys.exit(main())
