"""The administrators, kept in the replicated appliance database."""

from __future__ import annotations

from flask import g

from app.api.body import Resource
from app.api.door import needs, note_detail, recorded, visitor
from app.api.parts import parts
from app.core.access import Scope, check_password
from app.core.errors import InvalidInput
from app.passwords import hash_password
from app.ports.access import UserRecord
from app.schemas.access import NewUserSchema, PasswordSchema, UserSchema, UsersSchema

resource = Resource("users", __name__, "Administrators")


@resource.route("/users", methods=["GET"])
@needs(Scope.CONFIGURE)
@resource.response(200, UsersSchema)
def list_users() -> dict[str, list[UserRecord]]:
    """All administrators."""
    return {"items": parts().accounts.users()}


@resource.route("/users", methods=["POST"])
@needs(Scope.CONFIGURE)
@recorded("user-added")
@resource.arguments(NewUserSchema)
@resource.response(201, UserSchema)
def add_user(wanted: dict[str, str]) -> UserRecord:
    """Add an administrator."""
    name = wanted["name"]
    note_detail(name=name)
    password_hash = _hashed(wanted["password"], name)
    user = parts().accounts.add_user(name, password_hash)
    parts().access.copy_user(name, password_hash)
    return user


@resource.route("/users/<name>/password", methods=["PUT"])
@needs(Scope.CONFIGURE)
@recorded("password-changed")
@resource.arguments(PasswordSchema)
@resource.response(204)
def change_password(wanted: dict[str, str], name: str) -> None:
    """Set a user's password; all their other sessions end."""
    note_detail(name=name[:64])
    password_hash = _hashed(wanted["password"], name)
    parts().accounts.change_password(name, password_hash)
    access, who = parts().access, visitor()
    access.copy_user(name, password_hash)
    access.end_sessions_of(name)
    if who.session is not None and who.session.username == name:
        access.add_session(who.session_digest, name, who.session.csrf_token, g.visitor.actor.address)


@resource.route("/users/<name>", methods=["DELETE"])
@needs(Scope.CONFIGURE)
@recorded("user-removed")
@resource.response(204)
def remove_user(name: str) -> None:
    """Remove an administrator; all their sessions on this server end."""
    note_detail(name=name[:64])
    parts().accounts.remove_user(name)
    parts().access.forget_user(name)
    parts().access.end_sessions_of(name)


def _hashed(password: str, name: str) -> str:
    try:
        check_password(password, name)
    except ValueError as error:
        raise InvalidInput(
            "weak-password",
            "The Password Is Not Good Enough",
            detail="The password was not changed.",
            hint="Choose a longer one that holds neither the name nor few characters only.",
            errors={"password": [str(error)]},
        ) from error
    return hash_password(password)
