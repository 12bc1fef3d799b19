"""For load balancers, supervisors and Prometheus: no login, nothing secret."""

from __future__ import annotations

from flask import Response, make_response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from app.api.body import Resource
from app.api.door import open_to_all
from app.api.parts import node
from app.api.status import seen
from app.core.errors import LocalFailure
from app.core.roles import Role
from app.core.status import WORDS, View, failover_obstacles, judge
from app.schemas.system import HealthSchema

resource = Resource("health", __name__, "Health and metrics")


def health(status: str, reason: str, code: int) -> Response:
    response = make_response(HealthSchema().dump({"status": status, "reason": reason}), code)
    response.headers["Cache-Control"] = "no-store"
    return response


@resource.route("/health/live", methods=["GET"])
@open_to_all
@resource.response(200, HealthSchema)
def live() -> Response:
    """The API runs."""
    return health("ok", "", 200)


@resource.route("/health/ready", methods=["GET"])
@open_to_all
@resource.response(200, HealthSchema)
@resource.alt_response(503, schema=HealthSchema, description="A part does not work")
def ready() -> Response:
    """The node store can be read and the monitor runs."""
    try:
        view = seen(node())
    except LocalFailure as error:
        return health("not-ready", error.title, 503)
    if not view.fresh:
        return health("not-ready", "The monitor does not run.", 503)
    return health("ok", "", 200)


@resource.route("/health/primary", methods=["GET"])
@open_to_all
@resource.response(200, HealthSchema)
@resource.alt_response(503, schema=HealthSchema, description="Not the writable primary")
def primary() -> Response:
    """This server is the primary of the pair and accepts writes."""
    try:
        view = seen(node())
    except LocalFailure as error:
        return health("not-primary", error.title, 503)
    if view.state.role is Role.PRIMARY and is_writable(view):
        return health("ok", "", 200)
    return health("not-primary", f"The role is {view.state.role}, writable: {is_writable(view)}.", 503)


def is_writable(view: View) -> bool:
    return view.fresh and bool(view.part("node").get("writable"))


@resource.route("/metrics", methods=["GET"])
@open_to_all
@resource.response(200, {"type": "string"}, content_type="text/plain")
def metrics() -> Response:
    """Figures for Prometheus."""
    response = make_response(generate_latest(measure(seen(node()))))
    response.headers["Content-Type"] = CONTENT_TYPE_LATEST
    return response


def measure(view: View) -> CollectorRegistry:
    """The gauges of this moment. What is not known is left out: a missing figure is never a zero."""
    registry = CollectorRegistry()

    def gauge(name: str, text: str, value: float | None) -> None:
        if value is not None:
            Gauge(f"hapair_{name}", text, registry=registry).set(value)

    def one_of(name: str, text: str, label: str, values: list[str], now: str) -> None:
        found = Gauge(f"hapair_{name}", text, [label], registry=registry)
        for value in values:
            found.labels(value).set(value == now)

    word, _ = judge(view)
    pings, files = view.part("pings"), view.part("files")
    facts = view.part("database").get("facts") or {}
    one_of("role", "Role of this server", "role", [str(role) for role in Role], str(view.state.role))
    one_of("status", "Status of the pair as this server sees it", "status", [name for name, _ in WORDS], word)
    gauge("term", "Term of this server", view.state.term)
    gauge("writable", "Whether this server accepts writes", is_writable(view))
    gauge("fenced", "Whether this server is fenced", view.state.fence is not None)
    gauge("failover_ready", "Whether the standby would take over now", not list(failover_obstacles(view)))
    gauge("monitor_age_seconds", "Age of the monitor's last report", view.age_s)
    gauge("peer_heartbeat_age_seconds", "Since the other server was heard", view.heartbeat_age_s)
    gauge("pings_missed", "Pings to the other server that failed in a row", (pings.get("peer") or {}).get("missed"))
    gauge("ping_round_trip_ms", "Last round trip to the other server", (pings.get("peer") or {}).get("round_trip_ms"))
    gauge("replication_lag_seconds", "Age of the newest row of the primary here", facts.get("beat_age_s"))
    gauge("files_pending", "Changed files that are not mirrored yet", files.get("pending"))
    gauge("alarms", "Alarms that are up", len((view.snapshot or {}).get("alarms") or []) if view.fresh else None)
    return registry
