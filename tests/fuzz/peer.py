"""The forced command of the peer's key, as its own process, against a hostile other server."""

from __future__ import annotations

import json
import os
import random
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from app.adapters.clock import SystemClock
from app.adapters.store import SqliteNodeStore
from app.core.errors import InvalidInput
from app.core.roles import Role
from app.core.state import PeerIdentity, Phase
from app.core.wire import REPLY_BYTES_MAX, REQUEST_BYTES_MAX
from app.migrate import migrate_appliance, migrate_node_store
from jobs.peer.commands import ReceiveFiles, SendSeed, Talk, parse_command
from tests.fuzz.nonsense import PAIR_ID, command, line

ANSWER_S = 60.0
"""However loaded the machine is; a request that takes longer hangs."""
MEMORY_GROWTH_MB = 64.0
LINES_OF_A_SESSION = 250
PEER = PeerIdentity("node-b", "beta", "127.0.0.1", "ssh-ed25519 AAAA", "ssh-ed25519 BBBB", "PEM")
COMMANDS_A_SESSION = 2000


@dataclass
class Found:
    """What a run has seen."""

    lines: int = 0
    sessions: int = 0
    replies: int = 0
    refusals: int = 0
    slowest_s: float = 0.0
    growth_mb: float = 0.0


@contextmanager
def a_node(role: Role) -> Iterator[dict[str, str]]:
    """The environment of a node whose database, queue and network are not there."""
    with tempfile.TemporaryDirectory(prefix="hapair-fuzz-") as folder:
        home = Path(folder)
        for name in ("state/peer", "run", "log", "files", "data"):
            (home / name).mkdir(parents=True)
        store_path = home / "state" / "store" / "node.db"
        migrate_node_store(store_path)
        migrate_appliance(f"sqlite:///{home / 'appliance.db'}")
        store = SqliteNodeStore(store_path, SystemClock())
        if role is not Role.STANDALONE:
            store.change_state(
                lambda state: replace(state, role=role, term=3, phase=Phase.PAIRED, peer=PEER, pair_id=PAIR_ID)
            )
        store.close()
        (home / "state" / "peer" / "authorized_keys").touch()
        yield {
            **os.environ,
            "HAPAIR_STATE_DIR": str(home / "state"), "HAPAIR_RUN_DIR": str(home / "run"),
            "HAPAIR_LOG_DIR": str(home / "log"), "HAPAIR_FILES_DIR": str(home / "files"),
            "HAPAIR_PACKAGES_DIR": str(home / "files" / ".packages"), "HAPAIR_DATABASE_DIR": str(home / "data"),
            "HAPAIR_DATABASE_SOCKET": str(home / "nobody.sock"), "HAPAIR_REDIS_URL": f"unix://{home}/nobody.sock",
            "HAPAIR_APPLIANCE_DATABASE": f"sqlite:///{home / 'appliance.db'}", "HAPAIR_SERVICE_COMMAND": "/bin/false",
            "HAPAIR_PEER_PORT": "9", "SSH_ORIGINAL_COMMAND": "talk",
        }  # fmt: skip


class Session:
    """One process of the forced command."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "jobs.peer"],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0,
        )  # fmt: skip
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._into = self.process.stdin.fileno()
        self._out = self.process.stdout.fileno()
        self._buffer = b""

    def send(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._into, rest) :]

    def reply(self) -> bytes:
        """The next line; empty where the session has ended. Raises AssertionError where nothing comes."""
        deadline = time.monotonic() + ANSWER_S
        while b"\n" not in self._buffer:
            assert select.select([self._out], [], [], max(deadline - time.monotonic(), 0))[0], "it hangs"
            chunk = os.read(self._out, 1 << 20)
            if not chunk:
                return b""
            self._buffer += chunk
            assert len(self._buffer) <= REPLY_BYTES_MAX + 1, "the reply is too long"
        found, _, self._buffer = self._buffer.partition(b"\n")
        return found

    def memory_mb(self) -> float:
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(text.split("VmRSS:")[1].split()[0]) / 1024

    def end(self) -> int:
        """Its exit code, after the input has ended. Raises TimeoutExpired where it does not end."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.close()
            return self.process.wait(ANSWER_S)
        finally:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()


def check(answer: bytes) -> str:
    """The code with which the reply, which must be one, refuses; empty where it does not. Raises AssertionError where
    it is none, or betrays a bug."""
    found = json.loads(answer)
    assert isinstance(found, dict), answer[:200]
    assert isinstance(found.get("ok"), bool), answer[:200]
    if found["ok"]:
        return ""
    assert found["error"]["code"] != "internal-error", answer[:500]
    assert b"Traceback" not in answer
    return str(found["error"]["code"])


def run(seed: int, seconds: float, roles: Sequence[Role] = tuple(Role)) -> Found:
    """Sessions in these roles until the time is over; at least one line in each."""
    dice, found = random.Random(seed), Found()
    until = time.monotonic() + seconds
    _commands(dice)
    while True:
        for role in roles:
            with a_node(role) as environment:
                _session(dice, environment, found, until)
                _broken_off(environment)
        if time.monotonic() > until:
            return found


def _session(dice: random.Random, environment: dict[str, str], found: Found, until: float) -> None:
    session = Session(environment)
    found.sessions += 1
    session.send(b'{"id":1,"verb":"ping","body":{}}\n')
    check(session.reply())
    before_mb = session.memory_mb()
    for number in range(LINES_OF_A_SESSION):
        if number and time.monotonic() > until:
            break
        sent = line(dice)
        began = time.monotonic()
        session.send(sent + b"\n")
        answer = session.reply()
        found.lines += 1
        found.slowest_s = max(found.slowest_s, time.monotonic() - began)
        try:
            code = check(answer)
        except (AssertionError, ValueError) as error:
            log = (Path(environment["HAPAIR_LOG_DIR"]) / "peer.log").read_text()[-3000:]
            raise AssertionError(f"{error}: to {sent[:2000]!r}; {log}") from error
        found.replies += 1
        found.refusals += code != ""
        if code == "session-ended":
            break  # a verb has changed whom this server knows
    found.growth_mb = max(found.growth_mb, session.memory_mb() - before_mb)
    assert found.growth_mb < MEMORY_GROWTH_MB, f"memory grew by {found.growth_mb:.0f} MB"
    assert session.end() == 0


def _broken_off(environment: dict[str, str]) -> None:
    """A line that comes drop by drop and is never whole, and one without end."""
    session = Session(environment)
    for byte in b'{"id":1,"verb":"pi':
        session.send(bytes([byte]))
    assert session.end() == 0
    session = Session(environment)
    try:
        for _ in range(2 * REQUEST_BYTES_MAX // 65536):
            session.send(b"x" * 65536)
    except BrokenPipeError:
        pass  # it has heard enough
    assert check(session.reply())
    assert session.reply() == b""
    assert session.end() == 0


def _commands(dice: random.Random) -> None:
    for _ in range(COMMANDS_A_SESSION):
        asked = command(dice)
        try:
            parsed = parse_command(asked)
        except InvalidInput:
            continue
        assert isinstance(parsed, (Talk, SendSeed, ReceiveFiles))
        if isinstance(parsed, ReceiveFiles):
            assert not set("".join(parsed.options)) & set(";$`&\n\0/ "), asked
