"""The HA configuration at the JSON edge; the draft's schema is made from app.core.fields."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from app.core.fields import FIELDS, Field, Kind, clean
from app.schemas.alerts import ScriptCheckSchema
from app.schemas.strict import StrictBoolean, StrictInteger, StrictSchema, Text

MAINTENANCE_MINUTES_MAX = 7 * 24 * 60
CONFIRM_LENGTH_MAX = 255


class HaValue(fields.Field[Any]):
    """The value of one declared field, in its normal form."""

    def __init__(self, declared: Field) -> None:
        super().__init__(allow_none=True, metadata=_description(declared))
        self.declared = declared

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> Any:
        try:
            return clean(self.declared, value)
        except ValueError as error:
            raise ValidationError(str(error)) from error


def _description(declared: Field) -> dict[str, Any]:
    types = {Kind.INTEGER: "integer", Kind.BOOLEAN: "boolean"}
    known: dict[str, Any] = {
        "type": types.get(declared.kind, "string"),
        "title": declared.label,
        "description": declared.help,
        "default": declared.default,
    }
    if declared.choices:
        known["enum"] = [*declared.choices, None]
    if declared.minimum is not None:
        known |= {"minimum": declared.minimum, "maximum": declared.maximum}
    if known["type"] == "string" and not declared.choices:
        known["maxLength"] = declared.length_max
    return known


DraftSchema = StrictSchema.from_dict({each.name: HaValue(each) for each in FIELDS}, name="DraftSchema")
"""The fields to change; those that are left out keep their applied value, null takes one back to its default."""

ValuesSchema = Schema.from_dict(
    {each.name: fields.Raw(metadata=_description(each)) for each in FIELDS}, name="ValuesSchema"
)


class ChangeSchema(Schema):
    field = fields.String()
    before = fields.Raw(data_key="from")
    after = fields.Raw(data_key="to")


class FieldSchema(Schema):
    """How a field is declared."""

    name = fields.String()
    label = fields.String()
    kind = fields.String()
    default = fields.Raw()
    roles = fields.Method("in_order")
    scope = fields.String()
    section = fields.String()
    help = fields.String()
    required = fields.Boolean()
    choices = fields.List(fields.String())
    minimum = fields.Integer(allow_none=True)
    maximum = fields.Integer(allow_none=True)
    unit = fields.String()
    length_max = fields.Integer()

    def in_order(self, declared: Field) -> list[str]:
        return sorted(str(role) for role in declared.roles)


class TransitionSchema(Schema):
    """A legal change of role and what APPLY then does."""

    applied = fields.String()
    drafted = fields.String()
    change = fields.String()
    sentence = fields.String()


class ConfigSchema(Schema):
    """Applied configuration and draft, what differs, and how the fields are declared."""

    state = fields.String(validate=validate.OneOf(("applied", "draft", "applying", "failed")))
    applied = fields.Nested(ValuesSchema)
    draft = fields.Nested(ValuesSchema, allow_none=True)
    changes = fields.List(fields.Nested(ChangeSchema))
    fields_ = fields.List(fields.Nested(FieldSchema), data_key="fields")
    transitions = fields.List(fields.Nested(TransitionSchema))
    saved_by = fields.String(allow_none=True)
    saved_at = fields.DateTime(allow_none=True)
    failed = fields.String(allow_none=True, metadata={"description": "Why the last APPLY of this draft failed."})
    script_check = fields.Nested(
        ScriptCheckSchema,
        allow_none=True,
        metadata={"description": "After saving a changed HAAdminAlertScript: what was found in it, else null."},
    )


class FingerprintSchema(Schema):
    HAPeerFingerprint = fields.String()


class CheckSchema(Schema):
    id = fields.String()
    result = fields.String(validate=validate.OneOf(("pass", "warn", "fail")))
    detail = fields.String()


class PreflightSchema(Schema):
    checks = fields.List(fields.Nested(CheckSchema))


class ConfirmSchema(StrictSchema):
    """Dangerous acts ask for the name of this server."""

    confirm = Text(length_max=CONFIRM_LENGTH_MAX, metadata={"description": "The hostname of this server."})


class ResolveSchema(ConfirmSchema):
    keep = Text(
        required=True,
        validate=validate.OneOf(("this", "peer"), error="Must be one of this, peer."),
        metadata={"description": "Whose history goes on; what only the other server has is rescued first."},
    )


class MaintenanceSchema(StrictSchema):
    enabled = StrictBoolean(required=True)
    minutes = StrictInteger(1, MAINTENANCE_MINUTES_MAX, load_default=60)


class MaintenanceStateSchema(Schema):
    maintenance_until = fields.DateTime(allow_none=True)
