"""Starts and keeps the services of a lab host, as systemd does on an installed server.

`python -m tests.lab.supervisor serve` runs below process 1 of the host; `… start|stop|restart|kill|status NAME` is
the command that HAPAIR_SERVICE_COMMAND names; `… enable` starts all services, now and at each boot. It knows the
services by app.install.services, the table that the systemd units are made from. A service that ends by itself is
started again after a short pause.
"""

from __future__ import annotations

import json
import os
import pwd
import signal
import socket
import socketserver
import subprocess
import sys
import threading
from contextlib import ExitStack, suppress
from pathlib import Path

from app.install.accounts import ensure_folders
from app.install.services import PROJECT, SERVICES, Service
from app.settings import ENVIRONMENT_FILE, read_environment_file, read_settings
from tests.lab.system_files import SUPERVISOR_SOCKET

SOCKET = Path(SUPERVISOR_SOCKET)
NOTIFY_FOLDER = Path("/run/lab-notify")
ENABLED = Path("/etc/hapair/lab-enabled")
"""Its presence starts every service at boot."""
RESTART_PAUSE_S = 0.5
STOP_TIMEOUT_S = 20.0
READY_TIMEOUT_S = 60.0
NOTICE_POLL_S = 0.1
REQUEST_BYTES = 4096
ACTIONS = ("start", "stop", "restart", "reload", "kill", "status", "enable")
NOTIFYING = frozenset({"mariadb"})
"""Services that say themselves when they are ready (sd_notify); the others count as ready once they run."""
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Refusal(Exception):
    """A request that can't be met; the message says why."""


class Runner:
    """Runs one service for as long as it is wanted, from a thread of its own."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._changed = threading.Condition()
        self._wanted = False
        self._ready = False
        self._process: subprocess.Popen[bytes] | None = None
        threading.Thread(target=self._keep, name=service.name, daemon=True).start()

    def _keep(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._wanted)
            try:
                self._run_once()
            except (OSError, KeyError) as error:
                print(f"{self.service.name} can't be started: {error}", file=sys.stderr, flush=True)
            with self._changed:
                self._process, self._ready = None, False
                self._changed.notify_all()
                self._changed.wait_for(lambda: not self._wanted, RESTART_PAUSE_S)

    def _run_once(self) -> None:
        """The service has run and ended."""
        with ExitStack() as stack:
            notices = None
            if self.service.name in NOTIFYING:
                notices = stack.enter_context(_notice_socket(NOTIFY_FOLDER / self.service.name))
            with self._changed:
                process = self._process = self._spawn()
            if notices is None or _said_ready(notices, process):
                with self._changed:
                    self._ready = process.poll() is None
                    self._changed.notify_all()
            process.wait()

    def want(self) -> None:
        """The service will be started, and again whenever it ends; returns at once."""
        with self._changed:
            self._wanted = True
            self._changed.notify_all()

    def start(self) -> None:
        """The service runs and is ready. Raises Refusal when it isn't in time."""
        self.want()
        with self._changed:
            if not self._changed.wait_for(lambda: self._ready, READY_TIMEOUT_S):
                raise Refusal(f"{self.service.name} was not ready within {READY_TIMEOUT_S:g} s; its log says why.")

    def stop(self) -> None:
        """The service has ended and stays so. One that does not end in time is killed."""
        with self._changed:
            self._wanted = False
            self._changed.notify_all()
            process = self._process
            if process is None:
                return
            self._signal(process, signal.SIGTERM)
            if not self._changed.wait_for(lambda: self._process is not process, STOP_TIMEOUT_S):
                self._signal(process, signal.SIGKILL)
                self._changed.wait_for(lambda: self._process is not process, STOP_TIMEOUT_S)
            self._signal(process, signal.SIGKILL)

    def kill(self) -> None:
        """The service has received SIGKILL; it will be started again. Raises Refusal where it does not run."""
        with self._changed:
            if self._process is None:
                raise Refusal(f"{self.service.name} does not run.")
            self._signal(self._process, signal.SIGKILL)

    def reload(self) -> None:
        """It has been told to read its configuration anew. Raises Refusal where it can't or does not run."""
        with self._changed:
            if not self.service.reloads or self._process is None:
                raise Refusal(f"{self.service.name} does not run, or can't read its configuration anew.")
            self._process.send_signal(signal.SIGHUP)

    def status(self) -> dict[str, object]:
        with self._changed:
            state = "active" if self._ready else "starting" if self._wanted else "stopped"
            return {"state": state, "pid": self._process.pid if self._process else None}

    def _spawn(self) -> subprocess.Popen[bytes]:
        account = pwd.getpwnam(self.service.account)
        environment = {
            "PATH": PATH,
            "LANG": "C.UTF-8",
            "HOME": account.pw_dir,
            "USER": account.pw_name,
            **host_settings(),
        }
        if self.service.name in NOTIFYING:
            environment["NOTIFY_SOCKET"] = str(NOTIFY_FOLDER / self.service.name)
        with log_file(self.service.name).open("ab") as log:
            return subprocess.Popen(
                self.service.arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=PROJECT,
                env=environment,
                user=account.pw_uid,
                group=account.pw_gid,
                extra_groups=os.getgrouplist(account.pw_name, account.pw_gid),
                start_new_session=True,
            )

    @staticmethod
    def _signal(process: subprocess.Popen[bytes], number: int) -> None:
        """The process, and at SIGKILL all that descend from it, receive the signal."""
        family = descendants(process.pid) if number == signal.SIGKILL else []
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        for each in family:
            with suppress(ProcessLookupError):
                os.kill(each, number)


def _notice_socket(path: Path) -> socket.socket:
    """Where a service says that it is ready."""
    notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notices.settimeout(NOTICE_POLL_S)
    path.unlink(missing_ok=True)
    notices.bind(str(path))
    path.chmod(0o666)
    return notices


def _said_ready(notices: socket.socket, process: subprocess.Popen[bytes]) -> bool:
    """Whether the service said that it is ready before it ended."""
    while process.poll() is None:
        with suppress(TimeoutError):
            if b"READY=1" in notices.recv(REQUEST_BYTES).split(b"\n"):
                return True
    return False


def descendants(pid: int) -> list[int]:
    """The processes below `pid`, also those that have made a session of their own."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found, left = [], [pid]
    while left:
        children = parents.get(left.pop(), [])
        found += children
        left += children
    return found


def host_settings() -> dict[str, str]:
    """The variables of the host's settings file; none before it is installed."""
    return read_environment_file(ENVIRONMENT_FILE)


def log_file(name: str) -> Path:
    """Where the service's output goes."""
    folder = read_settings(host_settings()).log_dir
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}.log"


class Supervisor:
    """All services of the host."""

    def __init__(self) -> None:
        self._runners = {each.name: Runner(each) for each in SERVICES}
        self._by_unit = {each.unit_name: each.name for each in SERVICES}

    def start_all(self) -> None:
        """Every service is on its way up, after the folders that a boot empties are there again."""
        ensure_folders(read_settings(host_settings()))
        for runner in self._runners.values():
            runner.want()

    def answer(self, action: str, name: str) -> object:
        """Does what was asked for; returns the status of the service, or of all where none is named."""
        if action not in ACTIONS:
            raise Refusal(f"no action {action!r}; there are {', '.join(ACTIONS)}.")
        if action == "enable":
            ENABLED.touch()
            self.start_all()
        if not name:
            return {each: runner.status() for each, runner in self._runners.items()}
        runner = self._runners.get(self._by_unit.get(name.removesuffix(".service"), name))
        if runner is None:
            raise Refusal(f"no service {name!r}; there are {', '.join(self._runners)}.")
        if action in ("stop", "restart"):
            runner.stop()
        if action in ("start", "restart"):
            runner.start()
        if action == "reload":
            runner.reload()
        if action == "kill":
            runner.kill()
        return runner.status()


def serve() -> None:
    """Answers requests until the host dies."""
    supervisor = Supervisor()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            try:
                action, name = json.loads(self.rfile.readline(REQUEST_BYTES))
                reply = {"ok": True, "result": supervisor.answer(str(action), str(name))}
            except (Refusal, OSError, ValueError) as error:
                reply = {"ok": False, "error": str(error)}
            with suppress(BrokenPipeError):
                self.wfile.write(json.dumps(reply).encode() + b"\n")

    class Server(socketserver.ThreadingUnixStreamServer):
        daemon_threads = True

    NOTIFY_FOLDER.mkdir(exist_ok=True)
    SOCKET.unlink(missing_ok=True)
    if ENABLED.exists():
        supervisor.start_all()
    with Server(str(SOCKET), Handler) as server:
        SOCKET.chmod(0o600)
        server.serve_forever()


def ask(action: str, name: str) -> object:
    """The supervisor's answer. Raises Refusal with its reason."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(SOCKET))
        connection.sendall(json.dumps([action, name]).encode() + b"\n")
        with connection.makefile() as answer:
            reply = json.loads(answer.readline() or '{"ok": false, "error": "the supervisor hung up"}')
    if not reply["ok"]:
        raise Refusal(reply["error"])
    return reply["result"]


def main() -> int:
    arguments = sys.argv[1:]
    if arguments == ["serve"]:
        serve()
    if len(arguments) not in (1, 2):
        print(f"usage: {'|'.join(ACTIONS)} NAME", file=sys.stderr)
        return 2
    try:
        result = ask(arguments[0], arguments[1] if len(arguments) == 2 else "")
    except (Refusal, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
