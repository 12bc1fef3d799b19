"""The lines between two servers: what is sent arrives as it was, and what is hostile arrives as a refusal."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from app.core.errors import InvalidInput, NotAllowed, PeerRefused
from app.core.wire import (
    DEPTH_MAX,
    ERROR_TEXT_MAX,
    REPLY_BYTES_MAX,
    REQUEST_BYTES_MAX,
    error_line,
    parse_reply,
    parse_request,
    refusal,
    reply_line,
    request_line,
)

text = some.text(some.characters(exclude_categories=("Cs",)), max_size=20)
values = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(text, inner, max_size=3),
    max_leaves=10,
)
bodies = some.dictionaries(text, values, max_size=4)


@given(some.integers(), bodies)
def test_a_request_arrives_as_it_was_sent(request_id: int, body: dict[str, object]) -> None:
    line = request_line(request_id, "join-begin", body)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    request = parse_request(line)
    assert (request.id, request.verb, request.body) == (request_id, "join-begin", body)


@given(bodies)
def test_a_reply_arrives_as_it_was_sent(reply: dict[str, object]) -> None:
    assert parse_reply(reply_line(7, reply), 7) == reply


def test_an_error_arrives_in_the_senders_words() -> None:
    line = error_line(3, NotAllowed("stale-term", "The Term Is Over", detail="4 < 5", hint="Rejoin."))
    with pytest.raises(PeerRefused) as refused:
        parse_reply(line, 3)
    error = refused.value
    assert (error.code, error.title, error.detail, error.hint) == ("stale-term", "The Term Is Over", "4 < 5", "Rejoin.")


@given(some.binary(max_size=200))
def test_no_bytes_do_more_than_be_refused(line: bytes) -> None:
    for parse in (parse_request, lambda given: parse_reply(given, 1)):
        try:
            parse(line)  # type: ignore[operator]
        except (InvalidInput, PeerRefused):
            continue


@given(values)
def test_no_json_does_more_than_be_refused(document: object) -> None:
    line = json.dumps(document).encode()
    for parse in (parse_request, lambda given: parse_reply(given, 1)):
        try:
            parse(line)  # type: ignore[operator]
        except (InvalidInput, PeerRefused):
            continue


@given(values)
def test_any_error_that_a_peer_sends_can_be_shown(document: object) -> None:
    error = refusal(document)
    assert error.code
    assert error.title
    assert all(len(part) <= ERROR_TEXT_MAX for part in (error.code, error.title, error.detail, error.hint))


def test_a_reply_to_another_request_is_not_taken() -> None:
    with pytest.raises(InvalidInput):
        parse_reply(reply_line(1, {}), 2)


def test_depth_is_bounded() -> None:
    body: dict[str, object] = {}
    for _ in range(DEPTH_MAX):
        body = {"deeper": body}
    with pytest.raises(InvalidInput):
        parse_request(request_line(1, "status", body))
    parse_request(request_line(1, "status", {"some": {"levels": [1]}}))


def test_size_is_bounded_both_ways() -> None:
    with pytest.raises(InvalidInput):
        request_line(1, "status", {"text": "x" * REQUEST_BYTES_MAX})
    with pytest.raises(InvalidInput):
        parse_request(b'{"id":1,"verb":"status","body":{"x":"' + b"x" * REQUEST_BYTES_MAX + b'"}}')
    with pytest.raises(PeerRefused) as refused:
        parse_reply(reply_line(1, {"text": "x" * REPLY_BYTES_MAX}), 1)
    assert refused.value.code == "reply-too-large"
