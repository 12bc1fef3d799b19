"""For load balancers and supervisors: no login, nothing secret."""

from __future__ import annotations

from flask import Response, make_response

from app.api.body import Resource
from app.api.door import open_to_all
from app.api.parts import node
from app.api.status import seen
from app.core.errors import LocalFailure
from app.core.roles import Role
from app.core.status import View
from app.schemas.system import HealthSchema

resource = Resource("health", __name__, "Health")


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
