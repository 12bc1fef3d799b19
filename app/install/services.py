"""The processes of one server, declared once: the systemd units and the lab's supervisor both come from this table."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
CONFIGURATION = Path("/etc/hapair")
API_THREADS = 24
"""Each open status or job stream holds one thread for as long as its page is open."""


@dataclass(frozen=True)
class Service:
    """One process: how it is started, as whom, and after which others."""

    name: str
    """The name that `Machine.service` and the lab's `kill` use."""
    arguments: tuple[str, ...]
    account: str = "root"
    after: tuple[str, ...] = ()
    unit: str = ""
    """Set where the distribution's own unit is used in place of ours."""
    description: str = ""
    reloads: bool = False
    """Reads its configuration anew on SIGHUP and goes on with the old one where the new one is wrong."""

    @property
    def unit_name(self) -> str:
        return self.unit or f"hapair-{self.name}"


SERVICES = (
    Service(
        "mariadb",
        ("/usr/sbin/mariadbd", "--user=mysql"),
        unit="mariadb",
        description="database server",
    ),
    Service(
        "redis",
        ("/usr/bin/redis-server", str(CONFIGURATION / "redis.conf")),
        account="hapair",
        description="queue of the apply jobs",
    ),
    Service(
        "peer-sshd",
        ("/usr/sbin/sshd", "-D", "-e", "-f", str(CONFIGURATION / "sshd_config")),
        description="peer channel",
    ),
    Service(
        "monitor",
        (sys.executable, "-m", "jobs.monitor"),
        after=("mariadb",),
        description="monitor: failover, file mirror, alerts",
    ),
    Service(
        "watchdog",
        (sys.executable, "-m", "jobs.watchdog"),
        after=("monitor",),
        description="watchdog: fences a primary whose monitor stands still",
    ),
    Service(
        "worker",
        (sys.executable, "-m", "jobs.worker"),
        after=("redis",),
        description="worker of the apply jobs",
    ),
    Service(
        "api",
        (
            sys.executable,
            "-m",
            "gunicorn",
            "--config",
            str(PROJECT / "app" / "install" / "gunicorn_settings.py"),
            "app.server:application",
        ),
        account="hapair",
        description="JSON API",
    ),
    Service(
        "nginx",
        ("/usr/sbin/nginx", "-c", str(CONFIGURATION / "nginx.conf"), "-g", "daemon off;"),
        after=("api",),
        description="console and TLS",
        reloads=True,
    ),
)
"""In the order in which they start."""


def service(name: str) -> Service:
    """The declaration with that name. Raises KeyError naming the ones there are."""
    for each in SERVICES:
        if each.name == name:
            return each
    raise KeyError(f"no service {name!r}; there are {', '.join(each.name for each in SERVICES)}")
