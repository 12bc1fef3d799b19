"""Requests made from the description of one call, each checked against what the description says of the answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from schemathesis.checks import CheckContext, load_all_checks
from schemathesis.core import NotSet
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.api.reference import PREFIX

Operation = APIOperation[Any, Any, Any, Any]
Headers = dict[str, str]
MISTAKE = 500
"""What is answered where the program is wrong; 502, 503 and 504 say that something else does not work."""


def no_mistake(_context: CheckContext, response: Any, case: Any) -> None:
    """The check that no request makes the program fail."""
    if response.status_code == MISTAKE:
        raise Failure(operation=case.operation.label, title="The API made a mistake", message=response.text[:500])


CHECKS = [
    no_mistake, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance, negative_data_rejection,
]  # fmt: skip
load_all_checks()


class Switch:
    """A WSGI application that is another one at a time, so that one reading of the description serves many servers."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def __call__(self, environ: Any, start_response: Any) -> Any:
        return self.app(environ, start_response)


def operations_of(app: Switch) -> dict[str, Operation]:
    """All calls of the description, by method and path."""
    schema = schemathesis.openapi.from_wsgi(f"{PREFIX}/openapi.json", app)
    return {each.label: each for each in (found.ok() for found in schema.get_all_operations())}


def broken_promises(
    operation: Operation,
    examples: int,
    number: int,
    headers: Callable[[], Headers],
    known: dict[str, str],
    **transport: Any,
) -> tuple[list[str], Counter[int]]:
    """What the description says and an answer does not keep, in `examples` requests of each kind: right ones and wrong
    ones, and right ones about what is there (`known`, the names in the address). Beside it all answers by status.

    The same `number` makes the same requests. `headers` lets the request in; it is called for each. `transport` is what
    a request over the network needs besides.
    """
    found: set[str] = set()
    answers: Counter[int] = Counter()

    def check(case: Any) -> None:
        sent = headers()
        name, _, value = sent.pop("Cookie", "").partition("=")
        answer = case.call(headers=sent, cookies={name: value} if name else {}, **transport)
        answers[answer.status_code] += 1
        try:
            case.validate_response(answer, checks=CHECKS)
        except FailureGroup as group:
            found.update(f"{shown(case)}: {each.title}: {each.message[:400]}" for each in group.exceptions)

    kinds = [operation.as_strategy(GenerationMode.POSITIVE)]
    if known:
        kinds.append(operation.as_strategy(GenerationMode.POSITIVE, path_parameters=known))
    if operation.body or operation.query or operation.path_parameters:
        kinds.append(operation.as_strategy(GenerationMode.NEGATIVE))
    bounds = settings(
        max_examples=examples, deadline=None, database=None, phases=[Phase.generate], verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    for kind in kinds:
        seed(number)(bounds(given(case=kind)(check)))()
    return sorted(found), answers


def shown(case: Any) -> str:
    """The request, so that it can be sent again."""
    body = "" if isinstance(case.body, NotSet) else f" {str(case.body)[:200]}"
    return f"{case.method} {case.formatted_path} {case.query or ''}{body}"
