"""Sessions, tokens and users at the JSON edge."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from app.core.access import (
    CODE_LENGTH_MAX,
    LABEL_LENGTH_MAX,
    PASSWORD_LENGTH_MAX,
    TOKEN_DAYS,
    TOKEN_DAYS_MAX,
    USER_NAME_LENGTH_MAX,
    Scope,
    UserRole,
    clean_label,
)
from app.core.access import clean_user_name as clean_name
from app.schemas.strict import Secret, StrictInteger, StrictSchema, Text

SCOPES = tuple(str(scope) for scope in Scope)
ROLES = tuple(str(role) for role in UserRole)


class LoginSchema(StrictSchema):
    username = Text(required=True, length_max=USER_NAME_LENGTH_MAX)
    password = Secret(PASSWORD_LENGTH_MAX, required=True, load_only=True)
    code = Secret(
        CODE_LENGTH_MAX,
        load_only=True,
        metadata={"description": "The code of the second factor, or a recovery code, where the account has one."},
    )


class SessionSchema(Schema):
    """Who is asking, and for a browser the token that each change must carry in X-CSRF-Token."""

    username = fields.String()
    role = fields.String(
        metadata={"enum": [*ROLES, *SCOPES[:2]], "description": "Of a person; for a token what comes closest."}
    )
    scope = fields.String(metadata={"enum": list(SCOPES)})
    csrf_token = fields.String(allow_none=True)
    ends_at = fields.DateTime(allow_none=True)
    password_change_needed = fields.Boolean(
        metadata={"description": "Until it is changed by PUT /session/password, nothing else is allowed."}
    )
    totp = fields.Boolean(allow_none=True, metadata={"description": "Whether log-ins need a second factor."})
    recovery_codes = fields.Integer(allow_none=True, metadata={"description": "How many are left."})


class OwnPasswordSchema(StrictSchema):
    current = Secret(PASSWORD_LENGTH_MAX, required=True, load_only=True)
    password = Secret(PASSWORD_LENGTH_MAX, required=True, load_only=True)


class PasswordProofSchema(StrictSchema):
    """The visitor's own password once more: a console that was left open is not enough."""

    password = Secret(PASSWORD_LENGTH_MAX, required=True, load_only=True)


class EnrolmentSchema(Schema):
    """A second factor that waits for its first code."""

    secret = fields.String(metadata={"description": "To type into the app by hand, in base32."})
    uri = fields.String(metadata={"description": "What the QR code says, an otpauth: address."})
    qr_code = fields.String(metadata={"description": "The QR code as an SVG image in a data: address."})


class NewSecondFactorSchema(StrictSchema):
    code = Secret(CODE_LENGTH_MAX, required=True, load_only=True)


class RecoveryCodesSchema(Schema):
    recovery_codes = fields.List(
        fields.String(), metadata={"description": "Each lets in once; shown this once, only digests are kept."}
    )


class NewTokenSchema(StrictSchema):
    label = Text(clean_label, required=True, length_max=LABEL_LENGTH_MAX)
    scope = Text(required=True, validate=validate.OneOf(SCOPES, error=f"Must be one of {', '.join(SCOPES)}."))
    expires_in_days = StrictInteger(
        1,
        TOKEN_DAYS_MAX,
        load_default=TOKEN_DAYS,
        allow_none=True,
        metadata={"description": "The token ends after so many days; null: never."},
    )


class TokenSchema(Schema):
    id = fields.String()
    label = fields.String()
    scope = fields.String()
    created_by = fields.String()
    created_at = fields.DateTime()
    last_used_at = fields.DateTime(allow_none=True)
    expires_at = fields.DateTime(allow_none=True, metadata={"description": "null: never."})


class TokenOnceSchema(TokenSchema):
    token = fields.String(metadata={"description": "Shown this once; only its digest is kept."})


class TokensSchema(Schema):
    items = fields.List(fields.Nested(TokenSchema))


def user_role(**options: Any) -> Text:
    return Text(validate=validate.OneOf(ROLES, error=f"Must be one of {', '.join(ROLES)}."), **options)


class NewUserSchema(StrictSchema):
    name = Text(clean_name, required=True, length_max=USER_NAME_LENGTH_MAX)
    password = Secret(PASSWORD_LENGTH_MAX, required=True, load_only=True)
    role = user_role(load_default=str(UserRole.ADMINISTRATOR))


class UserRoleSchema(StrictSchema):
    role = user_role(required=True)


class PasswordSchema(StrictSchema):
    password = Secret(PASSWORD_LENGTH_MAX, required=True, load_only=True)


class UserSchema(Schema):
    name = fields.String()
    role = fields.String(metadata={"enum": list(ROLES)})
    totp = fields.Boolean(metadata={"description": "Whether their log-ins need a second factor."})
    recovery_codes = fields.Integer(metadata={"description": "How many are left."})
    password_change_needed = fields.Boolean()
    sessions = fields.Integer(metadata={"description": "Open sessions on this server."})
    created_at = fields.DateTime()
    password_changed_at = fields.DateTime()


class UsersSchema(Schema):
    items = fields.List(fields.Nested(UserSchema))


class EndedSessionsSchema(Schema):
    ended = fields.Integer(metadata={"description": "How many ended on this server."})
    both_servers = fields.Boolean(metadata={"description": "Whether those on the other server end too."})
    detail = fields.String(metadata={"description": "Where it is this server only: why, and what to do."})
