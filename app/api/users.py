"""The administrators and auditors of both servers, kept in the replicated appliance database."""

from __future__ import annotations

from typing import Any

from app.api.body import Resource
from app.api.door import needs, note_detail, recorded, visitor
from app.api.known import remember
from app.api.parts import node, parts
from app.core.access import Scope, UserRole
from app.core.errors import InvalidInput, LocalFailure, NotAllowed
from app.core.roles import Role
from app.passwords import check_new_password, hash_password
from app.ports.access import UserRecord
from app.schemas.access import (
    EndedSessionsSchema,
    NewUserSchema,
    PasswordSchema,
    UserRoleSchema,
    UserSchema,
    UsersSchema,
)

resource = Resource("users", __name__, "Administrators and auditors")

NAME_SHOWN_MAX = 64


@resource.route("/users", methods=["GET"])
@needs(Scope.CONFIGURE)
@resource.response(200, UsersSchema)
def list_users() -> dict[str, list[dict[str, Any]]]:
    """All users."""
    counts = parts().access.session_counts()
    return {"items": [described(user, counts) for user in parts().accounts.users()]}


def described(user: UserRecord, session_counts: dict[str, int]) -> dict[str, Any]:
    """A user as the API shows them: nothing that opens a door."""
    return {
        "name": user.name,
        "role": str(user.role),
        "totp": user.totp is not None,
        "recovery_codes": len(user.recovery),
        "password_change_needed": user.must_change,
        "sessions": session_counts.get(user.name, 0),
        "created_at": user.created_at,
        "password_changed_at": user.password_changed_at,
    }


@resource.route("/users", methods=["POST"])
@needs(Scope.CONFIGURE)
@recorded("user-added")
@resource.arguments(NewUserSchema)
@resource.response(201, UserSchema)
@resource.alt_response(409, description="The name is taken, or users can't be changed on this server")
def add_user(wanted: dict[str, str]) -> dict[str, Any]:
    """Add an administrator or an auditor, who must change the password at the first log-in."""
    name, role = wanted["name"], UserRole(wanted["role"])
    note_detail(name=name, role=str(role))
    refuse_on_secondary()
    user = parts().accounts.add_user(name, hashed(wanted["password"], name), role, must_change=True)
    remember(user)
    return described(user, {})


@resource.route("/users/<name>/password", methods=["PUT"])
@needs(Scope.CONFIGURE)
@recorded("password-changed")
@resource.arguments(PasswordSchema)
@resource.response(204)
@resource.alt_response(409, description="It is your own, or users can't be changed on this server")
def change_password(wanted: dict[str, str], name: str) -> None:
    """Set somebody's password, who must change it at the next log-in; all their sessions end."""
    note_detail(name=name[:NAME_SHOWN_MAX])
    refuse_on_secondary()
    who = visitor()
    if who.session is not None and who.session.username == name:
        raise NotAllowed(
            "own-password",
            "This Is Your Own Password",
            detail="One's own password is changed by showing the old one.",
            hint="PUT /api/v1/session/password with `current` and `password`.",
        )
    remember(parts().accounts.change_password(name, hashed(wanted["password"], name), must_change=True))
    parts().access.end_sessions_of(name)


@resource.route("/users/<name>/role", methods=["PUT"])
@needs(Scope.CONFIGURE)
@recorded("role-changed")
@resource.arguments(UserRoleSchema)
@resource.response(200, UserSchema)
@resource.alt_response(409, description="It is the last administrator, or users can't be changed on this server")
def change_role(wanted: dict[str, str], name: str) -> dict[str, Any]:
    """Make somebody an administrator or an auditor; all their sessions end."""
    role = UserRole(wanted["role"])
    note_detail(name=name[:NAME_SHOWN_MAX], role=str(role))
    refuse_on_secondary()
    user = parts().accounts.change_role(name, role)
    remember(user)
    parts().access.end_sessions_of(name)
    return described(user, {})


@resource.route("/users/<name>/totp", methods=["DELETE"])
@needs(Scope.CONFIGURE)
@recorded("second-factor-reset")
@resource.response(204)
@resource.alt_response(409, description="Users can't be changed on this server")
def reset_second_factor(name: str) -> None:
    """Take away somebody's second factor, for who has lost the device and the recovery codes."""
    note_detail(name=name[:NAME_SHOWN_MAX])
    refuse_on_secondary()
    remember(parts().accounts.change_second_factor(name, None, ()))


@resource.route("/users/<name>/sessions", methods=["DELETE"])
@needs(Scope.CONFIGURE)
@recorded("sessions-ended")
@resource.response(200, EndedSessionsSchema)
def end_sessions(name: str) -> dict[str, Any]:
    """End all sessions of somebody: here at once, on the other server within a minute where this one may tell it."""
    note_detail(name=name[:NAME_SHOWN_MAX])
    ended = parts().access.end_sessions_of(name)
    try:
        refuse_on_secondary()
        remember(parts().accounts.end_sessions(name))
    except (LocalFailure, NotAllowed) as error:
        note_detail(ended=ended, only_here=error.code)
        return {"ended": ended, "both_servers": False, "detail": f"{error.detail} {error.hint}".strip()}
    note_detail(ended=ended)
    return {"ended": ended, "both_servers": True, "detail": ""}


@resource.route("/users/<name>", methods=["DELETE"])
@needs(Scope.CONFIGURE)
@recorded("user-removed")
@resource.response(204)
@resource.alt_response(409, description="It is the last administrator, or users can't be changed on this server")
def remove_user(name: str) -> None:
    """Remove a user; all their sessions end, on the other server within a minute."""
    note_detail(name=name[:NAME_SHOWN_MAX])
    refuse_on_secondary()
    parts().accounts.remove_user(name)
    parts().access.forget_user(name)
    parts().access.end_sessions_of(name)


def refuse_on_secondary() -> None:
    """Raises NotAllowed on a secondary: what it wrote by itself would not be on the primary."""
    if node().store.state().role is not Role.SECONDARY:
        return
    peer = node().store.state().peer
    where = f"https://{url_host(peer.address)}" if peer is not None else "the primary server"
    raise NotAllowed(
        "database-read-only",
        "Users Are Changed On The Primary",
        detail="This server is the secondary: it has the users from the primary and may not change them.",
        hint=f"Do this on {where}; it is known here a moment later.",
    )


def url_host(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def hashed(password: str, name: str) -> str:
    """The hash to store. Raises InvalidInput where the password is not good enough."""
    try:
        check_new_password(password, name)
    except ValueError as error:
        raise weak(str(error)) from error
    return hash_password(password)


def weak(sentence: str) -> InvalidInput:
    return InvalidInput(
        "weak-password",
        "The Password Is Not Good Enough",
        detail="The password was not changed.",
        hint="Choose a longer one that holds neither the name nor few characters only: some words in a row are good.",
        errors={"password": [sentence]},
    )
