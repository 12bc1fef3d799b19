"""The files of the system disk in which lab hosts differ from this machine: names, settings, the service command."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.lab.network import DOMAIN, HOSTNAMES, HOSTS, MAIL_ADDRESS, TARGETS, Network
from tests.lab.places import PROJECT

SETTINGS_FILE = "/etc/hapair/hapair.env"
SUPERVISOR_SOCKET = "/run/lab-supervisor.sock"
SERVICE_COMMAND = "/usr/local/sbin/lab-service"
RESOLVER = "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"
"""Names come from /etc/hosts alone: anything else fails at once, since nobody listens there."""

SETTINGS = {
    "HAPAIR_STATE_DIR": "/data/hapair",
    "HAPAIR_FILES_DIR": "/data/files",
    "HAPAIR_PACKAGES_DIR": "/data/files/.packages",
    "HAPAIR_LOG_DIR": "/data/logs",
    "HAPAIR_DATABASE_DIR": "/data/mysql",
    "HAPAIR_SERVICE_COMMAND": SERVICE_COMMAND,
    "HAPAIR_SMTP_HOST": MAIL_ADDRESS,
}

SMALL_SERVER = """# Written by the lab: a small server. What keeps data safe stays as hapair sets it.
[mariadbd]
innodb_buffer_pool_size = 128M
performance_schema = OFF
"""


def write_system_files(layer: Path, hostname: str, network: Network) -> None:
    """What makes this host itself is in its system layer, before its first boot."""
    etc, local_programs = layer / "etc", layer / "usr" / "local" / "sbin"
    etc.mkdir(parents=True)
    (etc / "hostname").write_text(f"{hostname}\n")
    (etc / "hosts").write_text(hosts_file(network))
    (etc / "resolv.conf").write_text(RESOLVER)
    (etc / "hapair").mkdir()
    (layer / SETTINGS_FILE.lstrip("/")).write_text("".join(f"{name}={value}\n" for name, value in SETTINGS.items()))
    (etc / "mysql" / "mariadb.conf.d").mkdir(parents=True)
    (etc / "mysql" / "mariadb.conf.d" / "95-lab.cnf").write_text(SMALL_SERVER)
    local_programs.mkdir(parents=True)
    command = local_programs / Path(SERVICE_COMMAND).name
    command.write_text(f'#!/bin/sh\ncd {PROJECT} && exec {sys.executable} -m tests.lab.supervisor "$@"\n')
    command.chmod(0o755)


def hosts_file(network: Network) -> str:
    """The names of everybody in the lab."""
    lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost ip6-loopback"]
    for host in HOSTS:
        name, address = HOSTNAMES[host], network.address(host)
        lines += [f"{address.ipv4} {name}.{DOMAIN} {name}", f"{address.ipv6} {name}.{DOMAIN} {name}"]
    lines += [f"{address} {target}.{DOMAIN} {target}" for target, address in TARGETS.items()]
    return "\n".join(lines) + "\n"
