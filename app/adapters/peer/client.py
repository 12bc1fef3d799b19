"""The paired server, spoken to over its peer sshd with pinned keys.

Each thread that asks has a line (an SSH connection with a `talk` channel) of its own while it waits, so that a slow
request delays no heartbeat; lines are kept and used again. A request that is not answered in time closes its line,
because an SSH keepalive alone does not notice a peer that hangs.
"""

from __future__ import annotations

import base64
import os
import select
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

from app.adapters.keys import CLIENT_KEY
from app.adapters.peer.connection import Deadline, LoginRefused, WrongHostKey, connect, load_key, log_in, resolve
from app.adapters.peer.line import Line
from app.adapters.peer.openssh import ACCOUNT, checked_address, ssh_options, stream_error
from app.core.errors import HapairError, InvalidInput, LocalFailure, PeerRefused, PeerUnreachable
from app.core.state import PeerIdentity
from app.ports import Json
from app.settings import Settings

LINES_MAX = 6
"""Requests at the same time; further ones wait their time."""
IDLE_LINES_MAX = 1
"""Each kept line is a process on the other server."""
IDLE_LINE_S = 5.0
"""A line that was not used for longer is not used again: if the link was cut meanwhile, the other server's kernel may
wait many seconds more before it sends anything on it."""
STREAM_CHUNK_BYTES = 1024 * 1024
STREAM_END_S = 10.0
"""How long ssh may take to end after the last byte."""
TALK = "talk"
SEED = "seed"
SESSION_ENDED = "session-ended"
"""The code with which the peer says that a request was not looked at, because its session is too old."""


class SshPeer:
    """The port Peer. `identity` tells who the peer is at this moment, None while there is no pair."""

    def __init__(self, settings: Settings, identity: Callable[[], PeerIdentity | None]) -> None:
        self._settings = settings
        self._identity = identity
        self._slots = threading.BoundedSemaphore(LINES_MAX)
        self._lock = threading.Lock()
        self._idle: list[tuple[PeerIdentity, Line, float]] = []
        """With the moment (of the monotonic clock) since which each is not used."""

    def request(self, verb: str, body: Json, timeout_s: float) -> Json:
        """The reply. Raises PeerUnreachable (codes `peer-unreachable`, `peer-timeout`, `peer-not-recognised`) or
        PeerRefused (`peer-login-refused`, or the peer's own code)."""
        identity = self._known_peer()
        deadline = Deadline.after(timeout_s)
        if not self._slots.acquire(timeout=timeout_s):
            raise _timed_out(identity.address, timeout_s)
        try:
            with _translated(identity.address, timeout_s):
                return self._ask(identity, verb, body, deadline)
        finally:
            self._slots.release()

    def _ask(self, identity: PeerIdentity, verb: str, body: Json, deadline: Deadline) -> Json:
        import paramiko

        kept = self._take(identity)
        if kept is not None:
            try:
                return self._ask_on(kept, identity, verb, body, deadline)
            except PeerRefused as error:
                if error.code != SESSION_ENDED:
                    raise
            except TimeoutError:
                raise
            except (EOFError, OSError, paramiko.SSHException):
                # The other server was restarted since, and only now does this end learn of it: every verb may be
                # repeated, so the request goes out again on a new line.
                pass
        return self._ask_on(self._open(identity, deadline), identity, verb, body, deadline)

    def _ask_on(self, line: Line, identity: PeerIdentity, verb: str, body: Json, deadline: Deadline) -> Json:
        usable = False
        try:
            reply = line.ask(verb, body, deadline)
            usable = True
        except PeerRefused as error:
            usable = error.code != SESSION_ENDED
            raise
        finally:
            self._put(identity, line, usable=usable)
        return reply

    def _open(self, identity: PeerIdentity, deadline: Deadline) -> Line:
        key = load_key(self._own_key())
        connection = connect(identity.address, self._settings.peer_port, deadline)
        transport = log_in(connection, ACCOUNT, key, base64.b64decode(identity.host_key.split()[1]), deadline)
        try:
            return Line(transport, TALK, deadline)
        except BaseException:
            transport.close()
            raise

    def _own_key(self) -> str:
        path = self._settings.keys_dir / CLIENT_KEY
        try:
            return path.read_text("ascii")
        except OSError as error:
            raise LocalFailure(
                "keys-missing",
                "This Server's Own Key Can't Be Read",
                detail=f"{path}: {error.strerror}.",
                hint="Run the installation again on this server.",
            ) from error

    def _take(self, identity: PeerIdentity) -> Line | None:
        """A kept line to this very peer, if one is fit for use."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                owner, line, since_s = self._idle.pop()
            if owner == identity and line.alive and time.monotonic() - since_s <= IDLE_LINE_S:
                return line
            line.close()

    def _put(self, identity: PeerIdentity, line: Line, *, usable: bool) -> None:
        with self._lock:
            if usable and len(self._idle) < IDLE_LINES_MAX:
                self._idle.append((identity, line, time.monotonic()))
                return
        line.close()

    def _known_peer(self) -> PeerIdentity:
        identity = self._identity()
        if identity is None:
            raise PeerUnreachable(
                "peer-unreachable",
                "This Server Has No Peer",
                detail="No other server is paired with this one.",
                hint="Set up the pair first.",
            )
        return identity

    @contextmanager
    def open_seed(self, timeout_s: float) -> Iterator[Iterator[bytes]]:
        """The primary's seed stream, by OpenSSH's client because it is faster; `timeout_s` bounds each wait for more.

        The iterator raises PeerUnreachable or PeerRefused where the stream breaks off or ends unclean.
        """
        address = checked_address(self._known_peer().address)
        try:
            host = resolve(address, timeout_s)
        except OSError as error:
            raise _unreachable(address, str(error)) from error
        command = [*ssh_options(self._settings), "--", host, SEED]
        with tempfile.TemporaryFile() as errors:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                pipesize=STREAM_CHUNK_BYTES,
            )
            try:
                yield _chunks(process, errors, address, timeout_s)
            finally:
                process.kill()
                process.communicate()

    def close(self) -> None:
        """The kept lines are closed; a later request opens a new one."""
        with self._lock:
            lines, self._idle = self._idle, []
        for _, line, _ in lines:
            line.close()


def _chunks(process: subprocess.Popen[bytes], errors: IO[bytes], address: str, timeout_s: float) -> Iterator[bytes]:
    output = process.stdout
    if output is None:
        raise AssertionError("the stream was started without a pipe")
    while True:
        if not select.select([output], [], [], timeout_s)[0]:
            raise _timed_out(address, timeout_s)
        chunk = os.read(output.fileno(), STREAM_CHUNK_BYTES)
        if not chunk:
            break
        yield chunk
    try:
        status = process.wait(STREAM_END_S)
    except subprocess.TimeoutExpired as error:
        raise _timed_out(address, STREAM_END_S) from error
    if status != 0:
        errors.seek(0)
        raise stream_error(errors.read().decode("utf-8", "replace"), address)


@contextmanager
def _translated(address: str, timeout_s: float) -> Iterator[None]:
    """The errors of sockets and paramiko become ours."""
    import paramiko

    try:
        yield
    except HapairError as error:
        if isinstance(error, InvalidInput) and error.code == "bad-request":
            raise _unreachable(address, "its answer can't be understood") from error
        raise
    except TimeoutError as error:
        raise _timed_out(address, timeout_s) from error
    except WrongHostKey as error:
        raise PeerUnreachable(
            "peer-not-recognised",
            "The Other Server Was Not Recognised",
            detail=f"The server at {address} has another host key than the one pinned when the two were paired.",
            hint="See that HAPeerAddress is right. If the other server was installed anew, tear down and pair again.",
        ) from error
    except LoginRefused as error:
        raise PeerRefused(
            "peer-login-refused",
            "The Other Server Does Not Know This One",
            detail=f"The server at {address} refused this server's key: it is not, or no longer, paired with it.",
            hint="Compare the HA status of both servers; if the other one is standalone, tear down here too.",
        ) from error
    except (OSError, EOFError, paramiko.SSHException) as error:
        raise _unreachable(address, str(error) or "the connection was closed") from error


def _timed_out(address: str, timeout_s: float) -> PeerUnreachable:
    return PeerUnreachable(
        "peer-timeout",
        "The Other Server Did Not Answer In Time",
        detail=f"{address} did not answer within {timeout_s:g} s.",
        hint="See that the other server is up and not overloaded, then try again.",
    )


def _unreachable(address: str, reason: str) -> PeerUnreachable:
    return PeerUnreachable(
        "peer-unreachable",
        "The Other Server Can't Be Reached",
        detail=f"{address}: {reason[:500]}.",
        hint="See that the other server is up and that its peer port is reachable, then try again.",
    )
