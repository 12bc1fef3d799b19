"""This server."""

from __future__ import annotations

from typing import Any

from app.api.body import Resource
from app.api.door import needs
from app.api.parts import node
from app.core.access import Scope
from app.schemas.system import SystemSchema

resource = Resource("system", __name__, "This server")


@resource.route("/system", methods=["GET"])
@needs(Scope.READ)
@resource.response(200, SystemSchema)
def show_system() -> dict[str, Any]:
    """Hostname, addresses, gateway, tunnel network, version and size."""
    return {**vars(node().machine.facts()), "tunnel_network": node().settings.tunnel_network}
