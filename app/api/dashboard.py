"""The RQ dashboard, behind this API's door: whoever may read sees it, whoever may configure may press its buttons.

rq-dashboard has no log-in of its own and wants an application of its own, so it is one, which only a view of ours can
call. Its pages hold a script inline and make templates with `Function`, so they have a policy of their own: that
script by a number used once, nothing from anywhere but below this path, no frame, no form. What its buttons change is
the transport of jobs; the journal in the node store stays the truth.
"""

from __future__ import annotations

import re
import secrets
from functools import cache

from flask import Flask, Response, request
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from werkzeug.test import run_wsgi_app

from app.api.door import needs, note_detail, recorded, visitor
from app.api.parts import node
from app.core.access import Scope
from app.core.errors import LocalFailure, NotFound

PATH = "/dashboard"
CSRF_COOKIE = "_csrf_token"
"""What rq-dashboard's script sends back as X-CSRFToken with each change; nginx gives that header our name."""
CONNECT_TIMEOUT_S = 2.0
ANSWER_TIMEOUT_S = 5.0
QUEUE_DOWN = "X-Queue-Down"
"""How the inner application tells the outer one why it failed; never sent out."""
NONCE_BYTES = 18
POLL_INTERVAL_MS = 5000
PAGE_LENGTH_MAX = 200
"""Characters of the pressed button's path that the activity log keeps."""
_LOOK = re.compile(r"$|static/|favicon\.ico$|(0/)?$|0/(view|data)(/|$)")
"""What may be asked for by GET: rq-dashboard has a GET that changes something, too (`requeue/…`)."""
_INLINE_SCRIPT = re.compile(r'<script type="text/javascript">')
_HOST = re.compile(r"[A-Za-z0-9.:\[\]_-]{1,255}")


def install(app: Flask) -> None:
    """The dashboard answers below PATH."""
    for rule in (f"{PATH}/", f"{PATH}/<path:page>"):
        app.add_url_rule(rule, "look_at_dashboard", look_at_dashboard, methods=["GET"])
        app.add_url_rule(rule, "act_on_dashboard", act_on_dashboard, methods=["POST"])


@needs(Scope.READ)
def look_at_dashboard(page: str = "") -> Response:
    """A page of the dashboard, or the data that it shows."""
    if not _LOOK.match(page):
        raise _no_such_page()
    return _answer(page)


@needs(Scope.CONFIGURE)
@recorded("dashboard")
def act_on_dashboard(page: str = "") -> Response:
    """A button of the dashboard was pressed."""
    note_detail(button=page[:PAGE_LENGTH_MAX])
    return _answer(page)


def _answer(page: str) -> Response:
    """What rq-dashboard says. Raises NotFound, LocalFailure (codes `queue-down`, `dashboard-failed`)."""
    environ = {**request.environ, "SCRIPT_NAME": PATH, "PATH_INFO": f"/{page}"}
    inner = dashboard(node().settings.redis_url)
    answer = Response(*run_wsgi_app(inner.wsgi_app, environ, buffered=True))
    if answer.status_code == 404:
        raise _no_such_page()
    if answer.status_code >= 500:
        raise _failure(answer)
    return _guarded(answer)


def _no_such_page() -> NotFound:
    return NotFound("not-found", "There Is No Such Page", detail="The dashboard does not have it.")


def _failure(answer: Response) -> LocalFailure:
    if QUEUE_DOWN in answer.headers:
        return LocalFailure(
            "queue-down",
            "The Job Queue Is Down",
            detail="Redis does not answer, so there is nothing to show.",
            hint="Start the service hapair-redis on this server; the list of jobs of the console works without it.",
        )
    return LocalFailure(
        "dashboard-failed",
        "The Dashboard Failed",
        detail="rq-dashboard could not make this page.",
        hint="The log of the service hapair-api says why; the list of jobs of the console works without it.",
    )


def _guarded(answer: Response) -> Response:
    """With a policy for this page alone, and the token that its buttons need."""
    if answer.mimetype == "text/html":
        nonce = secrets.token_urlsafe(NONCE_BYTES)
        page = answer.get_data(as_text=True)
        answer.set_data(_INLINE_SCRIPT.sub(f'<script type="text/javascript" nonce="{nonce}">', page))
        answer.headers["Content-Security-Policy"] = policy(nonce, request.host)
    who = visitor()
    if who.session is not None:
        answer.set_cookie(
            CSRF_COOKIE, who.session.csrf_token, secure=True, httponly=False, samesite="Strict", path=f"{PATH}/"
        )
    return answer


def policy(nonce: str, host: str) -> str:
    """The Content-Security-Policy of one page of the dashboard."""
    below = f"https://{host}{PATH}/" if _HOST.fullmatch(host) else "'none'"
    parts = {
        "default-src": "'none'",
        "script-src": f"'nonce-{nonce}' 'unsafe-eval' {below}",
        "style-src-elem": below,
        "style-src-attr": "'unsafe-inline'",
        "img-src": f"{below} data:",
        "connect-src": below,
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in parts.items())


@cache
def dashboard(redis_url: str) -> Flask:
    """rq-dashboard as an application of its own, made when somebody first looks: most never do."""
    from rq import serializers
    from rq.exceptions import NoSuchJobError
    from rq.serializers import JSONSerializer
    from rq_dashboard import blueprint, web

    # Jobs are JSON. What lies in Redis is never unpickled here, where pickle could run whatever it says.
    serializers.PickleSerializer = JSONSerializer  # type: ignore[assignment]
    web.config.serializer = JSONSerializer
    application = Flask("rq_dashboard_alone", static_folder=None)
    application.config.update(
        RQ_DASHBOARD_REDIS_URL=(redis_url,), RQ_DASHBOARD_POLL_INTERVAL=POLL_INTERVAL_MS, PROPAGATE_EXCEPTIONS=False
    )
    application.redis_conn = Redis.from_url(  # type: ignore[attr-defined]
        redis_url, socket_connect_timeout=CONNECT_TIMEOUT_S, socket_timeout=ANSWER_TIMEOUT_S
    )
    application.register_blueprint(blueprint, url_prefix="")
    # Its page links to a file of the application that it expects to be in.
    application.add_url_rule("/static/<path:filename>", "static", build_only=True)
    for down in (RedisConnectionError, RedisTimeoutError):
        application.register_error_handler(down, lambda _error: ("", 503, {QUEUE_DOWN: "yes"}))
    # A job, a queue or a number that is not there, as its views meet it.
    for absent in (NoSuchJobError, LookupError, ValueError, UnboundLocalError):
        application.register_error_handler(absent, lambda _error: ("", 404))
    return application
