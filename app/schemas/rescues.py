"""Rescues at the JSON edge."""

from __future__ import annotations

from marshmallow import Schema, fields

from app.core.rescues import ID_LENGTH_MAX, RescueKind
from app.schemas.strict import StrictSchema, Text


class RescueSchema(Schema):
    id = fields.String()
    kind = fields.Enum(RescueKind, by_value=True)
    at = fields.DateTime()
    term = fields.Integer(allow_none=True, metadata={"description": "The term that this server knew when it rejoined."})
    reason = fields.String()
    path = fields.String(metadata={"description": "The folder on this server."})
    transactions = fields.Integer()
    arrived = fields.Integer(
        metadata={
            "description": "So many more were counted as lost, but had reached the other server when contact was lost: "
            "with the transactions, these are the number that the status had said."
        }
    )
    rows_by_table = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        metadata={"description": "Rows inserted, changed or deleted, by schema.table."},
    )
    files = fields.Integer()
    bytes = fields.Integer()


class RescuePageSchema(Schema):
    items = fields.List(fields.Nested(RescueSchema))
    count = fields.Integer(metadata={"description": "How many there are in all."})


class RescuePartSchema(Schema):
    name = fields.String()
    files = fields.Integer()
    bytes = fields.Integer()


class RescueDetailSchema(RescueSchema):
    obstacle = fields.String(
        metadata={"description": "Why the database could not be rewound and was copied anew, or empty."}
    )
    growing = fields.Boolean(metadata={"description": "Whether files may still be added."})
    contents = fields.List(fields.Nested(RescuePartSchema))


class RemovalSchema(StrictSchema):
    confirm = Text(length_max=ID_LENGTH_MAX, metadata={"description": "The id of the rescue."})
