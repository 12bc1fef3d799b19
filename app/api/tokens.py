"""Tokens for automation: shown once, stored as digests, node by node."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from app.api.body import Resource
from app.api.door import LOCAL_TOKEN, needs, note_detail, recorded, visitor
from app.api.parts import node, parts
from app.core.access import Scope
from app.core.errors import NotAllowed, NotFound
from app.passwords import digest, new_secret
from app.ports.access import TokenRecord
from app.schemas.access import NewTokenSchema, TokenOnceSchema, TokensSchema

resource = Resource("tokens", __name__, "Tokens for automation")

TOKEN_ID_BYTES = 6
TOKENS_MAX = 200


@resource.route("/tokens", methods=["GET"])
@needs(Scope.CONFIGURE)
@resource.response(200, TokensSchema)
def list_tokens() -> dict[str, list[TokenRecord]]:
    """All tokens of this server, without their values."""
    return {"items": parts().access.tokens()}


@resource.route("/tokens", methods=["POST"])
@needs(Scope.CONFIGURE)
@recorded("token-made")
@resource.arguments(NewTokenSchema)
@resource.response(201, TokenOnceSchema)
def make_token(wanted: dict[str, Any]) -> dict[str, Any]:
    """Make a token; its value is in this answer and nowhere else."""
    days = wanted["expires_in_days"]
    note_detail(label=wanted["label"], scope=wanted["scope"], expires_in_days=days)
    access = parts().access
    if len(access.tokens()) >= TOKENS_MAX:
        raise NotAllowed(
            "too-many-tokens",
            "There Are Too Many Tokens",
            detail=f"This server has {TOKENS_MAX} tokens already.",
            hint="Withdraw those that are not used any more.",
        )
    value = new_secret()
    expires_at = None if days is None else node().clock.now() + timedelta(days=days)
    token = access.add_token(
        secrets.token_hex(TOKEN_ID_BYTES), wanted["label"], Scope(wanted["scope"]), digest(value),
        visitor().actor.name, expires_at,
    )  # fmt: skip
    note_detail(id=token.id)
    return {**vars(token), "token": value}


@resource.route("/tokens/<token_id>", methods=["DELETE"])
@needs(Scope.CONFIGURE)
@recorded("token-withdrawn")
@resource.response(204)
def withdraw_token(token_id: str) -> None:
    """Withdraw a token: it is refused from now on."""
    note_detail(id=token_id[:64])
    if token_id == LOCAL_TOKEN:
        raise NotAllowed(
            "token-kept",
            "This Token Stays",
            detail="It is the one with which root's command line speaks to the API.",
            hint="Run the installation again to replace it.",
        )
    if not parts().access.remove_token(token_id):
        raise NotFound("no-such-token", "No Such Token", detail="There is no token with this id.")
