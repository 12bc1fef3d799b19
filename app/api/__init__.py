"""The JSON API: one file a resource, thin views, all errors as problem documents. The entry point is app.server."""

from __future__ import annotations

from importlib import metadata

from flask import Flask, Response

from app.api import (
    activity,
    acts,
    alerts,
    certificate,
    configuration,
    dashboard,
    diary,
    door,
    health,
    history,
    jobs,
    logs,
    metrics,
    own,
    problems,
    reference,
    requestlog,
    rescues,
    session,
    status,
    system,
    tokens,
    users,
)
from app.api.body import BODY_BYTES_MAX
from app.api.database import db, engine_options
from app.api.parts import KEY, Parts
from app.api.streams import StreamSlots
from app.ports import Node
from app.ports.access import Access, Accounts, Throttle

RESOURCES = (
    session.resource,
    own.resource,
    tokens.resource,
    users.resource,
    configuration.resource,
    acts.resource,
    alerts.resource,
    status.resource,
    history.resource,
    logs.resource,
    activity.resource,
    jobs.resource,
    rescues.resource,
    system.resource,
    certificate.resource,
    health.resource,
    metrics.resource,
)
DESCRIPTION = (
    "Configures and runs a high-availability pair. Browsers use a session cookie and send its csrf_token in"
    " X-CSRF-Token with each change; automation sends Authorization: Bearer and a token. Errors are problem documents"
    " (RFC 9457) with code, title, detail, hint and, where fields are wrong, errors by field."
)


def create_app(node: Node, access: Access, accounts: Accounts, throttle: Throttle) -> Flask:
    """The application for one node. Nothing connects here."""
    app = Flask("hapair", static_folder=None)
    url = node.settings.appliance_url
    app.config.update(
        API_TITLE="hapair",
        API_VERSION=metadata.version("hapair"),
        OPENAPI_VERSION="3.1.0",
        API_SPEC_OPTIONS={
            "info": {"description": DESCRIPTION},
            "components": {
                "securitySchemes": {
                    "session": {"type": "apiKey", "in": "cookie", "name": door.COOKIE},
                    "token": {"type": "http", "scheme": "bearer"},
                }
            },
            "security": [{"session": []}, {"token": []}],
        },
        MAX_CONTENT_LENGTH=BODY_BYTES_MAX,
        SQLALCHEMY_DATABASE_URI=url,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(url),
        PROPAGATE_EXCEPTIONS=False,
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions[KEY] = Parts(node, access, accounts, throttle, StreamSlots())
    db.init_app(app)
    requestlog.install(app)
    door.install(app)
    diary.install(app)
    api = problems.ProblemApi(app)
    problems.register(app)
    for resource in RESOURCES:
        api.register_blueprint(resource)
    reference.install(app)
    dashboard.install(app)
    app.after_request(_secure)
    return app


def _secure(response: Response) -> Response:
    """The headers that nginx would set too, for whoever reaches the API without it; nothing personal is cached."""
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
    return response
