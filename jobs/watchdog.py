"""`python -m jobs.watchdog`: fences this node when its monitor stops renewing its snapshot, then restarts the monitor.

It is a small process of its own so that nothing that hangs the monitor hangs it too: it reads one file each second,
and loads the node's parts only when it has to act. The bound is in `app.core.watch`.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

from app import logs
from app.core.errors import HapairError
from app.core.state import FenceReason
from app.core.watch import fence_after_s
from app.ports import Machine, Node
from app.settings import read_settings
from app.wiring_watch import build_machine

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
REST_S = 30.0
"""After it has acted, a monitor that is still silent is left this long to come back before it is restarted again."""
SNAPSHOT = "monitor"


def silence_s(machine: Machine) -> float | None:
    """For how long the monitor has been silent, where that is too long; else None."""
    found = machine.published(SNAPSHOT)
    if found is None:
        return None
    document, age_s = found
    bound_s = fence_after_s(document)
    return age_s if bound_s is not None and age_s > bound_s else None


def act(node: Node, silent_s: float) -> None:
    """The node is fenced (reason `monitor-silent`) and its monitor killed; the next one finds the way out."""
    # Loaded here: the process that only looks stays small.
    from jobs.steps.fencing import fence_self

    log.error("the monitor has been silent for %.0f s: this primary is fenced and its monitor restarted", silent_s)
    detail = f"The monitor was silent for {silent_s:.0f} s."
    try:
        fence_self(node, FenceReason.MONITOR_SILENT, detail)
    except HapairError as error:
        log.error("the fence is not complete yet: %s", error)  # noqa: TRY400 - the sentence says it all
    # Killed, not stopped: a hung process answers no signal that it could handle. Its supervisor starts it again.
    node.machine.service("kill", "monitor")


def watch(machine: Machine, build: Callable[[], Node], stopped: threading.Event) -> None:
    """Looks each second until `stopped` is set; acts on each silence that is too long."""
    while not stopped.wait(LOOK_EVERY_S):
        silent_s = silence_s(machine)
        if silent_s is None:
            continue
        try:
            act(build(), silent_s)
        except HapairError as error:
            log.error("the watchdog could not act: %s", error)  # noqa: TRY400
            continue
        stopped.wait(REST_S)


def main() -> int:
    """The exit code, after a clean end by SIGTERM or SIGINT."""
    settings = read_settings()
    logs.configure(settings)
    stopped = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    def build() -> Node:
        from app.wiring import build_node

        return build_node(settings)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    watch(build_machine(settings), build, stopped)
    return 0


if __name__ == "__main__":
    sys.exit(main())
