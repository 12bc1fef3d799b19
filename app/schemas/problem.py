"""What the API says when it can't do what was asked (RFC 9457)."""

from __future__ import annotations

from marshmallow import Schema, fields


class ProblemSchema(Schema):
    """A problem document, sent as application/problem+json."""

    type = fields.String(metadata={"description": "A URI that names the kind of problem."})
    title = fields.String(metadata={"description": "What is wrong, in a few words."})
    status = fields.Integer(metadata={"description": "The HTTP status."})
    code = fields.String(metadata={"description": "A stable name of the problem, for programs."})
    detail = fields.String(metadata={"description": "What happened and what it means."})
    hint = fields.String(metadata={"description": "What to do next."})
    errors = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String()),
        metadata={"description": "Sentences by field, where single fields are wrong."},
    )
