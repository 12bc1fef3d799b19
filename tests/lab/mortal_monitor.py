"""The real monitor with one difference: it kills itself (SIGKILL) in the middle of a takeover, before a named call.

Run on a host of the lab in place of the monitor's service: `python -m tests.lab.mortal_monitor CALL`. Nothing of the
product knows of it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from app.adapters.mariadb.server import MariaDB
from app.adapters.store import SqliteNodeStore
from app.core.events import EventKind
from jobs.monitor.__main__ import main
from tests.lab.acts import SETTLE_S
from tests.lab.histories import SNAPSHOT
from tests.lab.servers import Servers
from tests.lab.system_files import SERVICE_COMMAND

CALLS = ("stop_receiver", "end_replication", "lift", "add_event")
"""After the intent is durable; after everything is applied; after the promotion is durable; before its event is."""
PID = Path("/run/mortal-monitor.pid")
"""Gone with the host's power, as the process is."""


def die_before(call: str) -> None:
    """This process will kill itself when it gets there."""
    if call == "add_event":
        _put_before(SqliteNodeStore, call, lambda _key, kind, *_: bool(kind == EventKind.FAILOVER.value))
    else:
        _put_before(MariaDB, call, lambda *_: True)


def _put_before(owner: type, call: str, now: Callable[..., bool]) -> None:
    original = getattr(owner, call)

    def mortal(self: Any, *arguments: Any, **named: Any) -> Any:
        if now(*arguments):
            os.kill(os.getpid(), signal.SIGKILL)
        return original(self, *arguments, **named)

    setattr(owner, call, mortal)


class MortalMonitor:
    """It runs on the host in place of the monitor's service, which is back in the end."""

    def __init__(self, servers: Servers, host: str, call: str) -> None:
        self._servers, self._host = servers, host
        servers.lab.check(host, SERVICE_COMMAND, "stop", "monitor")
        self._begun = datetime.now(UTC)
        log = servers.lab.places.folder / f"mortal-monitor-{host}.log"
        with log.open("ab") as said:
            command = servers.lab.exec_command(host, (sys.executable, "-m", "tests.lab.mortal_monitor", call))
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)

    def is_in_charge(self) -> bool:
        """Whether it runs, and the server could take over by its word."""
        document = json.loads(self._servers.lab.check(self._host, "cat", SNAPSHOT))["document"]
        return datetime.fromisoformat(document["at"]) > self._begun and bool(document["node"]["eligible"])

    def has_died(self) -> bool:
        """Whether it has killed itself. Raises AssertionError where it has ended otherwise."""
        code = self._process.poll()
        assert code in (None, -signal.SIGKILL), f"the monitor ended with {code}"
        return code is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._servers.lab.run(self._host, "sh", "-c", f"[ ! -e {PID} ] || kill -KILL $(cat {PID})")
        self._process.kill()
        self._process.wait(SETTLE_S)
        self._servers.lab.check(self._host, SERVICE_COMMAND, "start", "monitor")


if __name__ == "__main__":
    PID.write_text(str(os.getpid()))
    die_before(sys.argv[1])
    sys.exit(main())
