"""The activity log at the JSON edge."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from marshmallow import Schema, fields, post_load, validate

from app.core.activity import ACTOR_MAX, HOSTNAME_MAX, SUBJECT_MAX, WORD_MAX
from app.core.activity_export import CSV, FORMATS
from app.core.activity_filter import SEARCH_MAX, WORDS_MAX, Filter
from app.core.values import plain_text
from app.schemas.logs import ENTRY_MAX, PAGE_DEFAULT, PAGE_MAX
from app.schemas.strict import Number, StrictInteger, StrictSchema, Text

TIME_LENGTH_MAX = 40
REASON_MAX = 500
SOURCES = ["pair", "node"]
SOURCE = {
    "enum": SOURCES,
    "description": "The common log of both servers, or this server's own journal where the former can't be read. Each"
    " has its own ids.",
}
LOOKED_BACK = (
    "A page is looked for during about 15 ms. One filter for a single value (subject, actor, action, outcome or node),"
    " with or without a time range, always fills its page. A search, or several such filters at once, may need longer:"
    " the page then ends early, even empty, this is the time of the oldest entry that was looked at, and `next` goes"
    " on from there. Null where the page is whole."
)


def moment(text: str) -> datetime:
    """The time that the text names. Raises ValueError."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError("Must be a time such as 2026-01-31T12:00:00Z.") from error
    if found.tzinfo is None:
        raise ValueError("Must say its time zone, as in 2026-01-31T12:00:00Z.")
    try:
        return found.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("Must be a time between the years 1 and 9999.") from error


def cause(text: str) -> str:
    """The text, which says something. Raises ValueError."""
    found = plain_text(text)
    if not found:
        raise ValueError("Say what was found to be the cause.")
    return found


class ActivityFilterSchema(StrictSchema):
    actor = Text(length_max=ACTOR_MAX, metadata={"description": "Only of this person, token or part of hapair."})
    action = Text(length_max=WORD_MAX, metadata={"description": "Only this act."})
    node = Text(length_max=HOSTNAME_MAX, metadata={"description": "Only what was done on the server of that hostname."})
    outcome = Text(length_max=WORD_MAX, metadata={"description": "Only what ended so: done, refused or failed."})
    subject = Text(
        length_max=SUBJECT_MAX,
        metadata={
            "description": "Only about this user, token, rescue or job kind, or these fields of the configuration."
        },
    )
    since = Text(
        moment, length_max=TIME_LENGTH_MAX, metadata={"format": "date-time", "description": "Not before this time."}
    )
    until = Text(
        moment, length_max=TIME_LENGTH_MAX, metadata={"format": "date-time", "description": "Before this time."}
    )
    search = Text(
        length_max=SEARCH_MAX,
        metadata={
            "description": f"Words, at most {WORDS_MAX}, that all stand in the entry or its detail, in any case."
            " Newer entries are looked through first; see `looked_back_to`."
        },
    )

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """The filters as one `wanted`, what else was asked for beside it."""
        names = set(ActivityFilterSchema._declared_fields)
        wanted = Filter(**{name: value for name, value in data.items() if name in names and value != ""})
        return {"wanted": wanted, **{name: value for name, value in data.items() if name not in names}}


class ActivityQuerySchema(ActivityFilterSchema):
    before = Number(0, ENTRY_MAX, metadata={"description": "Only entries older than this one."})
    limit = Number(1, PAGE_MAX, load_default=PAGE_DEFAULT)


class ActivityExportSchema(ActivityFilterSchema):
    format = fields.String(load_default=CSV, validate=validate.OneOf(FORMATS))


class ChainQuerySchema(StrictSchema):
    after = Number(
        0,
        ENTRY_MAX,
        load_default=0,
        metadata={"description": "The last entry that was checked: `next` of the call before."},
    )


class ActivitySchema(Schema):
    id = fields.Integer()
    at = fields.DateTime()
    node = fields.String(metadata={"description": "Hostname of the server on which it was done."})
    node_id = fields.String(metadata={"description": "Identity of that server."})
    node_entry = fields.Integer(metadata={"description": "Number of the entry in that server's own journal."})
    actor = fields.String()
    address = fields.String()
    action = fields.String()
    subject = fields.String(metadata={"description": "What it was about; empty where nothing is named."})
    outcome = fields.String()
    detail = fields.Dict()
    chain = fields.String(metadata={"description": "SHA-256 that links it to the entry before it in its journal."})


class ActivityPageSchema(Schema):
    source = fields.String(metadata=SOURCE)
    items = fields.List(fields.Nested(ActivitySchema))
    next = fields.Integer(allow_none=True, metadata={"description": "Goes into `before` for the older ones."})
    looked_back_to = fields.DateTime(allow_none=True, metadata={"description": LOOKED_BACK})


class BreakSchema(Schema):
    entry = fields.Integer(metadata={"description": "Number of the first entry that is not as it was written."})
    reason = fields.String()


class ChainSchema(Schema):
    source = fields.String(metadata=SOURCE)
    node_id = fields.String(metadata={"description": "Identity of the server whose journal it is."})
    node = fields.String(metadata={"description": "Its hostname."})
    last = fields.Integer(metadata={"description": "Number of its last entry."})
    chain = fields.String(metadata={"description": "Link of its last entry."})
    waiting = fields.Integer(
        allow_none=True,
        metadata={
            "description": "Entries of this server's journal that are not in the common log yet; null elsewhere."
        },
    )
    broken = fields.Nested(
        BreakSchema,
        allow_none=True,
        metadata={"description": "Where its end is not what others know of it; null where nothing contradicts it."},
    )


class ChainsSchema(Schema):
    items = fields.List(fields.Nested(ChainSchema))


class CheckedSchema(Schema):
    checked = fields.Integer(metadata={"description": "Entries that were checked in this call."})
    unlinked = fields.Integer(metadata={"description": "How many of them are older than the chain and have no link."})
    next = fields.Integer(
        allow_none=True, metadata={"description": "Goes into `after`; null at the end or at a break."}
    )
    broken = fields.Nested(BreakSchema, allow_none=True)
    accepted = fields.List(
        fields.Nested(BreakSchema),
        metadata={"description": "What is not as it was written, but was accepted by an administrator."},
    )


class AcceptanceSchema(StrictSchema):
    entry = StrictInteger(
        1,
        ENTRY_MAX,
        required=True,
        metadata={"description": "The entry of this server's journal that `broken` names."},
    )
    reason = Text(
        cause,
        length_max=REASON_MAX,
        required=True,
        metadata={"minLength": 1, "description": "What was found to be the cause, for those who read the log later."},
    )
