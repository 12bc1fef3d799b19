"""This server, as Linux tells of it: /proc, `ip`, the service manager, and JSON files in the run folder."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import re
import secrets
import shlex
import shutil
import socket
import struct
import subprocess
import time
from importlib import metadata
from pathlib import Path
from typing import Any

from app.core.errors import LocalFailure
from app.core.virtual_address import Interface
from app.ports import Json, MachineFacts
from app.settings import Settings

UNITS = {
    "mariadb": "mariadb",
    "redis": "hapair-redis",
    "nginx": "hapair-nginx",
    "peer-sshd": "hapair-peer-sshd",
    "api": "hapair-api",
    "worker": "hapair-worker",
    "monitor": "hapair-monitor",
    "watchdog": "hapair-watchdog",
}
"""Our names of the services, and the service manager's."""

ACTIONS = ("start", "stop", "restart", "reload", "kill")
COMMAND_TIMEOUT_S = 5.0
"""Bound of the small commands that only report."""
DETAIL_MAX = 500
"""Characters of a command's output that an error repeats."""
DOCUMENT_NAME = re.compile(r"[a-z][a-z0-9-]{0,63}")

ROUTE_UP = 0x1
ROUTE_GATEWAY = 0x2


class LinuxMachine:
    """Reads what changes rarely anew on each call: callers who need it often keep it."""

    def __init__(self, settings: Settings, proc: Path = Path("/proc")) -> None:
        self._settings = settings
        self._proc = proc

    def facts(self) -> MachineFacts:
        interfaces = _interfaces()
        usage = shutil.disk_usage(_existing(self._settings.state_dir))
        return MachineFacts(
            hostname=socket.gethostname(),
            addresses=tuple(network.split("/")[0] for each in interfaces for network in each.networks),
            gateway=_gateway_ipv4(self._proc / "net/route") or _gateway_ipv6(self._proc / "net/ipv6_route"),
            cpus=len(os.sched_getaffinity(0)),
            memory_bytes=_memory_bytes(self._proc / "meminfo"),
            disk_bytes=usage.total,
            disk_free_bytes=usage.free,
            version=metadata.version("hapair"),
            interfaces=interfaces,
        )

    def hostname(self) -> str:
        return socket.gethostname()

    def service(self, action: str, name: str, timeout_s: float = 60.0) -> None:
        if action not in ACTIONS or name not in UNITS:
            raise LocalFailure("service-unknown", "Unknown Service", detail=f"There is no {action!r} for {name!r}.")
        manager = shlex.split(self._settings.service_command)
        options = ["--signal=SIGKILL"] if action == "kill" and Path(manager[0]).name == "systemctl" else []
        command = [*manager, action, *options, UNITS[name]]
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_s, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise _service_failure(name, action, f"it took longer than {timeout_s:g} s") from error
        except OSError as error:
            raise _service_failure(name, action, f"the service manager can't be called: {error}") from error
        if done.returncode != 0:
            said = (done.stderr or done.stdout).decode("utf-8", "replace").strip()
            raise _service_failure(name, action, said[-DETAIL_MAX:] or f"exit code {done.returncode}")

    def can_connect(self, host: str, port: int, timeout_s: float) -> bool:
        try:
            with socket.create_connection((host, port), timeout=timeout_s):
                return True
        except (OSError, UnicodeError):
            return False

    def publish(self, name: str, document: Json) -> None:
        path = self._document(name)
        partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        content = json.dumps({"monotonic": time.monotonic(), "document": document}, default=str)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_text(content, encoding="utf-8")
            partial.chmod(0o644)
            partial.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
            raise LocalFailure(
                "run-folder-failed",
                "The Run Folder Can't Be Written",
                detail=str(error),
                hint=f"Check free space and permissions of {path.parent}.",
            ) from error

    def published(self, name: str) -> tuple[Json, float] | None:
        try:
            content = json.loads(self._document(name).read_text(encoding="utf-8"))
            document, published_at = content["document"], float(content["monotonic"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        age_s = time.monotonic() - published_at
        if not isinstance(document, dict) or age_s < 0:
            return None
        return document, age_s

    def _document(self, name: str) -> Path:
        if DOCUMENT_NAME.fullmatch(name) is None:
            raise ValueError(f"a published document can't be called {name!r}")
        return self._settings.run_dir / f"{name}.json"


def _service_failure(name: str, action: str, detail: str) -> LocalFailure:
    return LocalFailure(
        "service-failed",
        "A Service Did Not Obey",
        detail=f"{action} of {name}: {detail}",
        hint=f"Look at the log of {UNITS[name]} on this server.",
    )


def _existing(path: Path) -> Path:
    """The path itself or its nearest parent that exists."""
    return next(each for each in (path, *path.parents) if each.exists())


def _interfaces() -> tuple[Interface, ...]:
    """The interfaces that are up and have addresses that others can reach; none where `ip` can't tell."""
    try:
        listed = subprocess.run(
            ["ip", "-json", "address", "show", "up"], capture_output=True, timeout=COMMAND_TIMEOUT_S, check=True
        )
        found: list[dict[str, Any]] = json.loads(listed.stdout or b"[]")
    except (OSError, subprocess.SubprocessError, ValueError):
        return ()
    named = [Interface(each["ifname"], _networks(each.get("addr_info", []))) for each in found if "ifname" in each]
    return tuple(each for each in named if each.networks)


def _networks(entries: list[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(
        f"{entry['local']}/{entry['prefixlen']}"
        for entry in entries
        if _is_reachable_from_outside(entry.get("local", ""))
    )


def _is_reachable_from_outside(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return not (parsed.is_loopback or parsed.is_link_local)


def _rows(path: Path) -> list[list[str]]:
    try:
        return [line.split() for line in path.read_text(encoding="ascii", errors="replace").splitlines()]
    except OSError:
        return []


def _gateway_ipv4(route_table: Path) -> str | None:
    """The default gateway with the lowest metric in /proc/net/route (addresses are in the machine's byte order)."""
    candidates: list[tuple[int, str]] = []
    for row in _rows(route_table)[1:]:
        flags = int(row[3], 16)
        if row[1] == "00000000" and flags & ROUTE_UP and flags & ROUTE_GATEWAY:
            candidates.append((int(row[6]), socket.inet_ntoa(struct.pack("=I", int(row[2], 16)))))
    return min(candidates)[1] if candidates else None


def _gateway_ipv6(route_table: Path) -> str | None:
    """The default gateway with the lowest metric in /proc/net/ipv6_route; a link-local one carries its interface."""
    candidates: list[tuple[int, str]] = []
    for row in _rows(route_table):
        flags = int(row[8], 16)
        if int(row[0], 16) == 0 and row[1] == "00" and flags & ROUTE_UP and flags & ROUTE_GATEWAY:
            gateway = ipaddress.IPv6Address(bytes.fromhex(row[4]))
            scope = f"%{row[9]}" if gateway.is_link_local else ""
            candidates.append((int(row[5], 16), f"{gateway}{scope}"))
    return min(candidates)[1] if candidates else None


def _memory_bytes(meminfo: Path) -> int:
    for row in _rows(meminfo):
        if row[0] == "MemTotal:":
            return int(row[1]) * 1024
    return 0
