"""One line for each request: who asked for what, and how it went. Bodies, headers and query strings are not in it."""

from __future__ import annotations

import logging

from flask import Flask, Response, g, request

from app.api.door import client_address
from app.api.parts import node
from app.api.problems import printable

log = logging.getLogger("api")

QUIET_PATHS = ("/api/v1/health/", "/api/v1/metrics")
"""Asked every few seconds by machines."""


def install(app: Flask) -> None:
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    g.began_at = node().clock.monotonic()


def _end(response: Response) -> Response:
    if not request.path.startswith(QUIET_PATHS):
        who = getattr(g, "visitor", None)
        log.info(
            "%s %s: %d in %.1f ms for %s %s",
            printable(request.method),
            printable(request.path),
            response.status_code,
            (node().clock.monotonic() - g.began_at) * 1000,
            "nobody" if who is None else who.actor.name,
            client_address(),
        )
    return response
