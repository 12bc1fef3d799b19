"""HTTP for the command line: the API of this server over its Unix socket, or of another one over TLS."""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from app.settings import Settings

PREFIX = "/api/v1"
TIMEOUT_S = 60.0
"""Longer than the slowest answer, a preflight with a silent peer."""
LINE_BYTES_MAX = 4 * 1024 * 1024
PIECE_BYTES = 256 * 1024
"""Of a download, held in memory at a time."""


class CallFailed(Exception):
    """The API said no. `problem` is its problem document."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(problem.get("title", "The API gave no reason"))
        self.problem = problem


class NoAnswer(Exception):
    """The API can't be reached."""


@dataclass(frozen=True)
class Target:
    """Which API, and as whom. Without `url` the local one over its socket."""

    token: str = field(repr=False)
    socket_path: Path | None = None
    url: str = ""
    ca: str | None = None
    person: str = ""
    """Whom sudo names."""


@dataclass(frozen=True)
class Reply:
    body: Any
    etag: str | None


class SocketConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(TIMEOUT_S)
        try:
            self.sock.connect(str(self._path))
        except OSError:
            self.sock.close()
            raise


class Client:
    """Calls of the API. Raises CallFailed and NoAnswer."""

    def __init__(self, target: Target) -> None:
        self._target = target

    def call(self, method: str, path: str, body: Any = None, etag: str | None = None) -> Reply:
        connection, response = self._send(method, path, body, etag)
        try:
            raw = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswer(f"The answer broke off: {error}") from error
        finally:
            connection.close()
        found = _parse(raw)
        if response.status >= 400:
            raise CallFailed(found if isinstance(found, dict) and "code" in found else _unexpected(response.status))
        return Reply(found, response.headers.get("ETag"))

    def get(self, path: str) -> Any:
        return self.call("GET", path).body

    def post(self, path: str, body: Any = None) -> Any:
        return self.call("POST", path, {} if body is None else body).body

    def follow(self, path: str) -> Iterator[Any]:
        """Each value of a stream of server-sent events, until it ends."""
        connection, response = self._send("GET", path, None, None)
        try:
            if response.status >= 400:
                raise CallFailed(_parse(response.read()) or _unexpected(response.status))
            event = b""
            while line := response.readline(LINE_BYTES_MAX):
                if line.startswith(b"event: "):
                    event = line[len(b"event: ") :].strip()
                elif line.startswith(b"data: "):
                    value = _parse(line[len(b"data: ") :])
                    if event == b"problem":
                        raise NoAnswer(f"The stream ended: {value['title']}")
                    yield value
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswer(f"The stream broke off: {error}") from error
        finally:
            connection.close()

    def download(self, path: str, write: Callable[[bytes], object]) -> int:
        """All of the answer is written, a piece at a time; how many bytes."""
        connection, response = self._send("GET", path, None, None)
        try:
            if response.status >= 400:
                raise CallFailed(_parse(response.read()) or _unexpected(response.status))
            total = 0
            while piece := response.read(PIECE_BYTES):
                write(piece)
                total += len(piece)
        except http.client.HTTPException as error:
            raise NoAnswer(f"The download broke off: {error}") from error
        finally:
            connection.close()
        return total

    def _send(
        self, method: str, path: str, body: Any, etag: str | None
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        headers = {"Authorization": f"Bearer {self._target.token}", "Accept": "application/json"}
        data = None
        if body is not None:
            data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        if etag is not None:
            headers["If-Match"] = etag
        if self._target.person:
            headers["X-Hapair-Person"] = self._target.person
        connection = self._connection()
        try:
            connection.request(method, PREFIX + path, data, headers)
            return connection, connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise NoAnswer(f"{self._where()} can't be reached: {error}") from error

    def _connection(self) -> http.client.HTTPConnection:
        if self._target.socket_path is not None:
            return SocketConnection(self._target.socket_path)
        parts = urlsplit(self._target.url)
        context = ssl.create_default_context(cafile=self._target.ca)
        return http.client.HTTPSConnection(parts.hostname or "", parts.port, timeout=TIMEOUT_S, context=context)

    def _where(self) -> str:
        return self._target.url or f"The API of this server ({self._target.socket_path})"


def choose_target(settings: Settings, url: str | None, token_file: Path | None, ca: str | None) -> Target:
    """The API to call. Raises NoAnswer with what is missing."""
    if url:
        if urlsplit(url).scheme != "https" or not urlsplit(url).hostname:
            raise NoAnswer(f"{url} is not an https:// address.")
        token = token_file.read_text().strip() if token_file else os.environ.get("HAPAIR_TOKEN", "")
        if not token:
            raise NoAnswer("A remote server needs a token: --token-file FILE, or HAPAIR_TOKEN in the environment.")
        return Target(token, url=url.rstrip("/"), ca=ca)
    path = token_file or settings.local_token
    try:
        token = path.read_text().strip()
    except OSError as error:
        raise NoAnswer(f"The token in {path} can't be read ({error.strerror}); run hapair as root.") from error
    return Target(token, socket_path=settings.api_socket, person=os.environ.get("SUDO_USER", ""))


def _parse(raw: bytes) -> Any:
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return None


def _unexpected(status: int) -> dict[str, Any]:
    return {
        "code": "unexpected-answer",
        "title": "The Server Gave An Unexpected Answer",
        "detail": f"HTTP status {status} and nothing that can be read.",
        "hint": "Look at the log of the service hapair-api.",
        "status": status,
    }
