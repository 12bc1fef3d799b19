"""Installs hapair on the hosts of a lab, by the same commands that install it on a server."""

from __future__ import annotations

import json
import secrets
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.lab.control import Lab
from tests.lab.network import HOSTS
from tests.lab.system_files import SERVICE_COMMAND

Json = dict[str, Any]
PASSWORD_BYTES = 12
DATABASE_ACCOUNT = "client"
ADMINISTRATOR = "admin"

GRANTS = "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, REFERENCES, CREATE VIEW, LOCK TABLES, EXECUTE"
"""What an application needs; nothing that gets past read-only."""


def install(lab: Lab) -> None:
    """hapair runs on both hosts; the lab's notes hold the passwords and tokens."""
    passwords = {"console": secrets.token_urlsafe(PASSWORD_BYTES), "database": secrets.token_urlsafe(PASSWORD_BYTES)}
    with ThreadPoolExecutor(len(HOSTS)) as both:
        tokens = dict(zip(HOSTS, both.map(lambda host: _install_host(lab, host, passwords), HOSTS), strict=True))
    lab.ask("note", notes={"passwords": passwords, "tokens": tokens})


def _install_host(lab: Lab, host: str, passwords: Json) -> str:
    """hapair runs on the host; returns the token for automation."""
    lab.check(host, sys.executable, "-m", "app.install", "files")
    lab.check(host, SERVICE_COMMAND, "start", "mariadb")
    token = _install_database(lab, host, passwords["console"])
    lab.check(host, "mariadb", given=_account_statements(passwords["database"]))
    lab.check(host, SERVICE_COMMAND, "enable")
    return token


def _install_database(lab: Lab, host: str, password: str) -> str:
    read_password = 'IFS= read -r HAPAIR_FIRST_PASSWORD && export HAPAIR_FIRST_PASSWORD && exec "$@"'
    command = ("sh", "-c", read_password, "sh", sys.executable, "-m", "app.install", "database")
    printed = lab.check(host, *command, given=f"{password}\n")
    return str(json.loads(printed.splitlines()[-1])["token"])


def _account_statements(password: str) -> str:
    """The application's account; made outside the binary log, since each server is installed by itself."""
    account = f"'{DATABASE_ACCOUNT}'@'%'"
    return (
        "SET SESSION sql_log_bin = 0;\n"
        f"CREATE USER {account} IDENTIFIED BY '{password}';\n"
        f"GRANT {GRANTS} ON *.* TO {account};\n"
    )


def describe(lab: Lab) -> Json:
    """The lab as outsiders see it: addresses, accounts and paths, in the shape that the contract fixes."""
    found = lab.ask("info")
    notes = found["notes"]
    return {
        "name": found["name"],
        "topology": found["topology"],
        "hosts": {host: _describe_host(host, found["hosts"][host], notes) for host in HOSTS},
        "targets": found["targets"],
        "mailbox": found["mailbox"],
    }


def _describe_host(host: str, found: Json, notes: Json) -> Json:
    data = Path(found["data"])
    passwords = notes.get("passwords", {})
    return {
        "hostname": found["hostname"],
        "on": found["on"],
        "address": found["ipv4"],
        "address6": found["ipv6"],
        "gateway": found["gateway"],
        "url": f"https://127.0.0.1:{found['https_port']}",
        "ca": str(data / "hapair" / "tls" / "console-authority.pem"),
        "username": ADMINISTRATOR,
        "password": passwords.get("console", ""),
        "token": notes.get("tokens", {}).get(host, ""),
        "database": {
            "host": "127.0.0.1",
            "port": found["database_port"],
            "user": DATABASE_ACCOUNT,
            "password": passwords.get("database", ""),
        },
        "files": str(data / "files"),
        "rescue": str(data / "hapair" / "rescue"),
        "logs": str(data / "logs"),
    }
