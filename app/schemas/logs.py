"""Pages of logs, and events, at the JSON edge."""

from __future__ import annotations

from marshmallow import Schema, fields

from app.schemas.strict import Number, StrictSchema, Text

PAGE_DEFAULT = 50
PAGE_MAX = 500
ENTRY_MAX = 2**63 - 1


class PageQuerySchema(StrictSchema):
    before = Number(0, ENTRY_MAX, metadata={"description": "Only entries older than this one."})
    limit = Number(1, PAGE_MAX, load_default=PAGE_DEFAULT)


class JobQuerySchema(StrictSchema):
    before = Text(length_max=64, metadata={"description": "Only jobs older than this one."})
    limit = Number(1, PAGE_MAX, load_default=PAGE_DEFAULT)


class DeliverySchema(Schema):
    state = fields.String(metadata={"enum": ["pending", "claimed", "done", "failed", "skipped"]})
    at = fields.String()
    detail = fields.String()


class EventSchema(Schema):
    id = fields.Integer()
    key = fields.String()
    kind = fields.String()
    at = fields.DateTime()
    node = fields.String()
    parameters = fields.List(fields.String())
    detail = fields.String()
    deliveries = fields.Dict(keys=fields.String(), values=fields.Nested(DeliverySchema))


class EventPageSchema(Schema):
    items = fields.List(fields.Nested(EventSchema))
    next = fields.Integer(allow_none=True, metadata={"description": "Goes into `before` for the older ones."})
