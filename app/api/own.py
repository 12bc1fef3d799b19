"""What people change about themselves: their password, their second factor, their recovery codes."""

from __future__ import annotations

from typing import Any

from app.api.body import Resource
from app.api.door import even_with_first_password, for_oneself, recorded, visitor
from app.api.known import find_user, remember
from app.api.login import check_pace
from app.api.parts import node, parts
from app.api.session import described
from app.api.users import hashed, refuse_on_secondary, weak
from app.core.errors import InvalidInput, NotAllowed
from app.passwords import password_matches
from app.ports.access import SessionRecord, UserRecord
from app.schemas.access import (
    EnrolmentSchema,
    NewSecondFactorSchema,
    OwnPasswordSchema,
    PasswordProofSchema,
    RecoveryCodesSchema,
    SessionSchema,
)
from app.second_factor import (
    enrolment_uri,
    match_totp,
    new_recovery_codes,
    new_totp_secret,
    qr_image,
    recovery_digest,
)

resource = Resource("own", __name__, "One's own password and second factor")


@resource.route("/session/password", methods=["PUT"])
@even_with_first_password
@for_oneself
@recorded("own-password-changed")
@resource.arguments(OwnPasswordSchema)
@resource.response(200, SessionSchema)
@resource.alt_response(409, description="Not on this server: users are changed on the primary")
@resource.alt_response(429, description="Too many wrong passwords")
def change_own_password(wanted: dict[str, str]) -> dict[str, Any]:
    """Change one's own password; all one's other sessions end, on both servers."""
    refuse_on_secondary()
    session = own_session()
    prove(session, wanted["current"], "current")
    if wanted["password"] == wanted["current"]:
        raise weak("Is the one that you have.")
    password_hash = hashed(wanted["password"], session.username)
    user = parts().accounts.change_password(session.username, password_hash, must_change=False)
    remember(user)
    parts().access.end_sessions_of(user.name)
    return renewed(session, user)


@resource.route("/session/totp", methods=["POST"])
@for_oneself
@recorded("second-factor-begun")
@resource.arguments(PasswordProofSchema)
@resource.response(200, EnrolmentSchema)
@resource.alt_response(409, description="There is one already, or users can't be changed on this server")
@resource.alt_response(429, description="Too many wrong passwords")
def begin_second_factor(proof: dict[str, str]) -> dict[str, str]:
    """Begin a second factor: a secret for an app on a telephone. It counts once a code of it has been sent."""
    refuse_on_secondary()
    session = own_session()
    user = prove(session, proof["password"], "password")
    if user.totp is not None:
        raise NotAllowed(
            "second-factor-exists",
            "You Have A Second Factor",
            detail="Each account has one at most.",
            hint="DELETE /api/v1/session/totp first.",
        )
    secret = new_totp_secret()
    parts().access.hold_totp(visitor().session_digest, node().keys.seal(secret))
    uri = enrolment_uri(secret, user.name, node().machine.hostname())
    return {"secret": secret, "uri": uri, "qr_code": qr_image(uri)}


@resource.route("/session/totp", methods=["PUT"])
@for_oneself
@recorded("second-factor-set")
@resource.arguments(NewSecondFactorSchema)
@resource.response(200, RecoveryCodesSchema)
@resource.alt_response(409, description="None was begun, or users can't be changed on this server")
def confirm_second_factor(wanted: dict[str, str]) -> dict[str, list[str]]:
    """Confirm the second factor by a code of it: from now on each log-in needs one. Shows the recovery codes once."""
    refuse_on_secondary()
    session = own_session()
    if session.totp is None:
        raise NotAllowed(
            "second-factor-not-begun",
            "No Second Factor Was Begun",
            detail="This session has no secret that waits for its first code.",
            hint="POST /api/v1/session/totp first.",
        )
    good = match_totp(node().keys.unseal(session.totp), wanted["code"], session.username, node().clock.now())
    if good is None or not parts().access.take_code(good.digest, good.ends_at):
        raise wrong("code", "Is not the code that the app shows at this moment.")
    codes = new_recovery_codes()
    save_second_factor(session.username, session.totp, codes)
    parts().access.hold_totp(visitor().session_digest, None)
    return {"recovery_codes": codes}


@resource.route("/session/totp", methods=["DELETE"])
@for_oneself
@recorded("second-factor-removed")
@resource.arguments(PasswordProofSchema)
@resource.response(204)
@resource.alt_response(409, description="Users can't be changed on this server")
@resource.alt_response(429, description="Too many wrong passwords")
def remove_second_factor(proof: dict[str, str]) -> None:
    """Do without a second factor; its recovery codes go with it."""
    refuse_on_secondary()
    user = prove(own_session(), proof["password"], "password")
    remember(parts().accounts.change_second_factor(user.name, None, ()))


@resource.route("/session/recovery-codes", methods=["POST"])
@for_oneself
@recorded("recovery-codes-made")
@resource.arguments(PasswordProofSchema)
@resource.response(200, RecoveryCodesSchema)
@resource.alt_response(409, description="There is no second factor, or users can't be changed on this server")
@resource.alt_response(429, description="Too many wrong passwords")
def make_recovery_codes(proof: dict[str, str]) -> dict[str, list[str]]:
    """Make new recovery codes, shown this once; the old ones are good for nothing any more."""
    refuse_on_secondary()
    user = prove(own_session(), proof["password"], "password")
    if user.totp is None:
        raise NotAllowed(
            "no-second-factor",
            "You Have No Second Factor",
            detail="Recovery codes stand in for a second factor.",
            hint="POST /api/v1/session/totp begins one.",
        )
    codes = new_recovery_codes()
    save_second_factor(user.name, user.totp, codes)
    return {"recovery_codes": codes}


def save_second_factor(name: str, sealed: str, codes: list[str]) -> None:
    digests = tuple(recovery_digest(code) for code in codes)
    remember(parts().accounts.change_second_factor(name, sealed, digests))


def own_session() -> SessionRecord:
    """The visitor's session; `for_oneself` lets nobody in without one."""
    session = visitor().session
    assert session is not None  # noqa: S101
    return session


def prove(session: SessionRecord, password: str, field: str) -> UserRecord:
    """The visitor's account, after they have shown that they know its password: a console left open is not enough.

    Raises InvalidInput naming the field, and TooManyLogins after several wrong ones.
    """
    subject = f"user:{session.username}"
    check_pace([subject])
    user = find_user(session.username)
    if not password_matches(None if user is None else user.password_hash, password) or user is None:
        parts().throttle.add_login_failure(subject)
        raise wrong(field, "Is not your password.")
    return user


def renewed(session: SessionRecord, user: UserRecord) -> dict[str, Any]:
    """The visitor's own session goes on under the same cookie."""
    who = visitor()
    new = parts().access.add_session(who.session_digest, user, session.csrf_token, who.actor.address)
    return described(new, user)


def wrong(field: str, sentence: str) -> InvalidInput:
    return InvalidInput(
        "wrong-proof",
        "That Is Not Right",
        detail="Nothing was changed.",
        hint="Correct the named field and send it again.",
        errors={field: [sentence]},
    )
