"""The real worker with one difference: it stops itself (SIGSTOP) at the point that it is told.

Run on a host of the lab in place of the worker's service: `python -m tests.crashes.halt STEP start|end`. Nothing of
the product knows of it. What stands still is the worker's whole process, in the middle of a real job; whoever stopped
it there kills it, or breaks something else and lets it go on.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from jobs import worker
from jobs.context import Context
from jobs.steps import registry

MARK = Path("/data/halted.json")
"""On the host's data disk, where it is seen from outside too: which process stands still, and in which job."""

PID = Path("/run/halting-worker.pid")
"""Gone with the host's power, as the process is."""


def halt_at(name: str, point: str) -> None:
    """This process will stand still once, when the step gets there."""
    step = registry.step(name)
    original = step.do
    left = 1

    def stand_still(context: Context) -> None:
        nonlocal left
        if left:
            left -= 1
            mark = {"pid": os.getpid(), "job": context.job_id, "kind": context.kind, "step": name, "point": point}
            MARK.write_text(json.dumps(mark))
            os.kill(os.getpid(), signal.SIGSTOP)

    def do(context: Context) -> None:
        if point == "start":
            stand_still(context)
        original(context)
        if point == "end":
            stand_still(context)

    step.do = do  # type: ignore[method-assign]


if __name__ == "__main__":
    PID.write_text(str(os.getpid()))
    halt_at(sys.argv[1], sys.argv[2])
    sys.exit(worker.main())
