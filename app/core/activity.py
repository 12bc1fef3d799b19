"""Entries of the common activity log, and the shape in which one server gives its own to the other.

An entry is named by the node whose journal it comes from and by its number there, so that it can be taken any number
of times and is there once. What another server sends is hostile until `read_records` has looked at it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

HOSTNAME_MAX = 255
ACTOR_MAX = 128
WORD_MAX = 64
SUBJECT_MAX = 128
DETAIL_BYTES_MAX = 32 * 1024
DETAIL_DEPTH_MAX = 12
"""Well within what a request between two servers may be nested."""
RECORDS_MAX = 100
"""Of one batch."""
BATCH_BYTES_MAX = 256 * 1024
ENTRY_MAX = 2**62
_CHAIN = re.compile(r"(?:[0-9a-f]{64})?")
SUBJECTS = ("name", "label", "rescue", "field", "change", "keep", "kind", "rule", "verb", "id")
"""What a detail may call the thing that it is about; the first that is there counts."""

Detail = dict[str, Any]


@dataclass(frozen=True)
class Entry:
    """Who did or tried what."""

    node_id: str
    node_entry: int
    """Its number in the journal of that node, where numbers go up and are never used again."""
    at: datetime
    node: str
    """The node's hostname at that time, for people."""
    actor: str
    address: str
    action: str
    outcome: str
    detail: Detail
    id: int = 0
    """Its key in the log that it was read from; 0 before it is in one."""
    chain: str = ""
    """Its link (app.core.activity_chain); empty before it has one."""

    @property
    def subject(self) -> str:
        """What it is about: a user, a token, a rescue, fields of the configuration; empty where nothing is named."""
        changes = self.detail.get("changes")
        if isinstance(changes, list) and changes:
            fields = [
                each["field"] for each in changes if isinstance(each, dict) and isinstance(each.get("field"), str)
            ]
            return _text(", ".join(fields), SUBJECT_MAX)
        for name in SUBJECTS:
            if isinstance(self.detail.get(name), str):
                return _text(self.detail[name], SUBJECT_MAX)
        return ""


def storable(entry: Entry) -> Entry:
    """The entry as every store and message takes it: longer texts are cut, a detail that is none is left out."""
    return replace(
        entry,
        node=_text(entry.node, HOSTNAME_MAX),
        actor=_text(entry.actor, ACTOR_MAX),
        address=_text(entry.address, WORD_MAX),
        action=_text(entry.action, WORD_MAX),
        outcome=_text(entry.outcome, WORD_MAX),
        detail=_detail(entry.detail),
    )


def batch(entries: Iterable[Entry]) -> list[Entry]:
    """The first of the entries, as many as go into one message; at least one if there is one."""
    taken: list[Entry] = []
    size = 0
    for entry in entries:
        size += len(json.dumps(record(entry)))
        if taken and (size > BATCH_BYTES_MAX or len(taken) == RECORDS_MAX):
            break
        taken.append(entry)
    return taken


def record(entry: Entry) -> Detail:
    """The entry on its way to the other server, which knows by itself whose it is."""
    return {
        "entry": entry.node_entry,
        "at": entry.at.astimezone(UTC).isoformat(),
        "node": entry.node,
        "actor": entry.actor,
        "address": entry.address,
        "action": entry.action,
        "outcome": entry.outcome,
        "detail": entry.detail,
        "chain": entry.chain,
    }


def read_records(sent: object, node_id: str, after: int) -> list[Entry]:
    """The entries of that node in the order of its journal, all later than `after`.

    Raises ValueError saying what is wrong with what was sent.
    """
    if not isinstance(sent, list) or len(sent) > RECORDS_MAX:
        raise ValueError(f"`records` is no list of at most {RECORDS_MAX}")
    found: list[Entry] = []
    for each in sent:
        entry = _read(each, node_id)
        if entry.node_entry <= after:
            raise ValueError("the entries are not in the order of their numbers")
        after = entry.node_entry
        found.append(entry)
    return found


def _read(sent: object, node_id: str) -> Entry:
    if not isinstance(sent, dict):
        raise ValueError("a record is no object")  # noqa: TRY004 - wrong input, whatever its type
    number, detail = sent.get("entry"), sent.get("detail")
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number <= ENTRY_MAX:
        raise ValueError("`entry` is no number of an entry")
    if not isinstance(detail, dict) or _detail(detail) != detail:
        raise ValueError("`detail` is no object that can be kept")
    return Entry(
        node_id,
        number,
        _read_time(sent),
        _read_text(sent, "node", HOSTNAME_MAX),
        _read_text(sent, "actor", ACTOR_MAX),
        _read_text(sent, "address", WORD_MAX),
        _read_text(sent, "action", WORD_MAX),
        _read_text(sent, "outcome", WORD_MAX),
        detail,
        chain=_read_chain(sent),
    )


def _read_chain(sent: Detail) -> str:
    chain = sent.get("chain")
    if not isinstance(chain, str) or not _CHAIN.fullmatch(chain):
        raise ValueError("`chain` is no link")
    return chain


def _read_time(sent: Detail) -> datetime:
    at = datetime.fromisoformat(_read_text(sent, "at", WORD_MAX))
    if at.tzinfo is None:
        raise ValueError("`at` has no time zone")
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("`at` is out of bounds") from error


def _read_text(sent: Detail, name: str, longest: int) -> str:
    value = sent.get(name)
    if not isinstance(value, str) or _text(value, longest) != value:
        raise ValueError(f"`{name}` is no text of at most {longest} characters")
    return value


def _text(value: str, longest: int) -> str:
    """At most that many characters, without half ones, which no store can keep."""
    return value[:longest].encode("utf-8", "replace").decode("utf-8")


def _detail(detail: Detail) -> Detail:
    try:
        text = json.dumps(detail, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace").decode("utf-8")
    except (ValueError, TypeError, RecursionError):
        return {"left_out": "The detail of this entry could not be kept."}
    if len(text.encode()) > DETAIL_BYTES_MAX:
        return _left_out("The detail of this entry is too long; the node's own journal has it.", text)
    if _depth(detail) > DETAIL_DEPTH_MAX:
        return _left_out("The detail of this entry is nested too deep.", text)
    found: Detail = json.loads(text)
    return found


def _left_out(reason: str, text: str) -> Detail:
    """In place of a detail; the digest binds what the journal has to the entry's link."""
    return {"left_out": reason, "sha256": hashlib.sha256(text.encode()).hexdigest()}


def _depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max((_depth(each) for each in value.values()), default=0)
    if isinstance(value, (list, tuple)):
        return 1 + max((_depth(each) for each in value), default=0)
    return 0
