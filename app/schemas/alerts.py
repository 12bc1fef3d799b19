"""Alert settings, trials and script checks at the JSON edge."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from app.core.alertsettings import (
    AUTHORITY_LENGTH_MAX,
    LOGIN_LENGTH_MAX,
    PORT_MAX,
    SECRET_LENGTH_MAX,
    URL_LENGTH_MAX,
    Security,
    clean_authority,
    clean_mail_host,
    clean_url,
)
from app.core.events import EventKind
from app.core.scriptcheck import Level
from app.core.values import ADDRESS_LENGTH_MAX, EMAIL_LENGTH_MAX, SCRIPT_BYTES_MAX, clean_email, clean_script
from app.schemas.strict import StrictInteger, StrictSchema, Text

_SECURITIES = [each.value for each in Security]
_SCRIPT_EVENTS = [each.value for each in EventKind]
_KEPT = "Left out: the one that is kept stays. Empty: none any more. It is never shown again."
_AUTHORITY = "PEM of the authority that the certificate is checked with; empty: those that the system trusts."


class SecretOrNothing(fields.String):
    """Text that can be stored; empty text takes the secret away."""

    def __init__(self) -> None:
        super().__init__(
            load_default=None,
            validate=validate.Length(max=SECRET_LENGTH_MAX, error=f"May have at most {SECRET_LENGTH_MAX} characters."),
            metadata={"description": _KEPT, "format": "password"},
        )

    def _deserialize(self, value: object, attr: str | None, data: object, **options: object) -> str:
        found = super()._deserialize(value, attr, data, **options)
        if any(0xD800 <= ord(each) <= 0xDFFF or ord(each) < 0x20 for each in found):
            raise self.make_error("invalid")
        return str(found)


class MailInputSchema(StrictSchema):
    host = Text(clean_mail_host, length_max=ADDRESS_LENGTH_MAX, required=True)
    port = StrictInteger(1, PORT_MAX, required=True)
    security = Text(
        required=True, validate=validate.OneOf(_SECURITIES, error="Must be one of none, starttls, tls."),
        metadata={"enum": _SECURITIES},
    )  # fmt: skip
    sender = Text(clean_email, length_max=EMAIL_LENGTH_MAX, required=True)
    username = Text(length_max=LOGIN_LENGTH_MAX, load_default="")
    password = SecretOrNothing()
    authority = Text(
        clean_authority, length_max=AUTHORITY_LENGTH_MAX, load_default="", metadata={"description": _AUTHORITY}
    )


class WebhookInputSchema(StrictSchema):
    url = Text(clean_url, length_max=URL_LENGTH_MAX, required=True)
    secret = SecretOrNothing()
    authority = Text(
        clean_authority, length_max=AUTHORITY_LENGTH_MAX, load_default="", metadata={"description": _AUTHORITY}
    )


class MailShownSchema(Schema):
    host = fields.String()
    port = fields.Integer()
    security = fields.String(metadata={"enum": _SECURITIES})
    sender = fields.String()
    username = fields.String()
    password_set = fields.Boolean()
    authority = fields.String()
    saved = fields.Boolean(metadata={"description": "False: the mail server that the installation was given."})
    to = fields.String(metadata={"description": "HAAlertEmail as it is applied; empty: no mails are sent."})
    warnings = fields.List(fields.String())


class WebhookShownSchema(Schema):
    url = fields.String(metadata={"description": "Below the scope configure only its server is shown."})
    secret_set = fields.Boolean()
    authority = fields.String()
    warnings = fields.List(fields.String())


class WaitingSchema(Schema):
    """Events on their way out, by channel."""

    script = fields.Integer()
    mail = fields.Integer()
    webhook = fields.Integer()
    log = fields.Integer()


class AlertSettingsSchema(Schema):
    mail = fields.Nested(MailShownSchema)
    webhook = fields.Nested(WebhookShownSchema, allow_none=True)
    waiting = fields.Nested(WaitingSchema)


class TestMailSchema(StrictSchema):
    to = Text(
        clean_email, length_max=EMAIL_LENGTH_MAX, load_default="",
        metadata={"description": "Empty: HAAlertEmail of the draft, else of the applied configuration."},
    )  # fmt: skip


class TestScriptSchema(StrictSchema):
    event = Text(
        required=True,
        validate=validate.OneOf(_SCRIPT_EVENTS, error=f"Must be one of {', '.join(_SCRIPT_EVENTS)}."),
        metadata={"enum": _SCRIPT_EVENTS},
    )
    script = Text(
        clean_script, length_max=SCRIPT_BYTES_MAX, load_default="",
        metadata={"description": "Empty: the draft's script, else the applied one."},
    )  # fmt: skip


class TestResultSchema(Schema):
    detail = fields.String()
    hint = fields.String()
    output = fields.String(metadata={"description": "Of a script: its last 4000 characters."})
    exit_code = fields.Integer(allow_none=True, metadata={"description": "Null: it took too long and was ended."})
    duration_s = fields.Float()
    parameters = fields.List(fields.String())


class AlertTestSchema(Schema):
    id = fields.String()
    channel = fields.String(metadata={"enum": ["mail", "webhook", "script"]})
    state = fields.String(metadata={"enum": ["queued", "running", "done", "failed"]})
    actor = fields.String()
    created_at = fields.DateTime()
    ended_at = fields.DateTime(allow_none=True)
    result = fields.Nested(TestResultSchema, allow_none=True)


class AlertTestAnswerSchema(Schema):
    test = fields.Nested(AlertTestSchema)


class AlertTestsSchema(Schema):
    items = fields.List(fields.Nested(AlertTestSchema))


class ScriptInputSchema(StrictSchema):
    script = Text(clean_script, length_max=SCRIPT_BYTES_MAX, required=True)


class FindingSchema(Schema):
    """Lines and columns begin at 1; the end is the place after the last character."""

    line = fields.Integer()
    column = fields.Integer()
    end_line = fields.Integer()
    end_column = fields.Integer()
    level = fields.String(metadata={"enum": [each.value for each in Level]})
    code = fields.String(metadata={"description": "`SC2086` of shellcheck, `bash` of bash itself."})
    message = fields.String()


class ScriptCheckSchema(Schema):
    ok = fields.Boolean(metadata={"description": "Whether it may be saved: errors refuse it, the others inform."})
    findings = fields.List(fields.Nested(FindingSchema))
    shellcheck = fields.String(metadata={"description": "Its version; empty where it is not installed."})
    notes = fields.List(fields.String(), metadata={"description": "What could not be looked at, and why."})
