"""`python -m jobs.monitor`: watches over this node until SIGTERM or SIGINT."""

from __future__ import annotations

import signal
import sys
from types import FrameType

from app import logs
from app.collector import leave_startup_alone
from app.settings import read_settings
from app.wiring import build_node
from jobs.monitor.monitor import Monitor


def main() -> int:
    """The exit code, after a clean end."""
    settings = read_settings()
    logs.configure(settings)
    monitor = Monitor(build_node(settings))

    def stop(_number: int, _frame: FrameType | None) -> None:
        monitor.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    leave_startup_alone()
    monitor.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
