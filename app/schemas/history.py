"""The history of the pair at the JSON edge."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from app.core.history import Span
from app.schemas.logs import EventSchema
from app.schemas.strict import StrictSchema, Text

SPANS = tuple(str(span) for span in Span)


class HistoryQuerySchema(StrictSchema):
    span = Text(
        load_default=str(Span.HOUR),
        validate=validate.OneOf(SPANS, error=f"Must be one of {', '.join(SPANS)}."),
        metadata={"description": "How far back: an hour, a day, or a month of 30 days."},
    )


class HistoryPointSchema(Schema):
    at = fields.DateTime(metadata={"description": "Begin of the point's span."})
    round_trip_ms = fields.Float(
        allow_none=True, metadata={"description": "Longest round trip of a ping; null where none was answered."}
    )
    failed_pings = fields.Integer()
    missed = fields.Integer(metadata={"description": "Longest run of failed pings."})
    lag_s = fields.Float(allow_none=True, metadata={"description": "Highest replication lag; null where not known."})
    files = fields.Integer(
        allow_none=True, metadata={"description": "Most changes that waited to be mirrored; null on a secondary."}
    )
    outage_s = fields.Float(
        metadata={"description": "Seconds in which nobody was seen to accept writes, ended here by this server."}
    )


class HistorySchema(Schema):
    since = fields.DateTime()
    until = fields.DateTime()
    length_s = fields.Integer(metadata={"description": "Length of each point's span in seconds."})
    points = fields.List(
        fields.Nested(HistoryPointSchema), metadata={"description": "Oldest first; none where nothing was seen."}
    )
    events = fields.List(fields.Nested(EventSchema), metadata={"description": "This server's events, newest first."})
