"""A kept channel over which requests and replies go, one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.adapters.peer.connection import Deadline, watched
from app.core.wire import REPLY_BYTES_MAX, parse_reply, request_line
from app.ports import Json

if TYPE_CHECKING:
    import paramiko

CHUNK_BYTES = 64 * 1024


class Line:
    """One request at a time; after any error but a refusal the line must be closed."""

    def __init__(self, transport: paramiko.Transport, command: str, deadline: Deadline) -> None:
        self._transport = transport
        self._buffer = bytearray()
        self._last_id = 0
        with watched(transport, deadline):
            self._channel = transport.open_session(timeout=deadline.left())
            # A word of ours, never data.
            self._channel.exec_command(command)  # nosec B601

    @property
    def alive(self) -> bool:
        """Whether nothing is known to be wrong with it."""
        return self._transport.is_active() and not self._channel.closed and not self._channel.eof_received

    def ask(self, verb: str, body: Json, deadline: Deadline) -> Json:
        """The reply. Raises PeerRefused, InvalidInput (not a proper reply), TimeoutError, EOFError, OSError or
        paramiko.SSHException."""
        self._last_id += 1
        message = request_line(self._last_id, verb, body)
        with watched(self._transport, deadline):
            self._channel.settimeout(deadline.left())
            self._channel.sendall(message)
            return parse_reply(self._read_line(deadline), self._last_id)

    def _read_line(self, deadline: Deadline) -> bytes:
        while (end := self._buffer.find(b"\n")) < 0 and len(self._buffer) <= REPLY_BYTES_MAX:
            self._channel.settimeout(deadline.left())
            chunk = self._channel.recv(CHUNK_BYTES)
            if not chunk:
                raise EOFError(self._last_words())
            self._buffer += chunk
        line = bytes(self._buffer[: end if end >= 0 else None])
        del self._buffer[: len(line) + 1]
        return line

    def _last_words(self) -> str:
        """What the other side wrote to its error output before it went, shortened."""
        if not self._channel.recv_stderr_ready():
            return ""
        return self._channel.recv_stderr(1000).decode("utf-8", "replace").strip()

    def close(self) -> None:
        self._transport.close()
