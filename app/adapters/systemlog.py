"""The system's log (journald or syslog) by its socket; where there is none, the log of this service."""

from __future__ import annotations

import logging
import os
import socket
from pathlib import Path

from app.core.errors import LocalFailure
from app.core.notices import Severity

log = logging.getLogger("hapair.events")

SOCKET = Path("/dev/log")
FACILITY_DAEMON = 3
_LEVELS = {
    Severity.CRITICAL: (2, logging.CRITICAL),
    Severity.WARNING: (4, logging.WARNING),
    Severity.INFO: (6, logging.INFO),
}
"""Syslog's number and Python's."""
LINE_BYTES_MAX = 2000
WAIT_S = 2.0


class SyslogLines:
    """app.ports.SystemLog."""

    def __init__(self, path: Path = SOCKET) -> None:
        self._path = path

    def write(self, severity: Severity, text: str) -> str:
        number, level = _LEVELS[severity]
        line = "".join(each if each.isprintable() else " " for each in text)
        if not self._path.exists():
            log.log(level, "%s", line)
            return "service log"
        head = f"<{FACILITY_DAEMON * 8 + number}>hapair[{os.getpid()}]: "
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sending:
                sending.settimeout(WAIT_S)
                sending.connect(str(self._path))
                sending.send((head + line).encode("utf-8", "replace")[:LINE_BYTES_MAX])
        except OSError as error:
            raise LocalFailure(
                "system-log-failed",
                "The System Log Took No Line",
                detail=f"{self._path}: {error}",
                hint="See that journald or a syslog daemon runs on this server.",
            ) from error
        return "system log"
