"""Sessions, tokens and users at the JSON edge."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from app.core.access import LABEL_LENGTH_MAX, PASSWORD_LENGTH_MAX, USER_NAME_LENGTH_MAX, Scope, clean_label
from app.core.access import clean_user_name as clean_name
from app.schemas.strict import Secret, StrictSchema, Text

SCOPES = tuple(str(scope) for scope in Scope)


class LoginSchema(StrictSchema):
    username = Text(required=True, length_max=USER_NAME_LENGTH_MAX)
    password = Secret(PASSWORD_LENGTH_MAX, required=True, load_only=True)


class SessionSchema(Schema):
    """Who is asking, and for a browser the token that each change must carry in X-CSRF-Token."""

    username = fields.String()
    role = fields.String()
    scope = fields.String(metadata={"enum": list(SCOPES)})
    csrf_token = fields.String(allow_none=True)
    ends_at = fields.DateTime(allow_none=True)


class NewTokenSchema(StrictSchema):
    label = Text(clean_label, required=True, length_max=LABEL_LENGTH_MAX)
    scope = Text(required=True, validate=validate.OneOf(SCOPES, error=f"Must be one of {', '.join(SCOPES)}."))


class TokenSchema(Schema):
    id = fields.String()
    label = fields.String()
    scope = fields.String()
    created_by = fields.String()
    created_at = fields.DateTime()
    last_used_at = fields.DateTime(allow_none=True)


class TokenOnceSchema(TokenSchema):
    token = fields.String(metadata={"description": "Shown this once; only its digest is kept."})


class TokensSchema(Schema):
    items = fields.List(fields.Nested(TokenSchema))


class NewUserSchema(StrictSchema):
    name = Text(clean_name, required=True, length_max=USER_NAME_LENGTH_MAX)
    password = Secret(PASSWORD_LENGTH_MAX, required=True, load_only=True)


class PasswordSchema(StrictSchema):
    password = Secret(PASSWORD_LENGTH_MAX, required=True, load_only=True)


class UserSchema(Schema):
    name = fields.String()
    created_at = fields.DateTime()
    password_changed_at = fields.DateTime()


class UsersSchema(Schema):
    items = fields.List(fields.Nested(UserSchema))
