"""A console server with canned answers: the built console under its real Content-Security-Policy, and an API whose
answers a test chooses. For what a real pair can't be brought to on demand: hostile text, odd states, lost sessions.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.waiting import wait_for

DIST = Path(__file__).resolve().parents[2] / "frontend" / "dist"
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self';"
    " connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
API = "/api/v1"
WAIT_S = 15.0

Answer = tuple[int, Any, dict[str, str]]
"""Status, JSON body (or None), further headers."""
Route = Callable[[dict[str, Any]], Answer]
"""Called with {"body", "headers", "query"} of the request."""


def ok(body: Any, **headers: str) -> Answer:
    return 200, body, headers


def problem(status: int, code: str, title: str, **more: Any) -> Answer:
    return status, {"status": status, "code": code, "title": title, **more}, {}


class CannedConsole:
    """Serves until closed; `routes` maps `"GET /ha/status"` to what answers it, and may be changed at any time."""

    def __init__(self, routes: dict[str, Route], port: int = 0) -> None:
        self.routes = routes
        self.requests: list[tuple[str, dict[str, Any]]] = []
        console = self

        class Handler(_Handler):
            owner = console

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    @property
    def port(self) -> int:
        return self._server.server_port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def sent(self, call: str, count: int = 1) -> list[dict[str, Any]]:
        """The requests that came for `call`, oldest first, as soon as there are `count`: what the page shows after a
        press may be there before its request is. AssertionError when fewer come within 15 s."""

        def came() -> list[dict[str, Any]]:
            return [request for name, request in self.requests if name == call]

        wait_for(lambda: len(came()) >= count, WAIT_S, f"{count} times {call}")
        return came()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    owner: CannedConsole

    def _handle(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length)
        if not parts.path.startswith(API):
            self._file(parts.path)
            return
        request = {
            "body": json.loads(raw) if raw else None,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "query": parts.query,
        }
        call = f"{self.command} {parts.path.removeprefix(API)}"
        self.owner.requests.append((call, request))
        route = self.owner.routes.get(call)
        status, body, headers = route(request) if route else problem(404, "not-found", "There Is No Such Thing")
        self._reply(status, "" if body is None else json.dumps(body), "application/json", headers)

    do_GET = do_POST = do_PUT = do_DELETE = _handle  # noqa: N815

    def _file(self, path: str) -> None:
        file = DIST / path.lstrip("/")
        if not file.is_file():
            file = DIST / "index.html"
        self._reply(HTTPStatus.OK, file.read_bytes(), TYPES.get(file.suffix, "application/octet-stream"), {})

    def _reply(self, status: int, body: str | bytes, content_type: str, headers: dict[str, str]) -> None:
        data = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        for name, value in headers.items():
            self.send_header(name, value)
        with contextlib.suppress(ConnectionError):  # the browser has left the page
            self.end_headers()
            self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Tests look at `requests` instead of a log."""
