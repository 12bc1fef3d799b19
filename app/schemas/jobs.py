"""Jobs at the JSON edge."""

from __future__ import annotations

from marshmallow import Schema, fields

from app.ports import StepRecord


class StepSchema(Schema):
    name = fields.String()
    title = fields.String()
    state = fields.String(metadata={"enum": ["pending", "running", "done", "failed", "undoing", "undone", "skipped"]})
    progress = fields.Method(
        "progress_of", metadata={"type": "object", "description": "Bytes, rows or files: done, total."}
    )
    detail = fields.String()
    started_at = fields.DateTime(allow_none=True)
    ended_at = fields.DateTime(allow_none=True)

    def progress_of(self, step: StepRecord) -> dict[str, int | None]:
        return {"done": step.done, "total": step.total}


class JobErrorSchema(Schema):
    code = fields.String()
    title = fields.String()
    detail = fields.String()
    hint = fields.String()


class JobSchema(Schema):
    id = fields.String()
    kind = fields.String()
    state = fields.String(metadata={"enum": ["queued", "running", "succeeded", "failed", "reverted"]})
    steps = fields.List(fields.Nested(StepSchema))
    message = fields.String()
    error = fields.Nested(JobErrorSchema, allow_none=True)
    actor = fields.String()
    created_at = fields.DateTime()
    started_at = fields.DateTime(allow_none=True)
    ended_at = fields.DateTime(allow_none=True)


class JobAnswerSchema(Schema):
    job = fields.Nested(JobSchema)


class JobPageSchema(Schema):
    items = fields.List(fields.Nested(JobSchema))
    next = fields.String(allow_none=True, metadata={"description": "Goes into `before` for the older ones."})
