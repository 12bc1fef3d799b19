"""The description against the real nginx and API of a lab's pair: as administrators and their programs reach them."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import schemathesis

from app.api.described import ACCESS, STREAM
from app.api.reference import PREFIX
from tests.described.examples import Headers, Operation, broken_promises
from tests.lab.client import browser_at, log_in
from tests.lab.servers import Servers, bring_up

TIMEOUT_S = 60.0
"""Longer than the slowest answer, a preflight with a silent peer."""
LEE, PASSWORD = "lee", "nine small boats at noon"
LAST = ("/session", "/system/certificate", "/ha/")
"""What ends log-ins, certificates and the pair comes after all else, in this order."""
LEFT_OUT = "/system/certificate/renew"
"""The next request would meet the old certificate or the new one; tests/lab/test_hardening.py waits for the new one."""

Say = Callable[[str], None]


def run(examples: int, number: int, only: str, within_s: float, say: Say) -> tuple[int, Counter[int]]:
    """How many promises were broken, and all answers by status. Half of the time is each server's; what it does not
    suffice for is said."""
    servers = bring_up(f"described-{os.getpid()}")
    try:
        servers.pair()
        broken, answers = 0, Counter[int]()
        for host in ("b", "a"):
            found, statuses = _host(servers, host, examples, number, only, time.monotonic() + within_s / 2, say)
            broken += found
            answers += statuses
        return broken, answers
    finally:
        servers.close()
        servers.lab.down()


def _host(
    servers: Servers, host: str, examples: int, number: int, only: str, until_s: float, say: Say
) -> tuple[int, Counter[int]]:
    visitor = Visitor(servers, host)
    calls = [each for each in visitor.operations() if only in each.label]
    broken, answers = 0, Counter[int]()
    for place, operation in enumerate(calls):
        if time.monotonic() > until_s:
            say(f"{host}: no time for {', '.join(each.label for each in calls[place:])}")
            break
        found, statuses = visitor.broken_promises(operation, examples, number)
        answers += statuses
        broken += len(found)
        say(f"{host}: {operation.label}: {dict(sorted(statuses.items()))}")
        for each in found:
            say(f"    {each}")
    return broken, answers


class Visitor:
    """An administrator with a browser and a token at one server of a pair."""

    def __init__(self, servers: Servers, host: str) -> None:
        self._lab, self._host = servers.lab, host
        self._info = servers.hosts[host]
        self._api = servers.apis[host]
        self._session: Headers = {}
        self._known = self._names()

    def operations(self) -> list[Operation]:
        """All calls but the streams, which do not end; those that end something come last."""
        url = f"{self._info['url']}{PREFIX}/openapi.json"
        schema = schemathesis.openapi.from_url(url, verify=self._info["ca"])
        found = [each.ok() for each in schema.get_all_operations()]
        streams = [each for each in found if STREAM in str(each.definition.raw["responses"])]
        kept = [each for each in found if each not in streams and not each.path.endswith(LEFT_OUT)]
        return sorted(kept, key=_order)

    def broken_promises(self, operation: Operation, examples: int, number: int) -> tuple[list[str], Counter[int]]:
        """See tests.described.examples."""
        in_person = operation.definition.raw.get(ACCESS) == "session"
        known = {each.name: self._known[each.name] for each in operation.path_parameters if each.name in self._known}
        headers = self._person if in_person else self._token
        network = {"verify": self._info["ca"], "timeout": TIMEOUT_S}
        return broken_promises(operation, examples, number, headers, known, **network)

    def _token(self) -> Headers:
        return {"Authorization": f"Bearer {self._info['token']}"}

    def _person(self) -> Headers:
        """A session's headers; logs in again where the last request has ended the session."""
        with browser_at(self._info) as browser:
            address = f"{self._info['url']}{PREFIX}/session"
            if self._session and browser.get(address, headers=self._session, timeout=TIMEOUT_S).ok:
                return dict(self._session)
            answer = log_in(browser, self._info)
            answer.raise_for_status()
            cookie = answer.headers["Set-Cookie"].split(";", 1)[0]
            self._session = {"Cookie": cookie, "X-CSRF-Token": answer.json()["csrf_token"]}
            return dict(self._session)

    def _names(self) -> dict[str, str]:
        """Something of everything that an address may name."""
        self._api.call("POST", "/users", {"name": LEE, "password": PASSWORD, "role": "auditor"})
        token: Any = self._api.ask("POST", "/tokens", {"label": "described", "scope": "read"})
        trial: Any = self._api.ask("POST", "/ha/alerts/mail/test", {"to": "ops@hapair.test"})
        job: Any = self._api.ask("GET", "/jobs")["items"][0]
        return {"name": LEE, "token_id": token["id"], "test_id": trial["test"]["id"], "job_id": job["id"]}


def _order(operation: Operation) -> int:
    changes = operation.method.upper() != "GET"
    return next((1 + LAST.index(each) for each in LAST if changes and each in operation.path), 0)
