"""Every secret of a lab is looked for everywhere: files, logs, databases, queue, mails, processes and what they print.

Places in which a secret belongs are named here, one by one; each must be closed to everybody else.
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import quote

from tests.lab.network import HOSTS
from tests.lab.servers import Servers

SAMPLE_S = 0.02
PEM_LINE_MIN = 40
"""Shorter lines of a key file may stand anywhere by chance."""
FINGERPRINT, REPLICATION = "pairing fingerprint", "replication password"
ALLOWED = (
    (r"\w+/hapair/keys/.*", r".*", "root's key folder"),
    (r"\w+/hapair/tls/(key|console)\.pem", r".*key.*", "the server's own private keys"),
    (r"\w+/hapair/sealing/keys", r"sealing key.*", "what opens sealed values: root and the API's group"),
    (r"\w+/mysql/master\.info", REPLICATION, "MariaDB keeps its source's password there, for its own account"),
    (
        r"\w+/hapair/store/node\.db(-wal)?",
        r"CSRF token.*",
        "opens nothing without the session's cookie, which is not there",
    ),
    (r"\w+/hapair/store/node\.db(-wal)?", FINGERPRINT, "the draft and the applied configuration of this node"),
)
"""(place, secret, why): where which secret may be. The files are closed to other accounts, which is checked too."""
WORLD = 0o007
_PRIVATE = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----\n(.*?)-----END", re.DOTALL)
_QUEUE = """
import sys, zlib, redis
connection = redis.Redis(unix_socket_path="/run/hapair/redis.sock")
def show(value):
    try:
        value = zlib.decompress(value)
    except zlib.error:
        pass
    sys.stdout.buffer.write(value + b"\\n")
for key in connection.scan_iter():
    show(key)
    kind = connection.type(key)
    if kind == b"hash":
        [show(each) for pair in connection.hgetall(key).items() for each in pair]
    elif kind == b"string":
        show(connection.get(key))
    elif kind == b"list":
        [show(each) for each in connection.lrange(key, 0, -1)]
    elif kind == b"set":
        [show(each) for each in connection.smembers(key)]
    elif kind == b"zset":
        [show(each) for each in connection.zrange(key, 0, -1)]
"""


@dataclass(frozen=True)
class Finding:
    """A secret where it does not belong."""

    place: str
    secret: str


@dataclass
class Secrets:
    """What must not be found, by name; a value is one line of text."""

    values: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, value: str) -> None:
        assert len(value) >= 8, f"{name} is too short to be looked for"
        self.values[name] = value

    def forms(self) -> dict[bytes, str]:
        """Each secret as it may be written somewhere."""
        found: dict[bytes, str] = {}
        for name, value in self.values.items():
            plain = value.encode()
            for form in (plain, quote(value, safe="").encode(), json.dumps(value)[1:-1].encode(), _base64_core(plain)):
                found[form] = name
        return found

    def named_in(self, data: bytes) -> set[str]:
        return {name for form, name in self.forms().items() if form in data}


def _base64_core(plain: bytes) -> bytes:
    """What of the value's base64 form does not depend on what follows it."""
    return base64.b64encode(plain)[: len(plain) // 3 * 4]


def of_installation(servers: Servers) -> Secrets:
    """The secrets that the servers have made or were given at their installation and set-up."""
    found = Secrets()
    for host in HOSTS:
        given, home = servers.hosts[host], servers.lab.places.data(host) / "hapair"
        found.add(f"password of {host}'s administrator", given["password"])
        found.add(f"token of {host}", given["token"])
        found.add(f"local token of {host}", (home / "keys" / "local-token").read_text().strip())
        for file in (*home.glob("keys/*_key"), home / "tls" / "key.pem", home / "tls" / "console.pem"):
            for number, line in enumerate(_private_lines(file.read_text())):
                found.add(f"private key {file.name} of {host}, line {number}", line)
        for number, line in enumerate((home / "sealing" / "keys").read_text().split()):
            found.add(f"sealing key {number} of {host}", line)
        replication = home / "keys" / "secrets" / "replication-password"
        if replication.exists():
            found.values.setdefault(REPLICATION, replication.read_text().strip())
    return found


def _private_lines(text: str) -> list[str]:
    """Lines that hold what is private of each key of the file; a key's first line is the same in all keys."""
    found = []
    for block in _PRIVATE.findall(text):
        found += [line for line in block.splitlines()[1:] if len(line) >= PEM_LINE_MIN]
    return found


def search(servers: Servers, secrets: Secrets) -> list[Finding]:
    """Everything that the lab has is looked through; what is found where it does not belong."""
    folder = servers.lab.places.folder
    roots = [servers.lab.places.data(host) for host in HOSTS] + [servers.lab.places.mailbox]
    found = []
    for path in _files_with(secrets, roots):
        place = str(path.relative_to(folder))
        names = secrets.named_in(path.read_bytes())
        found += [Finding(place, name) for name in names if not _is_allowed(place, name, path)]
    for place, data in _printed(servers):
        found += [Finding(place, name) for name in secrets.named_in(data)]
    return found


def _files_with(secrets: Secrets, roots: list[Path]) -> list[Path]:
    """The files below these folders that hold any of the secrets, which stand on no command line for it."""
    with tempfile.NamedTemporaryFile(prefix="hapair-secrets-") as patterns:
        patterns.write(b"\n".join(secrets.forms()))
        patterns.flush()
        existing = [str(root) for root in roots if root.exists()]
        done = subprocess.run(
            ["grep", "-r", "-l", "-a", "-s", "-F", "-f", patterns.name, *existing],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    return [Path(line) for line in done.stdout.splitlines()]


def _is_allowed(place: str, name: str, path: Path) -> bool:
    fits = any(re.fullmatch(where, place) and re.fullmatch(which, name) for where, which, _ in ALLOWED)
    return fits and not path.stat().st_mode & WORLD


def _printed(servers: Servers) -> Iterator[tuple[str, bytes]]:
    """What is not in a file of the hosts: published snapshots, the queue, the tables, the processes as they are."""
    python = str(Path(__file__).resolve().parents[2] / ".venv" / "bin" / "python")
    for host in HOSTS:
        check = servers.lab.check
        yield f"{host}: published files", check(host, "sh", "-c", "cat /run/hapair/*.json").encode()
        yield f"{host}: tables", check(host, "sh", "-c", "mariadb-dump --all-databases 2>/dev/null").encode()
        yield f"{host}: queue", check(host, python, "-c", _QUEUE).encode()
        yield f"{host}: processes", b"\n".join(look for _, look in processes(servers, host))


def processes(servers: Servers, host: str) -> Iterator[tuple[str, bytes]]:
    """Arguments and environment of each process of the host."""
    wanted = servers.lab.check(host, "readlink", "/proc/self/ns/pid").strip()
    return _processes(wanted)


def _processes(namespace: str) -> Iterator[tuple[str, bytes]]:
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if str((entry / "ns" / "pid").readlink()) == namespace:
                arguments, environment = (entry / "cmdline").read_bytes(), (entry / "environ").read_bytes()
                yield arguments.replace(b"\0", b" ").decode(errors="replace"), arguments + environment
        except OSError:
            continue  # it ended while we looked


class Sampler:
    """Looks at all processes of the hosts all the time, and keeps what each looked like."""

    def __init__(self, servers: Servers) -> None:
        self._namespaces = {host: servers.lab.check(host, "readlink", "/proc/self/ns/pid").strip() for host in HOSTS}
        self._seen: dict[bytes, str] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.looks = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            for namespace in self._namespaces.values():
                for command, look in _processes(namespace):
                    self._seen.setdefault(look, command)
            self.looks += 1
            self._stopping.wait(SAMPLE_S)

    def findings(self, secrets: Secrets) -> list[Finding]:
        """Processes that had a secret among their arguments or in their environment."""
        return [
            Finding(f"process {command[:100]}", name)
            for look, command in list(self._seen.items())
            for name in secrets.named_in(look)
        ]
